"""Do two groups of customers come back at the same pace?

A group must be fixed before its members are watched. Whoever is called loyal because of later
orders had to come back to be in that group at all, and any curve would confirm it (immortal time).
So a customer belongs to a group by the first order, and is watched from then on; or by the segment
on a landmark day, computed from what was known on it, and is watched from the day after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.cycles import WITHIN_DAYS, CurvePoint, curve_points
from remindctl.errors import Problem, Refused
from remindctl.intervals import PurchaseDays, curves_by_order, due_thresholds, waits
from remindctl.segments import LIFECYCLE
from remindctl.survival import LogRank, ReturnCurve, curve, log_rank
from remindctl.timings import standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.errors import Place
    from remindctl.frames import Orders
    from remindctl.intervals import Waits

# What customers may be grouped by → the columns of orders that say it.
GROUPINGS: Mapping[str, tuple[str, ...]] = {
    "product": ("product_id", "product"),
    "option": ("option",),
    "category": ("category",),
    "sku": ("sku",),
    "discount": ("discount_code",),
    "month": (),
    "segment": (),
}
# First orders that carry no discount code.
NO_CODE = "none"

_MEANING: Mapping[str, str] = {
    "product": "by what they bought on the day of their first order, watched from then on",
    "discount": "by a discount code of their first order, watched from then on",
    "month": "by when they first ordered, watched from then on",
    "segment": "by their segment on {landmark}, as known then; watched from the day after",
}
_MONTH = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")
_FOLLOW_UP_DAYS = 180
_SHOWN_VALUES = 5


@dataclass(frozen=True, slots=True)
class Question:
    """Which two groups to compare.

    Attributes:
        by: a key of ``GROUPINGS``.
        names: two values of it, as the files write them; of months, ``2026-01`` or ``2026``.
        place: where it was asked, for problems.
        landmark: the day that decides about segments; None: see :func:`compare`.
    """

    by: str
    names: tuple[str, str]
    place: Place
    landmark: date | None = None


def question(text: str, place: Place) -> Question:
    """Read ``product=A,B`` or ``segment=a,b@2026-01-31``; ``;`` parts names that hold commas.

    Raises:
        Refused: it is neither, at ``place``.
    """
    by, _, rest = text.partition("=")
    by, landmark = by.strip(), None
    if by not in GROUPINGS:
        known = f"one of: {', '.join(GROUPINGS)}"
        raise Refused([Problem(place, f"customers cannot be compared by {by!r}", known)])
    if by == "segment" and "@" in rest:
        rest, _, day = rest.rpartition("@")
        try:
            landmark = date.fromisoformat(day.strip())
        except ValueError as error:
            hint = "segment=one_time,repeat@2026-01-31"
            raise Refused([Problem(place, f"{day!r} is no date", hint)]) from error
    names = [name.strip() for name in rest.split(";" if ";" in rest else ",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        hint = f"{by}=A,B; where a name holds a comma: {by}=A;B"
        raise Refused([Problem(place, "a comparison has two different groups", hint)])
    wrong = [name for name in names if by == "month" and not _MONTH.fullmatch(name)]
    wrong += [name for name in names if by == "segment" and name not in LIFECYCLE]
    if wrong:
        hint = "month=2025-11,2026-11 or month=2025,2026"
        hint = f"the segments are: {', '.join(LIFECYCLE)}" if by == "segment" else hint
        raise Refused([Problem(place, f"no {by} {name!r}", hint) for name in wrong])
    return Question(by, (names[0], names[1]), place, landmark)


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """How one of the groups comes back.

    Attributes:
        customers: who is watched; returned: those seen to come back.
        p25, median: days by which that share is back (Kaplan-Meier), None where not reached.
        median_ci: its 95% interval.
        returned_within: days → share back by then; returned_within_ci: its 95% interval.
        curve: the same over the first year, as far as it is trusted.
    """

    name: str
    customers: int
    returned: int
    p25: int | None
    median: int | None
    median_ci: tuple[int | None, int | None]
    returned_within: Mapping[int, float | None]
    returned_within_ci: Mapping[int, tuple[float, float] | None]
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two groups and a log-rank test of whether they come back at the same pace.

    Attributes:
        meaning: how customers came into a group and from when on they are watched.
        in_both: customers who belong to both groups, and so to neither.
        enough: whether both have 30 returns or more; if not, the test says little.
        test: counted for the first group.
    """

    by: str
    meaning: str
    landmark: date | None
    groups: tuple[ComparedGroup, ComparedGroup]
    in_both: int
    enough: bool
    test: LogRank


def compare(orders: Orders, waiting: Waits, as_of: date, asked: Question) -> Comparison:
    """Compare two groups of customers.

    Without a landmark, segments are taken 180 days before ``as_of``, or in the middle of shorter
    files.

    Args:
        orders: person, ordered_on, status and the columns of ``GROUPINGS[asked.by]``.
        waiting: the waits of all orders.
        as_of: the last day seen.
        asked: which groups.

    Raises:
        Refused: one of the groups is empty, or the landmark leaves nothing to know or to watch.
    """
    place, landmark = asked.place, None
    if asked.by == "segment":
        landmark = _landmark(waiting, as_of, asked.landmark, place)
        watched = _by_segment(waiting, landmark)
    else:
        watched = _by_first_order(orders, waiting, asked.by, place)
    members = [watched.filter(_belongs(asked.by, name)) for name in asked.names]
    empty = [name for name, own in zip(asked.names, members, strict=True) if not len(own)]
    if empty:
        hint = f"most frequent: {', '.join(_frequent(watched, asked.by))}"
        raise Refused([Problem(place, f"nobody is in {asked.by} {name!r}", hint) for name in empty])
    both = members[0].join(members[1], on="person", how="semi")["person"]
    alone = [own.filter(~pl.col("person").is_in(both.implode())) for own in members]
    first, second = (curve(own["wait"].to_numpy(), own["returned"].to_numpy()) for own in alone)
    meaning = _MEANING.get(asked.by, _MEANING["product"])
    return Comparison(
        asked.by,
        meaning.format(landmark=landmark),
        landmark,
        (_group(asked.names[0], first), _group(asked.names[1], second)),
        len(both),
        first.enough and second.enough,
        log_rank(first, second),
    )


def _group(name: str, wait: ReturnCurve) -> ComparedGroup:
    return ComparedGroup(
        name,
        wait.n,
        wait.returned,
        wait.quantile(0.25),
        wait.quantile(0.50),
        wait.quantile_interval(0.50),
        {days: wait.within(days) for days in WITHIN_DAYS},
        {days: wait.band(days) for days in WITHIN_DAYS},
        curve_points(wait),
    )


def _landmark(waiting: Waits, as_of: date, asked: date | None, place: Place) -> date:
    first = waiting["on"].min()
    start = first if isinstance(first, date) else as_of
    middle = start + (as_of - start) // 2
    landmark = asked or max(middle, as_of - timedelta(_FOLLOW_UP_DAYS))
    if not start <= landmark < as_of:
        hint = (
            f"a day from {start} on and before {as_of}" if start < as_of else "one day is too few"
        )
        what = f"segments of {landmark}: there is nothing to know then, or nothing to watch after"
        raise Refused([Problem(place, what, hint)])
    return landmark


def _by_segment(waiting: Waits, landmark: date) -> pl.DataFrame:
    """Give person, value (the segment on the landmark), wait from then on, and returned."""
    known = waits(PurchaseDays(waiting.select("person", "on", "orders", "amount")), landmark)
    then = standing(known, due_thresholds(curves_by_order(known)))
    # Both are in the order of persons: the last purchase by then, and where it has led since.
    over = pl.col("on") + pl.duration(days=pl.col("wait")) <= landmark
    since = waiting.filter(pl.col("on") <= landmark, ~(pl.col("returned") & over))
    waited = (pl.lit(landmark) - pl.col("on")).dt.total_days()
    return since.select(
        "person",
        then["segment"].alias("value"),
        (pl.col("wait") - waited).alias("wait"),
        "returned",
    )


def _by_first_order(orders: Orders, waiting: Waits, by: str, place: Place) -> pl.DataFrame:
    """Give person, value (as often as the first day's lines have one), wait and returned."""
    first = waiting.filter(pl.col("number") == 1).select("person", "on", "wait", "returned")
    if by == "month":
        return first.with_columns(pl.col("on").dt.strftime("%Y-%m").alias("value"))
    columns = [name for name in GROUPINGS[by] if name in orders.columns]
    if not columns:
        raise Refused([Problem(place, f"the files name no {by}")])
    lines = first.join(
        orders.filter(pl.col("status") == "paid").select("person", "ordered_on", *columns),
        left_on=["person", "on"],
        right_on=["person", "ordered_on"],
    )
    texts = [pl.col(name).cast(pl.String) for name in columns]
    if by == "discount":
        codes = (
            texts[0].str.to_lowercase().str.split(" + ").list.eval(pl.element().str.strip_chars())
        )
        coded = lines.with_columns(codes.alias("value")).explode("value").drop_nulls("value")
        without = first.join(coded, on="person", how="anti").with_columns(
            pl.lit(NO_CODE).alias("value")
        )
        lines = pl.concat([coded.select(without.columns), without])
    else:
        parts = [lines.with_columns(text.alias("value")) for text in texts]
        lines = pl.concat(parts).drop_nulls("value")
    return lines.select("person", "value", "wait", "returned").unique(maintain_order=True)


def _belongs(by: str, name: str) -> pl.Expr:
    if by == "month":
        return pl.col("value").str.starts_with(name)
    return pl.col("value") == (name.lower() if by == "discount" else name)


def _frequent(watched: pl.DataFrame, by: str) -> Sequence[str]:
    counted = watched.group_by("value").len().sort("len", "value", descending=[True, False])
    found = counted["value"].head(_SHOWN_VALUES).to_list()
    return found or [f"no {by} at all"]
