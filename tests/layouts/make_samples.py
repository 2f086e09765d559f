"""Write the workbooks among the samples anew from the ``*.xlsx.csv`` that stand beside them.

Run it after editing such a table: ``python tests/layouts/make_samples.py``. Its first row says the
name of the sheet and how the cells are stored, as the real export does:

    sheet,발주발송관리,cells,typed

``typed`` makes dates and amounts what Excel calls dates and numbers, ``text`` leaves all cells text
and ``latin-1`` makes them text whose CP949 bytes were taken for Latin-1. Equal tables give equal
bytes.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.writer.excel import ExcelWriter

HERE = Path(__file__).parent
EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001 (a workbook's own times have no zone)
DATE = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d")
WON = re.compile(r"₩[\d,]+")
COUNT = re.compile(r"0|[1-9]\d{0,5}")


def workbook(table: Path) -> bytes:
    """Return the workbook that ``table`` describes."""
    with table.open(encoding="utf-8", newline="") as file:
        (_, title, _, cells), *rows = csv.reader(file)
    book = Workbook()
    book.properties.creator = "remindctl"
    book.properties.created = book.properties.modified = EPOCH
    sheet = book.active
    sheet.title = title
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            if text:
                value, form = _cell(text, cells)
                sheet.cell(number, column, value).number_format = form
    return _packed(book)


def _cell(text: str, cells: str) -> tuple[str | int | datetime, str]:
    if cells == "latin-1":
        return text.encode("cp949").decode("latin-1"), "@"
    if cells == "typed" and DATE.fullmatch(text):
        return datetime.strptime(text, "%Y/%m/%d %H:%M"), r"yyyy/mm/dd\ hh:mm"  # noqa: DTZ007 (as EPOCH)
    if cells == "typed" and WON.fullmatch(text):
        return int(text[1:].replace(",", "")), '"₩"#,##0'
    if cells == "typed" and COUNT.fullmatch(text):
        return int(text), "General"
    return text, "@"


def _packed(book: Workbook) -> bytes:
    written, packed = BytesIO(), BytesIO()
    with ZipFile(written, "w") as archive:
        # Workbook.save would stamp the clock's time into the properties first.
        ExcelWriter(book, archive).write_data()
    with ZipFile(written) as old, ZipFile(packed, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name, EPOCH.timetuple()[:6]), old.read(name), ZIP_DEFLATED)
    return packed.getvalue()


if __name__ == "__main__":
    for table in sorted(HERE.glob("*/*.xlsx.csv")):
        table.with_suffix("").write_bytes(workbook(table))
