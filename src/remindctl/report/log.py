"""The send log for its owner: no addresses, no texts, instants on the store's clock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from remindctl.report.console import INDENT, counted, one_line, paragraph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rich.console import Console

    from remindctl.sendlog import Entry, OptOut

LOG_SCHEMA = "remindctl.log/1"
OPTOUT_SCHEMA = "remindctl.optout/1"

FIELDS = (
    "number", "key", "store", "campaign", "step", "leg", "channel", "provider", "ending", "state",
    "run", "attempts", "attempted_at", "settled_at", "cost", "currency", "provider_id", "code",
    "detail",
)  # fmt: skip


def to_json(entries: Sequence[Entry], zones: Mapping[str, str]) -> str:
    """Write ``{"schema": "remindctl.log/1", "entries": […]}``; ``ending`` is all of an address."""
    return _document(LOG_SCHEMA, "entries", [as_fields(entry, zones) for entry in entries])


def as_fields(entry: Entry, zones: Mapping[str, str]) -> dict[str, object]:
    """Return what is shown of an entry, instants on the clock of its store."""
    zone = ZoneInfo(zones.get(entry.store, "UTC"))
    values: dict[str, object] = {name: getattr(entry, name) for name in FIELDS}
    values["attempted_at"] = entry.attempted_at.astimezone(zone).isoformat()
    if entry.settled_at is not None:
        values["settled_at"] = entry.settled_at.astimezone(zone).isoformat()
    if entry.cost is not None:
        values["cost"] = float(entry.cost)
    return values


def show(console: Console, entries: Sequence[Entry], zones: Mapping[str, str]) -> None:
    """Print entries as a table, the newest first."""
    if not entries:
        paragraph(console, "Nothing in the log matches.")
        return
    grid = _table("claim", "when", "campaign", "channel", "to", "state")
    grid.add_column("", overflow="fold", style="dim")
    for entry in entries:
        zone = ZoneInfo(zones.get(entry.store, "UTC"))
        said = " ".join(part for part in (entry.code, entry.detail) if part)
        grid.add_row(
            str(entry.number),
            _minute(entry.attempted_at, zone),
            Text(f"{entry.campaign} {entry.step}"),
            entry.channel or "-",
            Text(f"…{entry.ending}" if entry.ending.isdigit() else entry.ending or "-"),
            entry.state,
            Text(one_line(said)),
        )
    console.print(grid)
    console.print(counted(len(entries), "message"), style="dim")


def optouts_to_json(words: Sequence[OptOut]) -> str:
    """Write ``{"schema": "remindctl.optout/1", "optouts": […]}``, instants in UTC."""
    rows: list[dict[str, object]] = [
        {
            "ending": word.ending,
            "family": str(word.family),
            "scope": word.scope,
            "at": word.at.isoformat(),
            "source": word.source,
            "evidence": word.evidence,
        }
        for word in words
    ]
    return _document(OPTOUT_SCHEMA, "optouts", rows)


def show_optouts(console: Console, words: Sequence[OptOut], zone: str) -> None:
    """Print who has opted out, the oldest first."""
    if not words:
        paragraph(console, "Nobody has opted out here.")
        return
    grid = _table("since", "address", "family", "scope", "source")
    for word in words:
        grid.add_row(
            _minute(word.at, ZoneInfo(zone)),
            Text(f"…{word.ending}" if word.ending.isdigit() else word.ending or "-"),
            str(word.family),
            word.scope,
            Text(one_line(word.source)),
        )
    console.print(grid)
    console.print(counted(len(words), "opt-out"), style="dim")


def _table(*columns: str) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, INDENT, 0, 0), header_style="dim")
    for name in columns:
        grid.add_column(name, no_wrap=name != "campaign", overflow="fold")
    return grid


def _minute(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def _document(schema: str, name: str, rows: Sequence[Mapping[str, object]]) -> str:
    document = {"schema": schema, name: rows}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
