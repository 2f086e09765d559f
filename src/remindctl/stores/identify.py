"""Which layout a file is in: exactly one must claim it, by the columns of its header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem, Refused
from remindctl.stores.files import expand, open_file
from remindctl.stores.grids import Grid, grids
from remindctl.stores.layout import AS_WRITTEN
from remindctl.stores.query import mended_header
from remindctl.stores.tables import Table, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remindctl.stores.files import Password
    from remindctl.stores.layout import Layout


@dataclass(frozen=True, slots=True)
class Claimed:
    """A table and the layout that claims it.

    Attributes:
        known_until: when the file was downloaded, as its name says, else its mtime.
    """

    table: Table
    layout: Layout
    known_until: datetime


def claim_files(
    patterns: Iterable[str],
    layouts: Sequence[Layout],
    *,
    password: Password,
    only: bool = False,
    zone: str | None = None,
) -> list[Claimed]:
    """Open every file and find its layout.

    Args:
        patterns: paths, folders and globs.
        layouts: the candidates; a user's own come first and beat the built-in ones.
        password: asked with the name of a protected file.
        only: the files are expected in exactly these layouts, so errors speak of their columns.
        zone: where clock times in file names are, for layouts without a zone of their own.

    Raises:
        Refused: with the problems of all files.
    """
    claimed: list[Claimed] = []
    problems: list[Problem] = []
    for path in expand(patterns):
        try:
            for source in open_file(path, password):
                claimed.extend(_claim(grids(source), layouts, only=only, zone=zone))
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Refused(problems)
    return claimed


def _claim(
    found: Sequence[Grid], layouts: Sequence[Layout], *, only: bool, zone: str | None
) -> list[Claimed]:
    claimed = []
    problems = []
    for grid in found:
        claims = list(_claims(grid, layouts))
        if len(claims) == 1:
            layout, row = claims[0]
            table = grid.table(row)
            claimed.append(Claimed(table, layout, known_until(table, layout, zone)))
        elif claims:
            names = ", ".join(layout.layout for layout, _ in claims)
            hint = "name one with --layout, or make `identify` of your own layout stricter"
            problems.append(
                Problem(Place(grid.name), f"more than one layout claims it: {names}", hint)
            )
        else:
            problems.append(_unclaimed(grid, layouts, only=only))
    # A workbook may hold further sheets that are nobody's export.
    if problems and not claimed:
        raise Refused(problems)
    return claimed


def _claims(grid: Grid, layouts: Sequence[Layout]) -> Iterable[tuple[Layout, int]]:
    headers = [tuple(normalise(cell) for cell in row) for row in grid.head]
    own = [layout for layout in layouts if not layout.built_in]
    for group in (own, [layout for layout in layouts if layout.built_in]):
        hits = []
        for layout in group:
            for i, header in enumerate(headers):
                if layout.claims(frozenset(mended_header(header, layout))):
                    hits.append((layout, i))
                    break
        if hits:
            return hits
    return []


def _unclaimed(grid: Grid, layouts: Sequence[Layout], *, only: bool) -> Problem:
    rows = [frozenset(normalise(cell) for cell in row if cell.strip()) for row in grid.head]
    header = max(rows, key=len, default=frozenset())
    line = rows.index(header) + 1 if header else 1
    seen = ", ".join(sorted(header)[:8]) + (", …" if len(header) > 8 else "")
    best, missing = min(
        ((layout, sorted(set(way.has) - header)) for layout in layouts for way in layout.identify),
        key=lambda pair: len(pair[1]) / max(1, len(pair[1]) + len(header)),
    )
    if only:
        what = f"has no column {', '.join(repr(name) for name in missing)}; it has {seen}"
        hint = did_you_mean(missing[0], header) if missing else "check `lacks` in the layout"
        hint = hint or "name the columns as they stand in the file"
        return Problem(Place(grid.name, line), what, hint)
    what = f"no layout knows this file; it has the columns {seen}"
    hint = "say what they mean: --map order_id=… --map ordered_at=… --map email=…, or --layout FILE"
    if len(header) == 1:
        hint = "its cells must be divided by commas, semicolons or tabs"
    elif missing and len(missing) <= 3 and len(missing) < len(best.names() & header):
        hint = f"like {best.layout} but without {', '.join(missing)}; {hint}"
    return Problem(Place(grid.name, line), what, hint)


# What stands in brackets at the very end of a table's name.
_SHEET = re.compile(r"\[[^\[\]]*\]$")


def file_of(name: str) -> Path:
    """Return the file on disk that a table of this name came from."""
    whole = Path(name)
    return whole if whole.exists() else Path(_SHEET.sub("", name).split("!")[0])


def own_name(name: str) -> str:
    """Return the name of the very file that a table of this name stands in, packed or not."""
    return PurePath(_SHEET.sub("", name).split("!")[-1]).name


def known_until(table: Table, layout: Layout, zone: str | None) -> datetime:
    """Return when the file was downloaded, as its name says, else its mtime."""
    match = re.search(layout.exported_at, own_name(table.name)) if layout.exported_at else None
    if match is None:
        return table.modified_at
    parts = match.groupdict()
    home = zone if layout.zone == AS_WRITTEN else layout.zone
    stamp = re.sub(r"\D", "", parts["date"]) + re.sub(r"\D", "", parts.get("time") or "0000")[:4]
    try:
        local = datetime.strptime(stamp, "%Y%m%d%H%M").replace(tzinfo=ZoneInfo(home or "UTC"))
    except ValueError:
        return table.modified_at
    return local.astimezone(UTC)
