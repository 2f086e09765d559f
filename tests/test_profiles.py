"""One row per customer as of an instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.census import census
from remindctl.due import EXPECTED, Window, windows
from remindctl.frames import CUSTOMERS, ORDERS, STATUSES, Customers, Orders, conform
from remindctl.intervals import DueThresholds
from remindctl.profiles import (
    COLUMNS,
    FORECAST,
    Profiles,
    calendar_day,
    end_of,
    profiles,
)
from remindctl.survival import curve

if TYPE_CHECKING:
    import random

LAW = settings(deadline=None, max_examples=60)
CDNOW = Path(__file__).parent / "data" / "cdnow" / "CDNOW_sample.txt"
END = date(1998, 6, 30)
START = datetime(2025, 1, 1, 3, 0, tzinfo=UTC)


def line(person: int | None, order: str, at: datetime, **more: object) -> dict[str, object]:
    seoul = at + timedelta(hours=9)
    return {
        "store": "green",
        "order_id": order,
        "line_id": f"{order}-{more.get('product', '')}",
        "person": person,
        "ordered_at": at,
        "ordered_on": seoul.date(),
        "status": "paid",
        "amount": Decimal(10000),
        "currency": "KRW",
        **more,
    }


def orders(*lines: dict[str, object]) -> Orders:
    return Orders(conform(pl.DataFrame(list(lines), infer_schema_length=None), ORDERS))


def customers(*people: dict[str, object]) -> Customers:
    frame = pl.DataFrame(list(people), infer_schema_length=None)
    return Customers(conform(frame, CUSTOMERS, extra=True))


def people(count: int) -> Customers:
    return customers(*({"person": n, "customer_key": f"c{n}"} for n in range(count)))


def seen(frame: Orders, who: Customers, as_of: datetime, **more: object) -> Profiles:
    return profiles(frame, who, as_of, zone="Asia/Seoul", currency="KRW", **more)  # type: ignore[arg-type]


def test_a_customer_is_described_by_paid_lines_only() -> None:
    lines = orders(
        line(
            0,
            "A",
            START,
            product="soap",
            category="bath",
            amount=Decimal("12000.50"),
            discount_code="SPRING",
        ),
        line(0, "A", START, product="towel", category="bath"),
        line(0, "B", START + timedelta(hours=1), product="tea", category="food"),
        line(0, "C", START + timedelta(days=10), product="soap", category="bath"),
        line(0, "D", START + timedelta(days=40), product="cup", category=None, currency="USD"),
        *(
            line(0, f"X{status}", START + timedelta(days=50), status=status, product="no")
            for status in STATUSES
            if status != "paid"
        ),
        line(None, "guest", START, product="soap"),
    )
    [row] = seen(lines, people(1), START + timedelta(days=60)).rows(named=True)
    assert {name: row[name] for name in COLUMNS} == {
        "person": 0,
        "customer_key": "c0",
        **dict.fromkeys(name for name in CUSTOMERS if name not in ("person", "customer_key")),
        "orders": 4,
        "purchase_days": 3,  # A and B are one day
        "spent": Decimal("42000.5000"),  # D was paid in another currency
        "first_at": START,
        "last_at": START + timedelta(days=40),
        "first_on": date(2025, 1, 1),
        "last_on": date(2025, 2, 10),
        "first_order_id": "A",
        "last_order_id": "D",
        "days_since_last": 20,
        "gap_days_median": 20.0,
        "last_products": ["cup"],
        "favourite_category": "bath",
        "favourite_category_share": 2 / 3,  # of A, B and C; D has none
        "category_count": 2,
        "favourite_product": "soap",
        "habitual_hour": 12,
        "code_share": 0.25,
        "currency": "KRW",
        "recency_score": 1,  # nobody is worse
        "frequency_score": 1,
        "money_score": 1,
        "rfm": "inactive",
        "value_decile": 1,
        "due_state": None,
        **dict.fromkeys(FORECAST),
        "recommended": None,
    }


def test_who_never_ordered_has_a_row_and_the_files_own_columns_stay() -> None:
    who = customers(
        {"person": 1, "customer_key": "b", "grade": "VIP", "orders": "7"},
        {"person": 0, "customer_key": "a", "grade": None, "orders": "9"},
    )
    result = seen(orders(line(1, "A", START)), who, START)
    assert result["customer_key"].to_list() == ["a", "b"]
    assert result["grade"].to_list() == [None, "VIP"]
    assert result["orders"].to_list() == [0, 1]  # counted, not the file's word
    assert result["spent"].to_list() == [0, 10000]
    assert result["last_at"].to_list() == [None, START]
    assert {name: result.schema[name] for name in COLUMNS} == {
        name: column.dtype if isinstance(column.dtype, pl.DataType) else column.dtype()
        for name, column in COLUMNS.items()
    }


def test_dates_are_the_shops_and_the_instant_is_read_on_its_calendar() -> None:
    late = datetime(2025, 1, 1, 14, 59, tzinfo=UTC)  # 23:59 in Seoul
    result = seen(orders(line(0, "A", late)), people(1), late + timedelta(minutes=2))
    assert result["days_since_last"].to_list() == [1]


def test_an_hour_of_ones_own_needs_more_orders_than_the_stores_hours_weigh() -> None:
    crowd = [line(1, f"s{n}", START + timedelta(days=n)) for n in range(20)]  # noon
    night = [line(0, f"n{n}", START + timedelta(days=n, hours=9)) for n in range(6)]
    once = seen(orders(*crowd, *night[:1]), people(2), START + timedelta(days=99))
    often = seen(orders(*crowd, *night), people(2), START + timedelta(days=99))
    assert once["habitual_hour"].to_list() == [12, 12]
    assert often["habitual_hour"].to_list() == [21, 12]


def test_due_state_follows_the_thresholds_of_the_order_number() -> None:
    waiting = {0: 9, 1: 10, 2: 30, 3: 61}
    lines = orders(*(line(n, f"o{n}", START - timedelta(days=days)) for n, days in waiting.items()))
    known = {1: DueThresholds(10, 30, 60, "store", 90, 0.5)}
    unknown = {1: DueThresholds(None, None, None, "none", None, None)}
    assert seen(lines, people(5), START, thresholds=known)["due_state"].to_list() == [
        "not_due", "due", "late", "lapsed", None,
    ]  # fmt: skip
    assert seen(lines, people(5), START, thresholds=unknown)["due_state"].to_list() == [
        *["one_time"] * 4, None,
    ]  # fmt: skip


def test_the_expected_next_order_stands_while_the_customer_waits() -> None:
    lines = orders(
        line(0, "A", START), line(1, "B", START), line(1, "C", START + timedelta(days=7))
    )
    known = {1: Window(10, 20, 40), 2: Window(None, None, None)}
    for waited in (7, 200):
        result = seen(lines, people(3), START + timedelta(days=waited), windows=known)
        assert result.select(EXPECTED).rows() == [
            (date(2025, 1, 11), date(2025, 1, 21), date(2025, 2, 10)),
            *[(None, None, None)] * 2,
        ]


def test_windows_are_read_off_the_narrowest_curve_with_enough_returns() -> None:
    first = curve([*range(1, 41), *[100] * 100], [*[True] * 40, *[False] * 100])
    second = curve([5] * 30, [True] * 30)
    found = windows({1: first, 2: second, 3: curve([9], [True])})
    assert found[1] == Window(10, 20, 30)  # of the 40 in 140 who come back
    assert found[2] == found[3] == Window(5, 5, 5)
    assert windows({1: curve([9], [True])})[1] == Window(None, None, None)


def regular(person: int, gaps: list[int]) -> list[dict[str, object]]:
    days = [0, *accumulate(gaps)]
    return [line(person, f"{person}-{day}", START + timedelta(days=day)) for day in days]


@pytest.mark.parametrize(
    ("gaps", "waited", "state"),
    [
        ([30, 31, 30], 31, "due"),  # the store's curve calls it lapsed; it is this person's rhythm
        ([30, 31, 30], 32, "lapsed"),
        ([30, 31], 31, "lapsed"),  # two gaps are no rhythm yet
        ([2, 2, 2, 31], 31, "lapsed"),  # nor are these
        ([30, 31, 30], 3, "not_due"),
    ],
)
def test_a_regular_buyer_is_not_lost_within_their_own_rhythm(
    gaps: list[int], waited: int, state: str
) -> None:
    curves = {n: DueThresholds(5, 10, 15, "store", 90, 0.9) for n in range(1, 22)}
    as_of = START + timedelta(days=sum(gaps) + waited)
    result = seen(orders(*regular(0, gaps)), people(1), as_of, thresholds=curves)
    assert result["due_state"].to_list() == [state]


@pytest.mark.parametrize(
    ("until", "p_none", "waited", "state"),
    [
        (20, 0.9, 9, "not_due"),
        (20, 0.1, 10, "due"),
        (20, 0.1, 20, "late"),
        (20, 0.7, 20, "lapsed"),
        (20, 0.9, 19, "due"),
        (None, 0.1, 50, "due"),
        (None, 0.7, 50, "late"),
        (None, 0.7, 70, "lapsed"),  # as the store's curve says
    ],
)
def test_ones_own_forecast_decides_where_there_is_one(
    until: int | None, p_none: float, waited: int, state: str
) -> None:
    last = date(2025, 1, 1) + timedelta(days=100)
    own = pl.DataFrame(
        {
            "person": [0],
            "expected_next_on": [last + timedelta(days=10)],
            "expected_next_until": [None if until is None else last + timedelta(days=until)],
            "p_none_90d": [p_none],
        }
    )
    curves = {n: DueThresholds(40, 50, 60, "store", 90, 0.9) for n in range(1, 22)}
    lines = orders(*regular(0, [50, 50]))
    as_of = START + timedelta(days=100 + waited)
    result = seen(lines, people(1), as_of, thresholds=curves, forecasts=own)
    assert result["due_state"].to_list() == [state]
    assert result["p_none_90d"].to_list() == [p_none]


def test_without_a_zone_there_are_days_and_no_hours() -> None:
    day = date(2025, 1, 1)
    frame = orders(line(0, "A", datetime(2025, 1, 2, 7, 30, tzinfo=UTC), ordered_on=day))
    result = profiles(frame, people(1), end_of(day, None), zone=None, currency="USD")
    assert result.select("orders", "days_since_last", "habitual_hour").row(0) == (1, 0, None)
    assert end_of(day, "Asia/Seoul") == datetime(2025, 1, 1, 14, 59, 59, 999_999, tzinfo=UTC)
    assert calendar_day(end_of(day, "Asia/Seoul"), "Asia/Seoul") == day


LINES = st.lists(
    st.builds(
        lambda person, order, hours, status, product: line(
            person,
            f"{person}-{order}",
            START + timedelta(hours=hours),
            status=status,
            product=product,
        ),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 24 * 60),
        st.sampled_from(STATUSES),
        st.sampled_from(["soap", "tea", None]),
    ),
    min_size=1,
    max_size=12,
)


@LAW
@given(LINES, st.integers(0, 24 * 60))
def test_later_orders_never_change_an_earlier_instant(
    lines: list[dict[str, object]], hours: int
) -> None:
    as_of = START + timedelta(hours=hours)
    known = [one for one in lines if one["ordered_at"] <= as_of]  # type: ignore[operator]
    frame = orders(*lines)
    past = orders(*known) if known else Orders(frame.clear())
    assert seen(frame, people(4), as_of).equals(seen(past, people(4), as_of))


def counted(frame: Orders, as_of: datetime) -> Profiles:
    return census(frame, people(4), as_of, zone="Asia/Seoul", currency="KRW", custom={})


@LAW
@given(LINES, st.integers(0, 24 * 60), st.randoms(use_true_random=False))
def test_neither_later_orders_nor_row_order_change_the_census(
    lines: list[dict[str, object]], hours: int, dice: random.Random
) -> None:
    as_of = START + timedelta(hours=hours)
    known = [one for one in lines if one["ordered_at"] <= as_of]  # type: ignore[operator]
    frame = orders(*lines)
    past = orders(*known) if known else Orders(frame.clear())
    expected = counted(past, as_of)
    shuffled = list(lines)
    dice.shuffle(shuffled)
    assert counted(orders(*shuffled), as_of).equals(expected)


def cdnow(until: date) -> Orders:
    """Read a shop's year and a half; its orders have a day and no hour."""
    rows = [row.split() for row in CDNOW.read_text(encoding="utf-8").splitlines()]
    frame = pl.DataFrame(
        {
            "person": [int(row[1]) for row in rows],
            "order_id": [str(n) for n in range(len(rows))],
            "ordered_on": [date.fromisoformat(f"{r[2][:4]}-{r[2][4:6]}-{r[2][6:]}") for r in rows],
            "amount": [Decimal(row[4]) for row in rows],
            "status": "paid",
        }
    ).with_columns(
        pl.col("ordered_on").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("ordered_at")
    )
    return Orders(conform(frame.filter(pl.col("ordered_on") <= until), ORDERS))


def test_with_enough_data_frequent_buyers_have_a_forecast_of_their_own() -> None:
    frame = cdnow(END)
    who = customers(
        *({"person": n, "customer_key": str(n)} for n in frame["person"].unique().sort())
    )

    def on(day: date) -> pl.DataFrame:
        found = census(frame, who, end_of(day, "UTC"), zone="UTC", currency="USD", custom={})
        return found.filter(pl.col("orders") > 0)

    now = on(END)
    often, seldom = (now.filter((pl.col("purchase_days") >= 3) == own) for own in (True, False))
    assert now["p_none_90d"].null_count() == now["value"].null_count() == 0
    assert often["p_alive"].null_count() == 0
    assert now.filter(pl.col("purchase_days") == 1)["p_alive"].null_count() > 1000
    # The store's curve has one window for everyone with one order on one day; a person's is theirs.
    first = seldom.filter(pl.col("purchase_days") == 1)
    wait = (pl.col("expected_next_on") - pl.col("last_on")).n_unique()
    assert first.select(wait).item() == 1
    assert often.select(wait).item() > 100
    for frame_ in (often, seldom):
        window = frame_.drop_nulls(EXPECTED).select(EXPECTED)
        assert (window["expected_next_from"] <= window["expected_next_on"]).all()
        assert (window["expected_next_on"] <= window["expected_next_until"]).all()
    early = often.filter(pl.col("due_state") == "not_due", pl.col("expected_next_on") <= END)
    assert early.is_empty()
    assert set(now["due_state"].unique()) == {"not_due", "due", "late", "lapsed"}


@LAW
@given(LINES)
def test_everybody_has_one_row_and_every_paid_order_is_counted_once(
    lines: list[dict[str, object]],
) -> None:
    result = seen(orders(*lines), people(4), START + timedelta(days=100))
    assert result["person"].to_list() == [0, 1, 2, 3]
    paid = {one["order_id"] for one in lines if one["status"] == "paid"}
    assert result["orders"].sum() == len(paid)
