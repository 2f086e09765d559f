"""`--map`: a layout made on the spot, on shapes that public purchase data come in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from remindctl.errors import Refused
from remindctl.stores.encodings import Text
from remindctl.stores.grids import grids
from remindctl.stores.identify import Claimed
from remindctl.stores.load import Loaded, load
from remindctl.stores.query import Settings
from remindctl.stores.quick import map_layout, with_date_order

NOW = datetime(2011, 12, 31, tzinfo=UTC)
MAPS = ("order_id=InvoiceNo", "ordered_at=InvoiceDate", "customer_id=CustomerID")
LINES = (*MAPS, "quantity=Quantity", "amount=TotalPrice")
HEADER = ("InvoiceNo", "Quantity", "InvoiceDate", "TotalPrice", "CustomerID")


def loaded(content: str | bytes, *maps: str) -> Loaded:
    data = content.encode() if isinstance(content, str) else content
    (grid,) = grids(Text("uci.csv", data, NOW))
    claim = with_date_order(Claimed(grid.table(0), map_layout(maps or LINES), NOW))
    return load([claim], Settings(), store="uci")


def days(*dates: str) -> list[date]:
    """Read one order per date and return their days."""
    rows = "".join(f"{i},1,{text},1,c\n" for i, text in enumerate(dates))
    found = loaded(",".join(HEADER) + "\n" + rows).snapshot.orders
    return [day for _, day in sorted(found.select("order_id", "ordered_on").rows())]


def test_bom_crlf_blank_customers_negative_quantities_and_float_noise() -> None:
    rows = [
        ("536365", "6", "2010-12-01 08:26:00", "15.3", "17850.0"),
        ("536366", "6", "2010-12-09 08:26:00", "22.200000000000003", "17850"),
        ("C536379", "-1", "2010-12-01 09:41:00", "-27.5", "14527.0"),
        ("536370", "24", "2010-12-02 08:45:00", "90", ""),
        ("536371", "24", "2010-12-02", "90", "nan"),
    ]
    text = "\ufeff" + "\r\n".join(",".join(row) for row in (HEADER, *rows)) + "\r\n"
    found = loaded(text)
    orders = found.snapshot.orders
    assert orders["person"].to_list() == [0, None, None, 0]
    assert [float(amount) for amount in orders["amount"]] == [15.3, 90, 90, 22.2]
    assert found.rejects.select("row", "value", "reason").rows() == [(4, "-1", "negative quantity")]


def test_old_mac_line_ends_with_the_last_record_cut_off() -> None:
    rows = [f"{i},1,12/{i}/10 8:26,1.5,c{i % 3}" for i in range(1, 29)]
    found = loaded("\r".join([",".join(HEADER), *rows, "536400"]))
    orders = found.snapshot.orders
    assert orders["ordered_on"].sort().to_list() == [date(2010, 12, day) for day in range(1, 29)]
    assert found.rejects.select("row", "reason").rows() == [
        (30, "the file ends inside this record")
    ]


def test_semicolons_with_na_customers() -> None:
    rows = ["1;1;2010-12-01;5;NA", "2;1;2010-12-02;5;12583", "3;1;2010-12-03;5;NA"]
    found = loaded("\n".join([";".join(HEADER), *rows]))
    assert found.snapshot.orders["person"].to_list() == [None, 0, None]


@pytest.mark.parametrize(
    ("dates", "read"),
    [
        (("12/1/10 8:26", "12/13/10 10:00"), [(2010, 12, 1), (2010, 12, 13)]),
        (("1/12/2010 8:26", "13/12/2010 10:00"), [(2010, 12, 1), (2010, 12, 13)]),
        (("10/2/2017 10:56:00 PM", "10/13/2017"), [(2017, 10, 2), (2017, 10, 13)]),
        (("1.12.2010", "13.12.2010"), [(2010, 12, 1), (2010, 12, 13)]),
        (("1-12-98", "13-12-98"), [(1998, 12, 1), (1998, 12, 13)]),
        (("20101201", "20101213"), [(2010, 12, 1), (2010, 12, 13)]),
        (("20101201082600",), [(2010, 12, 1)]),
        (("2010-12-01T08:26:00Z", "2010/12/13"), [(2010, 12, 1), (2010, 12, 13)]),
        (("40513", "40513.5"), [(2010, 12, 1), (2010, 12, 1)]),
        (("2010-12-01", "12/13/2010"), [(2010, 12, 1), (2010, 12, 13)]),
    ],
)
def test_the_order_of_day_and_month_is_found_not_guessed(
    dates: tuple[str, ...], read: list[tuple[int, int, int]]
) -> None:
    assert days(*dates) == [date(*parts) for parts in read]


@pytest.mark.parametrize(
    ("dates", "why"),
    [
        (("03/04/2010", "05/06/2010"), "no day above 12"),
        (("13/04/2010", "05/16/2010"), "both orders"),
        # A spreadsheet read the first as a date, of which day it is too late to say.
        (("12/06/2010 10:08", "2/20/11 11:39"), "both orders"),
        (("13/06/2010 10:08", "2/20/11 11:39"), "both orders"),
        # 25 December 2001, or 1 December 2025?
        (("25-12-01", "25-11-30"), "day or the year"),
    ],
)
def test_dates_that_nothing_decides_are_refused(dates: tuple[str, ...], why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        days(*dates)
    (problem,) = caught.value.problems
    assert problem.place.path == "uci.csv"
    assert "--layout" in problem.hint


def test_a_status_column_speaks_either_language_and_nothing_else() -> None:
    maps = (*MAPS, "status=State")
    header = "InvoiceNo,InvoiceDate,CustomerID,State\n"
    rows = [("1", "Paid"), ("2", "구매확정"), ("3", " 주문 취소"), ("4", "반품 완료"), ("5", "")]
    text = header + "".join(f"{i},2010-12-0{i},c,{state}\n" for i, state in rows)
    assert loaded(text, *maps).snapshot.orders["status"].to_list() == [
        "paid", "paid", "cancelled", "refunded", "pending"
    ]  # fmt: skip
    with pytest.raises(Refused, match="unknown status 'lost'"):
        loaded(text + "6,2010-12-06,c,lost\n", *maps)


def test_columns_are_found_by_their_normalised_names() -> None:
    maps = ("order_id=주문 번호", "ordered_at=주문일*", "phone=연락처")
    found = loaded(" 주문\u3000번호,주문일,연락처 \n1,2010-12-01,01090001234\n", *maps)
    assert found.snapshot.customers["phone"].to_list() == ["+821090001234"]


@pytest.mark.parametrize(
    ("maps", "problems"),
    [
        (("orderid=a", *MAPS[1:]), ["unknown field 'orderid'"]),
        (("order_id", "=a", "email="), ["'order_id' is not", "'=a' is not", "'email=' is not"]),
        ((*MAPS, "order_id=x"), ["order_id is given twice"]),
        (MAPS[:1], ["ordered_at must be mapped", "nothing tells customers apart"]),
        (MAPS[2:], ["order_id and ordered_at must be mapped"]),
    ],
)
def test_what_is_wrong_with_the_maps_is_told_at_once(
    maps: tuple[str, ...], problems: list[str]
) -> None:
    with pytest.raises(Refused) as caught:
        map_layout(maps)
    assert len(caught.value.problems) == len(problems)
    for problem, words in zip(caught.value.problems, problems, strict=True):
        assert (problem.place.path, words in problem.what) == ("--map", True)
        assert problem.hint
