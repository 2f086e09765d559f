"""Several files of a store → one truth: merged, joined, and their people found."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Refused
from remindctl.stores.encodings import Text
from remindctl.stores.files import Workbook
from remindctl.stores.grids import grids
from remindctl.stores.identify import Claimed, claim_files, known_until
from remindctl.stores.layout import Layout, built_in, read_layout
from remindctl.stores.load import Loaded, load
from remindctl.stores.query import Settings

if TYPE_CHECKING:
    from pathlib import Path

LAW = settings(deadline=None, max_examples=25)
START = datetime(2026, 10, 1, tzinfo=UTC)
FULL = Settings()
COMPACT = Settings(compact=frozenset({"product"}))

SMARTSTORE = (
    "상품주문번호,주문번호,주문상태,클레임상태,주문일시,결제일,구매자연락처,구매자명,구매자ID,"
    "수취인연락처1,최종 상품별 총 주문금액,상품명,수량"
)
CUSTOMERS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,"
    "Accepts SMS Marketing,Total Spent,Total Orders,Tags"
)
SHOPIFY = (
    "Name,Email,Financial Status,Accepts Marketing,Currency,Total,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Billing Name,Billing Phone,Cancelled at,Refunded Amount,Phone,"
    "Shipping Name,Shipping Phone,Duties"
)


def own(text: str) -> Layout:
    return read_layout(text, "own.yaml")


def claimed(layout: str | Layout, csv: str, hours: int = 0, name: str = "a.csv") -> Claimed:
    at = START + timedelta(hours=hours)
    (grid,) = grids(Text(name, csv.encode(), at))
    return Claimed(grid.table(0), layout if isinstance(layout, Layout) else built_in()[layout], at)


def table(header: str, *rows: dict[str, str]) -> str:
    names = header.split(",")
    assert all(set(row) <= set(names) for row in rows), rows
    return "\n".join([header, *(",".join(row.get(name, "") for name in names) for row in rows)])


def smartstore(*rows: dict[str, str], hours: int = 0, name: str = "a.csv") -> Claimed:
    usual = {
        "주문상태": "구매확정",
        "주문일시": "2026-09-01 10:00:00",
        "최종 상품별 총 주문금액": "1000",
    }
    lines = [{**usual, "주문번호": row["상품주문번호"][:1], **row} for row in rows]
    return claimed("smartstore-orders", table(SMARTSTORE, *lines), hours, name)


def shopify(*rows: dict[str, str], hours: int = 0) -> Claimed:
    usual = {"Created at": "2026-09-01 10:00:00 -0400"}
    return claimed("shopify-orders", table(SHOPIFY, *({**usual, **row} for row in rows)), hours)


def loaded(*claims: Claimed, size: Settings = FULL) -> Loaded:
    return load(claims, size, store="shop")


def told(found: Loaded, *columns: str) -> list[tuple[object, ...]]:
    return sorted(found.snapshot.orders.select(columns).rows(), key=repr)


def people(found: Loaded, *order_ids: str) -> list[int | None]:
    orders = found.snapshot.orders.unique("order_id")
    by_order = dict(orders.select("order_id", "person").rows())
    return [by_order[name] for name in order_ids]


# Overlapping downloads


def test_the_newest_file_says_how_a_line_stands_in_any_order_of_files() -> None:
    first = smartstore(
        {"상품주문번호": "1a", "주문상태": "배송중"}, {"상품주문번호": "2a", "주문상태": "결제대기"}
    )
    second = smartstore(
        {"상품주문번호": "2a", "주문상태": "구매확정"}, {"상품주문번호": "3a"}, hours=1
    )
    third = smartstore({"상품주문번호": "3a", "주문상태": "반품"}, hours=2)
    for claims in permutations([first, second, third]):
        for size in (FULL, COMPACT):
            found = loaded(*claims, size=size)
            assert found.snapshot.orders["status"].sort().to_list() == ["paid", "paid", "refunded"]
            assert (found.rows, found.duplicate_lines) == (5, 2)
        assert told(loaded(*claims), "line_id", "status") == [
            ("1a", "paid"), ("2a", "paid"), ("3a", "refunded")
        ]  # fmt: skip


def test_of_files_equally_old_and_of_rows_in_one_file_the_later_counts() -> None:
    paid, back = {"상품주문번호": "1a"}, {"상품주문번호": "1a", "주문상태": "반품"}
    assert told(loaded(smartstore(paid), smartstore(back)), "status") == [("refunded",)]
    assert told(loaded(smartstore(back), smartstore(paid)), "status") == [("paid",)]
    both = loaded(smartstore(paid, back))
    assert (told(both, "status"), both.duplicate_lines) == ([("refunded",)], 1)


def test_an_order_without_line_keys_is_as_its_newest_file_tells_it() -> None:
    first = {"Name": "#1", "Email": "a@example.com", "Financial Status": "paid", "Total": "30",
             "Currency": "USD", "Lineitem quantity": "1", "Lineitem price": "10",
             "Lineitem name": "x"}  # fmt: skip
    second = {"Name": "#1", "Email": "a@example.com", "Lineitem quantity": "1",
              "Lineitem price": "20", "Lineitem name": "y"}  # fmt: skip
    old = shopify(first, second)
    new = shopify({**first, "Financial Status": "partially_refunded", "Refunded Amount": "6"},
                  second, {**first, "Name": "#2"}, hours=1)  # fmt: skip
    for claims in ((old, new), (new, old)):
        found = loaded(*claims)
        assert told(found, "order_id", "product", "amount", "status") == [
            ("#1", "x", Decimal(8), "paid"),
            ("#1", "y", Decimal(16), "paid"),
            ("#2", "x", Decimal(30), "paid"),
        ]
        assert (found.rows, found.duplicate_lines) == (5, 2)


def test_an_export_split_inside_an_order_keeps_the_order() -> None:
    first = {"Name": "#1", "Email": "a@example.com", "Financial Status": "paid", "Total": "30",
             "Currency": "USD", "Lineitem quantity": "1", "Lineitem name": "x"}  # fmt: skip
    rest = {"Name": "#1", "Email": "a@example.com", "Lineitem quantity": "1", "Lineitem name": "y"}
    one, two = shopify(first), shopify(rest, {**first, "Name": "#2"}, hours=1)
    for size in (FULL, COMPACT):
        found = loaded(one, two, size=size)
        assert sorted(found.snapshot.orders["status"]) == ["paid", "paid"]
        assert found.snapshot.orders["amount"].sum() == 60
        assert found.rejects["reason"].to_list() == ["the first row of this order is missing"]


@LAW
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("123456"), st.sampled_from(["구매확정", "취소", "반품"])),
            max_size=6,
        ),
        min_size=1, max_size=4,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_merging_is_an_upsert_whatever_the_order_of_files_and_rows(
    downloads: list[list[tuple[str, str]]], dice: object
) -> None:
    truth: dict[str, str] = {}
    claims = []
    for hours, download in enumerate([[("1", "구매확정")], *downloads]):
        lines = dict(download)
        truth |= lines
        rows = [{"상품주문번호": f"{key}a", "주문상태": status} for key, status in lines.items()]
        dice.shuffle(rows)  # type: ignore[attr-defined]
        claims.append(smartstore(*rows, hours=hours))
    dice.shuffle(claims)  # type: ignore[attr-defined]
    outcome = {"구매확정": "paid", "취소": "cancelled", "반품": "refunded"}
    found = loaded(*claims)
    assert told(found, "line_id", "status") == sorted(
        (f"{key}a", outcome[status]) for key, status in truth.items()
    )
    assert found.rows == len(truth) + found.duplicate_lines


# Different exports of one shop


def test_exports_that_lack_columns_are_filled_in_by_others() -> None:
    orders = smartstore(
        {"상품주문번호": "1a", "구매자연락처": "010-9000-0001", "주문일시": "2026-08-31 23:50:00"},
        {"상품주문번호": "1b", "최종 상품별 총 주문금액": "500"},
    )
    confirmed = claimed(
        "smartstore-confirmed",
        table(
            "상품주문번호,주문번호,구매확정일,주문상태,결제일,구매자명,최종 상품별 총 주문금액",
            *(
                {"상품주문번호": line, "주문번호": order, "주문상태": "구매확정",
                 "결제일": "2026-09-01 00:10:00", "구매확정일": "2026-09-10",
                 "구매자명": "김하나", "최종 상품별 총 주문금액": ""}
                for line, order in (("1a", "1"), ("1b", "1"), ("2a", "2"))
            ),
        ),
        hours=5,
    )  # fmt: skip
    for claims in ((orders, confirmed), (confirmed, orders)):
        found = loaded(*claims)
        assert told(found, "line_id", "ordered_on", "amount") == [
            # Ordered before midnight, paid after it: the order is what counts.
            ("1a", date(2026, 8, 31), Decimal(1000)),
            ("1b", date(2026, 9, 1), Decimal(500)),
            ("2a", date(2026, 9, 1), None),
        ]
        assert people(found, "1", "2") == [0, None]
        assert found.layouts("orders") == ["smartstore-orders", "smartstore-confirmed"]
        assert found.snapshot.customers.select("name", "phone").rows() == [
            ("김하나", "+821090000001")
        ]


def test_a_cancellation_list_takes_its_lines_out_again() -> None:
    orders = smartstore({"상품주문번호": "1a"}, {"상품주문번호": "2a"})
    cancelled = claimed(
        "smartstore-cancellations",
        "상품주문번호,주문번호,취소 처리상태,결제일\n"
        "1a,1,취소완료,2026-09-01\n2a,2,취소철회,2026-09-01\n",
        hours=1,
    )
    assert told(loaded(orders, cancelled), "line_id", "status", "amount") == [
        ("1a", "cancelled", Decimal(1000)), ("2a", "paid", Decimal(1000))
    ]  # fmt: skip


OTHER = """
layout: other
title: another shop
shop: other
identify: {has: [id]}
zone: Asia/Seoul
currency: KRW
columns: {order_id: id, ordered_at: at, email: mail, amount: paid}
"""


def test_orders_of_two_shops_that_count_alike_are_two_orders_in_two_currencies() -> None:
    dollars = {"Name": "7", "Email": "a@example.com", "Financial Status": "paid", "Total": "30",
               "Currency": "USD"}  # fmt: skip
    won = claimed(own(OTHER), "id,at,mail,paid\n7,2026-09-02,a@example.com,9000\n", hours=1)
    for size in (FULL, COMPACT):
        found = loaded(shopify(dollars, {**dollars, "Name": "8"}), won, size=size)
        orders, currency, foreign = found.in_main_currency()
        assert orders["order_id"].n_unique() == 3
        assert orders["person"].to_list() == [0, 0, 0]
        assert (currency, foreign) == ("USD", 1)
        assert orders["amount"].drop_nulls().sum() == 60


def test_lines_without_a_currency_are_in_the_main_one() -> None:
    row = {"Email": "a@example.com", "Financial Status": "paid", "Total": "10"}
    found = loaded(
        shopify(
            {**row, "Name": "1", "Currency": "EUR"}, {**row, "Name": "2"},
            {**row, "Name": "3", "Currency": "EUR"}, {**row, "Name": "4", "Currency": "USD"},
        )
    )  # fmt: skip
    orders, currency, foreign = found.in_main_currency()
    assert (orders["amount"].drop_nulls().sum(), currency, foreign) == (30, "EUR", 1)


# Who is who


def test_what_belongs_to_nobody_joins_nobody() -> None:
    found = loaded(
        smartstore(
            # A masked id, a masked, a relay and a placeholder number, twice each.
            {"상품주문번호": "1a", "구매자ID": "abcd*****", "구매자연락처": "010-9000-0001"},
            {"상품주문번호": "2a", "구매자ID": "abcd*****", "구매자연락처": "010-9000-0002"},
            {"상품주문번호": "3a", "구매자연락처": "010-****-0001"},
            {"상품주문번호": "4a", "구매자연락처": "010-****-0001"},
            {"상품주문번호": "5a", "구매자연락처": "0507-1234-5678"},
            {"상품주문번호": "6a", "구매자연락처": "0507-1234-5678"},
            {"상품주문번호": "7a", "구매자연락처": "010-0000-0000"},
            # Who receives the parcel does not buy it.
            {
                "상품주문번호": "8a",
                "구매자연락처": "010-0000-0000",
                "수취인연락처1": "010-9000-0001",
            },
            # One number, three spellings.
            {"상품주문번호": "9a", "구매자연락처": "'+82 10-9000-0002"},
        )
    )
    assert people(found, *"123456789") == [0, 1, None, None, None, None, None, None, 1]
    assert found.snapshot.addresses.select("person", "kind", "value").rows() == [
        (0, "phone", "+821090000001"), (1, "phone", "+821090000002")
    ]  # fmt: skip


def test_a_person_is_joined_through_any_identifier_of_any_file() -> None:
    row = {"Financial Status": "paid", "Total": "10", "Currency": "USD"}
    orders = shopify(
        {**row, "Name": "1", "Email": "Mina@Example.com"},
        {**row, "Name": "2", "Email": "mina@example.COM"},
        {**row, "Name": "3", "Phone": "'+1 202-555-0123"},
        {**row, "Name": "4", "Billing Phone": "(202) 555-0199", "Shipping Phone": "+12025550123"},
        {**row, "Name": "5"},
    )
    one, two, three, four, five = people(loaded(orders), *"12345")
    assert (one == two, len({one, three, four}), five) == (True, 3, None)
    mina_row = (
        "'6000000000001,Mina,Kim,MINA@example.com,yes,'+12025550123,no,30,3,\"VIP, wholesale\""
    )
    customers = claimed("shopify-customers", f"{CUSTOMERS}\n{mina_row}\n")
    found = loaded(orders, customers)
    assert people(found, *"12345")[:3] == [people(found, "1")[0]] * 3
    assert people(found, "4", "5")[0] != people(found, "1")[0]
    mina = found.snapshot.customers.filter(pl.col("email") == "mina@example.com")
    assert mina.select("name", "first_name", "phone", "tags").rows() == [
        ("Mina Kim", "Mina", "+12025550123", ["VIP", "wholesale"])
    ]


@pytest.mark.parametrize("size", [FULL, COMPACT])
def test_buyers_named_on_one_line_or_file_are_the_whole_orders(size: Settings) -> None:
    found = loaded(
        smartstore({"상품주문번호": "1a", "구매자연락처": "010-9000-0001"}, {"상품주문번호": "2a"}),
        smartstore({"상품주문번호": "1b"}, {"상품주문번호": "2b", "구매자연락처": "010-9000-0001"},
                   hours=1),
        size=size,
    )  # fmt: skip
    assert found.snapshot.orders["person"].to_list() == [0, 0, 0, 0]
    alone = smartstore(
        {"상품주문번호": "1a"}, {"상품주문번호": "1b", "구매자연락처": "010-9000-0001"},
        {"상품주문번호": "2a"},
    )  # fmt: skip
    assert loaded(alone, size=size).snapshot.orders["person"].to_list() == [0, 0, None]


def test_a_list_of_the_owners_has_the_phone_numbers_of_the_country_of_the_orders() -> None:
    orders = smartstore({"상품주문번호": "10", "구매자연락처": "010-9000-0001"})
    header = "customer_id,phone,signed_up_at"
    members = claimed("remindctl-customers", f"{header}\nm1,010-9000-0001,2026-01-01\n")
    found = load([orders, members], replace(FULL, region=None), store="shop")
    assert found.snapshot.customers["phone"].to_list() == ["+821090000001"]


def test_a_later_download_that_masks_a_buyer_forgets_no_one() -> None:
    buyer = {"상품주문번호": "1a", "구매자연락처": "010-9000-0001", "구매자명": "김하나"}
    masked = {**buyer, "구매자연락처": "010-****-0001", "구매자명": "김*나", "주문상태": "반품"}
    found = loaded(smartstore(buyer), smartstore(masked, {"상품주문번호": "2a"}, hours=1))
    assert told(found, "line_id", "status", "person") == [
        ("1a", "refunded", 0),
        ("2a", "paid", None),
    ]
    assert found.snapshot.customers.select("name", "phone").rows() == [("김하나", "+821090000001")]


def test_of_a_persons_numbers_the_latest_that_takes_texts_is_theirs() -> None:
    row = {"Financial Status": "paid", "Total": "10", "Currency": "KRW", "Email": "a@example.com"}
    found = loaded(
        shopify(
            {**row, "Name": "2", "Phone": "+82212345678"},
            {**row, "Name": "1", "Phone": "+821090000001", "Created at": "2026-01-01 10:00 +0900"},
        )
    )
    assert found.snapshot.customers["phone"].to_list() == ["+821090000001"]
    assert found.snapshot.addresses.height == 3


def test_the_customer_file_is_the_last_word_on_a_person() -> None:
    row = {"Name": "1", "Financial Status": "paid", "Total": "10", "Currency": "USD"}
    orders = shopify({**row, "Email": "a@example.com", "Billing Name": "A. Old"})
    entry = "'1,Ann,New,a@example.com,yes,,no,1,1,"
    found = loaded(orders, claimed("shopify-customers", f"{CUSTOMERS}\n{entry}\n"))
    assert found.snapshot.customers["first_name"].to_list() == ["Ann"]


def test_consents_come_from_shopify_files_and_from_no_korean_one() -> None:
    row = {"Financial Status": "paid", "Total": "10", "Currency": "USD"}
    orders = shopify(
        {**row, "Name": "1", "Email": "a@example.com", "Accepts Marketing": "yes"},
        {"Name": "1", "Email": "a@example.com"},
        {**row, "Name": "2", "Email": "b@example.com", "Accepts Marketing": "no"},
    )
    columns = ["kind", "value", "channel", "granted", "at"]
    # `no` beside an order only says that this order brought no consent.
    assert loaded(orders).snapshot.consents.select(columns).rows() == [
        ("email", "a@example.com", "email", True, None)
    ]
    customers = claimed(
        "shopify-customers", f"{CUSTOMERS}\n'1,A,A,a@example.com,no,+12025550123,yes,1,1,\n"
    )
    found = loaded(orders, customers).snapshot.consents.select(columns[1:4])
    assert sorted(found.rows()) == [
        ("+12025550123", "sms", True), ("a@example.com", "email", False),
        ("a@example.com", "email", True),
    ]  # fmt: skip
    korean = smartstore({"상품주문번호": "1a", "구매자연락처": "010-9000-0001"})
    assert not loaded(korean).snapshot.consents.height


# Where a customer's clock is, and since when they are one


def test_country_and_province_are_of_one_address_the_latest_that_has_a_country() -> None:
    header = f"{SHOPIFY},Billing Country,Billing Province"
    row = {"Financial Status": "paid", "Total": "10", "Currency": "USD", "Email": "a@example.com"}
    old = {"Name": "1", "Billing Country": "US", "Billing Province": "CA"}
    new = {"Name": "2", "Billing Country": "US"}
    bare = {"Name": "3", "Billing Province": "NY"}
    days = [f"2026-09-0{n} 10:00:00 -0400" for n in (1, 2, 3)]
    told_of = [
        {**row, **said, "Created at": at} for said, at in zip((old, new, bare), days, strict=True)
    ]
    for rows in permutations(told_of):
        found = loaded(claimed("shopify-orders", table(header, *rows))).snapshot.customers
        assert found.select("country", "timezone", "timezone_source").rows() == [("US", None, None)]
        assert "province" not in found.columns


MEMBERS = "customer_id,phone,email,name,signed_up_at,birthday"


def test_a_person_signed_up_when_the_first_of_their_accounts_did() -> None:
    orders = smartstore({"상품주문번호": "1a", "구매자연락처": "010-9000-0001"})
    members = claimed(
        "remindctl-customers",
        table(
            MEMBERS,
            {
                "customer_id": "1",
                "phone": "+821090000001",
                "signed_up_at": "2026-01-01T09:00+09:00",
            },
            {
                "customer_id": "2",
                "phone": "+821090000001",
                "signed_up_at": "2026-02-01T09:00+09:00",
            },
            # An unreadable date costs no one their row, and so no refusal.
            {"customer_id": "3", "signed_up_at": "언젠가", "birthday": "02-29"},
        ),
    )
    found = loaded(orders, members)
    assert sorted(found.snapshot.customers.select("signed_up_at", "birthday").rows(), key=repr) == [
        (None, "02-29"), (datetime(2026, 1, 1, tzinfo=UTC), None)
    ]  # fmt: skip
    assert not found.rejects.height


def test_a_cancellation_has_a_date_only_while_it_stands() -> None:
    header = "상품주문번호,주문번호,취소 처리상태,결제일,취소완료일,취소요청일"
    cancelled = claimed(
        "smartstore-cancellations",
        f"{header}\n1a,1,취소완료,2026-09-01,2026-09-03 10:00,2026-09-02\n"
        "2a,2,취소완료,2026-09-01,2026-09-03 10:00,\n3a,3,취소철회,2026-09-01,,2026-09-02\n",
    )
    taken_back = smartstore({"상품주문번호": "2a", "주문상태": "구매확정"}, hours=1)
    assert told(loaded(cancelled, taken_back), "line_id", "status", "cancelled_at") == [
        ("1a", "cancelled", datetime(2026, 9, 3, 1, tzinfo=UTC)),
        ("2a", "paid", None),
        ("3a", "paid", None),
    ]


def test_an_address_is_of_an_order_only_where_one_names_it_as_the_buyers() -> None:
    row = {"Name": "1", "Financial Status": "paid", "Total": "10", "Currency": "USD"}
    orders = shopify(
        {**row, "Email": "a@example.com", "Shipping Phone": "+12025550155"}, {"Name": "1"}
    )
    entry = "'1,Ann,New,a@example.com,yes,'+12025550155,no,1,1,"
    found = loaded(orders, claimed("shopify-customers", f"{CUSTOMERS}\n{entry}\n"))
    assert found.snapshot.addresses.select("kind", "value", "in_order").rows() == [
        ("email", "a@example.com", True),
        ("phone", "+12025550155", False),
        ("shop_id", "1", False),
    ]


# Whose device it is

EVENTS = "event,occurred_at,phone,email,push_token,code"


def events(*rows: dict[str, str], hours: int = 0) -> Claimed:
    usual = {"event": "visit", "occurred_at": "2026-09-30T12:00:00Z"}
    lines = [{**usual, **row} for row in rows]
    return claimed("remindctl-events", table(EVENTS, *lines), hours, "events.csv")


def devices(found: Loaded) -> dict[str, int]:
    tokens = found.snapshot.addresses.filter(pl.col("kind") == "push_token")
    assert not tokens["in_order"].any()
    return dict(tokens.select("value", "person").iter_rows())


def test_a_device_belongs_to_whoever_was_identified_on_it_last() -> None:
    ann, bo = {"email": "a@example.com"}, {"email": "b@example.com"}
    first = {"push_token": "t", "occurred_at": "2026-09-01T00:00:00Z", **ann}
    then = {"push_token": "t", "occurred_at": "2026-09-02T00:00:00Z", **bo}
    alone = {"push_token": "t", "occurred_at": "2026-08-01T00:00:00Z"}
    for rows in permutations([first, then, alone]):
        for files in ([events(*rows)], [events(row) for row in rows]):
            found = loaded(smartstore({"상품주문번호": "1a"}), *files)
            people = dict(found.snapshot.customers.select("email", "person").iter_rows())
            # Nobody is joined: what each did under their own name stays theirs.
            assert found.snapshot.events["person"].to_list() == [
                people["b@example.com"], people["a@example.com"], people["b@example.com"]
            ]  # fmt: skip
            assert devices(found) == {"t": people["b@example.com"]}
            assert len(people) == 2


def test_a_device_of_nobody_is_a_person_that_can_be_reached_on_it_alone() -> None:
    rows = [{"push_token": "t2"}, {"push_token": "t1"}, {"push_token": "t2", "code": "W-1"}, {}]
    ann = {"상품주문번호": "1a", "구매자연락처": "010-9000-0001"}
    found = loaded(smartstore(ann), events(*rows))
    assert devices(found) == {"t1": 1, "t2": 2}
    assert found.snapshot.events.select("person", "push_token", "code").rows() == [
        (2, "t2", None), (1, "t1", None), (2, "t2", "W-1"), (None, None, None)
    ]  # fmt: skip
    visitor = found.snapshot.customers.row(1, named=True)
    assert [name for name, value in visitor.items() if value is not None] == [
        "person",
        "customer_key",
    ]
    assert found.snapshot.customers["customer_key"].n_unique() == 3


def test_a_new_device_gives_no_one_another_name() -> None:
    ann = {"상품주문번호": "1a", "구매자연락처": "010-9000-0001"}
    member = claimed("remindctl-customers", f"{MEMBERS}\nz-1,+821090000001,,,,\n")
    keys = [
        loaded(smartstore(ann), member, events(event)).snapshot.customers["customer_key"].to_list()
        for event in ({"phone": "+821090000001"}, {"phone": "+821090000001", "push_token": "0"})
    ]
    assert keys[0] == keys[1]
    alone = claimed("remindctl-customers", f"{MEMBERS}\nz-1,,,,,\n")
    found = [
        loaded(smartstore({"상품주문번호": "1a"}), alone, claimed("remindctl-events", csv)).snapshot
        for csv in (
            "event,occurred_at,customer_id,push_token\nvisit,2026-09-30T12:00:00Z,z-1,\n",
            "event,occurred_at,customer_id,push_token\nvisit,2026-09-30T12:00:00Z,z-1,0\n",
        )
    ]
    assert (
        found[0].customers["customer_key"].to_list() == found[1].customers["customer_key"].to_list()
    )


def test_events_later_than_their_file_are_kept_and_counted() -> None:
    times = ("2026-10-01T00:00:00Z", "2026-10-01T00:05:00Z", "2026-10-01T00:05:01Z")
    rows = [{"occurred_at": at, "email": "a@example.com"} for at in times]
    orders = smartstore({"상품주문번호": "1a"})
    found = loaded(orders, events(*rows), events(*rows, hours=1))
    assert (found.snapshot.events.height, found.future_events) == (6, 1)
    assert loaded(orders).future_events == 0


# What is refused


def test_unknown_statuses_of_all_files_are_told_together() -> None:
    one = smartstore({"상품주문번호": "1a", "주문상태": "보류"}, name="one.csv")
    two = smartstore({"상품주문번호": "2a", "주문상태": "미정"}, hours=1, name="two.csv")
    with pytest.raises(Refused) as caught:
        loaded(one, two)
    places = [str(problem.place) for problem in caught.value.problems]
    assert places == ["one.csv:2", "two.csv:2"]


def test_files_without_a_usable_order_are_refused() -> None:
    with pytest.raises(Refused, match="a header and no rows"):
        loaded(smartstore())
    customers = claimed("shopify-customers", f"{CUSTOMERS}\n'1,A,B,a@example.com,yes,,no,1,1,\n")
    with pytest.raises(Refused, match="no order file"):
        loaded(customers)
    with pytest.raises(Refused, match="unreadable date") as caught:
        loaded(smartstore(*[{"상품주문번호": f"{i}a", "주문일시": "soon"} for i in range(9)]))
    assert [problem.place.line for problem in caught.value.problems] == list(range(2, 11))


def test_rejects_are_kept_apart_from_duplicates() -> None:
    found = loaded(
        smartstore({"상품주문번호": "1a"}, {"상품주문번호": "1a"}, {"상품주문번호": "2.0E+15"})
    )
    assert (found.rows, found.duplicate_lines, found.rejects.height) == (3, 1, 1)
    assert found.rejects.row(0) == (
        "a.csv", 4, "상품주문번호", "2.0E+15",
        "a spreadsheet rounded this number, its digits are lost",
    )  # fmt: skip


@LAW
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1a", "1b", "2a", "3a", "3b"]),
            st.sampled_from(["", "010-9000-0001", "010-9000-0002", "050-7123-4567"]),
            st.sampled_from(["구매확정", "취소", "결제대기"]),
            st.sampled_from(["2026-09-01 10:00:00", "2026-09-02 23:59:59", "soon"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_a_compact_load_tells_the_same_as_a_full_one(rows: list[tuple[str, str, str, str]]) -> None:
    lines = [
        {"상품주문번호": line, "구매자연락처": phone, "주문상태": status, "주문일시": at}
        for line, phone, status, at in rows
    ]
    claims = [smartstore({"상품주문번호": "9a"}, *lines[::2]), smartstore(*lines[1::2], hours=1)]
    full, compact = loaded(*claims), loaded(*claims, size=COMPACT)
    same = ["ordered_on", "status", "quantity", "amount"]
    assert told(full, *same) == told(compact, *same)
    assert full.snapshot.orders["person"].n_unique() == compact.snapshot.orders["person"].n_unique()
    assert (
        full.snapshot.orders["order_id"].n_unique()
        == compact.snapshot.orders["order_id"].n_unique()
    )
    number = compact.snapshot.orders["order_id"]
    assert number.flags["SORTED_ASC"]
    assert number.unique().to_list() == list(range(number.n_unique()))
    assert number.is_sorted()
    assert full.rejects.rows() == compact.rejects.rows()
    assert (full.rows, full.duplicate_lines) == (compact.rows, compact.duplicate_lines)


# Which file is which


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("스마트스토어_전체주문발주발송관리_20261031_0905.csv", "2026-10-31T00:05Z"),
        ("[백업] 스마트스토어_선택주문발주발송관리_20261031_0905 (1).csv", "2026-10-31T00:05Z"),
        ("old[1]/a.zip!주문_20261031_0905.csv", "2026-10-31T00:05Z"),
        ("주문_20261031_0905.xlsx[9월_20260930_0000]", "2026-10-31T00:05Z"),
        ("주문_20261399_0905.csv", "2026-10-01T00:00Z"),
        ("orders.csv", "2026-10-01T00:00Z"),
    ],
)
def test_a_file_is_known_until_its_name_says_or_else_its_mtime(name: str, known: str) -> None:
    claim = smartstore({"상품주문번호": "1a"}, name=name)
    found = known_until(claim.table, claim.layout, None)
    assert found == datetime.fromisoformat(known)


def written(path: str, *sheets: str) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for i, csv in enumerate(sheets):
        sheet = book.create_sheet(f"{i}")
        for line in csv.splitlines():
            sheet.append(line.split(","))
    book.save(path)


def test_all_sheets_that_are_orders_are_read_and_others_left_alone(tmp_path: object) -> None:
    path = f"{tmp_path}/book.xlsx"
    one = table(SMARTSTORE, {"상품주문번호": "1a", "주문번호": "1", "주문상태": "구매확정"})
    two = table("◈ notice" + "," * 11 + "\n" + SMARTSTORE) + "\n2a,2,구매확정"
    written(path, one, "some,other,table\n1,2,3", two)
    claims = claim_files([path], list(built_in().values()), password=lambda _: None)
    assert [claim.table.name for claim in claims] == [f"{path}[0]", f"{path}[2]"]


def claims_of(csv: bytes, *layouts: Layout) -> list[Claimed]:
    import tempfile  # noqa: PLC0415 (one helper's need)

    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(csv)
        file.flush()
        return claim_files([file.name], layouts, password=lambda _: None)


def test_exactly_one_layout_must_claim_a_file_and_ones_own_goes_first() -> None:
    csv = table(SMARTSTORE, {"상품주문번호": "1a"}).encode()
    mine = own(OTHER.replace("[id]", "[주문번호]").replace("order_id: id", "order_id: 주문번호"))
    twin = own(OTHER.replace("[id]", "[주문상태]").replace("layout: other", "layout: twin"))
    every = list(built_in().values())
    assert [c.layout.layout for c in claims_of(csv, *every)] == ["smartstore-orders"]
    assert [c.layout.layout for c in claims_of(csv, mine, *every)] == ["other"]
    with pytest.raises(Refused, match="more than one layout claims it: other, twin"):
        claims_of(csv, mine, twin, *every)
    with pytest.raises(Refused, match="no layout knows this file; it has the columns a, b"):
        claims_of(b"a,b\n1,2\n", *every)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_header_stands_under_notices_that_span_lines(kind: str, tmp_path: Path) -> None:
    notice = '"◈ 다운로드 받은 파일로\n엑셀 일괄발송 처리하는 방법",,,"◈ 각 항목\r\n입력 방법"'
    csv = f"{notice}\n\n" + table(SMARTSTORE, {"상품주문번호": "1a", "주문번호": "1"})
    path = tmp_path / "a.csv"
    path.write_bytes(csv.encode("cp949"))
    claims = claim_files([str(path)], list(built_in().values()), password=lambda _: None)
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (["◈ 다운로드\n방법"], [], SMARTSTORE.split(","), ["1a", "1"]):
            book.worksheets[0].append(row)
        target = io.BytesIO()
        book.save(target)
        (grid,) = grids(Workbook("a.xlsx", target.getvalue(), START))
        claims = [Claimed(grid.table(2), built_in()["smartstore-orders"], START)]
    (claim,) = claims
    frame = claim.table.collect(lambda rows: rows)
    assert frame.select("row", "c0", "c1").rows() == [(4, "1a", "1")]
