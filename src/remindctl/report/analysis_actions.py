"""Whom to write to and when: due customers, segments and suggested timings as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from remindctl.report.console import (
    NOT_KNOWN,
    days,
    indented,
    listing,
    money,
    number,
    one_line,
    paragraph,
    percent,
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
    from remindctl.timings import DueStep

# Order numbers with a row of their own; the later ones share the last row.
_OWN_ROWS = 4
# The JSON has more.
_PAIRS = 5


def due(console: Console, analysis: Analysis) -> None:
    """Print how many customers are due, late and lapsed, and from which day on they are."""
    section(console, "Who is due, by number of orders and days since the last one")
    if not any(step.customers for step in analysis.due):
        paragraph(console, f"Fewer than {ENOUGH_EVENTS} returns so far: too few to say who is due.")
        return
    states = (state.replace("_", " ") for state in STATES)
    grid = table("orders", *states, "due day", "late day", "lapsed day")
    for name, steps in due_groups(analysis.due):
        grid.add_row(
            name,
            *(number(sum(step.customers.get(state, 0) for step in steps)) for state in STATES),
            span([step.thresholds.due_days for step in steps]),
            span([step.thresholds.late_days for step in steps]),
            span([step.thresholds.lapsed_days for step in steps]),
        )
    indented(console, grid)
    paragraph(console, due_remark(analysis.due), "dim")


def due_groups(steps: Sequence[DueStep]) -> list[tuple[str, list[DueStep]]]:
    """Give small order numbers a row of their own, and all later ones one: (name, steps)."""
    groups = [(number(step.number), [step]) for step in steps if step.number <= _OWN_ROWS]
    later = [step for step in steps if step.number > _OWN_ROWS]
    return [*groups, (f"{_OWN_ROWS + 1} or more", later)] if later else groups


def due_remark(steps: Sequence[DueStep]) -> str:
    """Say what the days of :func:`due` mean, and on whose curves they rest."""
    remark = (
        "By these days 40, 75 and 90% of the returns that come within the observed time have "
        "come, by the return curve after as many orders"
    )
    if any(step.thresholds.basis != "order_number" for step in steps):
        remark += f", or after all orders where that curve has under {ENOUGH_EVENTS} returns"
    return f"{remark}."


def span(values: Sequence[int | None]) -> str:
    """Write the lowest and highest of some numbers, one where they agree."""
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


def affinity(console: Console, analysis: Analysis) -> None:
    """Print the products that go together most; nothing where none do."""
    if not analysis.affinity:
        return
    section(console, "Bought with it or next, compared with what everyone buys (lift)")
    grid = table("product")
    grid.add_column("goes with", overflow="fold")
    for title in ("buyers", "of them both", "lift"):
        grid.add_column(title, justify="right", no_wrap=True)
    for pair in analysis.affinity[:_PAIRS]:
        both = f"{number(pair.both)} ({percent(pair.share)})"
        grid.add_row(
            Text(one_line(pair.item)),
            Text(one_line(pair.next_item)),
            number(pair.buyers),
            both,
            f"{pair.lift:.1f}",
        )
    indented(console, grid)


def timings(console: Console, analysis: Analysis) -> None:
    """Print the waits that the curves suggest for campaigns, each with its reason."""
    if not analysis.suggestions:
        return
    section(console, "Suggested timings")
    grid = listing()
    for one in analysis.suggestions:
        if one.item is not None:
            # One for each of up to 20 items, whose cycles are in their table.
            continue
        anchor = one.after.replace("_", " ")
        when = f"{days(one.wait_days)} after the {anchor}, to {one.audience}"
        grid.add_row(one.campaign, f"{when}: {one.reason}.")
    indented(console, grid)
