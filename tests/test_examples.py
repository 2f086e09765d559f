"""The example shops: reproducible, shaped like the real exports, and as their truth.json says."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import fastexcel
import msoffcrypto
import openpyxl
import polars as pl
import pytest
import yaml
from msoffcrypto.exceptions import InvalidKeyError

from remindctl.stores.coupons import read_pools
from remindctl.stores.identify import claim_files
from remindctl.stores.layout import built_in
from remindctl.stores.load import load
from remindctl.stores.query import Settings

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from remindctl.frames import Snapshot

EXAMPLES = Path(__file__).parents[1] / "examples"
SMARTSTORE, SHOPIFY = EXAMPLES / "smartstore", EXAMPLES / "shopify"
XLSX = "스마트스토어_전체주문발주발송관리_20261031_0900.xlsx"
CSV = "스마트스토어_전체주문발주발송관리_20260228_0900.csv"
SHIPPED = "스마트스토어_전체주문배송현황_20261031_0855.xlsx"
CONFIRMED = "스마트스토어_구매확정내역_20261031_0850.xlsx"
EVENTS = "events_20261031_1640.csv"
NOW = datetime.fromisoformat("2026-10-31T16:30+09:00")
HEADERS = json.loads((EXAMPLES / "generator" / "headers.json").read_text(encoding="utf-8"))
TRUTH = json.loads((EXAMPLES / "truth.json").read_text(encoding="utf-8"))
PURCHASE = {"결제완료", "발송대기", "배송중", "배송완료", "구매확정"}

Row = dict[str, str]


def sheet(content: bytes) -> list[Row]:
    """The rows below the notice and the header, every cell as text."""
    book = fastexcel.read_excel(content)
    frame = book.load_sheet("발주발송관리", header_row=1, dtypes="string").to_polars()
    return [{name: value or "" for name, value in row.items()} for row in frame.to_dicts()]


def cells(path: Path) -> list[tuple[object, ...]]:
    book = fastexcel.read_excel(path.read_bytes())
    return book.load_sheet(0, header_row=None, dtypes="string").to_polars().rows()


def decrypted(path: Path, password: str) -> bytes:
    plain = io.BytesIO()
    with path.open("rb") as file:
        sealed = msoffcrypto.OfficeFile(file)
        sealed.load_key(password=password, verify_password=True)
        sealed.decrypt(plain)
    return plain.getvalue()


def table(path: Path, encoding: str = "utf-8", skip: int = 0) -> list[Row]:
    with path.open(encoding=encoding, newline="") as file:
        for _ in range(skip):
            next(csv.reader(file))
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("examples")
    script = str(EXAMPLES / "make_examples.py")
    subprocess.run([sys.executable, script, "--into", str(into)], check=True, capture_output=True)
    return into


@pytest.fixture(scope="module")
def new() -> list[Row]:
    return sheet((SMARTSTORE / XLSX).read_bytes())


@pytest.fixture(scope="module")
def old() -> list[Row]:
    return table(SMARTSTORE / CSV, "cp949", skip=1)


@pytest.fixture(scope="module")
def shopify() -> list[Row]:
    return table(SHOPIFY / "orders_export_1.csv")


def files(folder: Path) -> dict[str, Path]:
    kinds = {".csv", ".xlsx"}
    found = {
        path for path in folder.rglob("*") if path.suffix in kinds or path.name == "truth.json"
    }
    return {path.relative_to(folder).as_posix(): path for path in found}


def repurchases(purchases: Iterable[tuple[Hashable, str]]) -> dict[str, float]:
    days: defaultdict[Hashable, set[datetime]] = defaultdict(set)
    for person, day in purchases:
        days[person].add(datetime.fromisoformat(f"{day}T00:00+00:00"))
    gaps = [(b - a).days for dates in days.values() for a, b in pairwise(sorted(dates))]
    return {
        "buyers": len(days),
        "repeat_buyers": sum(len(dates) > 1 for dates in days.values()),
        "purchase_days": sum(len(dates) for dates in days.values()),
        "gaps": len(gaps),
        "gap_days_sum": sum(gaps),
        "gap_days_median": median(gaps),
    }


def test_the_committed_files_are_what_the_generator_makes(made: Path) -> None:
    committed, again = files(EXAMPLES), files(made)
    assert committed.keys() == again.keys()
    for name, path in committed.items():
        if path.suffix != ".xlsx":
            assert path.read_bytes() == again[name].read_bytes(), name
        elif path.parent.name != "protected":
            assert cells(path) == cells(again[name]), name


def test_headers_are_the_documented_ones_in_their_order(new: list[Row], old: list[Row]) -> None:
    assert list(new[0]) == list(old[0]) == HEADERS["smartstore_orders"]
    exports = {"orders_export_1": 79, "checkouts_export_1": 70, "customers_export": 20}
    for (name, width), documented in zip(
        exports.items(), ("shopify_orders", "shopify_checkouts", "shopify_customers"), strict=True
    ):
        header = list(table(SHOPIFY / f"{name}.csv")[0])
        assert header == HEADERS[documented]
        assert len(header) == width
    assert len(new[0]) == 72


def test_the_workbook_holds_cells_as_smartstore_writes_them() -> None:
    book = openpyxl.load_workbook(SMARTSTORE / XLSX)
    found = book["발주발송관리"]
    assert {str(merged) for merged in found.merged_cells.ranges} == {"A1:C1", "D1:F1"}
    assert str(found["A1"].value).startswith("◈ 다운로드 받은 파일로 '엑셀 일괄발송' 처리하는 방법")
    header = [cell.value for cell in found[2]]
    row = dict(zip(header, found[3], strict=True))
    for name in ("상품주문번호", "주문번호"):
        assert re.fullmatch(r"20\d{14}", row[name].value)
    assert row["상품주문번호"].value[:8] == f"{row['주문일시'].value:%Y%m%d}"
    assert row["주문일시"].number_format == r"yyyy/mm/dd\ hh:mm"
    assert row["상품가격"].number_format == '"₩"#,##0'
    assert isinstance(row["최종 상품별 총 주문금액"].value, int)


def test_the_protected_workbook_holds_the_same_rows(new: list[Row]) -> None:
    path = SMARTSTORE / "protected" / XLSX
    assert path.read_bytes().startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert sheet(decrypted(path, "1234")) == new
    with pytest.raises(InvalidKeyError):
        decrypted(path, "4321")


def test_the_older_csv_is_cp949_and_nothing_else() -> None:
    content = (SMARTSTORE / CSV).read_bytes()
    text = content.decode("cp949")
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    notice, header, first, *_ = csv.reader(io.StringIO(text, newline=""))
    assert "\n" in notice[0]
    row = dict(zip(header, first, strict=True))
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d", row["주문일시"])
    assert re.fullmatch(r"\d{1,3}(,\d{3})*", row["상품가격"])
    assert text.count("\r\n") == TRUTH["smartstore"]["lines"]["csv"] + 2


def test_lines_in_both_downloads_have_moved_on_in_the_newer_one(
    new: list[Row], old: list[Row]
) -> None:
    then = {row["상품주문번호"]: row["주문상태"] for row in old}
    now = {row["상품주문번호"]: row["주문상태"] for row in new}
    assert len(then) == len(old)
    assert len(now) == len(new)
    moved = Counter(
        (then[key], now[key]) for key in then.keys() & now.keys() if then[key] != now[key]
    )
    lines = TRUTH["smartstore"]["lines"]
    assert len(then.keys() & now.keys()) == lines["both"]
    assert moved.total() == lines["both_with_an_older_status"] > 20
    assert {was for was, _ in moved} <= {"결제대기", *PURCHASE} - {"구매확정"}
    assert {("배송중", "구매확정"), ("결제대기", "미결제취소")} <= moved.keys()
    assert min(row["주문일시"] for row in old)[:10] == "2025/05/01"
    assert min(row["주문일시"] for row in new)[:10] == "2025-12-01"
    assert "2026-10-31" <= max(row["주문일시"] for row in new) < "2026-10-31 09:00"


def test_smartstore_files_tell_its_truth(new: list[Row], old: list[Row]) -> None:
    newest = {row["상품주문번호"]: row for row in [*old, *new]}.values()
    truth = TRUTH["smartstore"]
    assert Counter(row["주문상태"] for row in newest) == truth["lines_by_status"]
    usable = re.compile(r"010-\d{4}-\d{4}")
    known = [
        row
        for row in newest
        if usable.fullmatch(row["구매자연락처"]) and row["구매자연락처"] != "010-0000-0000"
    ]
    orders = {row["주문번호"] for row in newest}
    assert len(orders) == truth["orders"]
    unknown = orders - {row["주문번호"] for row in known}
    assert len(unknown) == truth["orders_without_a_usable_phone"]
    assert len({row["구매자연락처"] for row in known}) == truth["persons"]
    assert 780 <= truth["persons"] <= 820
    amounts = [
        int(row["최종 상품별 총 주문금액"].replace(",", ""))
        for row in newest
        if row["주문상태"] in PURCHASE
    ]
    assert sum(amounts) == int(truth["amount"])
    days = [
        (row["구매자연락처"], row["주문일시"][:10].replace("/", "-"))
        for row in known
        if row["주문상태"] in PURCHASE
    ]
    found = repurchases(days)
    assert found.items() <= truth.items()
    assert 0.4 < found["repeat_buyers"] / found["buyers"] < 0.6


def test_smartstore_rows_hold_their_traps(new: list[Row]) -> None:
    purchases = [row for row in new if row["주문상태"] in PURCHASE]
    buyers = {row["구매자연락처"] for row in new}
    assert {"취소철회", "반품철회"} <= {row["주문세부상태"] for row in purchases}
    assert any(row["최종 상품별 총 주문금액"] == "0" for row in purchases)
    assert any(row["수량"] == "0" and row["수량클레임 여부"] == "Y" for row in new)
    assert any("*" in row["구매자명"] and "*" in row["구매자연락처"] for row in new)
    assert {"010-0000-0000"} <= buyers & {row["수취인연락처1"] for row in new}
    gifts = [row for row in new if row["판매채널"] == "선물하기"]
    assert any(row["수취인연락처1"] in buyers - {row["구매자연락처"]} for row in gifts)
    assert all(re.fullmatch(r"[a-z]{4}\*+", row["구매자ID"]) for row in new)
    by_masked_id = defaultdict(set)
    for row in new:
        by_masked_id[row["구매자ID"]].add(row["구매자명"])
    assert any(len(names) > 1 for names in by_masked_id.values())
    lines = Counter(row["주문번호"] for row in new)
    assert {1, 2, 3, 4} <= set(lines.values())
    assert any(
        len({row["주문상태"] for row in rows}) > 1
        for _, rows in groupby(sorted(new, key=order_number), key=order_number)
    )


def order_number(row: Row) -> str:
    return row["주문번호"]


def test_consents_are_zoned_statements_of_which_some_withdraw_others() -> None:
    path = SMARTSTORE / "consents.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbfphone,email,customer_id,channel,purpose,")
    rows = table(path, "utf-8-sig")
    dated = [row for row in rows if row["at"]]
    assert 5 < len(rows) - len(dated) < 40
    assert all(datetime.fromisoformat(row["at"]).tzinfo for row in dated)
    text = defaultdict(list)
    for row in dated:
        if row["channel"] in {"text", "sms", "lms"}:
            text[row["phone"]].append(row["granted"])
    granted = {phone for phone, said in text.items() if said[0] == "yes"}
    assert 0.55 < len(granted) / TRUTH["smartstore"]["true_customers"] < 0.65
    assert sum(said[-1] == "no" for phone, said in text.items() if phone in granted) > 10
    assert any(said[-2:] == ["no", "yes"] for said in text.values())
    assert all(row["phone"] and row["email"] for row in rows if row["channel"] == "email")


def people_of(rows: Iterable[Row], customers: Iterable[Row]) -> dict[str, str]:
    """Each address → one address that stands for its person (connected components)."""
    parent: dict[str, str] = {}

    def find(address: str) -> str:
        while parent.setdefault(address, address) != address:
            address = parent[address]
        return address

    for row in [*rows, *customers]:
        addresses = [row["Email"].lower(), row["Phone"].lstrip("'")]
        for one, other in pairwise([address for address in addresses if address]):
            parent[find(one)] = find(other)
        for address in filter(None, addresses):
            find(address)
    return {address: find(address) for address in parent}


@pytest.mark.parametrize("with_customers", [True, False])
def test_shopify_files_tell_their_truth(shopify: list[Row], with_customers: bool) -> None:
    truth = TRUTH["shopify"]
    customers = table(SHOPIFY / "customers_export.csv") if with_customers else []
    people = people_of(shopify, customers)
    firsts = [row for row in shopify if row["Financial Status"]]

    def person(row: Row) -> str | None:
        return people.get(row["Email"].lower() or row["Phone"])

    assert len(shopify) == truth["lines"]
    assert len(firsts) == truth["orders"]
    assert len({person(row) for row in firsts} - {None}) == truth["persons"] == 800
    kept = [
        row
        for row in firsts
        if row["Financial Status"] in {"paid", "partially_refunded"} and not row["Cancelled at"]
    ]
    cash = sum(Decimal(row["Subtotal"]) - Decimal(row["Refunded Amount"]) for row in kept)
    assert cash == Decimal(truth["amount"])
    days = [(person(row), row["Created at"][:10]) for row in kept if person(row)]
    found = repurchases(days)
    assert found.items() <= truth.items()
    assert 0.4 < found["repeat_buyers"] / found["buyers"] < 0.6


@pytest.mark.parametrize("name", ["orders_export_1.csv", "checkouts_export_1.csv"])
def test_only_the_first_row_of_a_shopify_order_is_full(name: str) -> None:
    content = (SHOPIFY / name).read_bytes()
    assert content.startswith(b"Name,")
    assert b"\r" not in content
    rows = table(SHOPIFY / name)
    orders = [list(lines) for _, lines in groupby(rows, key=lambda row: row["Name"])]
    assert len(orders) == len({row["Name"] for row in rows})
    assert any(len(lines) > 1 for lines in orders)
    repeated = {"Name", "Email", "Created at", "Vendor", "Phone", "Lineitem discount"}
    placed = []
    for first, *others in orders:
        placed.append(datetime.fromisoformat(first["Created at"]))
        assert first["Id"]
        for row in others:
            filled = {name for name, value in row.items() if value}
            assert {name for name in filled if not name.startswith("Lineitem")} <= repeated
        goods = sum(
            Decimal(row["Lineitem price"]) * int(row["Lineitem quantity"])
            for row in [first, *others]
        )
        subtotal = Decimal(first["Subtotal"])
        assert subtotal == goods - Decimal(first["Discount Amount"])
        assert Decimal(first["Total"]) == subtotal + Decimal(first["Shipping"]) + Decimal(
            first["Taxes"]
        )
    assert placed == sorted(placed, reverse=True)


def test_shopify_rows_hold_their_traps(shopify: list[Row]) -> None:
    firsts = [row for row in shopify if row["Financial Status"]]
    assert {row["Created at"][-5:] for row in shopify} == {"-0400", "-0500"}
    assert any(row["Financial Status"] == "paid" and row["Cancelled at"] for row in firsts)
    partial = [row for row in firsts if row["Financial Status"] == "partially_refunded"]
    assert partial
    assert all(
        not row["Paid at"] and 0 < Decimal(row["Refunded Amount"]) < Decimal(row["Total"])
        for row in partial
    )
    assert all(
        row["Refunded Amount"] == row["Total"]
        for row in firsts
        if row["Financial Status"] == "refunded"
    )
    assert any(not row["Email"] and row["Phone"].startswith("+1") for row in firsts)
    assert sum(not row["Email"] and not row["Phone"] for row in firsts) == 2
    assert any(row["Billing Phone"].startswith("'+1 ") for row in firsts)
    assert all(row["Billing Zip"].startswith("'") for row in firsts if row["Billing Zip"])
    assert any(row["Billing Name"] != row["Shipping Name"] for row in firsts)
    assert any("\n" in row["Notes"] and '"' in row["Notes"] for row in firsts)
    assert any(" + " in row["Discount Code"] for row in firsts)
    assert any(Decimal(row["Total"]) == 0 and row["Financial Status"] == "paid" for row in firsts)
    emails = {row["Email"] for row in firsts}
    assert len({email.lower() for email in emails}) < len(emails)

    customers = table(SHOPIFY / "customers_export.csv")
    assert all(re.fullmatch(r"'\d{13}", row["Customer ID"]) for row in customers)
    tags = {tag for row in customers for tag in row["Tags"].split(", ")}
    assert {"VIP", "wholesale"} <= tags
    assert any(row["Total Orders"] == "0" for row in customers)

    checkouts = table(SHOPIFY / "checkouts_export_1.csv")
    assert not any(row["Financial Status"] or row["Paid at"] for row in checkouts)
    assert all(re.fullmatch(r"#\d{14}", row["Name"]) for row in checkouts)
    assert len({row["Name"] for row in checkouts}) == TRUTH["shopify"]["checkouts"]


def test_no_phone_or_mail_address_reaches_anyone(new: list[Row], old: list[Row]) -> None:
    korean = re.compile(r"010-0\d{3}-(\d{4}|\*{4})|0500-0\d{3}-\d{4}")
    for row in [*new, *old]:
        assert korean.fullmatch(row["구매자연락처"])
        assert korean.fullmatch(row["수취인연락처1"])
    lists = ("consents.csv", "consents_app.csv", "customers.csv", "events.csv", EVENTS)
    for row in (row for name in lists for row in table(SMARTSTORE / name, "utf-8-sig")):
        assert re.fullmatch(r"((\+82 |0?)10-?0\d{3}-?\d{4})?", row["phone"])
        assert re.fullmatch(r"(.+@example\.(com|net|org))?", row["email"])
    for name in ("orders_export_1.csv", "checkouts_export_1.csv", "customers_export.csv"):
        for row in table(SHOPIFY / name):
            assert re.fullmatch(r"(.+@example\.(com|net|org))?", row["Email"], re.IGNORECASE)
            for column in (column for column in row if column.endswith("Phone")):
                digits = re.sub(r"\D", "", row[column])[-10:]
                assert re.fullmatch(r"(\d{3}55501\d\d)?", digits)


def read(patterns: Iterable[str]) -> Snapshot:
    """What the program reads from some files of the Korean shop."""
    paths = [str(SMARTSTORE / pattern) for pattern in patterns]
    claims = claim_files(paths, list(built_in().values()), password=lambda _: None)
    found = load(claims, Settings(zone="Asia/Seoul", region="KR"), store="green")
    assert (found.future_events, found.rejects.height) == (0, 0)
    return found.snapshot


def test_the_deliveries_add_when_parcels_came_and_change_nothing_else() -> None:
    for name, documented in ((SHIPPED, "smartstore_shipping"), (CONFIRMED, "smartstore_confirmed")):
        assert list(cells(SMARTSTORE / "deliveries" / name)[0]) == HEADERS[documented]
    alone, told = read([XLSX, CSV]).orders, read([XLSX, CSV, "deliveries/*.xlsx"]).orders
    assert [name for name in alone.columns if not told[name].equals(alone[name])] == [
        "ordered_at", "delivered_at", "confirmed_at"
    ]  # fmt: skip
    # Of two layouts the earlier time counts, and the older download has no seconds.
    minutes = pl.col("ordered_at").dt.truncate("1m")
    assert told.select(minutes).equals(alone.select(minutes))
    since = pl.col("ordered_at") >= datetime.fromisoformat("2026-10-01T00:00+09:00")
    recent = told.filter(since, pl.col("status") == "paid")
    assert recent["delivered_at"].count() > 0.8 * recent.height
    kept = recent.drop_nulls("confirmed_at")
    assert kept.filter(pl.col("ordered_at") < pl.col("delivered_at")).height == kept.height > 100
    assert kept.filter(pl.col("delivered_at") < pl.col("confirmed_at")).height == kept.height


@pytest.fixture(scope="module")
def green() -> Snapshot:
    settings = yaml.safe_load((SMARTSTORE / "remindctl.yaml").read_text(encoding="utf-8"))
    sources = settings["stores"]["green"]["sources"]
    names = ("orders", "customers", "consents", "events")
    lists = ([sources[name]] if isinstance(sources[name], str) else sources[name] for name in names)
    return read(pattern for patterns in lists for pattern in patterns)


@pytest.mark.parametrize(
    ("event", "minutes", "least"),
    [
        ("visit", (30, 60), 15),
        ("visit", (60, 7 * 1440), 30),
        ("product_view", (10, 60), 30),
        ("product_view", (180, 240), 10),
        ("search", (60, 240), 10),
        ("wishlist", (60, 14 * 1440), 50),
        ("cart", (40, 60), 20),
        ("cart", (1440, 1800), 15),
        ("cart", (3 * 1440, 5 * 1440), 15),
        ("checkout", (60, 180), 10),
        ("purchase", (10, 480), 14),
        ("signup", (0, 1440), 10),
        ("signup_coupon", (1440, 4 * 1440), 6),
        ("coupon_used", (0, 4 * 1440), 2),
    ],
)
def test_that_afternoon_each_event_has_people_to_remind(
    green: Snapshot, event: str, minutes: tuple[int, int], least: int
) -> None:
    latest, earliest = (NOW - timedelta(minutes=n) for n in minutes)
    happened = green.events.filter(
        pl.col("event") == event, pl.col("occurred_at").is_between(earliest, latest)
    )
    assert happened["person"].null_count() == 0
    assert happened["person"].n_unique() >= least


def test_some_visitors_are_known_by_a_device_alone_and_some_of_them_by_now(green: Snapshot) -> None:
    nameless = green.customers.filter(
        pl.all_horizontal(pl.col("phone", "email", "name").is_null())
    )["person"]
    recent = green.events.filter(
        pl.col("event") == "visit", pl.col("occurred_at").is_between(NOW - timedelta(hours=1), NOW)
    )
    visitors = recent.filter(pl.col("person").is_in(nameless.implode()))["push_token"]
    assert visitors.n_unique() >= 12
    allowed = green.consents.filter(pl.col("channel") == "push", pl.col("granted"))["value"]
    assert 5 < visitors.is_in(allowed.implode()).sum() < visitors.len()
    signed_up = green.events.filter(
        pl.col("event") == "signup", pl.col("push_token").str.starts_with("example-web")
    )
    assert signed_up.height == 2
    assert not signed_up["person"].is_in(nameless.implode()).any()


def test_every_product_says_how_many_are_left_within_the_hour(green: Snapshot) -> None:
    told = green.events.filter(
        pl.col("occurred_at").is_between(NOW - timedelta(hours=1), NOW),
        pl.col("stock").is_not_null(),
    )
    latest = told.group_by("product_id").agg(pl.col("stock").sort_by("occurred_at").last())
    assert latest.height == 10
    assert 3 <= (latest["stock"] <= 5).sum() <= 5


def test_members_have_birthdays_around_that_day_and_a_zone_if_they_moved(green: Snapshot) -> None:
    members = table(SMARTSTORE / "customers.csv", "utf-8-sig")
    days = Counter(row["birthday"][5:] for row in members)
    assert min(days["10-31"], days["11-03"]) >= 5
    assert days["02-29"] >= 1
    assert Counter(row["timezone"] for row in members)["America/Los_Angeles"] == 2
    known = green.customers.drop_nulls("signed_up_at")
    assert known.height > 600
    assert set(green.customers["timezone_source"].drop_nulls()) == {"stated", "phone"}
    assert {"birthday", "tier", "points"} <= set(green.customers.columns)


@pytest.mark.parametrize("shop", ["smartstore", "shopify"])
def test_coupon_pools_can_be_read(shop: str) -> None:
    pools = read_pools([str(EXAMPLES / shop / "coupons" / "*.csv")])
    assert pools["pool"].n_unique() >= 2
    assert pools.height >= 400


@pytest.mark.parametrize(
    ("shop", "expected"),
    [
        (
            "smartstore",
            {
                XLSX,
                CSV,
                SHIPPED,
                CONFIRMED,
                "customers.csv",
                "consents.csv",
                "consents_app.csv",
                "events.csv",
                EVENTS,
                "welcome.csv",
                "comeback.csv",
                "cart10.csv",
            },
        ),
        (
            "shopify",
            {
                "orders_export_1.csv",
                "customers_export.csv",
                "checkouts_export_1.csv",
                "freeship.csv",
                "back15.csv",
            },
        ),
    ],
)
def test_store_settings_point_at_the_files_and_at_no_provider(
    shop: str, expected: set[str]
) -> None:
    path = EXAMPLES / shop / "remindctl.yaml"
    settings: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert "providers" not in settings
    (store,) = settings["stores"].values()
    patterns: list[str] = []
    for source in store["sources"].values():
        patterns.extend([source] if isinstance(source, str) else source)
    assert {found.name for pattern in patterns for found in path.parent.glob(pattern)} == expected
