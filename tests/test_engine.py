"""One table under one layout: which rows are of use, which are not and why, and what they say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Refused
from remindctl.stores.encodings import Text
from remindctl.stores.engine import Lines, read_lines
from remindctl.stores.grids import grids
from remindctl.stores.layout import Layout, built_in, read_layout
from remindctl.stores.orders import share_order_amounts
from remindctl.stores.query import Settings

LAW = settings(deadline=None, max_examples=60)
NOW = datetime(2026, 10, 31, tzinfo=UTC)
FULL = Settings()
COMPACT = Settings(compact=frozenset({"product"}))

SHOP = """
layout: shop
title: a shop
shop: shop
identify: {has: [order]}
zone: Asia/Seoul
region: KR
currency: KRW
dates: ["%Y-%m-%d %H:%M"]
columns:
  order_id: order
  line_id: line
  ordered_at: [ordered, paid]
  phone: [phone, phone2]
  email: email
  customer_id: customer
  product: product
  product_id: code
  quantity: qty
  price: price
  amount: amount
line_key: [line_id]
"""
STATUS = """
status:
  - {column: claim, contains: {철회: next, 취소: cancelled}}
  - column: state
    values: {paid: paid, gone: refunded}
    contains: {반품: refunded}
    blank: pending
"""
TOTALS = SHOP.replace("line_key: [line_id]", "amount_level: order")
FIRST = """
layout: carts
title: only first rows are full
shop: shop
identify: {has: [order]}
zone: as written
dates: ["%Y-%m-%d %H:%M:%S %z"]
order_fields: first row
amount_level: order's first row
columns: {order_id: order, ordered_at: at, amount: total, refunded: back, email: email,
          quantity: qty, price: price, product: product}
status: [{column: state, values: {paid: paid, refunded: refunded}, blank: pending}]
"""


def layout(text: str) -> Layout:
    return read_layout(text, "shop.yaml")


def read(text: str, csv: str, settings: Settings = FULL) -> Lines:
    (grid,) = grids(Text("orders.csv", csv.encode(), NOW))
    return read_lines(grid.table(0), layout(text), settings)


def rejected(lines: Lines) -> list[tuple[int, str | None, str | None, str]]:
    return lines.rejects.select("row", "column", "value", "reason").rows()


ROUNDED = "a spreadsheet rounded this number, its digits are lost"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("order", "2.0261E+15", ROUNDED),
        ("line", "2.0261E+15", ROUNDED),
        ("phone", "4.41E+11", ROUNDED),
        ("customer", "6.12346E+12", ROUNDED),
        ("order", "", "no number"),
        ("line", "", "no number"),
        ("ordered", "soon", "unreadable date"),
        ("ordered", "2026-02-30 10:00", "unreadable date"),
        ("ordered", "", "no date"),
        ("qty", "-1", "negative quantity"),
        ("qty", "1,5", "unreadable quantity"),
        ("amount", "1.2E+05", "unreadable amount"),
        ("amount", "1e5", "unreadable amount"),
        ("amount", "12,50", "unreadable amount"),
        ("amount", "free", "unreadable amount"),
    ],
)
@pytest.mark.parametrize("settings", [FULL, COMPACT])
def test_a_damaged_cell_rejects_its_row_and_no_other(
    column: str, cell: str, reason: str, settings: Settings
) -> None:
    good = {"order": "1", "line": "1-1", "ordered": "2026-01-02 10:00", "phone": "010-9000-0001",
            "customer": "c1", "qty": "1", "amount": "1000"}  # fmt: skip
    rows = [good, {**good, "line": "1-2", column: cell}, {**good, "line": "1-3"}]
    csv = "\n".join([",".join(good), *('"' + '","'.join(row.values()) + '"' for row in rows)])
    lines = read(SHOP, csv, settings)
    assert rejected(lines) == [(3, column, cell or None, reason)]
    assert lines.rows == 3
    assert lines.frame["row"].to_list() == [2, 4]


def test_unusual_spellings_are_repaired_where_that_is_safe() -> None:
    lines = read(
        SHOP,
        "order,line,ordered,phone,customer,qty,amount,product,code\n"
        "1,1-1,2026-01-02 10:00,010-9000-0001,17850.0,1,1000,a,P1\n"
        '=""2"",\'2-1,2026. 1. 2. 오후 10:00,1090000001,\'17850,2.0,"₩12,900", a ,1.0E+12\n'
        "3,3-1,46024.5,'+82 10-9000-0001,NA,1,22.200000000000003,b,P2\n",
    )
    assert not lines.rejects.height
    frame = lines.frame
    assert frame["order_id"].to_list() == ["1", "2", "3"]
    assert frame["line_id"].to_list() == ["1-1", "2-1", "3-1"]
    assert frame["ordered_on"].to_list() == [date(2026, 1, 2)] * 3
    assert frame["ordered_at"].dt.hour().to_list() == [1, 13, 3]  # nine hours earlier in UTC
    assert frame["phone"].to_list() == ["+821090000001"] * 3
    assert frame["customer_id"].to_list() == ["17850", "17850", None]
    assert frame["quantity"].to_list() == [1, 2, 1]
    assert frame["amount"].to_list() == [Decimal(1000), Decimal(12900), Decimal("22.2")]
    # A rounded code names no product, but its row is a purchase all the same.
    assert frame["product_id"].to_list() == ["P1", None, "P2"]
    assert frame["product"].to_list() == ["a", "a", "b"]


def test_the_first_column_that_holds_anything_counts() -> None:
    lines = read(
        SHOP,
        "order,line,ordered,paid,phone,phone2\n"
        '1,1-1,,2026-01-03 10:00,"",010-9000-0001\n'
        '2,2-1,2026-01-02 10:00,2026-01-03 10:00," ",010-9000-0001\n'
        "3,3-1,2026-01-02 10:00,,010-9000-0002,010-9000-0001\n",
    )
    assert lines.frame["ordered_on"].dt.day().to_list() == [3, 2, 2]
    assert lines.frame["phone"].str.slice(-1).to_list() == ["1", "1", "2"]


def test_blank_rows_are_no_rows() -> None:
    lines = read(SHOP, 'order,line,ordered\n,,\n1,1,2026-01-02 10:00\n" ", ,\t\n\n"",,\n')
    assert (lines.rows, lines.rejects.height, lines.frame.height) == (1, 0, 1)
    lines = read(FIRST, "order,at,total,state\n,,,\n1,2026-01-02 10:00:00 +0900,5,paid\n , , ,\n")
    assert (lines.rows, lines.rejects.height, lines.frame.height) == (1, 0, 1)


@pytest.mark.parametrize(
    ("header", "missing"),
    [("order,line,qty", "ordered_at"), ("line,ordered", "order_id")],
)
def test_a_file_without_a_column_that_is_needed_is_refused(header: str, missing: str) -> None:
    text = SHOP.replace("has: [order]", "has: [line]")
    with pytest.raises(Refused) as caught:
        read(text, f"{header}\n1,2,3\n")
    (problem,) = caught.value.problems
    assert problem.place.path == "orders.csv"
    assert ("order" if missing == "order_id" else "ordered or paid") in problem.what


CUSTOMERS = """
layout: people
title: customers
shop: shop
kind: customers
identify: {has: [nick]}
zone: Asia/Seoul
columns: {name: nick, email: mail, phone: tel}
"""
CARTS = """
layout: carts
title: carts
shop: shop
kind: events
event: cart
identify: {has: [nick]}
zone: Asia/Seoul
order_fields: first row
columns: {occurred_at: at, cart_id: cart, value: total, email: mail}
"""


@pytest.mark.parametrize(
    ("text", "header", "missing"),
    [(CUSTOMERS, "nick", "mail or tel"), (CARTS, "nick,at,total", "cart")],
)
def test_rows_that_name_no_one_or_no_cart_are_refused(text: str, header: str, missing: str) -> None:
    with pytest.raises(Refused, match=f"lacks the column {missing}"):
        read(text, f"{header}\n1,2026-01-02,3\n"[: len(header) + 5])


def test_a_layout_whose_rows_cannot_be_put_together_is_refused() -> None:
    with pytest.raises(Refused, match="which rows belong together"):
        layout(CUSTOMERS + "order_fields: first row\n")


def test_a_compact_reading_keeps_no_column_that_only_the_line_key_needs() -> None:
    text = SHOP.replace("line_key: [line_id]", "line_key: [order_id, product_id]")
    lines = read(text, "order,ordered,code,product\n1,2026-01-02 10:00,a,x\n", COMPACT)
    assert "product_id" not in lines.frame.columns
    assert lines.frame["line_id"].dtype == pl.UInt64


def test_an_incomplete_line_key_is_none() -> None:
    text = SHOP.replace("line_key: [line_id]", "line_key: [order_id, product_id]")
    both = "order,line,ordered,code\n1,9,2026-01-02 10:00,a\n1,9,2026-01-02 10:00,b\n"
    assert read(text, both).frame["line_id"].to_list() == ["1/a", "1/b"]
    without = "order,line,ordered\n1,9,2026-01-02 10:00\n1,9,2026-01-02 10:00\n"
    assert "line_id" not in read(text, without).frame.columns


# Status


def statuses(csv: str, text: str = SHOP + STATUS) -> list[str]:
    rows = "".join(f"{i},{i},2026-01-02 10:00,{line}\n" for i, line in enumerate(csv.split()))
    lines = read(text, "order,line,ordered,claim,state\n" + rows)
    assert not lines.problems
    return lines.frame["status"].to_list()


def test_status_rules_are_asked_in_order() -> None:
    assert statuses(",paid 취소완료,paid 취소철회,paid ,gone ,부분반품 취소,", SHOP + STATUS) == [
        "paid", "cancelled", "paid", "refunded", "refunded", "cancelled"
    ]  # fmt: skip
    assert statuses(",PAID ,") == ["paid", "pending"]


def test_a_blank_status_cell_is_blank() -> None:
    csv = (
        'order,line,ordered,claim,state\n1,1,2026-01-02 10:00," ",paid\n2,2,2026-01-02 10:00,,""\n'
    )
    lines = read(SHOP + STATUS, csv)
    assert (lines.problems, lines.frame["status"].to_list()) == ((), ["paid", "pending"])


def test_each_unknown_status_is_one_problem_at_its_first_row() -> None:
    csv = "order,line,ordered,claim,state\n" + "".join(
        f"{i},{i},2026-01-02 10:00,{claim},{state}\n"
        for i, (claim, state) in enumerate(
            [("", "paid"), ("", "lost"), ("취소철회", "lost"), ("", "odd"), ("보류", "paid")]
        )
    )
    found = [(p.place.line, p.what) for p in read(SHOP + STATUS, csv).problems]
    assert found == [
        (3, "state: unknown status 'lost' (2 rows)"),
        (5, "state: unknown status 'odd' (1 row)"),
        (6, "claim: unknown status '보류' (1 row)"),
    ]


def test_a_file_that_cannot_say_whether_orders_were_paid_is_refused() -> None:
    with pytest.raises(Refused, match="state"):
        read(SHOP + STATUS, "order,line,ordered,claim\n1,1,2026-01-02 10:00,\n")
    always_paid = SHOP + STATUS.replace("blank: pending", "blank: paid")
    csv = "order,line,ordered,claim\n1,1,2026-01-02 10:00,\n"
    assert read(always_paid, csv).frame["status"].to_list() == ["paid"]


# Orders that span rows


def test_first_rows_are_spread_whatever_the_order_of_rows() -> None:
    csv = (
        "order,at,total,back,state,email,qty,price,product\n"
        "1,2026-01-02 00:30:00 +0900,30.00,0.00,paid,a@example.com,1,10,x\n"
        "1,2026-01-02 00:30:00 +0900,,,,a@example.com,2,10,y\n"
        "2,2026-01-01 23:30:00 -0500,9.00,9.00,refunded,b@example.com,1,9,z\n"
    )
    header, *rows = csv.splitlines()
    expected = [
        ("1", date(2026, 1, 2), "paid", Decimal(10), "x"),
        ("1", date(2026, 1, 2), "paid", Decimal(20), "y"),
        ("2", date(2026, 1, 1), "refunded", Decimal(0), "z"),
    ]
    for order in ((0, 1, 2), (1, 0, 2), (0, 2, 1), (2, 1, 0)):
        lines = read(FIRST, "\n".join([header, *(rows[i] for i in order)]))
        found = lines.frame.select("order_id", "ordered_on", "status", "amount", "product")
        assert sorted(found.rows()) == expected, order
        assert (lines.rows, lines.rejects.height) == (3, 0)


@pytest.mark.parametrize("settings", [FULL, COMPACT])
def test_two_downloads_pasted_into_one_file_count_once(settings: Settings) -> None:
    header = "order,at,total,state,email,qty,price,product\n"
    one = "1,2026-01-02 10:00:00 +0900,10,paid,a@example.com,1,10,x\n"
    two = (
        "2,2026-01-01 10:00:00 +0900,30,paid,a@example.com,1,10,x\n"
        "2,2026-01-01 10:00:00 +0900,,,a@example.com,1,20,y\n"
    )
    for rows in (one + two + one, one + two + one + two, two + two, one + one):
        lines = read(FIRST, header + rows, settings)
        once = (one in rows) * 1 + (two in rows) * 2
        assert lines.frame.height == once
        assert lines.rejects.height == len(rows.splitlines()) - once
        assert lines.frame["amount"].sum() == (one in rows) * 10 + (two in rows) * 30


def test_lines_whose_first_row_is_missing_or_damaged_are_no_orders() -> None:
    csv = (
        "order,at,total,state,email,qty,price,product\n"
        "1,2026-01-02 10:00:00 +0900,,,a@example.com,1,10,x\n"
        "2,2026-01-02 10:00:00 +0900,10,paid,a@example.com,1,10,x\n"
        "3,2026-01-02 10:00:00 +0900,a, comma,30,paid,a@example.com,1,10,x\n"
        "3,2026-01-02 10:00:00 +0900,,,a@example.com,2,10,y\n"
    )
    lines = read(FIRST, csv)
    assert lines.frame["order_id"].to_list() == ["2"]
    assert [(row, reason) for row, _, _, reason in rejected(lines)] == [
        (2, "the first row of this order is missing"),
        (4, "has more cells than the header has columns"),
        (5, "the first row of this order is missing"),
    ]


def test_a_first_row_that_is_of_no_use_itself_still_speaks_for_its_order() -> None:
    csv = (
        "order,at,total,state,email,qty,price,product\n"
        "1,2026-01-02 10:00:00 +0900,30,paid,a@example.com,-1,10,x\n"
        "1,2026-01-02 10:00:00 +0900,,,a@example.com,2,10,y\n"
    )
    lines = read(FIRST, csv)
    assert lines.frame.select("status", "amount").rows() == [("paid", Decimal(30))]
    assert [reason for *_, reason in rejected(lines)] == ["negative quantity"]


def test_a_layout_whose_first_rows_nothing_marks_takes_the_first_of_each_order() -> None:
    text = """
layout: bare
title: nothing marks a first row
shop: shop
identify: {has: [order]}
zone: Asia/Seoul
dates: ["%Y-%m-%d"]
order_fields: first row
columns: {order_id: order, ordered_at: at, email: email}
"""
    lines = read(text, "order,at,email\n1,2026-01-02,a@example.com\n1,,\n2,2026-01-03,\n")
    assert lines.frame.select("order_id", "ordered_on", "email").rows() == [
        ("1", date(2026, 1, 2), "a@example.com"),
        ("1", date(2026, 1, 2), "a@example.com"),
        ("2", date(2026, 1, 3), None),
    ]


orders_of_lines = st.lists(
    st.tuples(
        st.decimals(0, 10**7, places=2),
        st.lists(
            st.tuples(st.sampled_from(["", "0", "1", "3"]), st.decimals(0, 9999, places=2)),
            min_size=1,
            max_size=6,
        ),
    ),
    min_size=1,
    max_size=6,
)


@LAW
@given(orders_of_lines, st.sampled_from(["KRW", "USD"]), st.randoms())
def test_the_shares_of_a_total_add_up_to_it_exactly(
    orders: list[tuple[Decimal, list[tuple[str, Decimal]]]], currency: str, dice: object
) -> None:
    whole = currency == "KRW"
    rows = [
        f"{i},{i}-{j},2026-01-02 10:00,{qty},{price},{int(total) if whole else total}"
        for i, (total, lines) in enumerate(orders)
        for j, (qty, price) in enumerate(lines)
    ]
    dice.shuffle(rows)  # type: ignore[attr-defined]
    csv = "\n".join(["order,line,ordered,qty,price,amount", *rows])
    frame = read(TOTALS.replace("KRW", currency), csv).frame
    shares = frame.group_by("order_id").agg(
        pl.col("amount").sum(), pl.col("amount").min().alias("min")
    )
    for name, total, least in shares.rows():
        assert total == (int(orders[int(name)][0]) if whole else orders[int(name)][0])
        assert least >= 0
    parts = frame["amount"] * (1 if whole else 100)
    assert (parts == parts.round(0)).all()


@LAW
@given(orders_of_lines, st.integers(1, 9))
def test_what_is_paid_for_a_line_does_not_depend_on_other_orders(
    orders: list[tuple[Decimal, list[tuple[str, Decimal]]]], block_rows: int
) -> None:
    # Halves of the smallest unit too: each order's lines share 10.01 and some cost the same.
    lines = pl.DataFrame(
        [
            (str(i), 100_100, int(price * 10_000), int(qty or 1))
            for i, (_, bought) in enumerate(orders)
            for qty, price in bought
        ],
        schema=["order_id", "amount", "price", "quantity"],
        orient="row",
    )
    together = share_order_amounts(lines, "USD", contiguous=True, block_rows=block_rows)
    alone = [
        share_order_amounts(order, "USD", contiguous=True)
        for order in lines.partition_by("order_id", maintain_order=True)
    ]
    assert together.rows() == pl.concat(alone).rows()


def test_a_total_missing_on_some_rows_is_the_orders_all_the_same() -> None:
    csv = (
        "order,line,ordered,qty,price,amount\n"
        "1,1,2026-01-02 10:00,1,10,\n1,2,2026-01-02 10:00,1,20,30\n2,3,2026-01-02 10:00,1,5,\n"
    )
    frame = read(TOTALS, csv).frame
    assert frame["amount"].to_list() == [Decimal(10), Decimal(20), None]


# Time


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-03-29 02:30", "2026-03-29T01:30Z"),  # the clock was never put forward
        ("2026-10-25 02:30", "2026-10-25T00:30Z"),  # this hour comes twice
        ("2026-07-01 00:10", "2026-06-30T22:10Z"),
        ("2026-01-01 00:10", "2025-12-31T23:10Z"),
    ],
)
def test_clock_times_are_instants_of_the_layouts_zone(cell: str, instant: str) -> None:
    lines = read(SHOP.replace("Asia/Seoul", "Europe/Berlin"), f"order,line,ordered\n1,1,{cell}\n")
    assert lines.frame["ordered_at"].to_list() == [datetime.fromisoformat(instant)]
    assert lines.frame["ordered_on"].to_list() == [date.fromisoformat(cell[:10])]


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2025-10-07 09:50:26 +0200", "2025-10-07T07:50:26Z"),
        ("2025-11-02 01:30:00 -0400", "2025-11-02T05:30:00Z"),
        ("2025-11-02 01:30:00 -0500", "2025-11-02T06:30:00Z"),
        ("2025-10-07T09:50:26Z", "2025-10-07T09:50:26Z"),
        ("2025-10-07 09:50:26", "2025-10-07T00:50:26Z"),
    ],
)
def test_a_written_offset_counts_before_the_shops_zone(cell: str, instant: str) -> None:
    lines = read(FIRST, f"order,at,state\n1,{cell},paid\n", Settings(zone="Asia/Seoul"))
    assert lines.frame["ordered_at"].to_list() == [datetime.fromisoformat(instant)]
    assert lines.frame["ordered_on"].to_list() == [date.fromisoformat(cell[:10])]


# Formats as they come


def test_cells_of_cp949_read_as_latin1_are_mended() -> None:
    text = SHOP.replace("product: product", "product: 상품명") + STATUS
    text += "repair: cp949-as-latin1\n"
    plain = "order,line,ordered,claim,state,상품명\n1,1,2026-01-02 10:00,,반품,김치\n"
    broken = plain.encode("cp949").decode("latin-1")
    for csv in (plain, broken):
        frame = read(text, csv).frame
        assert frame.select("status", "product").rows() == [("refunded", "김치")]


def test_rows_of_instructions_are_left_out() -> None:
    text = SHOP + "helper_rows: {order: [수정 불가, 수정 가능]}\n"
    lines = read(text, "order,line,ordered\n수정 불가 ,수정 불가,수정 불가\n1,1,2026-01-02 10:00\n")
    assert (lines.rows, lines.rejects.height) == (1, 0)


def test_a_compact_reading_tells_the_same_orders_and_people_apart() -> None:
    csv = (
        "order,line,ordered,phone,email,qty,amount,product\n"
        "1,1,2026-01-02 10:00,010-9000-0001,,1,10,x\n"
        "1,2,2026-01-02 10:00,010-9000-0001,A@example.com,1,10,y\n"
        "2,3,2026-01-03 10:00,,a@example.com,1,10,x\n"
        "3,4,2026-01-04 10:00,050-7123-4567,,1,10,\n"
    )
    full, compact = read(SHOP, csv).frame, read(SHOP, csv, COMPACT).frame
    for column in ("order_id", "line_id", "phone", "email"):
        assert full[column].null_count() == compact[column].null_count()
        assert full[column].rank("dense").n_unique() == compact[column].n_unique()
        pairs = pl.DataFrame({"full": full[column], "compact": compact[column]}).unique()
        assert pairs.height == full[column].n_unique()
    same = ["ordered_on", "status", "quantity", "amount", "product"]
    assert compact.select(same).cast({"product": pl.String}).rows() == full.select(same).rows()


@pytest.mark.parametrize("name", sorted(built_in()))
def test_every_layout_survives_any_cells_under_its_own_header(name: str) -> None:
    own = built_in()[name]
    header = sorted(own.names())
    odd = ["", " ", "-1", "1E+15", "철회", "2026-13-45", '="x"', "010-0000-0000", "\u200b", "NaN"]
    rows = [",".join(f'"{cell}"'.replace('="x"', '=""x""') for _ in header) for cell in odd]
    (grid,) = grids(
        Text("a.csv", "\n".join([",".join(f'"{n}"' for n in header), *rows]).encode(), NOW)
    )
    for size in (FULL, COMPACT):
        if own.kind in ("orders", "customers") or size is FULL:
            lines = read_lines(grid.table(0), own, size)
            assert lines.frame.height + lines.rejects.height == lines.rows
