"""How customers come back, by order number, by product and by cohort.

Shares are between 0 and 1; None means that nobody was observed that long, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import Orders
from remindctl.intervals import (
    LAST_ORDER_NUMBER,
    Waits,
    curves_by,
    purchase_days,
    waits,
)
from remindctl.refill import Refill, refill, unit_days
from remindctl.rows import lengths, numbered, starts
from remindctl.survival import ReturnCurve, curve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # A level and one of its groups → the waits for the same again, and their curve.
    _Observed = Callable[[str, str], tuple[Waits, ReturnCurve]]

WITHIN_DAYS = (3, 7, 30, 60, 90, 180, 365)
COHORT_DAYS = (30, 90, 180)
# Where a curve is drawn: closer where more happens, and over the year in which most of it does.
CURVE_DAYS = (*range(15), *range(16, 31, 2), *range(33, 91, 3), *range(95, 366, 5))
COHORT_CELL_DAYS = tuple(range(30, 361, 30))
LISTED_ITEMS = 20

# The groups an item belongs to: where its own returns are too few, the next one's curve serves.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "product": ("product", "category"),
    "option": ("option", "product", "category"),
    "category": ("category",),
    "sku": ("sku", "product", "category"),
}
# Units of different products do not add up.
_COUNTED = frozenset({"product", "option", "sku"})

_LEVEL_COLUMNS = {"product": ("product_id", "product")}
ITEM_COLUMNS: Mapping[str, tuple[str, ...]] = {
    by: tuple(column for level in levels for column in _LEVEL_COLUMNS.get(level, (level,)))
    for by, levels in LEVELS.items()
}

_LINE = ("person", "ordered_on", "status", "order_id", "quantity")


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


def curve_points(wait: ReturnCurve) -> tuple[CurvePoint, ...]:
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
            curve_points(wait),
        )
        for number, wait in by_order.items()
        if number <= LAST_ORDER_NUMBER
    )


@dataclass(frozen=True, slots=True)
class ItemCycle:
    """How the buyers of one product (or option, category, SKU) come back for the same one.

    Attributes:
        returned: same-item returns seen, of which the quantiles are made.
        p25, median, p75: days by which that share of all waits is over (Kaplan-Meier), None also
            while ``enough`` is False.
        curve: the share of waits that is over, of the first year, as far as it is trusted.
        refill: the cycle to plan with: the item's own, or that of the narrowest wider group with
            enough returns; None while even the store has too few.
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
    refill: Refill | None


def item_cycles(
    orders: Orders, by: str, as_of: date, store: ReturnCurve
) -> tuple[tuple[ItemCycle, ...], int]:
    """Describe the most bought items, by number of buyers.

    Args:
        orders: as for :func:`remindctl.intervals.purchase_days`, with ``ITEM_COLUMNS[by]`` as far
            as the file has them.
        by: a key of ``LEVELS``.
        as_of: the last day seen.
        store: the curve of all orders to the next of whatever item.

    Returns:
        at most 20 items, and how many there are.
    """
    keys = {level: key for level in LEVELS[by] if (key := _key(level, orders)) is not None}
    if by not in keys:
        return (), 0
    codes = {f"{level} key": key.cast(pl.Categorical) for level, key in keys.items()}
    names = {f"{level} name": _name(level, orders).cast(pl.Categorical) for level in keys}
    own = f"{by} key"
    seen = orders.lazy().filter(
        pl.col("status") == "paid", pl.col("person").is_not_null(), pl.col("ordered_on") <= as_of
    )
    line = [name for name in _LINE if name in orders.columns]
    sizes = seen.select(codes[own].drop_nulls()).collect().to_series().value_counts(name="lines")
    most = sizes.sort(-pl.col("lines").cast(pl.Int64), pl.first().cast(pl.String))
    most_bought = codes[own].is_in(most.head(LISTED_ITEMS).to_series().implode())
    listed = seen.filter(most_bought).select(*line, **codes, **names).collect()
    told = listed.group_by(own).agg(_latest(name) for name in (*codes, *names) if name != own)
    # The waits of all listed items at once: everyone's next purchase is that of the same item.
    texts, number = numbered(listed[own])
    days = purchase_days(Orders(listed.with_columns(pl.Series("item", number))), each="item")
    del listed
    waiting_for = waits(days, as_of)
    begins = starts(waiting_for["item"].to_numpy())
    runs = zip(begins, lengths(begins, len(waiting_for)), strict=True)
    waits_of_listed = {name: waiting_for.slice(*run) for name, run in zip(texts, runs, strict=True)}

    @cache
    def observed(level: str, code: str) -> tuple[Waits, ReturnCurve]:
        if level == by:
            waiting = Waits(waits_of_listed[code])
        else:
            same = seen.filter(codes[f"{level} key"] == code).select(line).collect()
            waiting = waits(purchase_days(Orders(same)), as_of)
        return waiting, curve(waiting["wait"].to_numpy(), waiting["returned"].to_numpy())

    items = [
        _item_cycle(
            [_Group(level, row[f"{level} key"], row[f"{level} name"]) for level in keys],
            observed,
            store,
        )
        for row in told.iter_rows(named=True)
    ]
    return tuple(sorted(items, key=lambda one: (-one.buyers, one.name))), len(sizes)


def _columns(level: str, orders: Orders) -> list[str]:
    return [name for name in _LEVEL_COLUMNS.get(level, (level,)) if name in orders.columns]


def _key(level: str, orders: Orders) -> pl.Expr | None:
    """Say what tells one item of a level from another; None: the file does not."""
    columns = _columns(level, orders)
    if not columns:
        return None
    product = _key("product", orders) if level == "option" else None
    return pl.coalesce(columns) if product is None else _within(product, columns[0])


def _name(level: str, orders: Orders) -> pl.Expr:
    """Say what to call an item of a level; null: by its key."""
    product = _columns("product", orders) if level == "option" else []
    name = _columns(level, orders)[-1]
    return _within(pl.col(product[-1]), name) if product else pl.col(name)


def _within(product: pl.Expr, option: str) -> pl.Expr:
    """Name an option together with its product: the 500 ml of a soap are none of a shampoo."""
    return pl.concat_str(product.cast(pl.String), pl.col(option).cast(pl.String), separator=" / ")


def _latest(column: str) -> pl.Expr:
    known = pl.col(column).is_not_null()
    return pl.col(column).filter(known).max_by(pl.col("ordered_on").filter(known))


@dataclass(frozen=True, slots=True)
class _Group:
    """An item, or a wider group that it belongs to; None: the file does not say which."""

    level: str
    key: str | None
    name: str | None


def _item_cycle(groups: Sequence[_Group], observed: _Observed, store: ReturnCurve) -> ItemCycle:
    own = groups[0]
    waiting, wait = observed(own.level, own.key or "")
    p25, median, p75 = (wait.quantile(p) if wait.enough else None for p in (0.25, 0.50, 0.75))
    return ItemCycle(
        own.name or own.key or "",
        int((waiting["number"] == 1).sum()),
        int(waiting["orders"].sum()),
        int((waiting["number"] == 2).sum()),
        wait.returned,
        p25,
        median,
        p75,
        wait.enough,
        curve_points(wait),
        _refill(groups, observed, store),
    )


def _refill(groups: Sequence[_Group], observed: _Observed, store: ReturnCurve) -> Refill | None:
    """Take the cycle of the narrowest group with enough returns."""
    for group in groups:
        if group.key is None:
            continue
        waiting, wait = observed(group.level, group.key)
        if wait.enough:
            counted = group.level in _COUNTED
            name = group.name or group.key
            return refill(group.level, name, wait, unit_days(waiting) if counted else None)
    return refill("store", "", store) if store.enough else None


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
        returned: those seen to come back.
        p25, median: days by which that share of the cohort is back, None also while fewer than 30
            are (``enough``).
        returned_within: days → share back by then (Kaplan-Meier), and its 95% interval.
        young: some of them have been observed for less than the longest of these times.
        left_truncated: the files begin too late to know that these were first orders.
        cells: the same every 30 days of the first year.
    """

    month: str
    customers: int
    returned: int
    p25: int | None
    median: int | None
    enough: bool
    returned_within: Mapping[int, float | None]
    returned_within_ci: Mapping[int, tuple[float, float] | None]
    young: bool
    left_truncated: bool
    cells: tuple[CohortCell, ...]


def cohorts(waiting: Waits, as_of: date, known_from: date | None) -> tuple[Cohort, ...]:
    """Describe the second orders of each month's new customers.

    Args:
        waiting: the waits of all orders.
        as_of: the last day seen.
        known_from: from this day on a customer who is new to the files is taken for a new one.
    """
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
                wait.returned,
                wait.quantile(0.25) if wait.enough else None,
                wait.quantile(0.50) if wait.enough else None,
                wait.enough,
                {days: wait.within(days) for days in COHORT_DAYS},
                {days: wait.band(days) for days in COHORT_DAYS},
                observed < max(COHORT_DAYS),
                known_from is not None and date(code // 12, code % 12 + 1, 1) < known_from,
                tuple(
                    CohortCell(days, wait.within(days), observed < days)
                    for days in COHORT_CELL_DAYS
                ),
            )
        )
    return tuple(found)
