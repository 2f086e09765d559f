"""Rows and columns out of texts and sheets, sound and broken."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import fastexcel
import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Refused
from remindctl.stores.cp949 import Decoder
from remindctl.stores.delimited import open_text
from remindctl.stores.encodings import Text
from remindctl.stores.files import Workbook
from remindctl.stores.grids import grids
from remindctl.stores.tables import DAMAGE, ROW, Table, normalise

if TYPE_CHECKING:
    from collections.abc import Callable

LAW = settings(deadline=None, max_examples=60)
NOW = datetime(2026, 10, 31, tzinfo=UTC)
DECODER = Decoder()
Row = tuple[int, str | None, tuple[str | None, ...]]


def table(content: str | bytes, header_row: int = 0) -> Table:
    data = content.encode() if isinstance(content, str) else content
    (grid,) = grids(Text("orders.csv", data, NOW))
    return grid.table(header_row)


def rows(found: Table, width: int | None = None) -> list[Row]:
    """Row number, damage, and as many cells as the header has."""
    width = len(found.header) if width is None else width
    frame = found.collect(lambda lines: lines)
    return [
        (row[ROW], row[DAMAGE], tuple(row[f"c{i}"] for i in range(width)))
        for row in frame.iter_rows(named=True)
    ]


def cells(found: Table) -> list[tuple[str | None, ...]]:
    assert {damage for _, damage, _ in rows(found)} <= {None}
    return [row for _, _, row in rows(found)]


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("biz판매여부 ", "biz판매여부"),
        ("마케팅팀 정보\n수신동의", "마케팅팀 정보 수신동의"),
        ("\ufeffName", "Name"),
        ("주문번호*", "주문번호"),
        ("\u1100\u1161", "가"),
        (" 구매자  연락처 ", "구매자 연락처"),
    ],
)
def test_header_names_are_compared_as_people_read_them(name: str, normal: str) -> None:
    assert normalise(name) == normal


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("last", [True, False])
def test_every_spelling_of_a_text_gives_the_same_cells(
    delimiter: str, line_end: str, encoding: str, last: bool
) -> None:
    lines = [
        delimiter.join(['"주문', '번호"', "name", "note"]).replace(f"문{delimiter}", "문"),
        delimiter.join(["1", '"kim; lee, ""park""\t"', f'"a{line_end}b"']),
        delimiter.join(["", '""', "한글"]),
    ]
    text = line_end.join(lines) + (line_end if last else "")
    found = table(text.encode(encoding))
    assert found.header == ("주문번호", "name", "note")
    assert cells(found) == [
        ("1", 'kim; lee, "park"\t', f"a{line_end}b"),
        (None, None, "한글"),
    ]


def test_old_mac_line_ends_with_breaks_of_another_kind_inside_cells() -> None:
    assert cells(table('id,note\r1,"a\nb"\r2,c')) == [("1", "a\nb"), ("2", "c")]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    text = '"notice\nof two lines",\n\nid,note\n1,"x\ny"\n\n,\n2,z\n'
    assert rows(table(text, header_row=2)) == [
        (4, None, ("1", "x\ny")),
        (5, None, (None, None)),
        (6, None, (None, None)),
        (7, None, ("2", "z")),
    ]
    broken = text + "3,a,b\n"
    assert rows(table(broken, header_row=2))[-2:] == [
        (7, None, ("2", "z")),
        (8, "has more cells than the header has columns", ("3", "a")),
    ]


@pytest.mark.parametrize("at", [1, 200])
def test_a_row_with_more_cells_than_columns_is_damaged_wherever_it_stands(at: int) -> None:
    lines = [f"{i},a,b" for i in range(300)]
    lines[at] = f"{at},a,with,commas"
    found = table("id,x,y\n" + "\n".join(lines))
    expected = {at + 2: "has more cells than the header has columns"}
    assert {row: why for row, why, _ in rows(found) if why} == expected
    # The fast parser looks at no more columns than it is asked for.
    frame = found.collect(lambda query: query.select(ROW, DAMAGE, "c0"))
    assert dict(frame.select(ROW, DAMAGE).drop_nulls().rows()) == expected


def test_empty_cells_beyond_the_header_are_no_damage() -> None:
    assert cells(table("id,x\n1,a,,\n2,b\n,,,\n")) == [("1", "a"), ("2", "b"), (None, None)]
    assert cells(table("id,x\n" + "1,a\n" * 20 + "2,b,,,\n"))[-1] == ("2", "b")


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2,b", ("2", "b", None)),
        ("2", ("2", None, None)),
        ('2,"b', ("2", "b", None)),
        ('2,"b\nb', ("2", "b\nb", None)),
        ('2,"a\nb","c', ("2", "a\nb", "c")),
    ],
)
def test_a_last_record_cut_off_is_damaged(end: str, last: tuple[str | None, ...]) -> None:
    if end == '2,"b\nb':
        # It may as well have swallowed rows: refused below.
        return
    assert rows(table(f"id,x,y\n1,a,c\n{end}")) == [
        (2, None, ("1", "a", "c")),
        (3, "the file ends inside this record", last),
    ]


@pytest.mark.parametrize("end", ["2,b,c", "2,b,c\n", "2,b,c\r\n", "2,b,c\n  ", '2,b,"c"'])
def test_a_whole_last_record_is_sound_with_and_without_a_line_end(end: str) -> None:
    assert [why for _, why, _ in rows(table(f"id,x,y\n1,a,c\n{end}"))][:2] == [None, None]


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_a_file_cut_inside_a_letter_loses_that_record_only(encoding: str) -> None:
    content = "주문번호,이름,비고\n1,김하나,가\n2,이둘".encode(encoding)[:-1]
    found = rows(table(content))
    assert found[0] == (2, None, ("1", "김하나", "가"))
    assert found[1][1] == "the file ends inside this record"


def test_a_quote_inside_a_cell_is_a_letter_and_swallows_no_rows() -> None:
    text = 'id,x,y\n1,27",a\n2,"b, c",d\n3,5" by 6",e\n4,"f",27"\n5,g,h'
    assert cells(table(text)) == [
        ("1", '27"', "a"),
        ("2", "b, c", "d"),
        ("3", '5" by 6"', "e"),
        ("4", "f", '27"'),
        ("5", "g", "h"),
    ]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_quotes_from_the_very_first_letter_on_are_none_that_need_patience(mark: str) -> None:
    def is_patient(text: str) -> bool:
        return open_text(Text("orders.csv", f"{mark}{text}".encode(), NOW)).stray_quotes

    assert not is_patient('"id","x"\n"1","a"\n')
    assert is_patient('"id","x"\n"1",a"\n')


def test_a_quote_that_joins_rows_is_damage_at_its_row() -> None:
    text = 'id,x\n1,"a\n2,b\n3,"c"\n4,d\n'
    assert rows(table(text)) == [
        (
            2,
            "a quote is opened and not closed, so several rows run into one",
            ("1", 'a\n2,b\n3,c"'),
        ),
        (3, None, ("4", "d")),
    ]


def test_a_quote_that_is_never_closed_is_refused_at_its_row() -> None:
    text = 'id,x\n1,27"\n2,"a\n3,b\n4,c\n'
    with pytest.raises(Refused) as caught:
        rows(table(text))
    (problem,) = caught.value.problems
    assert str(problem.place) == "orders.csv:3"
    assert "never closed" in problem.what


def test_cells_longer_than_the_csv_module_expects_are_read() -> None:
    note = "긴 " * 150_000
    whole = f'id,note,x\n1,"{note}",a\n2,b,c\n'
    assert cells(table(whole)) == [("1", note, "a"), ("2", "b", "c")]
    assert rows(table(whole + "3,d,e,f\n"))[0] == (2, None, ("1", note, "a"))


def test_the_delimiter_is_the_one_that_divides_rows_alike() -> None:
    text = "id;name;address\n1;Kim, Lee;1 Street, Flat 2, City, Country\n2;Park;3 Road, City\n"
    assert table(text).header == ("id", "name", "address")
    notice = "please note, this, file, has, a, long, notice, row\n"
    assert table(notice + text, header_row=1).header == ("id", "name", "address")


def test_a_byte_that_is_no_text_is_refused_where_it_stands() -> None:
    content = b"id,x\n1,\xb0\xa1\n2,\xff\xff\n3,b\n"
    with pytest.raises(Refused) as caught:
        rows(table(content))
    assert [str(problem.place) for problem in caught.value.problems] == ["orders.csv:3"]


@LAW
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=3),
            st.sampled_from("가똠漢½A,\n").map(lambda letter: letter.encode("cp949")),
        ),
        max_size=40,
    )
)
def test_a_fast_decoder_agrees_with_the_standard_codec(parts: list[bytes]) -> None:
    text = b"".join(parts)
    try:
        expected = text.decode("cp949").encode()
    except UnicodeDecodeError as error:
        if error.end == len(text):
            return  # cut off: a letter less, or refused
        with pytest.raises(UnicodeDecodeError):
            DECODER(text)
    else:
        assert DECODER(text) == expected


def test_a_fast_decoder_knows_every_pair_of_bytes() -> None:
    def found(decode: Callable[[bytes], bytes], pair: bytes) -> bytes | None:
        try:
            return decode(pair)
        except UnicodeDecodeError:
            return None

    pairs = [bytes([first, second, 10]) for first in range(0x80, 0x100) for second in range(0x100)]
    slowly = [found(lambda pair: pair.decode("cp949").encode(), pair) for pair in pairs]
    assert [found(DECODER, pair) for pair in pairs] == slowly


def long_text() -> str:
    """More than a block of it, with letters of one, two and three bytes and breaks in cells."""
    notes = ['"첫째 줄\n둘째, ""줄"""', "똠방각하", "½ 漢字", "", '"\n"', "plain"]
    return "주문번호,이름,비고\n" + "".join(
        f"{i},이름{i % 977},{notes[i % len(notes)]}\n" for i in range(450_000)
    )


def test_a_long_korean_text_is_read_like_the_same_text_in_utf8() -> None:
    text = long_text()
    korean, utf8 = (table(text.encode(encoding)) for encoding in ("cp949", "utf-8"))
    assert len(text.encode()) > 2**23
    assert (korean.encoding, utf8.encoding) == ("cp949", "utf-8")
    for query in (
        lambda rows: rows,
        lambda rows: rows.filter(pl.col(ROW) % 5 == 0).select(ROW, DAMAGE, "c2"),
        lambda rows: rows.select(ROW, DAMAGE, "c0").slice(399_990, 20),
        lambda rows: rows.head(3),
        lambda rows: rows.select(pl.len().alias(ROW), pl.lit(0).alias(DAMAGE)),
    ):
        assert korean.collect(query).equals(utf8.collect(query))


def test_damage_far_down_a_long_korean_text_is_refused_at_its_row() -> None:
    content = long_text().encode("cp949").replace(b"\n440000,", b"\n440000\xff,")
    line = content[: content.index(b"\xff")].count(b"\n") + 1
    with pytest.raises(Refused) as caught:
        table(content).collect(lambda rows: rows.select(ROW, DAMAGE, "c0"))
    assert [str(problem.place) for problem in caught.value.problems] == [f"orders.csv:{line}"]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\xff\xfe", b",,,\n,,\n", b" \n \n"])
def test_a_text_without_a_letter_is_empty(content: bytes) -> None:
    with pytest.raises(Refused, match="empty"):
        table(content)


plain = st.text(st.characters(codec="cp949", exclude_characters='\0"\r\n'), max_size=6)
quoted = st.text(st.sampled_from('a"\n,; 가'), max_size=6)


@LAW
@given(
    st.lists(
        st.tuples(st.just("k"), st.one_of(plain, quoted), st.one_of(plain, quoted)), max_size=9
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp949", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_was_written_is_read(
    written: list[tuple[str, str, str]], delimiter: str, encoding: str, line_end: str, every: bool
) -> None:
    target = io.StringIO()
    # Other than the module, real writers quote every kind of line break.
    writer = csv.writer(
        target,
        delimiter=delimiter,
        quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL,
        lineterminator="\r\n",
    )
    writer.writerows([("id", "x", "y"), *written])
    text = target.getvalue()
    if not any("\n" in cell for row in written for cell in row):
        text = text.replace("\r\n", line_end)
    assert cells(table(text.encode(encoding))) == [
        tuple(cell or None for cell in row) for row in written
    ]


sloppy = st.sampled_from(["a", "", "b c", '27"', '5" x 6"', '"q"', '"q,r"', '"l\nm"', '"s ""t"""'])


@LAW
@given(st.lists(st.tuples(sloppy, sloppy), min_size=1, max_size=12))
def test_no_row_vanishes_between_stray_quotes(written: list[tuple[str, str]]) -> None:
    text = "id,x,y\n" + "".join(f"{i},{x},{y}\n" for i, (x, y) in enumerate(written))
    expected = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [row[0] for row in cells(table(text))] == [row[0] for row in expected]
    assert [row[2] or "" for row in cells(table(text))] == [row[2] for row in expected]


# Workbooks


def workbook(sheets: dict[str, list[list[object]]]) -> Workbook:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    target = io.BytesIO()
    book.save(target)
    return Workbook("book.xlsx", target.getvalue(), NOW)


def test_cells_of_a_sheet_are_text_that_keeps_digits_dates_and_days() -> None:
    lines: list[list[object]] = [
        ["notice"],
        [],
        ["id", "at", "x"],
        [2026103112345678, datetime(2026, 10, 31, 9, 5), 0.1 + 0.2],  # noqa: DTZ001 (a cell)
        ["0012", date(2026, 10, 31), 12900.0],
        ["a\nb", 46326.378472222, "#N/A"],
        [None, "  ", ""],
        [1090001234, True, -3],
    ]
    (grid,) = grids(workbook({"주문": lines}))
    assert grid.name == "book.xlsx"
    assert rows(grid.table(2)) == [
        (4, None, ("2026103112345678", "2026-10-31 09:05:00", "0.3")),
        (5, None, ("0012", "2026-10-31 00:00:00", "12900")),
        (6, None, ("a\nb", "46326.378472222", None)),
        (7, None, (None, "", None)),
        (8, None, ("1090001234", "true", "-3")),
    ]


def test_sheets_that_hold_something_are_named_and_empty_ones_are_not_there() -> None:
    found = grids(workbook({"1월": [["id"], ["1"]], "빈": [], "2월": [["id"], ["2"]]}))
    assert [grid.name for grid in found] == ["book.xlsx[1월]", "book.xlsx[2월]"]
    assert [rows(grid.table(0))[0][2] for grid in found] == [("1",), ("2",)]


def test_a_bloated_sheet_costs_no_memory() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["id"])
    sheet.append(["1"])
    sheet["AI1048576"].number_format = "0.00"
    target = io.BytesIO()
    book.save(target)
    (grid,) = grids(Workbook("book.xlsx", target.getvalue(), NOW))
    frame = grid.table(0).collect(lambda lines: lines)
    assert frame.shape == (1, 3)
    assert frame["c0"].dtype == pl.String


# Large sheets are read in parts.

ROWS = 9000


def sheet_of_all_kinds(prefix: str = "", *, numbered: bool = True) -> bytes:
    """Write texts, shared and inline, numbers, dates, blank rows and ones of nothing but style.

    No row but the header and a far one fills the first column.
    """
    rows = []
    for row in range(3, ROWS + 3):
        number = f' r="{row}"' if numbered else ""
        if row % 7 == 5 and numbered:
            rows.append(f"<p:row{number}/>" if row % 2 else "")
            continue
        if row % 11 == 0:
            rows.append(f'<p:row{number}><p:c r="C{row}" s="1"/></p:row>')
            continue
        text = f"&lt;/row&gt; {row} 글자 {'가나다라 ' * 60}"
        rows.append(
            f'<p:row{number} spans="2:6">'
            + (f'<p:c r="A{row}" t="s"><p:v>1</p:v></p:c>' if row in {3, ROWS - 5} else "")
            + f'<p:c r="B{row}" t="s"><p:v>{row % 2}</p:v></p:c>'
            f'<p:c r="C{row}" t="inlineStr"><p:is><p:t>{text}</p:t></p:is></p:c>'
            f'<p:c r="D{row}"><p:v>{row}.5</p:v></p:c>'
            f'<p:c r="E{row}" s="1"><p:v>{46000 + row / 4}</p:v></p:c></p:row>'
        )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    space = f'xmlns:{prefix}="{main}"' if prefix else f'xmlns="{main}"'
    sheet = f"<p:worksheet {space}><p:sheetData>{''.join(rows)}</p:sheetData></p:worksheet>"
    sheet = sheet.replace("<p:", f"<{prefix}:" if prefix else "<")
    sheet = sheet.replace("</p:", f"</{prefix}:" if prefix else "</")
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = datetime(2026, 1, 1)  # noqa: DTZ001 (a cell)
    made, target = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name).decode() for name in old.namelist()}
        texts = f'<sst xmlns="{main}"><si><t>shared</t></si><si><t>texts</t></si></sst>'
        parts |= {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": texts}
        for name, part in parts.items():
            new.writestr(name, part)
    return target.getvalue()


@pytest.mark.parametrize(("prefix", "numbered"), [("", True), ("x", True), ("", False)])
def test_a_large_sheet_is_read_as_if_read_at_once(prefix: str, *, numbered: bool) -> None:
    content = sheet_of_all_kinds(prefix, numbered=numbered)
    sheet = fastexcel.read_excel(content).load_sheet(
        0, header_row=None, skip_rows=0, dtypes="string"
    )
    whole = sheet.to_polars().with_row_index(ROW, offset=1)
    whole.columns = [ROW, "c0", "c1", "c2", "c3", "c4"]
    filled = pl.any_horizontal(pl.exclude(ROW, DAMAGE).is_not_null())
    (grid,) = grids(Workbook("book.xlsx", content, NOW))
    assert grid.head[2][1:] == whole.row(2)[2:]
    for header_row, columns in ((2, whole.columns), (4, [ROW, "c3"]), (2, ["c4", ROW, "c1"])):

        def query(rows: pl.LazyFrame, columns: list[str] = columns) -> pl.LazyFrame:
            return rows.filter(filled).select(columns)

        expected = query(whole.lazy().slice(header_row + 1)).collect()
        assert grid.table(header_row).collect(query).equals(expected)
    assert grid.table(2).collect(lambda rows: rows.select(ROW))[ROW][-1] == ROWS + 2


def test_damage_far_down_a_large_sheet_is_refused() -> None:
    content = bytearray(sheet_of_all_kinds())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    with pytest.raises(Refused, match="damaged"):
        grids(Workbook("book.xlsx", bytes(content), NOW))[0].table(2).collect(lambda rows: rows)
