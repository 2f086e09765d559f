"""``customers`` from the command line: filters, forms, masking, movement, and files of any kind."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from rich.cells import cell_len

from remindctl.cli.app import main
from remindctl.profiles import COLUMNS
from remindctl.render.filters import mask
from remindctl.report.customers import Listing, masked, to_csv, to_json

if TYPE_CHECKING:
    from pathlib import Path

HEADER = [
    "Name", "Email", "Financial Status", "Created at", "Total", "Subtotal", "Currency",
    "Discount Code", "Lineitem quantity", "Lineitem name", "Lineitem price", "Billing Name",
    "Phone", "Outstanding Balance",
]  # fmt: skip
CONFIG = """
version: 1
stores:
  green:
    name: 초록 상점
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    sources: {orders: orders.csv, customers: members.csv}
    segments: {big: SEGMENT}
"""
MEMBERS = """이름,회원등급,이메일,휴대폰번호,메모
김민수,VIP,kim@example.com,010-9000-1234,=HYPERLINK("x")
이영희,일반,lee@example.com,010-9000-5678,-5
"""


class Shop:
    """A folder with an export, and the program to run on it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.orders = folder / "orders.csv"
        self.export(
            ("김민수", "kim@example.com", "2025-01-10", "30000", "KRW"),
            ("김민수", "kim@example.com", "2025-03-10", "25000", "KRW"),
            ("이영희", "lee@example.com", "2025-03-20", "9000", "KRW"),
            ("Ann Lee", "ann@example.com", "2025-01-05", "0", "KRW"),
        )

    def export(self, *rows: tuple[str, str, str, str, str]) -> None:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for n, (name, email, day, total, currency) in enumerate(rows):
            at = f"{day} 12:00:00 +0900"
            writer.writerow(
                [f"#{n}", email, "paid", at, total, total, currency, "", "1", "크림", total, name,
                 "", "0"]
            )  # fmt: skip
        self.orders.write_text(out.getvalue(), encoding="utf-8")

    def configure(self, segment: str = '"spent >= 50000"') -> None:
        text = CONFIG.replace("SEGMENT", segment)
        (self.folder / "remindctl.yaml").write_text(text, encoding="utf-8")
        (self.folder / "members.csv").write_text(MEMBERS, encoding="utf-8")

    def call(self, *words: str | Path) -> tuple[int, str, str]:
        sys.argv = ["remindctl", "customers", *map(str, words)]
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def document(self, *words: str | Path) -> dict[str, Any]:
        code, out, err = self.call(self.orders, "-o", "json", *words)
        assert code == 0, err
        document: dict[str, Any] = json.loads(out, parse_constant=pytest.fail)
        return document

    def keys(self, *words: str | Path, show: str = "name") -> list[object]:
        return [row[show] for row in self.document(*words)["customers"]]

    def refused(self, *words: str | Path) -> str:
        code, out, err = self.call(*words)
        assert (code, out) == (2, "")
        return err


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, capsys)


def test_the_document_has_every_column_and_plain_values(shop: Shop) -> None:
    document = shop.document()
    assert list(document) == ["schema", "as_of", "store", "customers"]
    assert [document["schema"], document["as_of"], document["store"]] == [
        "remindctl.customers/1", "2025-03-20", "shopify",
    ]  # fmt: skip
    kim, lee, ann = document["customers"]
    columns = [name for name in COLUMNS if name != "person"]
    assert list(kim) == [*columns, "segment", "segments"]
    assert (kim["spent"], kim["last_on"], kim["days_since_last"]) == (55000, "2025-03-10", 10)
    assert (kim["segment"], lee["segment"], ann["segment"]) == ("repeat", "new", "one_time")
    assert ann["spent"] == 0
    assert ann["expected_next_on"] is None


def test_names_and_contacts_are_masked_unless_asked_for(shop: Shop) -> None:
    assert shop.keys() == ["김*수", "이*희", "A** L**"]
    assert shop.keys(show="email")[0] == "k***@example.com"
    code, out, err = shop.call(shop.orders, "-o", "ndjson", "--show-contacts")
    assert code == 0
    assert json.loads(out.splitlines()[0])["email"] == "kim@example.com"
    assert "in full" in err


@pytest.mark.parametrize(
    "value",
    ["김민수", "이수", "남궁민수", "Ann Lee", "Jo", "김 민수", "k@example.com", "+821090001234",
     "+12025550123", "+8223456789", None],
)  # fmt: skip
def test_masks_are_those_of_templates(value: str | None) -> None:
    column = "name" if value is None or not set(value) & set("@+") else "phone"
    frame = pl.DataFrame({column: [value]}, schema={column: pl.String})
    assert masked(frame)[column].to_list() == [None if value is None else mask(value)]


def test_who_is_shown_and_in_which_order(shop: Shop) -> None:
    assert shop.keys("--segment", "new", "--segment", "one_time") == ["이*희", "A** L**"]
    assert shop.keys("--where", "orders > 1 AND spent >= 55000") == ["김*수"]
    assert shop.keys("--due", "one_time") == ["이*희", "A** L**"]
    assert shop.keys("--due", "late") == []
    assert shop.keys("--sort", "last_on", "--limit", "2") == ["A** L**", "김*수"]
    assert shop.keys("--sort", "-orders,-last_on") == ["김*수", "이*희", "A** L**"]
    assert shop.keys("--as-of", "2025-01-31", "--where", "orders > 0") == ["김*수", "A** L**"]
    [row] = shop.document("--columns", "name,spent", "--limit", "1")["customers"]
    assert list(row) == ["name", "spent"]


def test_everything_wrong_with_a_selection_is_said_at_once(shop: Shop) -> None:
    said = shop.refused(
        shop.orders, "--segment", "loyl", "--where", "spendt > 3", "--columns", "nam",
        "--sort", "-spnt", "--since", "2025-03-20",
    )  # fmt: skip
    assert "5 problems" in said
    for word in ("'loyl'", "'spendt'", "'nam'", "'spnt'", "--since"):
        assert word in said
    assert "'person'" in shop.refused(shop.orders, "--columns", "person")
    assert "no date" in shop.refused(shop.orders, "--as-of", "yesterday")
    assert "customers" in shop.refused()


def test_a_configured_store_brings_its_own_segments_and_its_members(shop: Shop) -> None:
    shop.configure()
    code, out, err = shop.call("--store", "green", "-o", "json", "--segment", "big")
    assert code == 0, err
    [kim] = json.loads(out)["customers"]
    assert kim["tags"] == ["VIP"]
    assert {"big", "tag:VIP"} < set(kim["segments"])
    assert kim["habitual_hour"] == 12
    _, out, _ = shop.call("--store", "green", "-o", "ndjson", "--segment", "tag:VIP")
    assert json.loads(out)["customer_key"] == kim["customer_key"]
    shop.configure('"spendt > 3"')
    assert "remindctl.yaml:10" in shop.refused("--store", "green")


def test_cells_that_a_spreadsheet_would_run_are_text(shop: Shop) -> None:
    shop.configure()
    code, out, _ = shop.call(
        "--store", "green", "-o", "csv", "--bom", "--columns", "name,phone,메모", "--show-contacts"
    )
    assert code == 0
    assert out.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(out.removeprefix("\ufeff"))))
    assert rows[:3] == [
        ["name", "phone", "메모"],
        ["김민수", "'+821090001234", '\'=HYPERLINK("x")'],
        ["이영희", "'+821090005678", "-5"],
    ]


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_no_cell_and_no_title_starts_a_formula(start: str) -> None:
    frame = pl.DataFrame({f"{start}a": [f"{start}1+1", "plain", None]})
    listing = Listing(
        store="s", as_of=date(2025, 1, 1), people=frame, found=3, total=3, currency="", zone=None
    )
    rows = list(csv.reader(io.StringIO(to_csv(listing, bom=False).decode(), newline="")))
    assert [rows[0][0], rows[1][0], rows[2][0]] == [f"'{start}a", f"'{start}1+1", "plain"]
    assert json.loads(to_json(listing))["customers"][1] == {f"{start}a": "plain"}


def test_no_number_in_the_document_is_infinite_and_no_text_breaks_a_line() -> None:
    frame = pl.DataFrame({"value": [float("nan"), float("inf"), 1 / 3], "name": ["a\u2028b"] * 3})
    listing = Listing(
        store="s", as_of=date(2025, 1, 1), people=frame, found=3, total=3, currency="", zone=None
    )
    rows = json.loads(to_json(listing), parse_constant=pytest.fail)["customers"]
    assert [row["value"] for row in rows] == [None, None, 0.333333]
    assert rows[0]["name"] == "a\u2028b"


def test_movement_says_who_entered_and_left_which_segment(shop: Shop) -> None:
    document = shop.document("--since", "2025-01-31", "--segment", "new", "--segment", "repeat")
    moved = {row["name"]: (row["entered"], row["left"]) for row in document["customers"]}
    kim, lee, ann = moved["김*수"], moved["이*희"], moved["A** L**"]
    assert "repeat" in kim[0]
    assert "new" in kim[1]
    assert "new" in lee[0]
    assert lee[1] == []
    assert "new" in ann[1]
    sizes = {str(row["segment"]): row for row in document["movement"]}
    assert sizes["new"] == {"segment": "new", "before": 2, "entered": 1, "left": 2, "now": 1}
    _, out, _ = shop.call(shop.orders, "--since", "2025-01-31")
    assert "Segments since 2025-01-31" in out


def test_the_table_fits_eighty_cells_and_says_what_it_leaves_out(shop: Shop) -> None:
    day = date(2025, 1, 1)
    shop.export(
        *(
            ("남궁민수", f"c{n}@example.com", f"{day + timedelta(days=n)}", "1234567", "KRW")
            for n in range(60)
        )
    )
    code, out, _ = shop.call(shop.orders)
    assert code == 0
    assert max(cell_len(line) for line in out.splitlines()) <= 80
    assert out.count("남**수") == 50
    assert "50 of 60 are shown" in out
    assert "below 500" in out
    assert "Nobody." in shop.call(shop.orders, "--due", "late")[1]


@pytest.mark.parametrize(
    "rows",
    [
        [("A", "a@example.com", "2025-01-01", "0", "KRW")],
        [("A", "a@example.com", "2025-01-01", "-5", "KRW")] * 2,
        [(f"{n}", f"{n}@example.com", "2025-01-01", "5", "KRW") for n in range(9)],
        [(f"{n}", "a@example.com", f"20{n:02}-01-01", "5", "KRW") for n in range(5, 25)],
        [("A", "a@example.com", "2045-01-01", "5", "KRW")],
        [
            ("A", "a@example.com", "2025-01-01", "5", "KRW"),
            ("A", "a@example.com", "2025-01-02", "7", "USD"),
            ("B", "b@example.com", "2025-01-03", "7", "KRW"),
        ],
        [("", "", "2025-01-01", "5", "KRW")],
    ],
    ids=["one", "negative", "one day", "twenty years", "future", "currencies", "nobody"],
)
@pytest.mark.parametrize("output", ["table", "csv", "json", "ndjson"])
def test_whatever_the_file_says_there_is_an_answer(
    shop: Shop, rows: list[tuple[str, str, str, str, str]], output: str
) -> None:
    shop.export(*rows)
    code, out, err = shop.call(shop.orders, "-o", output)
    assert code == 0, err
    if output == "json":
        document = json.loads(out, parse_constant=pytest.fail)
        assert len(document["customers"]) == len({email for _, email, *_ in rows if email})
