"""A large sheet: parsed in parts by several threads, and only the columns that are asked for.

The workbook reader parses a sheet as a whole, in one thread and with all of its columns. The XML of
a sheet can be divided between two rows; each part, put in the place of the whole, makes a workbook
of its own.
"""

from __future__ import annotations

import io
import re
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import fastexcel
import polars as pl

from remindctl.errors import refuse
from remindctl.stores import batches
from remindctl.stores.files import UNZIP_ERRORS
from remindctl.stores.tables import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HEAD_BYTES = 2**20
_PART_BYTES = 2**22
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_TEXTS = "xl/sharedStrings.xml"
# A sheet without numbers at its rows is left to the reader's own counting.
_OPENING = re.compile(
    rb'.*?<(?P<prefix>(?:\w+:)?)sheetData>(?=\s*<(?P=prefix)row\s[^>]*\br="\d)', re.DOTALL
)
_NUMBER = re.compile(rb'\br="(\d+)"')


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Refuse a workbook of this name that the reader or the archive finds damaged."""
    try:
        yield
    except (fastexcel.FastExcelError, *UNZIP_ERRORS) as error:
        raise refuse(
            "the workbook is damaged or was cut off while downloading",
            "download it again",
            path=name,
        ) from error


@dataclass(frozen=True, slots=True)
class LargeSheet:
    """The only sheet of a workbook.

    Attributes:
        name: of the workbook.
        archive: the workbook.
        path: of the sheet's XML in it.
        others: what else the reader needs of the archive.
        opening: the sheet's XML up to its first row.
        prefix: of the names of its elements, as ``x:``; mostly empty.
    """

    name: str
    archive: zipfile.ZipFile
    path: str
    others: Mapping[str, bytes]
    opening: bytes
    prefix: bytes

    def head(self, count: int) -> pl.DataFrame:
        """Return the first rows; fewer than ``count`` where they are very long."""
        with self.archive.open(self.path) as xml:
            xml.read(len(self.opening))
            start = xml.read(_HEAD_BYTES)
        return self._parsed(start[: self._end(start)], 1, leading_blanks=True).head(count)

    def scan(self, width: int) -> pl.LazyFrame:
        """Return ``row``, as Excel numbers it, and the cells ``c0`` … as text.

        Raises:
            Refused: the workbook is damaged (when the rows are collected).
        """
        names = [f"c{i}" for i in range(width)]

        def read(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
            wanted = [i for i, name in enumerate(names) if name in columns] or [0]

            def parse(rows: bytes) -> pl.DataFrame:
                frame = self._parsed(rows, width, wanted)
                frame.columns = [names[i] for i in wanted]
                first = self._number_after(rows) - frame.height
                return frame.with_row_index(ROW, offset=first).select(columns)

            with readable(self.name):
                yield from batches.ahead(parse, self._parts(), pl.thread_pool_size() + 1)

        return batches.scan(read, {ROW: pl.UInt32(), **dict.fromkeys(names, pl.String())})

    def _parts(self) -> Iterator[bytes]:
        # Each part costs the parsing of the shared texts.
        size = max(_PART_BYTES, len(self.others.get(_TEXTS, b"")))
        rest = b""
        with self.archive.open(self.path) as xml:
            xml.read(len(self.opening))
            while piece := xml.read(size):
                rest += piece
                end = self._end(rest)
                if end:
                    yield rest[:end]
                    rest = rest[end:]

    def _end(self, xml: bytes) -> int:
        """Return where the last whole row ends; 0 = there is none."""
        closing = b"</%brow>" % self.prefix
        at = xml.rfind(closing)
        return at + len(closing) if at >= 0 else 0

    def _number_after(self, rows: bytes) -> int:
        found = _NUMBER.search(rows, rows.rfind(b"<%brow " % self.prefix))
        if not found:
            raise ValueError("a row without a number")
        return int(found[1]) + 1

    def _parsed(
        self,
        rows: bytes,
        width: int,
        columns: list[int] | None = None,
        *,
        leading_blanks: bool = False,
    ) -> pl.DataFrame:
        """Parse some rows as text, blank ones before the first that holds anything left out.

        One filled row is added for the time being: the reader starts with the first column and ends
        with the last row that hold anything.
        """
        row = b"".join((
            b'<%brow r="%d">' % (self.prefix, self._number_after(rows)),
            b"<%bc><%bv>0</%bv></%bc>" % ((self.prefix,) * 4) * width,
            b"</%brow></%bsheetData></%bworksheet>" % ((self.prefix,) * 3),
        ))  # fmt: skip
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as book:
            for name, content in self.others.items():
                book.writestr(name, content)
            book.writestr(self.path, b"".join((self.opening, rows, row)))
        sheet = fastexcel.read_excel(target.getvalue()).load_sheet(
            0,
            header_row=None,
            skip_rows=0 if leading_blanks else None,
            use_columns=columns,
            dtypes="string",
        )
        return sheet.to_polars()[:-1]


def large_sheet(name: str, content: bytes) -> LargeSheet | None:
    """Return the sheet of a workbook if it has one only, which is large and can be divided.

    Raises:
        Refused: the workbook is damaged.
    """
    with readable(name):
        archive = zipfile.ZipFile(io.BytesIO(content))
        sheets = [part for part in archive.infolist() if _SHEET.fullmatch(part.filename)]
        if len(sheets) != 1 or sheets[0].file_size <= _PART_BYTES:
            return None
        path = sheets[0].filename
        with archive.open(path) as xml:
            opening = _OPENING.match(xml.read(_HEAD_BYTES))
        if not opening:
            return None
        others = {
            part.filename: archive.read(part)
            for part in archive.infolist()
            if part.filename != path and part.filename.endswith((".xml", ".rels"))
        }
        return LargeSheet(name, archive, path, others, opening[0], opening["prefix"])
