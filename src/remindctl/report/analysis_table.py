"""The analysis as a shop owner reads it on a terminal: what it means first, then the numbers.

Two kinds of numbers stand here and are never mixed: *completed gaps*, between purchases that did
happen, and *shares back within a time*, which count the customers who are still away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from remindctl.outliers import DAY_ORDERS, FREQUENT_GAP
from remindctl.report.analysis_actions import affinity, due, segments, timings
from remindctl.report.analysis_comparison import comparison
from remindctl.report.analysis_curves import (
    cohorts,
    completed_gaps,
    first_days,
    items,
    order_numbers,
)
from remindctl.report.analysis_forecast import forecast
from remindctl.report.console import (
    counted,
    days,
    indented,
    listing,
    number,
    paragraph,
    percent,
    section,
)
from remindctl.survival import ENOUGH_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from remindctl.analysis import Analysis
    from remindctl.cycles import OrderStep
    from remindctl.outliers import Outliers

_YEAR = 365

LEFT_OUT: Mapping[str, str] = {
    "cancelled": "orders with a cancelled line",
    "refunded": "orders with a refunded line",
    "unpaid": "orders with an unpaid line",
    "exchanged": "orders with an exchange line: an exchange is no purchase",
    "unidentified_orders": "paid orders that name no customer to recognise again",
    "duplicate_lines": "rows that repeat another row",
    "rejected_rows": "rows that could not be read (--rejects FILE lists them)",
    "after_as_of": "orders after the day of this analysis",
}


def show(
    console: Console, analyses: Sequence[Analysis], *, next_steps: Iterable[tuple[str, str]] = ()
) -> None:
    """Print one report per store, then what to run next.

    Args:
        console: where to; 80 columns are enough.
        analyses: one per store.
        next_steps: (command, what it does).
    """
    for position, analysis in enumerate(analyses):
        if position:
            console.print()
            console.rule(characters="-")
        _store(console, analysis)
    steps = listing()
    for command, what in next_steps:
        steps.add_row(command, what)
    if steps.row_count:
        section(console, "What to run next")
        indented(console, steps)


def headline(analysis: Analysis) -> str:
    """Say the most important thing in two plain sentences, and no more than the data says."""
    counts, gaps = analysis.counts, analysis.interval_days
    if not counts.customers:
        return "No paid order names a customer, so nothing can be said about coming back."
    if gaps.median is None:
        customers = counted(counts.customers, "customer")
        return f"Nobody has come back yet: {customers} in {days(analysis.period.days)}."
    if gaps.n == 1:
        gap = f"The only repeat purchase so far came {days(gaps.median)} after the one before."
    else:
        which = "Half of the" if gaps.n >= ENOUGH_EVENTS else f"Half of only {gaps.n}"
        gap = (
            f"{which} repeat purchases came within {days(gaps.median)} of the one before "
            "(completed gaps)."
        )
    return f"{gap} {_share_back(analysis.by_order_number[0])}"


def _share_back(first: OrderStep) -> str:
    """Say which share of first-time buyers is back, as far as they have been observed."""
    reached = [day for day, share in first.returned_within.items() if share is not None]
    if not reached or not first.enough:
        buyers = counted(first.customers, "first-time buyer")
        return f"{number(first.returned)} of {buyers} came back so far."
    day = max(reached)
    back = first.returned_within[day]
    away = None if back is None else 1.0 - back
    within = "within a year" if day == _YEAR else f"within {day} days"
    short = "" if day == _YEAR else "; a full year has not been observed yet"
    return (
        f"{percent(back)} of first-time buyers are back {within}, {percent(away)} are not{short}."
    )


def _store(console: Console, analysis: Analysis) -> None:
    period, counts = analysis.period, analysis.counts
    span = "no paid orders"
    if period.first:
        span = f"{period.first} to {period.last} ({days(period.days)})"
    # A file read with --map says neither zone nor currency.
    known = (f"as of {analysis.as_of}", analysis.timezone, analysis.currency)
    console.print(Text.assemble((analysis.store, "bold"), f"  {analysis.layout} export, {span}"))
    console.print(Text(", ".join(filter(None, known)), style="dim"))
    console.print()
    paragraph(console, headline(analysis), "bold")
    if counts.customers:
        customers = counted(counts.customers, "customer")
        paragraph(
            console,
            f"{counted(counts.orders, 'order')} of {customers}; "
            f"{number(counts.repeat_customers)} of them bought on two days or more.",
        )
        if analysis.outliers.customers:
            paragraph(console, outliers(analysis.outliers))
        completed_gaps(console, analysis)
        order_numbers(console, analysis)
        first_days(console, analysis)
        due(console, analysis)
        segments(console, analysis)
        items(console, analysis)
        affinity(console, analysis)
        cohorts(console, analysis)
        timings(console, analysis)
        forecast(console, analysis)
        if analysis.comparison:
            comparison(console, analysis.comparison)
    _left_out(console, analysis)
    _notes(console, analysis)


def outliers(found: Outliers) -> str:
    """Say how many buyers look like businesses, and whether these numbers hold them."""
    bulk = f"{found.bulk_units} units or more, or " if found.bulk_units else ""
    where = (
        "are left out of all that follows"
        if found.left_out
        else "are in these numbers (--without-outliers leaves them out)"
    )
    return (
        f"{counted(found.customers, 'customer')} with {bulk}{DAY_ORDERS} orders or more on one "
        f"day, or a purchase every {FREQUENT_GAP} days, may be business or gift buyers: they "
        f"{where}."
    )


def _left_out(console: Console, analysis: Analysis) -> None:
    section(console, f"Left out of {counted(analysis.counts.rows, 'row')}, and why")
    found = listing()
    for name, reason in LEFT_OUT.items():
        count = getattr(analysis.excluded, name)
        if count:
            found.add_row(number(count).rjust(7), reason)
    if found.row_count:
        indented(console, found)
    else:
        paragraph(console, "Nothing: every row counts.")


def _notes(console: Console, analysis: Analysis) -> None:
    notes = listing()
    for note in analysis.notes:
        notes.add_row("-", note)
    if "skipped" in analysis.prediction:
        notes.add_row("-", f"no forecast per customer: {analysis.prediction['skipped']}")
    if notes.row_count:
        section(console, "Keep in mind")
        indented(console, notes)
