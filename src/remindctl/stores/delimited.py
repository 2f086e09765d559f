"""Delimited text: its delimiter, its line ends, and records that are not as they should be.

The fast parser reads what is sound. It stops at what it notices to be broken, but merges the rows
between two stray quotes without a word; so quotes are looked at beforehand, and a text with broken
records is read record by record instead, each damage at its row.
"""

from __future__ import annotations

import codecs
import csv
import functools
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.errors import refuse
from remindctl.stores import blocks
from remindctl.stores.encodings import Text, decode_bytes, decode_utf16, encoding_of
from remindctl.stores.tables import CUT_OFF, DAMAGE, ROW, Table, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEAD_ROWS = 15
DELIMITERS = (",", ";", "\t")
_SAMPLE_BYTES = 2**18
_TAIL_BYTES = 2**20
# Who writes stray quotes writes them all over; looking further costs more than it would find.
_CHECK_QUOTES_UP_TO = 2**25
_LONGEST_CELL = 2**30
_MORE_CELLS = "has more cells than the header has columns"
_OPEN_QUOTE = "a quote is opened and not closed, so several rows run into one"


@dataclass(frozen=True, slots=True)
class DelimitedText:
    r"""A text whose header is not known yet.

    Attributes:
        text: UTF-8 or CP949, on disk or in memory.
        head: the cells of its first rows.
        encoding: how it was stored.
        delimiter: between cells.
        line_end: ``\n`` (also for ``\r\n``) or ``\r``.
        tail: its end, long enough to hold the last record.
        stray_quotes: some quote is not where RFC 4180 has one.
    """

    text: Text
    head: tuple[tuple[str, ...], ...]
    encoding: str
    delimiter: str
    line_end: str
    tail: str
    stray_quotes: bool

    @property
    def name(self) -> str:
        """As in :class:`~remindctl.stores.tables.Table`."""
        return self.text.name

    def table(self, header_row: int) -> Table:
        """Return the table whose header is ``head[header_row]``.

        Raises:
            Refused: a quote is opened and never closed, or bytes are no text.
        """
        header = tuple(normalise(cell) for cell in self.head[header_row])
        # One column more than any row should have: the fast parser drops what no one asks for.
        width = 1 + max(len(row) for row in self.head[header_row:])
        columns = [f"c{i}" for i in range(width)]
        more_cells = pl.any_horizontal(pl.col(c).is_not_null() for c in columns[len(header) :])
        parse = functools.partial(
            pl.scan_csv,
            has_header=False,
            schema=dict.fromkeys(columns, pl.String()),
            separator=self.delimiter,
            eol_char=self.line_end,
            row_index_name=ROW,
            null_values="",
            missing_columns="insert",
            raise_if_empty=False,
            glob=False,
        )
        skip = header_row + 1
        if self.encoding == "cp949":
            rows = blocks.scan(self.text, self.line_end, parse, skip_rows=skip)
        else:
            rows = parse(self.text.content, skip_rows=skip, row_index_offset=skip + 1)
        damage = pl.when(more_cells).then(pl.lit(_MORE_CELLS)).alias(DAMAGE)
        patient_rows = functools.cache(
            functools.partial(self._patient_rows, columns, header_row, len(header))
        )
        return Table(
            self.name,
            header,
            patient_rows() if self.stray_quotes else rows.with_columns(damage),
            self.head[header_row + 1 :],
            self.text.modified_at,
            self.encoding,
            cut_off=not self.stray_quotes and self._is_cut_off(len(header)),
            patient_rows=patient_rows,
        )

    def _is_cut_off(self, width: int) -> bool:
        """Tell whether the last record has fewer cells than the header and no line end.

        The last record may span lines. Going back line by line, the first piece with an even number
        of quotes starts outside of quotes and so is a whole record; none has, if the end is inside
        of them.
        """
        if self.tail.endswith(("\n", "\r")):
            return False
        lines = self.tail.split(self.line_end)
        for start in range(len(lines) - 1, -1, -1):
            piece = self.line_end.join(lines[start:])
            if piece.count('"') % 2 == 0:
                cells = next(_records([piece], self.delimiter), [])
                return len(cells) < width and any(cell.strip() for cell in cells)
        return True

    def _patient_rows(self, columns: list[str], header_row: int, width: int) -> pl.LazyFrame:
        """Read the text record by record and write it again as the fast parser likes it."""
        text, _ = decode_bytes(self.name, self.text.read())
        source = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
        target = io.BytesIO()
        sink = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(sink, lineterminator="\r\n")
        lines: list[str] = []
        records = _records(_remembered(source, lines), self.delimiter)
        for row, cells in enumerate(records, 1):
            if row > header_row + 1:
                record = "".join(lines)
                damage = _quote_damage(self.name, row, record, self.delimiter)
                if any(cells[width:]):
                    damage = damage or _MORE_CELLS
                elif 0 < len(cells) < width and not record.endswith(("\n", "\r")):
                    damage = CUT_OFF
                padding = [""] * (len(columns) - len(cells))
                writer.writerow([row, damage, *cells[: len(columns)], *padding])
            lines.clear()
        schema: dict[str, pl.DataType] = {ROW: pl.UInt32(), DAMAGE: pl.String()}
        schema.update(dict.fromkeys(columns, pl.String()))
        return pl.scan_csv(
            target.getvalue(),
            has_header=False,
            schema=schema,
            null_values="",
            raise_if_empty=False,
        )


def _records(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Iterator[list[str]]:
    # The limit that the module comes with is shorter than a long order note.
    csv.field_size_limit(_LONGEST_CELL)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


def _remembered(lines: Iterable[str], memory: list[str]) -> Iterator[str]:
    for line in lines:
        memory.append(line)
        yield line


def _quote_damage(name: str, row: int, record: str, delimiter: str) -> str:
    """Tell what is wrong with the quotes of a record, empty if nothing is.

    Raises:
        Refused: its quote swallows all rows up to the end of the file.
    """
    body = record.rstrip("\r\n")
    several = "\n" in body or "\r" in body
    if not several and record.count('"') % 2 == 0:
        return ""
    try:
        list(_records(io.StringIO(record, newline=""), delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return _OPEN_QUOTE if several else ""
        if not {"\n", "\r"} & set(body[body.rfind('"') :]):
            return CUT_OFF
        raise refuse(
            "a quote is opened here and never closed, so the rows after it cannot be told apart",
            "download the file again, or remove the stray quote in a text editor",
            path=name,
            line=row,
        ) from error
    return ""


def open_text(text: Text) -> DelimitedText:
    """Find out how a text is written.

    Raises:
        Refused: it is empty, or no text.
    """
    encoding = encoding_of(text)
    if encoding == "utf-16":
        text = decode_utf16(text)
    codec = "cp949" if encoding == "cp949" else "utf-8"
    sample = text.head(_SAMPLE_BYTES)
    bare = re.sub(rb'"[^"]*"', b"", sample)
    line_end = "\r" if b"\r" in bare and b"\n" not in bare else "\n"
    if len(sample) == _SAMPLE_BYTES:
        sample = sample[: sample.rfind(line_end.encode()) + 1] or sample
    shown = sample.decode(codec, errors="replace").removeprefix("\ufeff")
    delimiter, head = _best_head(shown)
    if not any(any(cell.strip() for cell in row) for row in head):
        raise refuse("the file is empty", "download it again", path=text.name)
    return DelimitedText(
        text,
        head,
        encoding,
        delimiter,
        line_end,
        tail=text.tail(_TAIL_BYTES).decode(codec, errors="replace"),
        stray_quotes=_has_stray_quotes(text.head(_CHECK_QUOTES_UP_TO), delimiter),
    )


def _best_head(sample: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Return the delimiter that divides the most rows into the same number of cells, and these.

    Another sign may occur as often in every row of data, but hardly in the header too.
    """
    heads: dict[str, tuple[tuple[str, ...], ...]] = {}
    alike: dict[str, tuple[int, int]] = {}
    for delimiter in DELIMITERS:
        records = _records(io.StringIO(sample, newline=""), delimiter)
        head = tuple(tuple(cells) for cells in itertools.islice(records, HEAD_ROWS))
        widths = Counter(len(row) for row in head if len(row) > 1)
        heads[delimiter] = head
        alike[delimiter] = max(((rows, width) for width, rows in widths.items()), default=(0, 0))
    delimiter = max(DELIMITERS, key=alike.__getitem__)
    return delimiter, heads[delimiter]


def _has_stray_quotes(content: bytes, delimiter: str) -> bool:
    """Tell whether a quote stands where none can open, close or be doubled."""
    if b'"' not in content:
        return False
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    signs = np.frombuffer(content, dtype=np.uint8, offset=start)
    quotes = np.flatnonzero(signs == ord('"'))
    if len(content) == _CHECK_QUOTES_UP_TO:
        # The sample may end inside a quoted cell, or between the two quotes of a doubled one.
        quotes = quotes[: quotes.size - 2 + quotes.size % 2]
    opening, closing = quotes[::2], quotes[1::2]
    fits = np.zeros(256, dtype=bool)
    fits[[ord(delimiter), *b'\n\r"']] = True
    before = signs[opening[opening > 0] - 1]
    after = signs[closing[closing < len(signs) - 1] + 1]
    return quotes.size % 2 == 1 or not (fits[before].all() and fits[after].all())
