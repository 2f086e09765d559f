"""What a store's orders say about coming back, as one frozen value that ``report`` can print.

Everything is known as of one day: what comes later is as if it had not happened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl import outliers
from remindctl.affinity import Pair, affinities, strongest
from remindctl.comparison import Comparison, Question, compare
from remindctl.cycles import (
    Cohort,
    ItemCycle,
    OrderStep,
    cohorts,
    item_cycles,
    order_steps,
)
from remindctl.frames import Orders
from remindctl.golden_window import GoldenWindow, first_days
from remindctl.intervals import (
    GapStatistics,
    PurchaseDays,
    Waits,
    curves_by_order,
    due_thresholds,
    gap_statistics,
    gaps,
    later_orders,
    purchase_days,
    waits,
)
from remindctl.predict import document, predict
from remindctl.suggestions import Suggestion, suggestions
from remindctl.survival import ENOUGH_EVENTS, pool
from remindctl.timings import DueStep, Segment, due_steps, segments, standing
from remindctl.truncation import LeftTruncation, left_truncation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from remindctl.outliers import Outliers

# A 2023 report on Korean e-commerce: shown beside a store's own number, never in its place.
BENCHMARK_DAYS = 32

_DAYS = ("person", "on", "orders", "amount")
_YEAR = 365
_HISTOGRAM_BARS = 14
_BAR_WIDTHS = (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)


@dataclass(frozen=True, slots=True)
class Accounting:
    """What the loader counted and the orders frame no longer shows.

    Attributes:
        rows: rows of the files, headers apart.
        duplicate_lines: rows that said again what another row or file says.
        rejected_rows: rows that could not be read.
    """

    rows: int
    duplicate_lines: int = 0
    rejected_rows: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """The first and last day with a paid order, and the days from one to the other."""

    first: date | None
    last: date | None
    days: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What the statistics rest on: paid orders of recognised customers (``rows``: of the files)."""

    rows: int
    orders: int
    customers: int
    repeat_customers: int
    purchase_days: int
    gaps: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """What was left out and why.

    Attributes:
        cancelled, refunded, unpaid, exchanged: orders with at least one line left out for that.
        unidentified_orders: paid orders that name no one who could be recognised again.
        after_as_of: orders of any status after the day of the analysis.
    """

    cancelled: int
    refunded: int
    unpaid: int
    exchanged: int
    duplicate_lines: int
    unidentified_orders: int
    rejected_rows: int
    after_as_of: int


@dataclass(frozen=True, slots=True)
class HistogramBar:
    """Completed gaps of ``from_days`` to ``to_days`` days, both included; None = and longer."""

    from_days: int
    to_days: int | None
    gaps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One store's answer.

    Attributes:
        interval_days: completed gaps; never the whole answer (see ``intervals``).
        by: what ``items`` lists, a key of ``cycles.LEVELS``; item_count: how many there are.
        affinity: products that go together, the strongest first; none where lines name no product.
        outliers: those who look like businesses, counted; they are in unless it says otherwise.
        notes: what is missing or thin, in words.
        comparison: two groups of customers, where that was asked for.
        prediction: the fitted model, or ``skipped`` and why.
    """

    store: str
    layout: str
    currency: str
    timezone: str
    as_of: date
    period: Period
    counts: Counts
    excluded: Excluded
    interval_days: GapStatistics
    benchmark_days: int
    histogram: tuple[HistogramBar, ...]
    outliers: Outliers
    left_truncation: LeftTruncation
    by_order_number: tuple[OrderStep, ...]
    golden_window: GoldenWindow
    by: str
    items: tuple[ItemCycle, ...]
    item_count: int
    affinity: tuple[Pair, ...]
    cohorts: tuple[Cohort, ...]
    segments: tuple[Segment, ...]
    due: tuple[DueStep, ...]
    suggestions: tuple[Suggestion, ...]
    notes: tuple[str, ...]
    prediction: Mapping[str, object]
    comparison: Comparison | None = None


def analyse(
    orders: Orders,
    accounting: Accounting,
    as_of: date,
    *,
    store: str,
    layout: str,
    currency: str,
    timezone: str,
    by: str = "product",
    benchmark_days: int = BENCHMARK_DAYS,
    without_outliers: bool = False,
    compared: Question | None = None,
) -> Analysis:
    """Analyse one store.

    Args:
        orders: person, ordered_on, status, order_id (any dtype) and amount; quantity and the
            columns of ``cycles.ITEM_COLUMNS[by]`` as far as the file has them.
        accounting: what the loader counted.
        as_of: the last day seen, usually that of the last order.
        store: its name.
        layout: the name of the export format.
        currency: of the amounts.
        timezone: whose calendar the dates follow.
        by: what to list cycles of, a key of ``cycles.LEVELS``.
        benchmark_days: a foreign repurchase interval to show beside the store's own.
        without_outliers: leave out buyers who look like businesses, see ``outliers``.
        compared: two groups of customers to compare.

    Raises:
        Refused: the groups to compare cannot be made of these orders.
    """
    period, missing_amounts, paid_lines = _paid(orders, as_of)
    excluded = _excluded(orders, accounting, as_of)
    waiting = waits(purchase_days(orders), as_of)
    odd, persons = outliers.find(waiting, left_out=without_outliers)
    if without_outliers:
        others = ~pl.col("person").is_in(persons.implode())
        waiting = Waits(waiting.filter(others))
        orders = Orders(orders.filter(others))
    gap = gaps(waiting)
    by_order = curves_by_order(waiting)
    thresholds = due_thresholds(by_order)
    store_curve = pool(by_order.values())
    # What needs the most memory for itself comes before what is kept.
    items, item_count = item_cycles(orders, by, as_of, store_curve)
    pairs = strongest(affinities(orders, as_of))
    customers = standing(waiting, thresholds)
    truncation = left_truncation(waiting, period.first, store_curve)
    order_count = int(waiting["orders"].sum())
    none = pool([])
    return Analysis(
        store=store,
        layout=layout,
        currency=currency,
        timezone=timezone,
        as_of=as_of,
        period=period,
        counts=Counts(
            accounting.rows,
            order_count,
            len(customers),
            int((customers["purchase_days"] > 1).sum()),
            len(waiting),
            len(gap),
        ),
        excluded=excluded,
        interval_days=gap_statistics(gap),
        benchmark_days=benchmark_days,
        histogram=_histogram(gap),
        outliers=odd,
        left_truncation=truncation,
        by_order_number=order_steps(by_order),
        golden_window=GoldenWindow(
            first_days(by_order.get(1, none)),
            first_days(later_orders(by_order)),
            order_count - len(waiting),
        ),
        by=by,
        items=items,
        item_count=item_count,
        affinity=pairs,
        cohorts=cohorts(waiting, as_of, truncation.known_from),
        segments=segments(customers, amounts=missing_amounts < paid_lines),
        due=due_steps(customers, thresholds),
        suggestions=suggestions(by_order, by, items),
        prediction=document(predict(PurchaseDays(waiting.select(_DAYS)), as_of)),
        comparison=None if compared is None else compare(orders, waiting, as_of, compared),
        notes=_notes(
            period,
            truncation,
            len(customers),
            len(gap),
            (missing_amounts, paid_lines),
            by,
            item_count,
        ),
    )


def _paid(orders: Orders, as_of: date) -> tuple[Period, int, int]:
    """Return the period of the paid lines, how many have no amount, and how many there are."""
    first, last, missing, lines = (
        orders.lazy()
        .filter(pl.col("status") == "paid", pl.col("ordered_on") <= as_of)
        .select(
            pl.col("ordered_on").min().alias("first"),
            pl.col("ordered_on").max().alias("last"),
            pl.col("amount").null_count().alias("missing"),
            pl.len().alias("lines"),
        )
        .collect()
        .row(0)
    )
    return Period(first, last, (last - first).days if lines else 0), missing, lines


def _excluded(orders: Orders, accounting: Accounting, as_of: date) -> Excluded:
    """Count the orders that the statistics leave out."""
    later = (pl.col("ordered_on") > as_of).fill_null(value=False)
    unpaid, nobody = pl.col("status") != "paid", pl.col("person").is_null()
    left_out = (
        orders.lazy()
        .filter(later | unpaid | nobody)
        .select("order_id", pl.col("status").cast(pl.String), later.alias("later"))
        .collect()
    )
    seen = left_out.filter(~pl.col("later"))
    by_status = dict(seen.group_by("status").agg(pl.col("order_id").n_unique()).iter_rows())
    return Excluded(
        cancelled=by_status.get("cancelled", 0),
        refunded=by_status.get("refunded", 0),
        unpaid=by_status.get("pending", 0),
        exchanged=by_status.get("exchanged", 0),
        duplicate_lines=accounting.duplicate_lines,
        unidentified_orders=by_status.get("paid", 0),
        rejected_rows=accounting.rejected_rows,
        after_as_of=left_out.filter("later")["order_id"].n_unique(),
    )


def _histogram(gap: pl.Series) -> tuple[HistogramBar, ...]:
    """Count gaps in bars of one width that hold nine in ten of them, then all longer ones."""
    if gap.is_empty():
        return ()
    # About the square root of the number of gaps: a few gaps spread over many bars show nothing.
    bars = max(4, min(_HISTOGRAM_BARS, math.isqrt(len(gap))))
    most = gap.quantile(0.9, interpolation="higher") or 1
    width = next((one for one in _BAR_WIDTHS if one * bars >= most), _BAR_WIDTHS[-1])
    bar = ((gap - 1) // width).clip(upper_bound=bars)
    counted: dict[int, int] = dict(bar.value_counts().iter_rows())
    return tuple(
        HistogramBar(
            one * width + 1,
            None if one == bars else (one + 1) * width,
            counted.get(one, 0),
        )
        for one in range(max(counted) + 1)
    )


def _notes(
    period: Period,
    truncation: LeftTruncation,
    customers: int,
    returns: int,
    amounts: tuple[int, int],
    by: str,
    item_count: int,
) -> tuple[str, ...]:
    """Say what is missing or thin, the gravest first."""
    if not customers or period.first is None:
        return ("no paid order of a recognisable customer: there is nothing to analyse",)
    missing, lines = amounts
    notes = []
    if returns < ENOUGH_EVENTS:
        notes.append(f"only {returns} repeat purchases: due dates and timings need {ENOUGH_EVENTS}")
    if period.days < _YEAR:
        notes.append(f"the file covers {period.days} days: longer waits cannot be seen yet")
    notes.append(
        f"orders before {period.first} are not in the files: of the {truncation.customers} "
        f"customers first seen before {truncation.known_from}, some may have bought before"
    )
    if missing:
        notes.append(
            f"{missing} of {lines} paid lines have no amount and count as 0 in what was spent"
        )
    if not item_count:
        notes.append(f"the file names no {by}, so there are no cycles by {by}")
    return tuple(notes)
