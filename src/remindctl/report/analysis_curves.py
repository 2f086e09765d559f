"""How long customers take, by order number, day, product and month: the curves as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.analysis import BENCHMARK_DAYS
from remindctl.cycles import COHORT_DAYS
from remindctl.report.console import (
    NOT_KNOWN,
    bar,
    counted,
    days,
    indented,
    number,
    one_line,
    paragraph,
    percent,
    section,
    table,
)
from remindctl.survival import ENOUGH_EVENTS

if TYPE_CHECKING:
    from rich.console import Console

    from remindctl.analysis import Analysis, HistogramBar
    from remindctl.cycles import ItemCycle, OrderStep

_ORDER_NUMBERS = 8
_ITEMS = 10
_COHORTS = 6
_DAYS = 7
_SHARES = (30, 90, 365)
# What a line of the chart needs beside its bar: label, count, marks.
_BESIDE_BAR = 50


def completed_gaps(console: Console, analysis: Analysis) -> None:
    """Print the chart of completed gaps with the store's median and the benchmark marked."""
    gaps = analysis.interval_days
    if gaps.median is None or gaps.p25 is None or gaps.p75 is None or gaps.p90 is None:
        return
    section(console, f"How long {counted(gaps.n, 'repeat purchase')} took (completed gaps)")
    marks = {"your median": gaps.median, "benchmark": float(analysis.benchmark_days)}
    most = max(one.gaps for one in analysis.histogram)
    room = max(10, console.width - _BESIDE_BAR)
    chart = table("", "", "")
    chart.show_header = False
    chart.columns[1].justify = "left"
    chart.add_column("", no_wrap=True)
    for one in analysis.histogram:
        label = f"{one.from_days}+" if one.to_days is None else f"{one.from_days}-{one.to_days}"
        length = -(-one.gaps * room // most)
        chart.add_row(label.rjust(9), bar(console, length), number(one.gaps), _marked(one, marks))
    indented(console, chart)
    source = " (a 2023 report on Korean e-commerce)"
    paragraph(
        console,
        f"A quarter came within {days(gaps.p25)}, half within {days(gaps.median)}, three quarters "
        f"within {days(gaps.p75)}, nine in ten within {days(gaps.p90)}; mean {number(gaps.mean)}, "
        f"longest {number(gaps.max)}. Whoever is not back yet is not in this chart. Benchmark, "
        f"to set beside your median: {days(analysis.benchmark_days)}"
        f"{source if analysis.benchmark_days == BENCHMARK_DAYS else ''}.",
    )


def _marked(one: HistogramBar, marks: dict[str, float]) -> str:
    """Name the marks that fall into a bar; a median of 34.5 days falls between two whole days."""
    return ", ".join(
        f"{name} {number(day)}"
        for name, day in marks.items()
        if one.from_days - 1 < day and (one.to_days is None or day <= one.to_days)
    )


def order_numbers(console: Console, analysis: Analysis) -> None:
    """Print the share back and the median for the way from each order number to the next."""
    steps = analysis.by_order_number
    section(console, "Who comes back, by order number (customers still away are counted)")
    grid = table("order", "customers", "back", *(f"in {day} d" for day in _SHARES), "half by day")
    for step in steps[:_ORDER_NUMBERS]:
        grid.add_row(
            f"{step.number} to {step.number + 1}{'' if step.enough else ' *'}",
            number(step.customers),
            number(step.returned),
            *(percent(step.returned_within[day]) for day in _SHARES),
            _median(step),
            style="" if step.enough else "dim",
        )
    indented(console, grid)
    remarks = ["In brackets: 95% interval. -: not observed that long."]
    if not all(step.enough for step in steps[:_ORDER_NUMBERS]):
        remarks.append(f"*: fewer than {ENOUGH_EVENTS} returns, so only rough.")
    if len(steps) > _ORDER_NUMBERS:
        remarks.append(f"-o json has {counted(len(steps) - _ORDER_NUMBERS, 'more row')}.")
    paragraph(console, " ".join(remarks), "dim")


def _median(step: OrderStep) -> str:
    if step.median is None:
        return "not reached"
    low, high = (NOT_KNOWN if day is None else number(day) for day in step.median_ci)
    return f"{number(step.median)} ({low} to {high})"


def first_days(console: Console, analysis: Analysis) -> None:
    """Print the daily rate of return right after a purchase, and where it is highest."""
    window = analysis.golden_window
    first, later = window.first_to_second, window.later
    section(console, "The first days: of those still away, how many come back on the day")
    grid = table("after", *(f"day {day}" for day in range(_DAYS + 1)))
    for name, view in (("first order", first), ("later orders", later)):
        if view.waits:
            rates = [percent(one.rate, 1) for one in view.daily[: _DAYS + 1]]
            grid.add_row(name, *rates, *[NOT_KNOWN] * (_DAYS + 1 - len(rates)))
    indented(console, grid)
    remarks = []
    if first.share_within_3_days is not None and first.returned:
        remarks.append(
            f"Within 3 days {percent(first.share_within_3_days, 1)}"
            f"{_interval(first.share_within_3_days_ci)} of first-time buyers are back: "
            f"{counted(first.returned_within_3_days, 'customer')}, "
            f"{percent(first.share_of_returns_within_3_days, 1)} of all second orders so far."
        )
    remarks += [
        f"Busiest week after {name}: days {view.busiest.from_day}-{view.busiest.to_day}, "
        f"{percent(view.busiest.daily_rate, 1)} a day{_interval(view.busiest.interval)}."
        for name, view in (("a first order", first), ("a later one", later))
        if view.busiest
    ]
    if window.same_day_orders:
        orders = counted(window.same_day_orders, "further order")
        remarks.append(f"Merged: {orders} on one day; a customer's day is one purchase.")
    if remarks:
        paragraph(console, " ".join(remarks))


def _interval(interval: tuple[float, float] | None) -> str:
    if interval is None or interval[0] == interval[1]:
        return ""
    return f" ({percent(interval[0], 1)} to {percent(interval[1], 1)})"


def items(console: Console, analysis: Analysis) -> None:
    """Print how buyers of the most bought items come back for the same one."""
    listed = analysis.items[:_ITEMS]
    if not listed:
        return
    more = f" ({len(listed)} of {number(analysis.item_count)})"
    section(
        console,
        f"Buying the same {analysis.by} again, most buyers first"
        f"{more if analysis.item_count > len(listed) else ''}",
    )
    by_unit = any(one.refill and one.refill.unit_days for one in listed)
    wider = any(one.refill and one.refill.level != analysis.by for one in listed)
    quantiles = ["25% by day", "half by day", *(["25% a unit"] if by_unit else [])]
    grid = table(analysis.by, "buyers", "again", *quantiles, *(["curve of"] if wider else []))
    for one in listed:
        found = _refill(one)
        grid.add_row(
            one_line(one.name),
            number(one.buyers),
            number(one.repeat_buyers),
            *found[: len(quantiles)],
            *([one.refill.level if one.refill else ""] if wider else []),
        )
    indented(console, grid)
    remarks = []
    if by_unit:
        remarks.append("25% a unit: days per unit bought, the same share back.")
    if wider:
        remarks.append(
            f"curve of: where fewer than {ENOUGH_EVENTS} came back for the same {analysis.by}, the "
            "next wider group's curve stands in; the store's is of coming back for anything."
        )
    if remarks:
        paragraph(console, " ".join(remarks), "dim")


def _refill(one: ItemCycle) -> tuple[str, str, str]:
    """Write the days by which a quarter and half are back, and a quarter's days per unit."""
    if one.refill is None:
        return "too few", "too few", ""
    per_unit = one.refill.unit_days
    quarter, half = (
        "not reached" if day is None else number(day) for day in (one.refill.p25, one.refill.median)
    )
    return quarter, half, number(per_unit.p25) if per_unit else ""


def cohorts(console: Console, analysis: Analysis) -> None:
    """Print the share back of the latest months' new customers."""
    listed = analysis.cohorts[-_COHORTS:]
    section(console, "First-time buyers by month: share back within")
    grid = table("first order", "customers", *(f"{day} days" for day in COHORT_DAYS))
    for one in listed:
        shares = (percent(one.returned_within[day]) for day in COHORT_DAYS)
        marks = f"{' *' if one.young else ''}{' <' if one.left_truncated else ''}"
        grid.add_row(f"{one.month}{marks}", number(one.customers), *shares)
    indented(console, grid)
    remarks = []
    if any(one.young for one in listed):
        remarks.append(f"*: not all of them have been observed for {max(COHORT_DAYS)} days.")
    if any(one.left_truncated for one in listed):
        remarks.append("<: so early in the files that some may have bought before.")
    if remarks:
        paragraph(console, " ".join(remarks), "dim")
