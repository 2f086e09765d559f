"""Finding the tables in a file: the sheets of a workbook, the one grid of a text.

A :class:`Grid` is a sheet or a text whose header is not known yet; it shows its first rows. Told
which of them is the header it becomes a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

from remindctl.errors import refuse
from remindctl.stores.delimited import HEAD_ROWS, open_text
from remindctl.stores.files import Workbook
from remindctl.stores.tables import DAMAGE, ROW, Table, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.stores.encodings import Text


class Grid(Protocol):
    """A sheet or text before its header is known."""

    @property
    def name(self) -> str:
        """As in :class:`Table`."""
        ...

    @property
    def head(self) -> tuple[tuple[str, ...], ...]:
        """The cells of its first rows, blank ones as empty strings."""
        ...

    def table(self, header_row: int) -> Table:
        """Return the table whose header is ``head[header_row]``."""
        ...


def grids(source: Workbook | Text) -> Sequence[Grid]:
    """Return the sheets of a workbook that hold anything, or the one grid of a text.

    Raises:
        Refused: damaged, empty, or not a table.
    """
    return _sheets(source) if isinstance(source, Workbook) else [open_text(source)]


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    head: tuple[tuple[str, ...], ...]
    modified_at: datetime
    rows: pl.LazyFrame

    def table(self, header_row: int) -> Table:
        below = self.rows.filter(pl.col(ROW) > header_row + 1).with_columns(
            pl.lit(None, dtype=pl.String).alias(DAMAGE)
        )
        header = tuple(normalise(cell) for cell in self.head[header_row])
        sample = self.head[header_row + 1 :]
        return Table(self.name, header, below, sample, self.modified_at, "xlsx")


def _sheets(book: Workbook) -> list[_Sheet]:
    import fastexcel  # noqa: PLC0415 (a CSV needs no workbook reader)

    from remindctl.stores.sheets import large_sheet, readable  # noqa: PLC0415 (neither)

    large = large_sheet(book.name, book.content)
    found = []
    with readable(book.name):
        if large:
            first = large.head(HEAD_ROWS)
            return [_Sheet(book.name, _texts(first), book.modified_at, large.scan(first.width))]
        reader = fastexcel.read_excel(book.content)
        for sheet in reader.sheet_names:
            # skip_rows=0 keeps leading blank rows, so that rows are numbered as Excel shows them.
            cells = reader.load_sheet(
                sheet, header_row=None, skip_rows=0, dtypes="string"
            ).to_polars()
            cells.columns = [f"c{i}" for i in range(cells.width)]
            head = _texts(cells.head(HEAD_ROWS))
            if any(any(row) for row in head):
                name = book.name if len(reader.sheet_names) == 1 else f"{book.name}[{sheet}]"
                rows = cells.lazy().with_row_index(ROW, offset=1)
                found.append(_Sheet(name, head, book.modified_at, rows))
    if not found:
        raise refuse("the workbook is empty", "download it again", path=book.name)
    return found


def _texts(rows: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(cell or "" for cell in row) for row in rows.rows())
