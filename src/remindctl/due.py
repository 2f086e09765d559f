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
    by_curve = timing(number, waited, thresholds) if thresholds else nothing
    has_own = (number >= OWN_PURCHASE_DAYS) & pl.col("expected_next_on").is_not_null()
    state = pl.when(has_own).then(_by_forecast(today, by_curve)).otherwise(by_curve)
    regular = (pl.col("gaps") >= REGULAR_GAPS) & (
        pl.col("gap_days_max") <= REGULAR_SPREAD * pl.col("gap_days_median")
    )
    in_rhythm = regular & (waited <= pl.col("gap_days_max"))
    late = state.is_in(["late", "lapsed"])
    state = pl.when(in_rhythm & late).then(pl.lit("due")).otherwise(state)
    once = (number == 1) & state.is_null()
    return people.with_columns(
        pl.when(once).then(pl.lit("one_time")).otherwise(state).alias("due_state"),
        *(
            pl.when(has_own).then(name).otherwise(_by_window(name, quantile, by_number)).alias(name)
            for name, quantile in zip(EXPECTED, ("p25", "median", "p75"), strict=True)
        ),
    )


def _by_forecast(today: date, by_curve: pl.Expr) -> pl.Expr:
    """Name the state by the person's own forecast; the curve decides where that has no end."""
    now = pl.lit(today)
    lost = pl.col("p_none_90d") >= LOST_CHANCE
    open_end = pl.col("expected_next_until").is_null()
    return (
        pl.when(now < pl.col("expected_next_on"))
        .then(pl.lit("not_due"))
        .when(lost & ((now >= pl.col("expected_next_until")) | (open_end & (by_curve == "lapsed"))))
        .then(pl.lit("lapsed"))
        .when((now >= pl.col("expected_next_until")) | (open_end & lost))
        .then(pl.lit("late"))
        .otherwise(pl.lit("due"))
    )


def _by_window(name: str, quantile: str, by_number: Mapping[int, Window]) -> pl.Expr:
    if not by_number:
        return pl.lit(None, dtype=pl.Date).alias(name)
    days: dict[int, int | None] = {
        number: getattr(window, quantile) for number, window in by_number.items()
    }
    wait = (
        pl.col("purchase_days")
        .clip(upper_bound=LATER_ORDERS)
        .replace_strict(days, default=None, return_dtype=pl.Int64)
    )
    return pl.col("last_on") + pl.duration(days=wait)
