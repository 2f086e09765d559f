"""How customers come back, by order number, in the first days, by product and by cohort.

Shares are between 0 and 1; None means that nobody was observed that long, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import Orders
from remindctl.intervals import (
    LAST_ORDER_NUMBER,
    Waits,
    curves_by,
    curves_by_order,
    purchase_days,
    waits,
)
from remindctl.survival import BusiestDays, ReturnCurve, busiest_days, pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.intervals import PurchaseDays

WITHIN_DAYS = (3, 7, 30, 60, 90, 180, 365)
COHORT_DAYS = (30, 90, 180)
# Where a curve is drawn: closer where more happens, and over the year in which most of it does.
CURVE_DAYS = (*range(15), *range(16, 31, 2), *range(33, 91, 3), *range(95, 366, 5))
COHORT_CELL_DAYS = tuple(range(30, 361, 30))
FIRST_DAYS = 14
LISTED_ITEMS = 20

# What tells one item from another, the most exact column first; the last one is its name.
ITEM_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "product": ("product_id", "product"),
    "category": ("category",),
    "sku": ("sku",),
}

_LINE = ("person", "ordered_on", "status", "order_id", "amount")


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A return curve on one day after the purchase.

    Attributes:
        back: the share back by the end of the day (Kaplan-Meier).
        interval: its 95% interval, None once everybody is back.
        waiting: who was observed and still away just before the day.
    """

    day: int
    back: float
    interval: tuple[float, float] | None
    waiting: int


def _points(wait: ReturnCurve) -> tuple[CurvePoint, ...]:
    """Read a curve off on ``CURVE_DAYS``, up to the last day with enough people at risk."""
    return tuple(
        CurvePoint(day, 1.0 - float(wait.survival[day]), wait.band(day), int(wait.at_risk[day]))
        for day in CURVE_DAYS
        if day <= wait.horizon
    )


@dataclass(frozen=True, slots=True)
class OrderStep:
    """The way from one order number to the next.

    Attributes:
        customers: everyone who got to order ``number``; returned: those seen to come back.
        p25, median, p75: days by which that share of all ``customers`` is back (Kaplan-Meier).
        median_ci: its 95% interval.
        enough: whether the quantiles rest on 30 returns or more.
        returned_within: days → share back by then; returned_within_ci: its 95% interval.
        curve: the same over the first year, as far as it is trusted.
    """

    number: int
    customers: int
    returned: int
    p25: int | None
    median: int | None
    p75: int | None
    median_ci: tuple[int | None, int | None]
    enough: bool
    returned_within: Mapping[int, float | None]
    returned_within_ci: Mapping[int, tuple[float, float] | None]
    curve: tuple[CurvePoint, ...]


def order_steps(by_order: Mapping[int, ReturnCurve]) -> tuple[OrderStep, ...]:
    """Describe the curve of each order number up to the 20th."""
    return tuple(
        OrderStep(
            number,
            wait.n,
            wait.returned,
            wait.quantile(0.25),
            wait.quantile(0.50),
            wait.quantile(0.75),
            wait.quantile_interval(0.50),
            wait.enough,
            {days: wait.within(days) for days in WITHIN_DAYS},
            {days: wait.band(days) for days in WITHIN_DAYS},
            _points(wait),
        )
        for number, wait in by_order.items()
        if number <= LAST_ORDER_NUMBER
    )


@dataclass(frozen=True, slots=True)
class DayRate:
    """Who was still waiting before a day after the purchase, and who came back on it."""

    day: int
    at_risk: int
    returned: int
    rate: float


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The first days after a purchase; day 0 is always empty, as same-day orders are one purchase.

    Attributes:
        waits: purchases that another one can follow, one per customer for first orders.
        daily: days 0 to 14, as far as anyone was observed.
        returned_within_3_days: returns seen on days 1 to 3.
        share_within_3_days: the share of the waits that is over by then (Kaplan-Meier).
        share_of_returns_within_3_days: of all returns seen, those on days 1 to 3.
        busiest: the week with the highest daily rate, None while too few came back.
    """

    waits: int
    returned: int
    daily: tuple[DayRate, ...]
    returned_within_3_days: int
    share_within_3_days: float | None
    share_of_returns_within_3_days: float | None
    busiest: BusiestDays | None


def first_days(wait: ReturnCurve) -> FirstDays:
    """Look closely at the start of a curve."""
    soon = int(wait.events[:4].sum())
    return FirstDays(
        wait.n,
        wait.returned,
        tuple(
            DayRate(day, int(wait.at_risk[day]), int(wait.events[day]), float(wait.hazard[day]))
            for day in range(min(FIRST_DAYS, wait.follow_up) + 1)
        ),
        soon,
        wait.within(3),
        soon / wait.returned if wait.returned else None,
        busiest_days(wait),
    )


@dataclass(frozen=True, slots=True)
class ItemCycle:
    """How the buyers of one product (or category, or SKU) come back for the same one.

    Attributes:
        returned: same-item returns seen, of which the quantiles are made.
        p25, median, p75: days by which that share of all waits is over (Kaplan-Meier), None also
            while ``enough`` is False.
        curve: the share of waits that is over, of the first year, as far as it is trusted.
    """

    name: str
    buyers: int
    orders: int
    repeat_buyers: int
    returned: int
    p25: int | None
    median: int | None
    p75: int | None
    enough: bool
    curve: tuple[CurvePoint, ...]


def item_cycles(orders: Orders, by: str, as_of: date) -> tuple[tuple[ItemCycle, ...], int]:
    """Describe the most bought items, by number of buyers.

    Args:
        orders: as for :func:`remindctl.intervals.purchase_days`, with the columns that name items
            as far as the file has them.
        by: a key of ``ITEM_COLUMNS``.
        as_of: the last day seen.

    Returns:
        at most 20 items, and how many there are.
    """
    columns = [name for name in ITEM_COLUMNS[by] if name in orders.columns]
    if not columns:
        return (), 0
    # Codes instead of text: each item is picked out of all lines below.
    item, name = pl.coalesce(columns).cast(pl.Categorical), pl.col(columns[-1]).cast(pl.Categorical)
    lines = (
        orders.lazy()
        .filter(pl.col("status") == "paid", pl.col("person").is_not_null())
        .filter(pl.col("ordered_on") <= as_of)
        .select(*_LINE, item.alias("item"), name.alias("name"))
        .filter(pl.col("item").is_not_null())
        .collect()
    )
    named = pl.col("name").is_not_null()
    latest_name = pl.col("name").filter(named).max_by(pl.col("ordered_on").filter(named))
    sizes = lines.group_by("item").agg(pl.len(), latest_name)
    most = sizes.sort(-pl.col("len").cast(pl.Int64), pl.col("item").cast(pl.String))
    items = []
    for code, _, label in most.head(LISTED_ITEMS).iter_rows():
        days = purchase_days(Orders(lines.filter(pl.col("item") == code)))
        items.append(_item_cycle(label or code, days, as_of))
    return tuple(sorted(items, key=lambda one: (-one.buyers, one.name))), len(sizes)


def _item_cycle(name: str, days: PurchaseDays, as_of: date) -> ItemCycle:
    by_order = curves_by_order(waits(days, as_of))
    wait = pool(by_order.values())
    p25, median, p75 = (wait.quantile(p) if wait.enough else None for p in (0.25, 0.50, 0.75))
    return ItemCycle(
        name,
        by_order[1].n,
        int(days["orders"].sum()),
        by_order[2].n if 2 in by_order else 0,
        wait.returned,
        p25,
        median,
        p75,
        wait.enough,
        _points(wait),
    )


@dataclass(frozen=True, slots=True)
class CohortCell:
    """The share of a cohort that is back within some days of the first order.

    Attributes:
        back: Kaplan-Meier; None when nobody has been observed that long.
        young: not everybody has been.
    """

    days: int
    back: float | None
    young: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers by the month of their first order, ``YYYY-MM``.

    Attributes:
        returned_within: days → share back by then (Kaplan-Meier).
        young: some of them have been observed for less than the longest of these times.
        cells: the same every 30 days of the first year.
    """

    month: str
    customers: int
    returned_within: Mapping[int, float | None]
    young: bool
    cells: tuple[CohortCell, ...]


def cohorts(waiting: Waits, as_of: date) -> tuple[Cohort, ...]:
    """Describe the second orders of each month's new customers."""
    first = Waits(waiting.filter(pl.col("number") == 1))
    year, month = first["on"].dt.year().cast(pl.Int64), first["on"].dt.month().cast(pl.Int64)
    found = []
    for code, wait in curves_by(first, year * 12 + month - 1).items():
        next_month = date((code + 1) // 12, (code + 1) % 12 + 1, 1)
        observed = (as_of - next_month).days + 1  # of the month's last customer
        found.append(
            Cohort(
                f"{code // 12:04}-{code % 12 + 1:02}",
                wait.n,
                {days: wait.within(days) for days in COHORT_DAYS},
                observed < max(COHORT_DAYS),
                tuple(
                    CohortCell(days, wait.within(days), observed < days)
                    for days in COHORT_CELL_DAYS
                ),
            )
        )
    return tuple(found)
