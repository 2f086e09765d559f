"""When each customer's next order is expected, and who is due, late or lapsed.

Two clocks. The store's: the return curve of everyone with as many orders. The person's own: a
forecast of their next order, for people with enough orders of their own. Both are started by the
latest order and then stand, so that days overdue grow while someone waits.

Either may call a regular fast buyer lost too soon. So nobody is late who buys regularly and has
not yet waited longer than they once did before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.intervals import LATER_ORDERS, later_orders, timing
from remindctl.survival import pool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from remindctl.intervals import DueThresholds
    from remindctl.survival import ReturnCurve

# A person's own forecast counts from this many purchase days on: two gaps of their own.
OWN_PURCHASE_DAYS = 3
# Lapsed by one's own forecast: at most one chance in three of an order within 90 days.
LOST_CHANCE = 2 / 3
# Regular: this many gaps of one's own, the longest at most this many times the median.
REGULAR_GAPS = 3
REGULAR_SPREAD = 2.0

EXPECTED = ("expected_next_from", "expected_next_on", "expected_next_until")

# Columns on the way to the state.
_BY_CURVE, _HAS_OWN, _IN_RHYTHM = "_by_curve", "_has_own", "_in_rhythm"


@dataclass(frozen=True, slots=True)
class Window:
    """Days after an order by which 25, 50 and 75% of those who come back have come back."""

    p25: int | None
    median: int | None
    p75: int | None


def windows(by_order: Mapping[int, ReturnCurve]) -> dict[int, Window]:
    """Read the next order's window off the narrowest curve with enough returns.

    As with ``intervals.thresholds_of``, these are quantiles among those who come back within the
    curve's horizon: most first-time buyers never do.

    Args:
        by_order: as ``intervals.curves_by_order`` gives it.

    Returns:
        an entry for each order number up to ``LATER_ORDERS``, empty where returns are too few.
    """
    store, later = pool(by_order.values()), later_orders(by_order)
    found = {}
    for number in range(1, LATER_ORDERS + 1):
        own = by_order.get(number)
        wider = (store,) if number == 1 else (later, store)
        curves = (own, *wider) if own else wider
        found[number] = next(
            (_window(one) for one in curves if one.enough), Window(None, None, None)
        )
    return found


def _window(wait: ReturnCurve) -> Window:
    reach = 1.0 - float(wait.survival[wait.horizon])
    p25, median, p75 = (wait.quantile(share * reach) for share in (0.25, 0.50, 0.75))
    return Window(p25, median, p75)


def dated(
    people: pl.DataFrame,
    today: date,
    thresholds: Mapping[int, DueThresholds],
    by_number: Mapping[int, Window],
) -> pl.DataFrame:
    """Add due_state, expected_next_from, expected_next_on and expected_next_until.

    Args:
        people: purchase_days, last_on, gaps, gap_days_max, gap_days_median, and the columns of
            :data:`EXPECTED` and p_none_90d as the person's own forecast has them (or null).
        today: the day that is looked from.
        thresholds: from ``intervals.due_thresholds``; empty = the store's curve is silent.
        by_number: from :func:`windows`.
    """
    waited = (pl.lit(today) - pl.col("last_on")).dt.total_days().clip(lower_bound=0)
    number = pl.col("purchase_days")
    nothing = pl.lit(None, dtype=pl.String)
    has_own = (number >= OWN_PURCHASE_DAYS) & pl.col("expected_next_on").is_not_null()
    regular = (pl.col("gaps") >= REGULAR_GAPS) & (
        pl.col("gap_days_max") <= REGULAR_SPREAD * pl.col("gap_days_median")
    )
    # Step by step, as an expression within an expression is computed wherever it is named.
    people = people.with_columns(
        (timing(number, waited, thresholds) if thresholds else nothing).alias(_BY_CURVE),
        has_own.alias(_HAS_OWN),
        (regular & (waited <= pl.col("gap_days_max"))).alias(_IN_RHYTHM),
    )
    state = pl.when(_HAS_OWN).then(_by_forecast(today)).otherwise(_BY_CURVE)
    people = people.with_columns(state.alias("due_state"))
    late = pl.col("due_state").is_in(["late", "lapsed"])
    once = (number == 1) & pl.col("due_state").is_null()
    state = (
        pl.when(pl.col(_IN_RHYTHM) & late)
        .then(pl.lit("due"))
        .when(once)
        .then(pl.lit("one_time"))
        .otherwise("due_state")
    )
    expected = [
        pl.when(_HAS_OWN).then(name).otherwise(_by_window(quantile, by_number)).alias(name)
        for name, quantile in zip(EXPECTED, ("p25", "median", "p75"), strict=True)
    ]
    return people.with_columns(state.alias("due_state"), *expected).drop(
        _BY_CURVE, _HAS_OWN, _IN_RHYTHM
    )


def _by_forecast(today: date) -> pl.Expr:
    """Name the state by the person's own forecast; the curve decides where that has no end."""
    late = pl.lit(today) >= pl.col("expected_next_until")
    lost = pl.col("p_none_90d") >= LOST_CHANCE
    open_end = pl.col("expected_next_until").is_null()
    return (
        pl.when(pl.lit(today) < pl.col("expected_next_on"))
        .then(pl.lit("not_due"))
        .when(lost & (late | (open_end & (pl.col(_BY_CURVE) == "lapsed"))))
        .then(pl.lit("lapsed"))
        .when(late | (open_end & lost))
        .then(pl.lit("late"))
        .otherwise(pl.lit("due"))
    )


def _by_window(quantile: str, by_number: Mapping[int, Window]) -> pl.Expr:
    if not by_number:
        return pl.lit(None, dtype=pl.Date)
    days: dict[int, int | None] = {
        number: getattr(window, quantile) for number, window in by_number.items()
    }
    wait = (
        pl.col("purchase_days")
        .clip(upper_bound=LATER_ORDERS)
        .replace_strict(days, default=None, return_dtype=pl.Int64)
    )
    return pl.col("last_on") + pl.duration(days=wait)
