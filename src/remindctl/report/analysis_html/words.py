"""What each chart says, in a sentence or two, for readers who do not see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from remindctl.cycles import WITHIN_DAYS
from remindctl.report.analysis_actions import due_groups
from remindctl.report.analysis_comparison import verdict
from remindctl.report.analysis_html.cohort_chart import DRAWN_MONTHS
from remindctl.report.analysis_html.curve_charts import drawn_steps
from remindctl.report.analysis_html.forecast_chart import FORECASTS, foretold, too
from remindctl.report.console import counted, days, number, percent
from remindctl.timings import STATES

__all__ = [
    "Reach",
    "cohorts",
    "comparison",
    "curves",
    "due",
    "forecast",
    "gaps",
    "item",
    "longest_share",
    "too",
    "verdict",
]

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.analysis import Analysis
    from remindctl.comparison import Comparison
    from remindctl.cycles import ItemCycle, OrderStep


@dataclass(frozen=True, slots=True)
class Reach:
    """The share back within the longest of ``WITHIN_DAYS`` that somebody was observed."""

    days: int
    back: float
    interval: tuple[float, float] | None


def longest_share(step: OrderStep) -> Reach | None:
    """Return what is known of the longest time, None while nobody was observed for the shortest."""
    for day in reversed(WITHIN_DAYS):
        back = step.returned_within[day]
        if back is not None:
            return Reach(day, back, step.returned_within_ci[day])
    return None


def curves(analysis: Analysis) -> str:
    """Describe the return curves."""
    ends = [
        f"from order {step.number} to {step.number + 1}, {percent(reach.back)} are back within "
        f"{days(reach.days)}"
        for step in drawn_steps(analysis.by_order_number)
        if (reach := longest_share(step))
    ]
    return f"Return curves with 95% bands by order number: {'; '.join(ends) or 'no share yet'}."


def comparison(found: Comparison) -> str:
    """Describe the curves of two groups."""
    first, second = (
        f"{group.name} ({counted(group.customers, 'customer')})" for group in found.groups
    )
    return f"Return curves with 95% bands of {first} and {second}. {verdict(found)}"


def gaps(analysis: Analysis) -> str:
    """Describe the histogram of completed gaps."""
    found = analysis.interval_days
    fullest = max(analysis.histogram, key=lambda bar: bar.gaps)
    until = "or more" if fullest.to_days is None else f"to {fullest.to_days}"
    return (
        f"Histogram of {counted(found.n, 'completed gap')}: most are {fullest.from_days} {until} "
        f"days long; a quarter is within {number(found.p25)}, half within {number(found.median)}, "
        f"three quarters within {number(found.p75)}, nine in ten within {number(found.p90)} days. "
        f"The benchmark is {days(analysis.benchmark_days)}."
    )


def due(analysis: Analysis) -> str:
    """Describe the bars of due states."""
    bars = [
        f"{name} {'order' if name == '1' else 'orders'}: "
        + ", ".join(
            f"{number(sum(step.customers.get(state, 0) for step in steps))} "
            f"{state.replace('_', ' ')}"
            for state in STATES
        )
        for name, steps in due_groups(analysis.due)
    ]
    return f"Customers by number of orders and due state. {'; '.join(bars)}."


def cohorts(analysis: Analysis) -> str:
    """Describe the heat map."""
    drawn = analysis.cohorts[-DRAWN_MONTHS:]
    return (
        f"Heat map of the share back, one row per month of the first order, {drawn[0].month} to "
        f"{drawn[-1].month}, one column every 30 days. The table below has all of its numbers."
    )


def item(one: ItemCycle) -> str:
    """Describe one small curve."""
    last = one.curve[-1]
    return f"Return curve of {one.name}: {percent(last.back)} by day {last.day}."


def forecast(analysis: Analysis) -> str:
    """Describe the forecasts beside what happened."""
    past = cast("Mapping[str, Any]", analysis.prediction["calibration"])
    told = "; ".join(f"{label}: {foretold(past[key])}" for key, label in FORECASTS.items())
    return (
        f"{counted(past['orders'], 'order')} came in {days(past['days'])}. Foretold were: {told}."
    )
