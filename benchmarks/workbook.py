"""Rows as a workbook, written block by block as the streaming writers of shops' servers do."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_LINES = 1_048_576 - 2  # what Excel has room for below notice and header
_MADE = (2026, 1, 1, 0, 0, 0)  # one time for all members: the same rows give the same bytes
_EPOCH_DAYS = 25_569  # from 1899-12-30, where Excel's days begin, to 1970-01-01
_DATE, _MONEY = 1, 2  # positions in the styles below
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

_PARTS = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_TYPES}">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="발주발송관리" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    r'<numFmt numFmtId="164" formatCode="yyyy/mm/dd\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="&quot;₩&quot;#,##0"/></numFmts>'
    "<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>"
    '<cellStyleXfs><xf numFmtId="0"/></cellStyleXfs><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/></cellXfs></styleSheet>',
}


def write(
    path: Path,
    notice: Mapping[str, str],
    header: Sequence[str],
    blocks: Iterable[pl.DataFrame],
    money: Sequence[str],
) -> None:
    """Write one sheet: a notice row, the header, and the rows with their times and numbers typed.

    Args:
        path: overwritten.
        notice: column → its text in the first row.
        header: the columns of the file; those that no block has are blank.
        blocks: rows, one frame after the other.
        money: columns of numbers that are shown as won.
    """
    with ZipFile(path, "w") as archive:
        for name, content in _PARTS.items():
            archive.writestr(_member(name), content, ZIP_DEFLATED)
        with archive.open(_member("xl/worksheets/sheet1.xml"), "w", force_zip64=True) as sheet:
            sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            first = [pl.DataFrame(dict(notice)), pl.DataFrame({name: name for name in header})]
            row = 1
            for block in chain(first, blocks):
                sheet.write(_rows(block, row, header, money))
                row += block.height
            sheet.write(b"</sheetData></worksheet>")


def _member(name: str) -> ZipInfo:
    member = ZipInfo(name, _MADE)
    member.compress_type = ZIP_DEFLATED
    return member


def _rows(block: pl.DataFrame, first: int, header: Sequence[str], money: Sequence[str]) -> bytes:
    row = pl.int_range(first, first + block.height, dtype=pl.UInt32).cast(pl.String)
    cells = [
        _cell(name, dtype, money, _letters(header.index(name)), row)
        for name, dtype in sorted(block.schema.items(), key=lambda one: header.index(one[0]))
    ]
    line = pl.concat_str(pl.lit('<row r="'), row, pl.lit('">'), *cells, pl.lit("</row>"))
    return "".join(block.select(line.alias("line"))["line"]).encode()


def _cell(
    name: str, dtype: pl.DataType, money: Sequence[str], letters: str, row: pl.Expr
) -> pl.Expr:
    """Write one column's cells; an empty one is left out."""
    at = (pl.lit(f'<c r="{letters}'), row)
    value = pl.col(name)
    if dtype == pl.String:
        text = value.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
        start, end = pl.lit('" t="inlineStr"><is><t>'), pl.lit("</t></is></c>")
        written = pl.concat_str(*at, start, text, end)
    else:
        style = _DATE if isinstance(dtype, pl.Datetime) else _MONEY if name in money else 0
        if style == _DATE:
            value = value.cast(pl.Datetime("ms")).dt.timestamp("ms") / 86_400_000 + _EPOCH_DAYS
        written = pl.concat_str(*at, pl.lit(f'" s="{style}"><v>'), value, pl.lit("</v></c>"))
    return written.fill_null("")


def _letters(column: int) -> str:
    """Name a column as Excel does: A, …, Z, AA and so on."""
    high, low = divmod(column, 26)
    return (chr(64 + high) if high else "") + chr(65 + low)
