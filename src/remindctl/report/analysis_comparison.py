"""Two groups of customers side by side, and whether the difference may be chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.report.console import (
    NOT_KNOWN,
    counted,
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

    from remindctl.comparison import ComparedGroup, Comparison

_SHARES = (30, 90, 365)
# Below it a difference is called one, by the common rule of one in twenty.
_RARE = 0.05


def comparison(console: Console, found: Comparison) -> None:
    """Print both groups, what they are made of, and the log-rank test."""
    section(console, f"Comparing customers by {found.by}")
    grid = table(found.by, "customers", "back", *(f"in {day} d" for day in _SHARES), "half by day")
    for group in found.groups:
        grid.add_row(
            one_line(group.name),
            number(group.customers),
            number(group.returned),
            *(percent(group.returned_within[day]) for day in _SHARES),
            _median(group),
        )
    indented(console, grid)
    apart = (
        f" {counted(found.in_both, 'customer')} who belong to both are in neither."
        if found.in_both
        else ""
    )
    paragraph(console, f"Grouped {found.meaning}.{apart}", "dim")
    paragraph(console, verdict(found))


def _median(group: ComparedGroup) -> str:
    if group.median is None:
        return "not reached"
    low, high = (NOT_KNOWN if day is None else number(day) for day in group.median_ci)
    return f"{number(group.median)} ({low} to {high})"


def verdict(found: Comparison) -> str:
    """Say what the test says, and no more."""
    if not found.enough:
        few = min(group.returned for group in found.groups)
        return (
            f"Too few to tell: {counted(few, 'return')} in one group, {ENOUGH_EVENTS} are needed "
            "in each."
        )
    test = found.test
    numbers = f"log-rank chi-square {test.chi_square:.2f}, p {_p(test.p)}"
    if test.p >= _RARE:
        return f"No difference can be told from chance ({numbers})."
    sooner = found.groups[0 if test.observed > test.expected else 1]
    return (
        f"{one_line(sooner.name)} come back sooner or more often ({numbers}): a difference like "
        "this is rare where both come back alike. It may have other causes than the grouping."
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
