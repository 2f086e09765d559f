"""What is concluded from a store's orders, what is left out, and that no data is too odd."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.analysis import Accounting, Analysis, Excluded, Period, analyse
from remindctl.cycles import ITEM_COLUMNS, LISTED_ITEMS
from remindctl.frames import ORDERS, STATUSES, Orders, conform, empty
from remindctl.intervals import LATER_ORDERS
from remindctl.report.analysis_json import to_csv, to_json
from remindctl.segments import LIFECYCLE

CDNOW = Path(__file__).parent / "data" / "cdnow" / "CDNOW_sample.txt"
START = date(2024, 1, 1)


def line(person: int | None, day: int, order: str = "", **fields: object) -> dict[str, object]:
    """Build one paid order line on a day after START; each line is an order of its own."""
    return {
        "person": person,
        "ordered_on": START + timedelta(day),
        "order_id": order or f"{person}/{day}",
        "status": "paid",
        "amount": Decimal(100),
        **fields,
    }


def frame(*lines: dict[str, object]) -> Orders:
    if not lines:
        return Orders(empty(ORDERS))
    schema = {name: dtype for name, dtype in ORDERS.items() if any(name in one for one in lines)}
    return Orders(conform(pl.DataFrame(list(lines), schema_overrides=schema), schema))


def analysed(orders: Orders, as_of: date | None = None, *, by: str = "product") -> Analysis:
    last = orders["ordered_on"].max()
    as_of = as_of or (last if isinstance(last, date) else START)
    return analyse(
        orders,
        Accounting(len(orders)),
        as_of,
        store="green",
        layout="test",
        currency="KRW",
        timezone="Asia/Seoul",
        by=by,
    )


def test_cdnow_as_a_store() -> None:
    fields = [one.split() for one in CDNOW.read_text().splitlines()]
    orders = pl.DataFrame(
        {
            "person": [int(one[1]) for one in fields],
            "ordered_on": [date.fromisoformat(one[2]) for one in fields],
            "order_id": range(len(fields)),
            "status": "paid",
            "amount": [Decimal(one[4]) for one in fields],
        },
        schema_overrides={"person": pl.UInt32, "order_id": pl.UInt64},
    )
    found = analysed(Orders(orders))
    assert found.period == Period(date(1997, 1, 1), date(1998, 6, 30), 545)
    counts = found.counts
    assert (counts.rows, counts.orders, counts.purchase_days) == (6919, 6919, 6696)
    assert (counts.customers, counts.repeat_customers, counts.gaps) == (2357, 1139, 4339)
    assert (found.interval_days.median, found.benchmark_days) == (34, 32)
    assert sum(bar.gaps for bar in found.histogram) == 4339
    assert [step.number for step in found.by_order_number] == list(range(1, 21))
    first = found.by_order_number[0]
    assert (first.p25, first.median, first.p75, first.median_ci) == (59, None, None, (472, None))
    assert first.returned_within[90] == pytest.approx(1 - 0.708528, abs=6e-7)
    assert first.returned_within_ci[90] == pytest.approx((1 - 0.726424, 1 - 0.689729), abs=6e-7)
    assert [step.enough for step in found.by_order_number] == [True] * 16 + [False] * 4
    window = found.golden_window
    assert (window.first_to_second.returned_within_3_days, window.same_day_orders) == (73, 223)
    assert window.first_to_second.share_within_3_days == pytest.approx(0.030972, abs=6e-7)
    assert window.first_to_second.share_of_returns_within_3_days == pytest.approx(73 / 1139)
    assert window.later.waits == 6696 - 2357
    assert {one.month: (one.customers, one.young) for one in found.cohorts} == {
        "1997-01": (781, False),
        "1997-02": (857, False),
        "1997-03": (719, False),
    }
    assert {one.segment: one.customers for one in found.segments} == {
        "new": 0, "one_time": 1218, "lapsed": 611, "at_risk": 207, "loyal": 185, "repeat": 136,
    }  # fmt: skip
    assert sum(one.spent or 0 for one in found.segments) == orders["amount"].sum()
    assert found.due[-1].number == LATER_ORDERS
    assert sum(sum(step.customers.values()) for step in found.due) == 2357
    assert [(one.campaign, one.after, one.wait_days) for one in found.suggestions] == [
        ("second_order", "first_order", 1),
        ("reminder", "last_order", 23),
        ("first_win_back", "last_order", 52),
        ("win_back", "last_order", 67),
    ]
    assert (found.items, found.item_count) == ((), 0)


def test_what_is_left_out_is_counted_once_per_order_and_reason() -> None:
    orders = frame(
        line(1, 0, "a"),
        line(1, 0, "a", status="cancelled"),
        line(1, 0, "a", status="cancelled"),
        line(1, 5, "b", status="refunded"),
        line(1, 6, "c", status="exchanged"),
        line(1, 7, "d", status="pending"),
        line(None, 8, "e"),
        line(None, 8, "e"),
        line(None, 8, "f", status="cancelled"),
        line(1, 20, "g"),
        line(2, 31, "h", status="refunded"),
        line(2, 31, "i"),
        line(2, 0, "j", ordered_on=None, status="cancelled"),
    )
    found = analyse(
        orders,
        Accounting(rows=15, duplicate_lines=2, rejected_rows=1),
        START + timedelta(30),
        store="green",
        layout="test",
        currency="KRW",
        timezone="Asia/Seoul",
    )
    assert found.excluded == Excluded(
        cancelled=3,
        refunded=1,
        unpaid=1,
        exchanged=1,
        duplicate_lines=2,
        unidentified_orders=1,
        rejected_rows=1,
        after_as_of=2,
    )
    assert (found.counts.rows, found.counts.orders, found.counts.customers) == (15, 2, 1)
    assert (found.interval_days.n, found.interval_days.median) == (1, 20)
    assert found.period == Period(START, START + timedelta(20), 20)


def shampoo(person: int, *days: int) -> list[dict[str, object]]:
    return [line(person, day, product_id="p1", product="샴푸", category="목욕") for day in days]


def test_products_come_back_by_id_and_carry_their_latest_name() -> None:
    lines = [one for person in range(40) for one in shampoo(person, 0, 30)]
    lines += [line(person, 60, product_id="p1", product="샴푸 리뉴얼") for person in range(3)]
    lines += shampoo(40, 0)
    lines += [line(7, day, product_id=None, product="비누") for day in (10, 20)]
    lines += [line(9, 10, "void", product_id=None, product=None)]
    lines += [line(9, 11, "sent back", product_id="p9", product="수건", status="refunded")]
    found = analysed(frame(*lines), START + timedelta(90))
    renewed, soap = found.items
    assert found.item_count == 2
    assert (renewed.name, renewed.buyers, renewed.orders) == ("샴푸 리뉴얼", 41, 84)
    assert (renewed.repeat_buyers, renewed.returned, renewed.enough) == (40, 43, True)
    # 43 of the 84 waits ended on day 30, so the median is reached and three quarters are not.
    assert (renewed.p25, renewed.median, renewed.p75) == (30, 30, None)
    # One return of one buyer is a fact, no cycle.
    assert (soap.name, soap.buyers, soap.returned) == ("비누", 1, 1)
    assert (soap.enough, soap.p25, soap.median) == (False, None, None)
    # An item without a name is called by its id.
    nameless = [{**one, "product": None} for one in shampoo(1, 0)]
    assert analysed(frame(*nameless)).items[0].name == "p1"
    bath = analysed(frame(*lines), by="category")
    assert [(one.name, one.buyers) for one in bath.items] == [("목욕", 41)]
    assert bath.by == "category"
    many = [line(n, 0, product=f"no {n}") for n in range(LISTED_ITEMS + 5)]
    found = analysed(frame(*many))
    assert (len(found.items), found.item_count) == (LISTED_ITEMS, LISTED_ITEMS + 5)


def test_young_cohorts_are_marked_and_say_only_what_was_seen() -> None:
    old = [line(n, 0) for n in range(4)] + [line(0, 20)]
    new = [line(n, 152) for n in range(4, 8)]
    january, june = analysed(frame(*old, *new), date(2024, 7, 10)).cohorts
    assert (january.month, june.month) == ("2024-01", "2024-06")
    assert january.returned_within == {30: 0.25, 90: 0.25, 180: 0.25}
    assert june.returned_within == {30: 0.0, 90: None, 180: None}
    assert (january.young, june.young) == (True, True)
    # 180 days after the last of January is 29 July.
    for as_of, young in ((date(2024, 7, 28), True), (date(2024, 7, 29), False)):
        assert analysed(frame(*old), as_of).cohorts[0].young is young


def test_too_few_returns_are_told_not_stretched() -> None:
    lines = [line(n, 0) for n in range(50)] + [line(n, 10) for n in range(29)]
    found = analysed(frame(*lines), START + timedelta(40))
    assert not found.suggestions
    assert found.by_order_number[0].enough is False
    assert found.by_order_number[0].median == 10
    assert all(not step.customers for step in found.due)
    assert {one.segment: one.customers for one in found.segments if one.customers} == {
        "one_time": 21,
        "repeat": 29,
    }
    assert found.notes[0] == "only 29 repeat purchases: due dates and timings need 30"
    assert any("covers 10 days" in note for note in found.notes)


def test_a_win_back_promises_nothing_from_the_thin_end_of_a_curve() -> None:
    lines = [line(n, 300) for n in range(400)] + [line(n, 310) for n in range(40)]
    lines += [line(n, 0) for n in range(400, 405)] + [line(404, 90)]
    found = analysed(frame(*lines), START + timedelta(350))
    first = next(one for one in found.suggestions if one.campaign == "first_win_back")
    # Of the few who were observed longer, one came back on day 90.
    assert first.wait_days == 10
    assert first.reason.startswith(
        "by day 10, 90% of the returns that come within 50 days have come (too few were observed"
    )


@pytest.mark.parametrize("amount", [None, Decimal(0), Decimal(-5)])
def test_free_and_unpriced_orders_are_purchases(amount: Decimal | None) -> None:
    found = analysed(frame(line(1, 0, amount=amount), line(1, 9, amount=amount)))
    assert found.counts.repeat_customers == 1
    repeat = next(one for one in found.segments if one.customers)
    assert repeat.spent == (None if amount is None else amount * 2)
    assert any("2 of 2 paid lines have no amount" in note for note in found.notes) == (
        amount is None
    )


@pytest.mark.parametrize(
    ("lines", "customers"),
    [
        ([], 0),
        ([line(None, 0)], 0),
        ([line(1, 0, status="cancelled")], 0),
        ([line(1, 0)], 1),
        ([line(n, 0) for n in range(50)], 50),
        ([line(1, 0), line(1, 1), line(1, 2)], 1),
        ([line(1, -365 * 124), line(1, -7300), line(2, -7300), line(1, 0)], 2),
        ([line(1, day) for day in range(400)], 1),
    ],
    ids=["empty", "unknown", "cancelled", "one", "one day", "3 days", "a century", "every day"],
)
def test_any_history_is_analysed(lines: list[dict[str, object]], customers: int) -> None:
    found = analysed(frame(*lines))
    assert found.counts.customers == customers
    assert found.notes
    assert json.loads(to_json([found]))["stores"][0]["counts"]["customers"] == customers
    assert to_csv([found])


order_lines = st.lists(
    st.builds(
        lambda person, day, order, status, amount, product: line(
            person, day, order, status=status, amount=amount, product=product, sku=product
        ),
        st.none() | st.integers(0, 4),
        st.integers(-800, 800),
        st.sampled_from("abcdefgh"),
        st.sampled_from([*STATUSES, "paid", "paid", "paid"]),
        st.none() | st.decimals(-1000, 100_000, places=2),
        st.none() | st.sampled_from(["", "샴푸", "비누"]),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(order_lines, st.randoms(use_true_random=False), st.integers(-900, 900))
def test_every_customer_is_in_one_place_and_the_order_of_lines_is_none(
    lines: list[dict[str, object]], random: object, day: int
) -> None:
    as_of = START + timedelta(day)
    found = analysed(frame(*lines), as_of, by="sku")
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    assert to_json([analysed(frame(*shuffled), as_of, by="sku")]) == to_json([found])
    counts = found.counts
    assert sum(one.customers for one in found.segments) == counts.customers
    assert sum(one.customers for one in found.cohorts) == counts.customers
    assert sum(one.gaps for one in found.histogram) == counts.gaps
    assert counts.purchase_days - counts.customers == counts.gaps
    assert counts.purchase_days <= counts.orders
    assert [one.segment for one in found.segments] == list(LIFECYCLE)
    for one in found.items:
        assert one.repeat_buyers <= one.buyers <= counts.customers
    seen = [one for one in lines if one["ordered_on"] <= as_of]  # type: ignore[operator]
    assert analysed(frame(*seen), as_of, by="sku") == replace(
        found,
        counts=replace(counts, rows=len(seen)),
        excluded=replace(found.excluded, after_as_of=0),
    )


def test_a_frame_of_needed_columns_is_enough() -> None:
    orders = frame(line(1, 0, product="샴푸"), line(1, 9, product="샴푸"))
    needed = ["person", "ordered_on", "status", "order_id", "amount"]
    for by in ITEM_COLUMNS:
        assert analysed(Orders(orders.select(needed)), by=by).items == ()
    assert analysed(orders).items[0].name == "샴푸"
    hashed = Orders(orders.with_columns(pl.col("order_id").hash()))
    assert analysed(hashed) == analysed(orders)
