"""Named segments: the life of a customer in six words, and the owner's own names for conditions.

Each customer with an order is in exactly one segment of :data:`LIFECYCLE`. The owner's own segments
are SQL expressions over the columns of Profiles and overlap as they like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.profiles import COLUMNS, Profiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A first order is news for a month; after that the second one is missing.
NEW_DAYS = 30
LOYAL_PURCHASE_DAYS = 4

# In this order, the first that holds; a null condition does not hold.
LIFECYCLE: Mapping[str, pl.Expr] = {
    "new": (pl.col("purchase_days") == 1) & (pl.col("days_since_last") < NEW_DAYS),
    "one_time": pl.col("purchase_days") == 1,
    "lapsed": (pl.col("purchase_days") > 1) & (pl.col("due_state") == "lapsed"),
    "at_risk": (pl.col("purchase_days") > 1) & (pl.col("due_state") == "late"),
    "loyal": pl.col("purchase_days") >= LOYAL_PURCHASE_DAYS,
    "repeat": pl.col("purchase_days") > 1,
}

MEANING: Mapping[str, str] = {
    "new": f"bought on one day, less than {NEW_DAYS} days ago",
    "one_time": f"bought on one day, {NEW_DAYS} days ago or more",
    "lapsed": "came back before, and is past the day by which nearly all come back",
    "at_risk": "came back before, and is late now",
    "loyal": f"bought on {LOYAL_PURCHASE_DAYS} days or more, and is not late",
    "repeat": "bought on two or three days, and is not late",
}


def assign(profiles: Profiles, custom: Mapping[str, str]) -> Profiles:
    """Add ``segment``, the lifecycle segment, and ``segments``, that and the own ones that hold.

    Args:
        profiles: as ``profiles.profiles`` made them.
        custom: the owner's segments, name → SQL expression, already free of :func:`problems`.
    """
    choice = pl.lit(None, dtype=pl.String)
    for name, condition in reversed(list(LIFECYCLE.items())):
        choice = pl.when(condition).then(pl.lit(name)).otherwise(choice)
    with_segment = profiles.with_columns(choice.alias("segment"))
    own = [
        pl.when(pl.sql_expr(expression)).then(pl.lit(name)) for name, expression in custom.items()
    ]
    every = pl.concat_list("segment", *own).list.drop_nulls()
    return Profiles(with_segment.with_columns(every.alias("segments")))


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
