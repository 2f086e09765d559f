"""What ``analyze`` prints: the transcript a shop owner reads, the JSON contract, the CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.cells import cell_len
from rich.console import Console

from remindctl.analysis import Accounting, Analysis, analyse
from remindctl.frames import Orders
from remindctl.report.analysis_json import CSV_COLUMNS, document, to_csv, to_json
from remindctl.report.analysis_table import headline, show
from remindctl.report.console import bar, data_console, days, money, number, one_line, percent

CDNOW = Path(__file__).parent / "data" / "cdnow"
START = date(2026, 3, 2)


def orders(*rows: tuple[int | None, int, str | None], status: str = "paid") -> pl.DataFrame:
    """Build order lines of 12,000 each from (person, day after START, product)."""
    return pl.DataFrame(
        {
            "person": [person for person, _, _ in rows],
            "ordered_on": [START + timedelta(day) for _, day, _ in rows],
            "order_id": [f"{status} {position}" for position in range(len(rows))],
            "status": [status] * len(rows),
            "amount": [Decimal(12_000)] * len(rows),
            "product": [product for _, _, product in rows],
        },
        schema_overrides={"person": pl.UInt32, "product": pl.String, "ordered_on": pl.Date},
    )


def analysed(frame: pl.DataFrame, store: str = "초록상점", **counted: int) -> Analysis:
    return analyse(
        Orders(frame),
        Accounting(len(frame) + sum(counted.values()), **counted),
        START + timedelta(40),
        store=store,
        layout="smartstore-orders",
        currency="KRW",
        timezone="Asia/Seoul",
    )


def small_shop() -> Analysis:
    bought: list[tuple[int | None, int, str | None]] = [
        (person, person % 9, "유기농 어성초 약산성 클렌징폼 대용량 리필 500ml 2개 세트")
        for person in range(12)
    ]
    bought += [(person, 20 + person, "Soap 비누") for person in range(5)]
    bought += [(0, 20, "Soap 비누"), (None, 3, "Soap 비누")]
    gone = orders((3, 30, None), (4, 30, None), status="cancelled")
    return analysed(pl.concat([orders(*bought), gone]), duplicate_lines=1, rejected_rows=2)


def cdnow() -> Analysis:
    fields = [one.split() for one in (CDNOW / "CDNOW_sample.txt").read_text().splitlines()]
    frame = pl.DataFrame(
        {
            "person": [int(one[1]) for one in fields],
            "ordered_on": [date.fromisoformat(one[2]) for one in fields],
            "order_id": range(len(fields)),
            "status": "paid",
            "amount": [Decimal(one[4]) for one in fields],
        },
        schema_overrides={"person": pl.UInt32},
    )
    return analyse(
        Orders(frame),
        Accounting(len(fields)),
        date(1998, 6, 30),
        store="cdnow",
        layout="map",
        currency="USD",
        timezone="America/New_York",
    )


def printed(*analyses: Analysis, width: int = 80) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    steps = [("remindctl layouts", "the export formats that are understood")]
    show(console, analyses, next_steps=steps)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def test_the_transcript_of_a_large_store() -> None:
    assert printed(cdnow()) == (CDNOW / "analyze.txt").read_text(encoding="utf-8")


SMALL = """\
초록상점  smartstore-orders export, 2026-03-02 to 2026-03-26 (24 days)
as of 2026-04-11, Asia/Seoul, KRW

  Half of only 5 repeat purchases came within 20 days of the one before
  (completed gaps). 5 of 12 first-time buyers came back so far.
  18 orders of 12 customers; 5 of them bought on two days or more.

How long 5 repeat purchases took (completed gaps)
        1-7                                  0
       8-14                                  0
      15-21  ██████████████████████████████  5  your median 20
  A quarter came within 20 days, half within 20 days, three quarters within 20
  days, nine in ten within 20 days; mean 20, longest 20. Whoever is not back yet
  is not in this chart. Benchmark, to set beside your median: 32 days (a 2023
  report on Korean e-commerce).

Who comes back, by order number (customers still away are counted)
  order     customers  back  in 30 d  in 90 d  in 365 d  half by day
  1 to 2 *         12     5      42%        -         -  not reached
  2 to 3 *          5     0        -        -         -  not reached
  In brackets: 95% interval. -: not observed that long. *: fewer than 30
  returns, so only rough.

The first days: of those still away, how many come back on the day
  after         day 0  day 1  day 2  day 3  day 4  day 5  day 6  day 7
  first order    0.0%   0.0%   0.0%   0.0%   0.0%   0.0%   0.0%   0.0%
  later orders   0.0%   0.0%   0.0%   0.0%   0.0%   0.0%   0.0%   0.0%
  Within 3 days 0.0% of first-time buyers are back: 0 customers, 0.0% of all
  second orders so far. Merged: 1 further order on one day; a customer's day is
  one purchase.

Who is due, by number of orders and days since the last one
  Fewer than 30 returns so far: too few to say who is due.

Segments, by the names that a campaign's audience takes
  segment   customers        spent
  one_time          7   84,000 KRW  bought on one day, 30 days ago or more
  repeat            5  132,000 KRW  bought on two or three days, and is not late

Buying the same product again, most buyers first
  product                                 buyers  again  25% by day  half by day
  유기농 어성초 약산성 클렌징폼 대용량        12      0     too few      too few
  리필 500ml 2개 세트
  Soap 비누                                    5      0     too few      too few

First-time buyers by month: share back within
  first order  customers  30 days  90 days  180 days
  2026-03 * <         12      42%        -         -
  *: not all of them have been observed for 180 days. <: so early in the files
  that some may have bought before.

Left out of 24 rows, and why
        2  orders with a cancelled line
        1  paid orders that name no customer to recognise again
        1  rows that repeat another row
        2  rows that could not be read (--rejects FILE lists them)

Keep in mind
  -  only 5 repeat purchases: due dates and timings need 30
  -  the file covers 24 days: longer waits cannot be seen yet
  -  orders before 2026-03-02 are not in the files: of the 12 customers first
     seen before 2026-05-31, some may have bought before
  -  no forecast per customer: not enough data: 12 customers with an order; 500
     are needed; 40 days of history; 180 are needed; no customer with orders on
     3 days; customers who had come back by 2026-03-22: 1; 30 are needed to
     check a forecast against what followed

--------------------------------------------------------------------------------
빈 상점  smartstore-orders export, no paid orders
as of 2026-04-11, Asia/Seoul, KRW

  No paid order names a customer, so nothing can be said about coming back.

Left out of 0 rows, and why
  Nothing: every row counts.

Keep in mind
  -  no paid order of a recognisable customer: there is nothing to analyse
  -  no forecast per customer: not enough data: no customer with an order by
     2026-04-11

What to run next
  remindctl layouts  the export formats that are understood
"""


def test_the_transcript_of_a_small_korean_store_and_an_empty_one() -> None:
    assert printed(small_shop(), analysed(orders(), store="빈 상점")) == SMALL


STORE_KEYS = {
    "store": None, "layout": None, "currency": None, "timezone": None,
    "period": {"first", "last", "days"},
    "counts": {"rows", "orders", "customers", "repeat_customers", "purchase_days", "gaps"},
    "excluded": {
        "cancelled", "refunded", "unpaid", "duplicate_lines", "unidentified_orders",
        "rejected_rows",
    },
    "interval_days": {"n", "mean", "p10", "p25", "median", "p75", "p90", "max", "benchmark"},
    "by_order_number": {
        "from", "customers", "returned", "p25", "median", "p75", "returned_within",
        "returned_within_ci",
    },
    "golden_window": {"first_to_second", "later"},
    "products": {"product", "buyers", "median"},
    "cohorts": {"month", "customers", "returned_within"},
    "segments": {"segment", "customers", "spent"},
    "prediction": None,
}  # fmt: skip


def test_the_json_document_keeps_its_contract() -> None:
    found = json.loads(to_json([cdnow(), small_shop()]))
    assert (found["schema"], found["as_of"]) == ("remindctl.analyze/1", "2026-04-11")
    large, small = found["stores"]
    for store in (large, small):
        for key, inner in STORE_KEYS.items():
            values = store[key] if isinstance(store[key], list) else [store[key]]
            assert not inner or all(inner <= set(value) for value in values), key
    assert large["period"] == {"first": "1997-01-01", "last": "1998-06-30", "days": 545}
    assert large["interval_days"]["mean"] == 70.860567
    first = large["by_order_number"][0]
    assert (first["from"], first["median"], first["p25"]) == (1, None, 59)
    assert list(first["returned_within"]) == ["3", "7", "30", "60", "90", "180", "365"]
    assert list(first["returned_within"]) == list(first["returned_within_ci"])
    assert first["returned_within"]["90"] == 0.291472
    assert first["returned_within_ci"]["90"] == [0.273576, 0.310271]
    assert set(small["prediction"]) == {"skipped"}
    fitted = {"model", "params", "log_likelihood", "unit", "calibration"}
    assert fitted <= set(large["prediction"])
    assert set(large["prediction"]["params"]) == {"r", "alpha", "a", "b"}
    assert (large["prediction"]["model"], large["prediction"]["unit"]) == ("bg/nbd", "day")
    assert small["by_order_number"][0]["returned_within"]["90"] is None
    assert small["by_order_number"][0]["returned_within_ci"]["90"] is None
    assert small["products"][1]["product"] == "Soap 비누"
    assert {one["segment"]: one["spent"] for one in small["segments"] if one["customers"]} == {
        "one_time": 84_000,
        "repeat": 132_000,
    }
    assert "비누" in to_json([small_shop()])


def test_other_items_stand_under_their_own_name() -> None:
    by_category = replace(small_shop(), by="category")
    store = document([by_category])["stores"][0]
    assert store["products"] == []
    assert store["categories"][0]["category"].startswith("유기농")


def test_the_csv_holds_every_number_of_the_document() -> None:
    analyses = [cdnow(), small_shop()]
    rows = list(csv.DictReader(io.StringIO(to_csv(analyses))))
    assert tuple(rows[0]) == CSV_COLUMNS
    found = {tuple(row[name] for name in CSV_COLUMNS[:4]): row["value"] for row in rows}
    assert found["cdnow", "interval_days", "", "median"] == "34.0"
    assert found["cdnow", "by_order_number", "1", "returned_within.90"] == "0.291472"
    assert found["cdnow", "by_order_number", "1", "returned_within_ci.90.1"] == "0.310271"
    assert found["cdnow", "by_order_number", "1", "median"] == ""
    assert found["초록상점", "products", "Soap 비누", "buyers"] == "5"
    assert found["초록상점", "notes", "1", ""].startswith("only 5 repeat purchases")

    def leaves(value: Any) -> int:
        if isinstance(value, (dict, list)):
            return sum(map(leaves, value.values() if isinstance(value, dict) else value))
        return 1

    stores = document(analyses)["stores"]
    lists = [part for store in stores for part in store.values() if isinstance(part, list)]
    names = len(stores) + sum(isinstance(entry, dict) for part in lists for entry in part)
    assert len(rows) == sum(map(leaves, stores)) - names


def test_the_headline_says_no_more_than_the_data() -> None:
    assert "46% of first-time buyers are back within a year, 54% are not." in headline(cdnow())
    once = [(person, 0, "a") for person in range(3)]
    assert headline(analysed(orders(*once))) == "Nobody has come back yet: 3 customers in 0 days."
    assert headline(analysed(orders(*once, (0, 9, "a")))) == (
        "The only repeat purchase so far came 9 days after the one before. "
        "1 of 3 first-time buyers came back so far."
    )
    month = [(person, day, "a") for person in range(30) for day in (0, 10)]
    month += [(person, 0, "a") for person in range(30, 100)]
    assert headline(analysed(orders(*month))) == (
        "Half of the repeat purchases came within 10 days of the one before (completed gaps). "
        "30% of first-time buyers are back within 30 days, 70% are not; a full year has not been "
        "observed yet."
    )


def test_a_store_without_zone_and_currency_says_neither() -> None:
    unknown = replace(small_shop(), timezone="", currency="")
    assert "as of 2026-04-11\n" in printed(unknown)
    assert "84,000.00  bought on one day" in printed(unknown)


def test_no_line_is_wider_than_the_terminal() -> None:
    for line in printed(cdnow(), small_shop()).splitlines():
        assert cell_len(line) <= 80


@pytest.mark.parametrize(
    ("share", "decimals", "expected"),
    [
        (None, 0, "-"), (0, 0, "0%"), (0.004, 0, "<1%"), (0.004, 1, "0.4%"), (0.0004, 1, "<0.1%"),
        (0.455664, 0, "46%"), (0.996, 0, ">99%"), (0.99999, 1, ">99.9%"), (1, 1, "100.0%"),
    ],
)  # fmt: skip
def test_a_share_never_looks_like_none_or_all(
    share: float | None, decimals: int, expected: str
) -> None:
    assert percent(share, decimals) == expected


def test_numbers_are_written_for_people() -> None:
    assert [number(one) for one in (None, 0, 6919, 34.0, 90.5)] == ["-", "0", "6,919", "34", "90.5"]
    assert [days(1), days(34.5)] == ["1 day", "34.5 days"]
    assert money(Decimal("1234567.8900"), "KRW") == "1,234,568 KRW"
    assert money(Decimal("-1234.5"), "USD") == "-1,234.50 USD"
    assert money(None, "USD") == "-"
    assert money(Decimal("5.00"), "") == "5.00"
    assert one_line("비누\x1b[31m\n") == "비누 [31m "


def test_a_console_without_unicode_gets_ascii_bars_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("COLUMNS", "40")
    console = data_console()
    assert console.width == 80
    assert bar(console, 3) == "###"
    show(console, [small_shop()])
    stream.flush()
    text = raw.getvalue().decode("ascii")
    assert text.startswith("????  smartstore-orders export")
    assert "#####  5" in text
