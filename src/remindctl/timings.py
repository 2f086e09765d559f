"""Who is due, late or lapsed, where customers stand in their life, and when to write to them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from remindctl.intervals import LATER_ORDERS, DueThresholds, later_orders, thresholds_of, timing
from remindctl.profiles import Profiles
from remindctl.segments import LIFECYCLE, assign
from remindctl.survival import busiest_days, pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.intervals import Waits
    from remindctl.survival import ReturnCurve

STATES = ("not_due", "due", "late", "lapsed")
# How far ahead to ask "will they still come?" of those who count as lapsed.
_LOOK_AHEAD_DAYS = 90


@dataclass(frozen=True, slots=True)
class DueStep:
    """The thresholds after one order number, and where its waiting customers stand.

    Attributes:
        number: the order number; ``LATER_ORDERS`` holds all from there on.
        customers: state (not_due, due, late, lapsed) → customers; empty without thresholds.
    """

    number: int
    thresholds: DueThresholds
    customers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Segment:
    """The customers of one lifecycle segment, and what they spent in the store's currency.

    Attributes:
        spent: None when the file has no amounts.
    """

    segment: str
    customers: int
    spent: Decimal | None


def standing(waiting: Waits, thresholds: Mapping[int, DueThresholds]) -> pl.DataFrame:
    """Give each customer's purchase_days, days_since_last, due_state, segment and spent."""
    # Both are in the order of persons: the last purchase day of each, and each one's sum.
    last = waiting.filter(~pl.col("returned")).select(
        pl.col("number").alias("purchase_days"),
        pl.col("wait").alias("days_since_last"),
        timing(pl.col("number"), pl.col("wait"), thresholds).alias("due_state"),
    )
    spent = waiting.group_by("person", maintain_order=True).agg(pl.col("amount").sum())
    return assign(Profiles(last.with_columns(spent["amount"].alias("spent"))), {})


def due_steps(
    customers: pl.DataFrame, thresholds: Mapping[int, DueThresholds]
) -> tuple[DueStep, ...]:
    """Count the due states of ``standing`` per order number, where there are customers."""
    number = pl.col("purchase_days").clip(upper_bound=LATER_ORDERS)
    counted = customers.group_by(number, "due_state").len()
    found: dict[int, dict[str, int]] = {}
    for key, state, size in counted.sort("purchase_days").iter_rows():
        states = found.setdefault(key, {})
        if state is not None:
            states[state] = size
    return tuple(
        DueStep(
            key, thresholds[key], {name: states.get(name, 0) for name in STATES} if states else {}
        )
        for key, states in found.items()
    )


def segments(customers: pl.DataFrame, *, amounts: bool) -> tuple[Segment, ...]:
    """Count every lifecycle segment of ``standing``; ``amounts``: the file has some."""
    counted = customers.group_by("segment").agg(pl.len(), pl.col("spent").sum())
    rows: dict[str, tuple[int, Decimal]] = {
        name: (size, spent) for name, size, spent in counted.iter_rows()
    }
    nobody = (0, Decimal(0))
    return tuple(
        Segment(name, rows.get(name, nobody)[0], rows.get(name, nobody)[1] if amounts else None)
        for name in LIFECYCLE
    )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A wait to put into a campaign, and why.

    Attributes:
        campaign: second_order, first_win_back, reminder or win_back.
        audience: whom it is for, in words.
        after: the anchor, first_order or last_order.
        wait_days: days from the anchor.
    """

    campaign: str
    audience: str
    after: str
    wait_days: int
    reason: str


def suggestions(by_order: Mapping[int, ReturnCurve]) -> tuple[Suggestion, ...]:
    """Read campaign timings off the curves; one that too few returns stand behind is absent."""
    found = []
    first, later = by_order.get(1, pool([])), later_orders(by_order)
    once, again = "customers with one order", "customers with two or more orders"
    week = busiest_days(first)
    if week:
        reason = (
            f"a second order is most likely on days {week.from_day}-{week.to_day}: "
            f"{week.daily_rate:.1%} of those who still have none place one each day"
        )
        found.append(Suggestion("second_order", once, "first_order", week.from_day, reason))
    limits = thresholds_of(later, "later_orders")
    if limits and limits.due_days is not None:
        reason = (
            f"by day {limits.due_days}, 40% of the returns that come within {limits.horizon_days} "
            "days have come"
        )
        found.append(Suggestion("reminder", again, "last_order", limits.due_days, reason))
    for campaign, audience, wait in (("first_win_back", once, first), ("win_back", again, later)):
        limits = thresholds_of(wait, "order_number" if wait is first else "later_orders")
        if limits and limits.lapsed_days is not None:
            reason = _win_back_reason(wait, limits.lapsed_days)
            found.append(Suggestion(campaign, audience, "last_order", limits.lapsed_days, reason))
    return tuple(found)


def _win_back_reason(wait: ReturnCurve, lapsed_days: int) -> str:
    """Say how low the chance of a return has become by the lapsed day."""
    reason = (
        f"by day {lapsed_days}, 90% of the returns that come within {wait.horizon} days have come"
    )
    still = wait.after_waiting(lapsed_days, _LOOK_AHEAD_DAYS)
    if still is None or lapsed_days + _LOOK_AHEAD_DAYS > wait.horizon:
        return reason
    return f"{reason}; of those still away, {still:.0%} return in the next {_LOOK_AHEAD_DAYS} days"
