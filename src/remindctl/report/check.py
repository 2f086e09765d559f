"""What ``check`` found: problems, warnings, and how long the longest messages are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from remindctl.report.console import (
    counted,
    indented,
    listing,
    one_line,
    paragraph,
    section,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from remindctl.errors import Problem
    from remindctl.plan import Longest

SCHEMA = "remindctl.check/1"

_UNITS = {"cp949": "bytes", "gsm-7": "GSM-7 characters", "ucs-2": "UCS-2 units", "utf-8": "bytes"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one provider stands, asked without sending.

    Attributes:
        provider: its name in the configuration.
        said: in one line, by itself.
    """

    provider: str
    type: str
    said: str
    ready: bool


def to_json(
    campaigns: Sequence[str],
    found: Sequence[Problem],
    longest: Mapping[tuple[str, str], Sequence[Longest]],
    standings: Sequence[Standing] | None = None,
) -> str:
    """Write the document of ``check -o json``, for the checks of a campaign repository.

    ``providers`` is null where they were not asked.
    """
    document = {
        "schema": SCHEMA,
        "ok": not any(not each.warning for each in found),
        "campaigns": list(campaigns),
        "problems": [
            {
                "path": each.place.path,
                "line": each.place.line or None,
                "column": each.place.column or None,
                "severity": "warning" if each.warning else "error",
                "what": each.what,
                "hint": each.hint or None,
            }
            for each in found
        ],
        "longest": [
            {
                "campaign": campaign,
                "store": store,
                "step": one.step,
                "variant": one.variant,
                "channel": one.channel,
                "encoding": one.encoding,
                "units": one.units,
                "parts": one.parts,
                "messages": one.people,
            }
            for (campaign, store), lengths in longest.items()
            for one in lengths
        ],
        "providers": None if standings is None else [asdict(one) for one in standings],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def show(
    console: Console,
    campaigns: Sequence[str],
    found: Sequence[Problem],
    longest: Mapping[tuple[str, str], Sequence[Longest]],
    standings: Sequence[Standing] | None = None,
) -> None:
    """Print problems first, then warnings, messages and providers, and the count last."""
    problems = [each for each in found if not each.warning]
    warnings = [each for each in found if each.warning]
    for each in problems:
        _print(console, each, "error")
    for each in warnings:
        _print(console, each, "warning")
    lengths = [(*key, one) for key, of_one in longest.items() for one in of_one]
    if lengths:
        section(console, "The longest message of each, labels included")
        grid = table("campaign", "length", "parts")
        grid.add_column("", overflow="fold")
        for campaign, store, one in lengths:
            form = f"{one.step}, {one.variant}" if one.variant else one.step
            grid.add_row(
                f"{campaign} ({store})",
                f"{one.units:,} {_UNITS.get(one.encoding, one.encoding)}",
                f"{one.parts}",
                Text(one_line(f"{form}, {one.channel}; of {one.people:,}")),
            )
        indented(console, grid)
    if standings:
        section(console, "Providers")
        grid = listing()
        for standing in standings:
            name = f"{standing.provider} ({standing.type})"
            grid.add_row(one_line(name), Text(one_line(standing.said)))
        indented(console, grid)
    checked = counted(len(campaigns), "campaign")
    console.print()
    paragraph(
        console,
        f"{checked}: {counted(len(problems), 'problem')}, {counted(len(warnings), 'warning')}",
        "bold",
    )


def _print(console: Console, problem: Problem, severity: str) -> None:
    console.print(Text(f"{severity}: {one_line(str(problem))}"), soft_wrap=True)
    if problem.hint:
        console.print(Text(f"  hint: {one_line(problem.hint)}", style="dim"), soft_wrap=True)
