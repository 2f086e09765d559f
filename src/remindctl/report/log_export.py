"""Entries of the send log to take away, and the journal of what was done with it."""

from __future__ import annotations

import csv
import io
import json
from itertools import islice
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from remindctl.report.console import INDENT, counted, number, one_line, paragraph
from remindctl.report.log import FIELDS, as_fields
from remindctl.report.spreadsheet import harmless_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from remindctl.sendlog import Deed, Entry

JOURNAL_SCHEMA = "remindctl.log_journal/1"
_AT_ONCE = 1_000


def lines(entries: Iterable[Entry], zones: Mapping[str, str], *, form: str) -> Iterator[str]:
    """Write entries as CSV or NDJSON, some thousand at a time."""
    if form == "csv":
        yield ",".join(FIELDS) + "\n"
    left = iter(entries)
    while some := [as_fields(entry, zones) for entry in islice(left, _AT_ONCE)]:
        if form == "csv":
            yield _csv(some)
        else:
            yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some)


def journal_to_json(deeds: Sequence[Deed]) -> str:
    """Write ``{"schema": "remindctl.log_journal/1", "journal": […]}``, instants in UTC."""
    rows = [
        {
            "at": deed.at.isoformat(),
            "action": deed.action,
            "store": deed.store,
            "reason": deed.reason,
            "entries": deed.entries,
        }
        for deed in deeds
    ]
    document = {"schema": JOURNAL_SCHEMA, "journal": rows}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def show_journal(console: Console, deeds: Sequence[Deed]) -> None:
    """Print what was done, the latest first."""
    if not deeds:
        paragraph(console, "Nothing was exported, resolved or erased.")
        return
    grid = Table(box=None, pad_edge=False, padding=(0, INDENT, 0, 0), header_style="dim")
    for name in ("when (UTC)", "what", "store"):
        grid.add_column(name, no_wrap=True)
    grid.add_column("entries", justify="right", no_wrap=True)
    grid.add_column("reason", overflow="fold")
    for deed in deeds:
        grid.add_row(
            f"{deed.at:%Y-%m-%d %H:%M}",
            Text(one_line(deed.action)),
            Text(one_line(deed.store or "all")),
            number(deed.entries),
            Text(one_line(deed.reason)),
        )
    console.print(grid)
    console.print(counted(len(deeds), "line"), style="dim")


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, FIELDS, lineterminator="\n")
    for row in rows:
        writer.writerow(
            {
                name: harmless_title(value) if isinstance(value, str) else value
                for name, value in row.items()
            }
        )
    return target.getvalue()
