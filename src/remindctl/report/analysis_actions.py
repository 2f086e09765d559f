"""Whom to write to and when: due customers, segments and suggested timings as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.report.console import (
    NOT_KNOWN,
    days,
    indented,
    listing,
    money,
    number,
    paragraph,
    section,
    table,
)
from remindctl.segments import MEANING
from remindctl.survival import ENOUGH_EVENTS
from remindctl.timings import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from remindctl.analysis import Analysis

# Order numbers with a row of their own; the later ones share the last row.
_OWN_ROWS = 4


def due(console: Console, analysis: Analysis) -> None:
    """Print how many customers are due, late and lapsed, and from which day on they are."""
    section(console, "Who is due, by number of orders and days since the last one")
    if not any(step.customers for step in analysis.due):
        paragraph(console, f"Fewer than {ENOUGH_EVENTS} returns so far: too few to say who is due.")
        return
    states = (state.replace("_", " ") for state in STATES)
    grid = table("orders", *states, "due day", "late day", "lapsed day")
    few = [[step] for step in analysis.due if step.number <= _OWN_ROWS]
    many = [step for step in analysis.due if step.number > _OWN_ROWS]
    for steps in [*few, many] if many else few:
        number_ = steps[0].number
        grid.add_row(
            number(number_) if number_ <= _OWN_ROWS else f"{_OWN_ROWS + 1} or more",
            *(number(sum(step.customers.get(state, 0) for step in steps)) for state in STATES),
            _range([step.thresholds.due_days for step in steps]),
            _range([step.thresholds.late_days for step in steps]),
            _range([step.thresholds.lapsed_days for step in steps]),
        )
    indented(console, grid)
    remark = (
        "By these days 40, 75 and 90% of the returns that come within the observed time have "
        "come, by the return curve after as many orders"
    )
    if any(step.thresholds.basis != "order_number" for step in analysis.due):
        remark += f", or after all orders where that curve has under {ENOUGH_EVENTS} returns"
    paragraph(console, f"{remark}.", "dim")


def _range(values: Sequence[int | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return NOT_KNOWN
    low, high = min(known), max(known)
    return number(low) if low == high else f"{low}-{high}"


def segments(console: Console, analysis: Analysis) -> None:
    """Print the lifecycle segments that have customers."""
    section(console, "Segments, by the names that a campaign's audience takes")
    grid = table("segment", "customers", "spent")
    grid.add_column("", overflow="fold")
    for one in analysis.segments:
        if one.customers:
            spent = money(one.spent, analysis.currency)
            grid.add_row(one.segment, number(one.customers), spent, MEANING[one.segment])
    indented(console, grid)


def timings(console: Console, analysis: Analysis) -> None:
    """Print the waits that the curves suggest for campaigns, each with its reason."""
    if not analysis.suggestions:
        return
    section(console, "Suggested timings")
    grid = listing()
    for one in analysis.suggestions:
        anchor = one.after.replace("_", " ")
        when = f"{days(one.wait_days)} after the {anchor}, to {one.audience}"
        grid.add_row(one.campaign, f"{when}: {one.reason}.")
    indented(console, grid)
