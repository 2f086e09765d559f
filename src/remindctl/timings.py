"""Who is due, late or lapsed, and where customers stand in their life."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from remindctl.intervals import LATER_ORDERS, DueThresholds, timing
from remindctl.rows import minor_units, of_minor_units, run_sums, starts
from remindctl.segments import LIFECYCLE, lifecycle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.intervals import Waits

STATES = ("not_due", "due", "late", "lapsed")


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
    """Give each customer's purchase_days, days_since_last, due_state, segment and spent.

    Returns:
        one row per customer, in the order of persons.
    """
    # All are in the order of persons: the last purchase day of each, and each one's sum.
    last = waiting.filter(~pl.col("returned")).select(
        pl.col("number").alias("purchase_days"),
        pl.col("wait").alias("days_since_last"),
        timing(pl.col("number"), pl.col("wait"), thresholds).alias("due_state"),
    )
    spent = run_sums(minor_units(waiting["amount"]), starts(waiting["person"].to_numpy()))
    return last.with_columns(of_minor_units(spent).alias("spent"), lifecycle())


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
