"""Named segments: the life of a customer in six words, habits, value, tags, and the owner's own.

Each customer with an order is in exactly one segment of :data:`LIFECYCLE`, in one RFM group
(``rfm:champions``) and one value decile (``decile:10`` spent most). The others overlap as they
like: habits, the tags of the shop's customer file, in which layouts also put membership tiers
(``tag:VIP``), and the owner's own SQL expressions over the columns of Profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.profiles import COLUMNS, Profiles
from remindctl.rfm import DECILES, GROUPS
from remindctl.rfm import MEANING as GROUP_MEANING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A first order is news for a month; after that the second one is missing.
NEW_DAYS = 30
LOYAL_PURCHASE_DAYS = 4
# Fewer orders than this show no habit.
HABIT_ORDERS = 3

# In this order, the first that holds; a null condition does not hold.
LIFECYCLE: Mapping[str, pl.Expr] = {
    "new": (pl.col("purchase_days") == 1) & (pl.col("days_since_last") < NEW_DAYS),
    "one_time": pl.col("purchase_days") == 1,
    "lapsed": (pl.col("purchase_days") > 1) & (pl.col("due_state") == "lapsed"),
    "at_risk": (pl.col("purchase_days") > 1) & (pl.col("due_state") == "late"),
    "loyal": pl.col("purchase_days") >= LOYAL_PURCHASE_DAYS,
    "repeat": pl.col("purchase_days") > 1,
}

_HABITUAL = pl.col("orders") >= HABIT_ORDERS
AFTERNOON = (12, 17)

HABITS: Mapping[str, pl.Expr] = {
    "category_focused": _HABITUAL & (pl.col("favourite_category_share") >= 0.8),
    "explorer": _HABITUAL
    & (pl.col("category_count") >= 3)
    & (pl.col("favourite_category_share") <= 0.5),
    "afternoon_buyer": _HABITUAL & pl.col("habitual_hour").is_between(*AFTERNOON),
    "price_sensitive": (pl.col("orders") > 1) & (pl.col("code_share") > 0.5),
}

TAG = "tag:"

MEANING: Mapping[str, str] = {
    "new": f"bought on one day, less than {NEW_DAYS} days ago",
    "one_time": f"bought on one day, {NEW_DAYS} days ago or more",
    "lapsed": "came back before, and is past the day by which nearly all come back",
    "at_risk": "came back before, and is late now",
    "loyal": f"bought on {LOYAL_PURCHASE_DAYS} days or more, and is not late",
    "repeat": "bought on two or three days, and is not late",
    "category_focused": f"{HABIT_ORDERS} orders or more, 80% of them in one category",
    "explorer": f"{HABIT_ORDERS} orders or more, three categories, none in more than half of them",
    "afternoon_buyer": f"{HABIT_ORDERS} orders or more, mostly from noon to six",
    "price_sensitive": "two orders or more, over half of them with a discount code",
    **{f"rfm:{name}": meaning for name, meaning in GROUP_MEANING.items()},
    **{
        f"decile:{number}": f"{number - 1} tenths of the customers, and no more, spent less"
        for number in range(1, DECILES + 1)
    },
}

# Every segment there is without looking at a file; tags come on top.
BUILT_IN = (
    *LIFECYCLE,
    *HABITS,
    *(f"rfm:{name}" for name in GROUPS),
    *(f"decile:{number}" for number in range(1, DECILES + 1)),
)


def is_segment(name: str, custom: Iterable[str]) -> bool:
    """Say whether there may be a segment of this name; whether anyone has a tag, only data tell."""
    return name in BUILT_IN or name in custom or (name.startswith(TAG) and name != TAG)


def lifecycle() -> pl.Expr:
    """Name the lifecycle segment, from purchase_days, days_since_last and due_state."""
    choice = pl.lit(None, dtype=pl.String)
    for name, condition in reversed(list(LIFECYCLE.items())):
        choice = pl.when(condition).then(pl.lit(name)).otherwise(choice)
    return choice.alias("segment")


def assign(profiles: Profiles, custom: Mapping[str, str]) -> Profiles:
    """Add ``segment``, the lifecycle segment, and ``segments``, every one the person is in.

    Args:
        profiles: as ``profiles.profiles`` made them.
        custom: the owner's segments, name → SQL expression, already free of :func:`problems`.
    """
    conditions = {**HABITS, **{name: pl.sql_expr(text) for name, text in custom.items()}}
    sorted_out = profiles.with_columns(lifecycle())
    marks = sorted_out.select(
        "segment",
        "rfm",
        "value_decile",
        *(condition.fill_null(value=False).alias(f"in {n}") for n, condition in conditions.items()),
    )
    # A million customers make some hundred different rows of marks: each gets its list once.
    kinds = marks.unique()
    every = kinds.select(
        pl.concat_list(
            "segment",
            pl.concat_str(pl.lit("rfm:"), "rfm"),
            pl.concat_str(pl.lit("decile:"), pl.col("value_decile").cast(pl.String)),
            *(pl.when(f"in {name}").then(pl.lit(name)) for name in conditions),
        )
        .list.drop_nulls()
        .alias("segments")
    )
    found = marks.join(
        kinds.hstack(every), on=marks.columns, how="left", nulls_equal=True, maintain_order="left"
    )["segments"]
    sorted_out = sorted_out.with_columns(found)
    if sorted_out["tags"].list.len().sum():
        tags = pl.col("tags").list.eval(pl.concat_str(pl.lit(TAG), pl.element()))
        tags = tags.list.drop_nulls().list.unique(maintain_order=True)
        sorted_out = sorted_out.with_columns(pl.col("segments").list.concat(tags.fill_null([])))
    return Profiles(sorted_out)


def problems(
    expression: str, place: Place, extra: Iterable[str] = (), *, segments: bool = True
) -> list[Problem]:
    """Say what is wrong with an SQL condition over Profiles, without any data.

    Args:
        expression: the condition as the user wrote it.
        place: where it stands.
        extra: further columns that the shop's own customer file has.
        segments: whether ``segment`` and ``segments`` may be used (not inside a segment itself).
    """
    known: dict[str, pl.DataType | type[pl.DataType]] = dict.fromkeys(extra, pl.String())
    known |= {name: column.dtype for name, column in COLUMNS.items()}
    if segments:
        known |= {"segment": pl.String(), "segments": pl.List(pl.String)}
    try:
        condition = pl.sql_expr(expression)
    except pl.exceptions.PolarsError as error:
        hint = "write it like: orders >= 2 AND spent > 30000"
        return [Problem(place, f"not a condition: {_first_line(error)}", hint)]
    unknown = [name for name in condition.meta.root_names() if name not in known]
    if unknown:
        hint = f"the columns are: {', '.join(sorted(known))}"
        return [Problem(place, f"no column {name!r} in Profiles", hint) for name in unknown]
    try:
        answer = pl.DataFrame({name: [None, None] for name in known}, schema=known).select(
            condition.alias("answer")
        )["answer"]
    except pl.exceptions.PolarsError as error:
        hint = "compare numbers with numbers, text with 'text', dates with DATE '2026-01-31'"
        return [Problem(place, f"cannot be computed: {_first_line(error)}", hint)]
    if answer.dtype != pl.Boolean:
        hint = "compare it with something: spent > 0"
        return [Problem(place, f"gives {answer.dtype}, not yes or no", hint)]
    if len(answer) != 2:
        hint = "ask about one customer: orders >= 2"
        return [Problem(place, "looks at all customers at once, not at each", hint)]
    return []


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
