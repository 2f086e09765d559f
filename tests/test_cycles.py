"""Refills per unit and their pooling, odd buyers, and where the files begin."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.analysis import Accounting, Analysis, analyse
from remindctl.frames import ORDERS, Orders, conform
from remindctl.intervals import purchase_days, waits
from remindctl.outliers import Outliers
from remindctl.refill import unit_days
from remindctl.survival import curve, rate_interval

START = date(2024, 1, 1)
HORIZON = START + timedelta(400)


def line(person: int, day: int, **fields: object) -> dict[str, object]:
    return {
        "person": person,
        "ordered_on": START + timedelta(day),
        "order_id": f"{person}/{day}",
        "status": "paid",
        "amount": Decimal(100),
        "quantity": 1,
        **fields,
    }


def frame(lines: list[dict[str, object]], *without: str) -> Orders:
    schema = {name: dtype for name, dtype in ORDERS.items() if any(name in one for one in lines)}
    whole = conform(pl.DataFrame(lines, schema_overrides=schema), schema)
    return Orders(whole.drop(without))


def analysed(orders: Orders, *, by: str = "product", without_outliers: bool = False) -> Analysis:
    return analyse(
        orders,
        Accounting(len(orders)),
        HORIZON,
        store="green",
        layout="test",
        currency="KRW",
        timezone="Asia/Seoul",
        by=by,
        without_outliers=without_outliers,
    )


def test_twice_as_much_lasts_twice_as_long() -> None:
    one = [line(n, day, product="샴푸") for n in range(40) for day in (0, 30)]
    two = [line(n, day, product="샴푸", quantity=2) for n in range(40, 80) for day in (0, 60)]
    [item] = analysed(frame(one + two)).items
    refill = item.refill
    assert refill is not None
    assert refill.unit_days is not None
    # 160 waits, 80 returns: a quarter is over when all who took one are back, after 30 days of
    # plain waiting; per unit, all 80 returns came after 30.
    assert (refill.level, refill.of, refill.returned) == ("product", "샴푸", 80)
    assert (refill.p25, refill.median, refill.p75) == (30, 60, None)
    per_unit = refill.unit_days
    assert (per_unit.p25, per_unit.median, per_unit.p75) == (30.0, 30.0, None)
    assert (per_unit.completed_mean, per_unit.units_median) == (30.0, 1)
    [plain] = analysed(frame(one + two, "quantity")).items
    assert plain.refill is not None
    assert (plain.refill.p25, plain.refill.unit_days) == (30, None)


@pytest.mark.parametrize("quantity", [None, 0, -3])
def test_an_odd_quantity_counts_as_one(quantity: int | None) -> None:
    lines = [line(n, day, product="a", quantity=quantity) for n in range(35) for day in (0, 9)]
    [item] = analysed(frame(lines)).items
    assert item.refill is not None
    assert item.refill.unit_days is not None
    assert item.refill.unit_days.p25 == 9.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 399), st.integers(1, 4)),
        min_size=1,
        max_size=25,
    ),
    st.integers(2, 7),
)
def test_units_of_another_size_only_change_the_scale(
    rows: list[tuple[int, int, int]], size: int
) -> None:
    small, large = (
        unit_days(
            waits(
                purchase_days(frame([line(n, day, quantity=units * k) for n, day, units in rows])),
                HORIZON,
            )
        )
        for k in (1, size)
    )
    if small is None or large is None:
        assert small is large
        return
    for before, after in ((small.p25, large.p25), (small.median, large.median)):
        assert (before is None) == (after is None)
        assert before is None or after == pytest.approx(before / size)
    assert large.completed_mean == pytest.approx(small.completed_mean / size)


def test_one_unit_each_is_the_plain_curve() -> None:
    waiting = waits(
        purchase_days(frame([line(n, d) for n in range(9) for d in (0, 5 * n)])), HORIZON
    )
    found = unit_days(waiting)
    plain = curve(waiting["wait"].to_numpy(), waiting["returned"].to_numpy())
    assert found is not None
    assert (found.p25, found.median) == (plain.quantile(0.25), plain.quantile(0.5))


def shelf() -> list[dict[str, object]]:
    """40 buyers alternate between two soaps of a category every 20 days; 40 take a brush twice."""
    soaps = ("레몬 비누", "라임 비누")
    lines = [
        line(n, 20 * k, product=soaps[k % 2], category="비누", option="1", sku=f"S{k % 2}")
        for n in range(40)
        for k in range(2)
    ]
    return lines + [
        line(n, day, product="솔", category="솔", option=f"{day}", sku="B")
        for n in range(40, 80)
        for day in (0, 50)
    ]


def test_where_an_item_has_too_few_returns_the_next_wider_group_serves() -> None:
    found = {one.name: one for one in analysed(frame(shelf())).items}
    brush, soap = found["솔"], found["레몬 비누"]
    assert brush.refill is not None
    assert soap.refill is not None
    assert (brush.refill.level, brush.refill.p25) == ("product", 50)
    assert (soap.enough, soap.returned, soap.p25) == (False, 0, None)
    assert (soap.refill.level, soap.refill.of, soap.refill.p25) == ("category", "비누", 20)
    assert soap.refill.unit_days is None
    without = {one.name: one for one in analysed(frame(shelf(), "category")).items}
    pooled = without["레몬 비누"].refill
    assert pooled is not None
    assert (pooled.level, pooled.of, pooled.returned) == ("store", "", 80)
    assert (
        analysed(frame([line(1, 0, product="a"), line(1, 9, product="a")])).items[0].refill is None
    )


def test_options_belong_to_their_product_and_fall_back_to_it() -> None:
    found = {one.name: one for one in analysed(frame(shelf()), by="option").items}
    assert set(found) == {"레몬 비누 / 1", "라임 비누 / 1", "솔 / 0", "솔 / 50"}
    brush, soap = found["솔 / 0"].refill, found["라임 비누 / 1"].refill
    assert brush is not None
    assert soap is not None
    assert (brush.level, brush.of, brush.p25) == ("product", "솔", 50)
    assert (soap.level, soap.of) == ("category", "비누")
    assert {one.name for one in analysed(frame(shelf()), by="sku").items} == {"S0", "S1", "B"}
    assert {one.name for one in analysed(frame(shelf()), by="category").items} == {"비누", "솔"}


def test_business_buyers_are_counted_and_left_out_only_when_asked() -> None:
    lines = [line(n, day) for n in range(30) for day in (0, 30)]
    lines += [line(50, 0, quantity=10)]  # bulk
    lines += [line(51, 0, order_id=f"m{n}") for n in range(5)]  # many orders
    lines += [line(52, 3 * n) for n in range(10)]  # every third day
    lines += [line(53, 4 * n) for n in range(10)]  # every fourth
    lines += [line(54, 0, quantity=9), line(54, 1, quantity=9)]
    lines += [line(55, day, quantity=12, status="cancelled") for day in range(3)]
    kept = analysed(frame(lines))
    assert kept.outliers == Outliers(3, 1, 10, 1, 1, left_out=False)
    assert kept.counts.customers == 35
    out = analysed(frame(lines), without_outliers=True)
    assert out.outliers == Outliers(3, 1, 10, 1, 1, left_out=True)
    assert out.counts.customers == 32
    assert out.excluded == kept.excluded
    others = [one for one in lines if one["person"] not in (50, 51, 52)]
    assert out.by_order_number == analysed(frame(others)).by_order_number
    unknown = analysed(frame(lines, "quantity")).outliers
    assert (unknown.bulk, unknown.bulk_units, unknown.customers) == (None, None, 2)
    # Where three units are usual, ten are not many.
    threes = [line(n, 0, quantity=3) for n in range(60, 180)]
    assert analysed(frame(lines + threes)).outliers.bulk_units == 30


def test_the_first_months_are_marked_as_far_as_a_wait_may_reach() -> None:
    lines = [line(n, day) for n in range(40) for day in (0, 40)]
    lines += [line(n, 60) for n in range(40, 45)]
    found = analysed(frame(lines))
    marked = found.left_truncation
    assert (marked.days, marked.known_from, marked.customers) == (40, START + timedelta(40), 40)
    assert [(one.month, one.left_truncated) for one in found.cohorts] == [
        ("2024-01", True),
        ("2024-03", False),
    ]
    january = found.cohorts[0]
    assert (january.returned, january.enough, january.p25, january.median) == (40, True, 40, 40)
    assert found.cohorts[1].median is None
    assert analysed(frame(lines[:2])).left_truncation.days == 90


def test_the_interval_of_a_rate_is_wilsons() -> None:
    published = {
        (81, 263): (0.255289, 0.366210),
        (0, 20): (0.0, 0.161125),
        (1, 29): (0.006113, 0.171755),
        (15, 148): (0.062386, 0.160487),
    }
    for (events, trials), expected in published.items():
        assert rate_interval(events, trials) == pytest.approx(expected, abs=6e-7)
    assert rate_interval(0, 0) == (0.0, 1.0)


def test_the_golden_window_has_a_band_after_first_and_later_orders() -> None:
    lines = [line(n, day) for n in range(60) for day in ((0, 10) if n < 40 else (0,))]
    window = analysed(frame(lines)).golden_window
    busiest = window.first_to_second.busiest
    assert busiest is not None
    assert busiest.from_day <= 10 <= busiest.to_day
    low, high = busiest.interval
    assert low < busiest.daily_rate < high
    tenth = window.first_to_second.daily[10]
    assert (tenth.at_risk, tenth.returned) == (60, 40)
    assert tenth.interval == rate_interval(40, 60)
    assert window.later.busiest is None


def test_chances_are_those_of_whoever_is_still_away() -> None:
    wait = curve([10] * 50 + [40] * 25 + [200] * 25, [True] * 75 + [False] * 25)
    chances = wait.chances(30)
    assert len(chances) == 171
    assert (chances[0], chances[9], chances[10], chances[40]) == (0.5, 0.5, 0.5, 0)
    assert chances[20] == pytest.approx(0.5)
    assert len(curve([5], [False]).chances(30)) == 0
    assert wait.chances(0).tolist() == [0] * 201
