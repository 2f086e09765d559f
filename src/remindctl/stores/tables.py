"""Finding the rows and columns in a file: sheets, delimiters, line ends, the header among notices.

A :class:`Grid` is a sheet or a text whose header is not known yet; it shows its first rows. Told
which of them is the header it becomes a :class:`Table`: cells as text under the positional names
``c0``, ``c1``, …, read only as far as a query asks for them.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from remindctl.errors import refuse
from remindctl.stores.files import Text, Workbook, decode, decode_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

HEAD_ROWS = 15
DELIMITERS = (",", ";", "\t")
_SAMPLE_BYTES = 2**18
_TAIL_BYTES = 2**20
# The fast parser itself fails on a stray quote unless no other follows it to the end of the file;
# in a large file that leaves little to lose and much to count.
_COUNT_QUOTES_UP_TO = 2**26

ROW = "row"
DAMAGE = "damage"


def normalise(name: str) -> str:
    """Return a header cell as layouts write it.

    Macs decompose Hangul, sheets break lines inside cells, some exports pad names with blanks or
    mark required columns with a trailing asterisk.
    """
    return " ".join(unicodedata.normalize("NFC", name).replace("\ufeff", "").split()).rstrip("* ")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its header and its rows as a query that is not run yet.

    Attributes:
        name: the file as a person finds it (``archive.zip!orders.csv``, ``book.xlsx[Sheet 2]``).
        header: normalised column names; position i is column ``c{i}`` of ``rows``.
        rows: ``row`` (UInt32, as Excel numbers it), ``damage`` (String, why the record itself is
            broken, else null), ``c0`` … (String; blank cells are null).
        sample: the cells of the first rows below the header.
        modified_at: the file's mtime.
        encoding: how the text was stored, or ``xlsx``.
        cut_off: the text ends inside its last record.
        patient_rows: reads the same rows with a slower parser that survives broken records.
    """

    name: str
    header: tuple[str, ...]
    rows: pl.LazyFrame
    sample: tuple[tuple[str, ...], ...]
    modified_at: datetime
    encoding: str
    cut_off: bool = False
    patient_rows: Callable[[], pl.LazyFrame] | None = None

    def collect(self, query: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
        """Run ``query`` over the rows; it must keep ``row`` and ``damage`` and the rows' order.

        Raises:
            Refused: a quote is opened and never closed, or bytes are no text.
        """
        try:
            frame = query(self.rows).collect(engine="streaming")
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):
            if self.patient_rows is None:
                raise
            frame = query(self.patient_rows()).collect()
        if not self.cut_off:
            return frame
        last = pl.col(ROW) == pl.col(ROW).max()
        why = pl.lit("the file ends inside this record")
        return frame.with_columns(pl.when(last).then(why).otherwise(DAMAGE).alias(DAMAGE))


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
    return _sheets(source) if isinstance(source, Workbook) else [_text(source)]


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    head: tuple[tuple[str, ...], ...]
    modified_at: datetime
    cells: pl.DataFrame

    def table(self, header_row: int) -> Table:
        rows = (
            self.cells.lazy()
            .with_row_index(ROW, offset=1)
            .slice(header_row + 1)
            .with_columns(pl.lit(None, dtype=pl.String).alias(DAMAGE))
        )
        header = tuple(normalise(cell) for cell in self.head[header_row])
        return Table(self.name, header, rows, self.head[header_row + 1 :], self.modified_at, "xlsx")


def _sheets(book: Workbook) -> list[_Sheet]:
    import fastexcel  # noqa: PLC0415 (a CSV needs no workbook reader)

    content = book.content if isinstance(book.content, bytes) else str(book.content)
    found = []
    try:
        reader = fastexcel.read_excel(content)
        for sheet in reader.sheet_names:
            # skip_rows=0 keeps leading blank rows, so that rows are numbered as Excel shows them.
            cells = reader.load_sheet(
                sheet, header_row=None, skip_rows=0, dtypes="string"
            ).to_polars()
            cells.columns = [f"c{i}" for i in range(cells.width)]
            head = tuple(tuple(cell or "" for cell in row) for row in cells.head(HEAD_ROWS).rows())
            if any(any(row) for row in head):
                name = book.name if len(reader.sheet_names) == 1 else f"{book.name}[{sheet}]"
                found.append(_Sheet(name, head, book.modified_at, cells))
    except fastexcel.FastExcelError as error:
        raise refuse(
            "the workbook is damaged or was cut off while downloading",
            "download it again",
            path=book.name,
        ) from error
    if not found:
        raise refuse("the workbook is empty", "download it again", path=book.name)
    return found


@dataclass(frozen=True, slots=True)
class _DelimitedText:
    name: str
    head: tuple[tuple[str, ...], ...]
    modified_at: datetime
    content: Path | bytes
    encoding: str
    delimiter: str
    line_end: str
    ends_open: bool  # no line end after the last record
    tail: str

    def table(self, header_row: int) -> Table:
        header = tuple(normalise(cell) for cell in self.head[header_row])
        width = max(len(row) for row in self.head[header_row:])
        columns = [f"c{i}" for i in range(width)]
        rows = pl.scan_csv(
            self.content,
            has_header=False,
            schema=dict.fromkeys(columns, pl.String()),
            skip_rows=header_row + 1,
            separator=self.delimiter,
            eol_char=self.line_end,
            row_index_name=ROW,
            row_index_offset=header_row + 2,
            missing_columns="insert",
            raise_if_empty=False,
            glob=False,
        ).with_columns(pl.lit(None, dtype=pl.String).alias(DAMAGE))
        return Table(
            self.name,
            header,
            rows,
            self.head[header_row + 1 :],
            self.modified_at,
            self.encoding,
            cut_off=self._is_cut_off(len(header)),
            patient_rows=lambda: self._patient_rows(columns, header_row),
        )

    def _is_cut_off(self, width: int) -> bool:
        """Tell whether the last record has fewer cells than the header and no line end.

        The last record may span lines. Going back line by line, the first piece with an even number
        of quotes starts outside of quotes and so is a whole record; none has, if the end is inside
        of them.
        """
        if not self.ends_open:
            return False
        lines = self.tail.split(self.line_end)
        for start in range(len(lines) - 1, -1, -1):
            piece = self.line_end.join(lines[start:])
            if piece.count('"') % 2 == 0:
                cells = next(
                    csv.reader(io.StringIO(piece, newline=""), delimiter=self.delimiter), []
                )
                return 0 < len(cells) < width
        return True

    def _patient_rows(self, columns: list[str], header_row: int) -> pl.LazyFrame:
        content = self.content if isinstance(self.content, bytes) else self.content.read_bytes()
        text, _ = decode_bytes(self.name, content)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        width = len(columns)
        records: list[tuple[int, str | None, list[str | None]]] = []
        for row in itertools.count(1):
            started_at = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise _open_quote(self.name, started_at) from error
            if cells is None:
                break
            if row <= header_row + 1:
                continue
            surplus = any(cells[width:])
            damage = f"has {len(cells)} cells where the header has {width}" if surplus else None
            padded: list[str | None] = [cell or None for cell in cells[:width]]
            records.append((row, damage, padded + [None] * (width - len(padded))))
        schema: dict[str, pl.DataType | type[pl.DataType]] = {ROW: pl.UInt32, DAMAGE: pl.String}
        schema.update(dict.fromkeys(columns, pl.String))
        return pl.LazyFrame(
            [(row, damage, *cells) for row, damage, cells in records], schema=schema, orient="row"
        )


def _text(text: Text) -> _DelimitedText:
    content, encoding = decode(text)
    utf8 = Text(text.name, content, text.modified_at)
    sample = utf8.head(_SAMPLE_BYTES)
    line_end = "\r" if b"\r" in sample and b"\n" not in sample else "\n"
    complete = len(sample) < _SAMPLE_BYTES
    if not complete:
        sample = sample[: sample.rfind(line_end.encode()) + 1]
    shown = sample.decode("utf-8", errors="replace").removeprefix("\ufeff")
    heads = {delimiter: _head(shown, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda d: max((len(row) for row in heads[d]), default=0))
    head = heads[delimiter]
    if not any(any(cell.strip() for cell in row) for row in head):
        raise refuse("the file is empty", "download it again", path=text.name)
    if max(len(row) for row in head) == 1 and not shown.isprintable() and "\x00" in shown:
        raise refuse("not a table", "download the export as Excel or CSV", path=text.name)
    _check_quotes(utf8, line_end)
    tail = utf8.tail(_TAIL_BYTES)
    return _DelimitedText(
        text.name,
        head,
        text.modified_at,
        content,
        encoding,
        delimiter,
        line_end,
        ends_open=not tail.endswith((b"\n", b"\r")),
        tail=tail.decode("utf-8", errors="replace"),
    )


def _head(sample: str, delimiter: str) -> tuple[tuple[str, ...], ...]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    rows: list[tuple[str, ...]] = []
    # What can be read is enough to look for a header; the reading itself will refuse.
    with contextlib.suppress(csv.Error):
        rows.extend(tuple(cells) for cells in itertools.islice(reader, HEAD_ROWS))
    return tuple(rows)


def _check_quotes(text: Text, line_end: str) -> None:
    """Refuse a text in which a quote swallows complete records up to the end of the file."""
    if isinstance(text.content, Path) and text.content.stat().st_size > _COUNT_QUOTES_UP_TO:
        return
    content = text.read()
    if content.count(b'"') % 2 == 0:
        return
    opened_at = content.rfind(b'"')
    if line_end.encode() not in content[opened_at:].strip():
        return  # cut off inside its last record, which alone is lost
    raise _open_quote(text.name, content.count(line_end.encode(), 0, opened_at) + 1)


def _open_quote(name: str, line: int) -> Exception:
    return refuse(
        "a quote is opened here and never closed, so the rows after it cannot be told apart",
        "download the file again, or remove the stray quote in a text editor",
        path=name,
        line=line,
    )
