"""What came of a list of opt-outs, and what in it a person must decide; addresses by their ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from remindctl.report.console import INDENT, counted, indented, one_line, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from remindctl.errors import Place

SCHEMA = "remindctl.optout_import/1"
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Unclear:
    """A row that a person must decide about.

    Attributes:
        endings: what may be shown of its addresses.
        text: what was answered, or what the mail server said.
    """

    place: Place
    endings: Sequence[str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many rows of a list did what.

    Attributes:
        imported: told something new.
        known: said again what stands.
        passing: mean nothing: bounces of a full mailbox, messages that went out.
        skipped: could not be read, and were left out on demand.
    """

    source: str
    imported: int
    known: int
    passing: int
    skipped: int
    unclear: Sequence[Unclear]


def to_json(answer: Imported) -> str:
    """Write ``{"schema": "remindctl.optout_import/1", "imported": …, "unclear": […]}``."""
    document = {
        "schema": SCHEMA,
        "source": answer.source,
        "imported": answer.imported,
        "known": answer.known,
        "passing": answer.passing,
        "skipped": answer.skipped,
        "unclear": [
            {
                "file": row.place.path,
                "line": row.place.line,
                "endings": list(row.endings),
                "text": row.text,
            }
            for row in answer.unclear
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def show(console: Console, answer: Imported) -> None:
    """Print what a person must decide."""
    if answer.unclear:
        section(console, "For you to decide (then: remindctl optout add ADDRESS)")
        console.print()
        indented(console, _grid(answer.unclear))


def counts(answer: Imported) -> str:
    """Say in one line how many rows did what."""
    found = {
        "imported": answer.imported,
        "already known": answer.known,
        "meaning nothing": answer.passing,
        "left out": answer.skipped,
        "unclear": len(answer.unclear),
    }
    told = [f"{counted(n, 'row')} {what}" for what, n in found.items() if n]
    return ", ".join(told) or "0 rows imported"


def _grid(rows: Sequence[Unclear]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, INDENT, 0, 0), header_style="dim")
    grid.add_column("where", overflow="fold")
    grid.add_column("address", no_wrap=True)
    grid.add_column("says", overflow="fold")
    for row in rows:
        ends = [f"…{end}" if end.isdigit() else end for end in row.endings]
        said = one_line(row.text)
        shown = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
        grid.add_row(Text(str(row.place)), Text(", ".join(ends) or "-"), Text(shown or "-"))
    return grid
