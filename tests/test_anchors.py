"""What a wait counts from: orders, events, people's dates, coupons, products, earlier messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.audience import Sources, all_occasions, concerned, occasions
from remindctl.frames import (
    COUPONS,
    CUSTOMERS,
    EVENTS,
    HISTORY,
    ORDERS,
    Coupons,
    Customers,
    Events,
    History,
    Orders,
    conform,
)
from remindctl.model import (
    Audience,
    Campaign,
    Due,
    Policy,
    Purpose,
    Span,
    Statistic,
    Step,
    Store,
    key_of,
)
from remindctl.profiles import Profiles, profiles

SEOUL = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    policy=Policy(preset="KR"),
)
NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

Rows = list[dict[str, Any]]


def line(at: datetime, **more: object) -> dict[str, Any]:
    """Describe a paid order line; by default of an order of its own, of person 0."""
    order = more.get("order_id", f"O{at:%m%d%H}")
    values = {
        "person": 0,
        "order_id": order,
        "line_id": f"{order}-{more.get('product', 'soap')}",
        "ordered_at": at,
        "ordered_on": (at + 9 * HOUR).date(),
        "status": "paid",
        "product": "soap",
        "quantity": 1,
        "amount": Decimal(1000),
    }
    return {**values, **more}


def shop(
    *,
    lines: Rows | None = None,
    events: Rows | None = None,
    people: Rows | None = None,
    coupons: Rows | None = None,
    history: Rows | None = None,
    steps: tuple[Step, ...] = (),
    as_of: datetime = NOW,
    **columns: list[object],
) -> Sources:
    """Build the sources of a small store; ``columns``: further ones of its customers' file."""
    extra = [{"person": n, **row} for n, row in enumerate(people or [{}])]
    customers = conform(pl.DataFrame(extra), CUSTOMERS).with_columns(
        pl.Series(name, values) for name, values in columns.items()
    )
    orders = Orders(conform(pl.DataFrame(lines or None, infer_schema_length=None), ORDERS))
    found = [{"person": 0, **row} for row in events or []]
    described = profiles(
        orders, Customers(customers), as_of, zone="Asia/Seoul", currency="KRW"
    ).with_columns(pl.lit(None, dtype=pl.List(pl.String)).alias("segments"))
    return Sources(
        profiles=Profiles(described),
        orders=orders,
        events=Events(conform(pl.DataFrame(found or None, infer_schema_length=None), EVENTS)),
        coupons=Coupons(conform(pl.DataFrame(coupons or None), COUPONS)),
        history=History(conform(pl.DataFrame(history or None), HISTORY)),
        store=SEOUL,
        campaign=Campaign(name="care", purpose=Purpose.ADVERTISING, steps=steps),
        as_of=as_of,
        known_until={"orders": as_of},
    )


def step(after: str, wait: Span | Statistic = Span(), id: str = "one", **due: Any) -> Step:  # noqa: A002, B008 (as the campaign files call it; a frozen value)
    return Step(id=id, due=Due(after=after, wait=wait, **due), variants=())


def rows(sources: Sources, rule: Step) -> dict[str, dict[str, Any]]:
    """Return the occasions by their ids."""
    return {row["occasion"]: row for row in occasions(sources, rule).to_dicts()}


def ids(sources: Sources, rule: Step, *, over: bool | None = None) -> list[str]:
    found = rows(sources, rule)
    return [name for name, row in found.items() if over is None or row["over"] is over]


FIRST, SECOND = NOW - 20 * DAY, NOW - 10 * DAY
CANCELLED_AT = SECOND + 5 * HOUR
TWO_ORDERS = [
    line(FIRST, order_id="A", delivered_at=FIRST + DAY),
    line(FIRST, order_id="A", product="comb", amount=Decimal(9000), delivered_at=FIRST + 2 * DAY),
    line(SECOND, order_id="B", delivered_at=SECOND + DAY),
    line(SECOND, order_id="B", product="comb"),
    line(SECOND + DAY, order_id="C", status="cancelled", cancelled_at=SECOND + 2 * DAY),
    line(SECOND + DAY, order_id="D", status="cancelled"),
    line(SECOND + DAY, order_id="E", status="refunded"),
    line(SECOND + DAY, order_id="F", status="refunded", cancelled_at=SECOND + 3 * DAY),
    line(SECOND, order_id="B", product="bag", status="cancelled", cancelled_at=NOW - DAY),
    line(NOW + DAY, order_id="G"),
    line(SECOND, order_id="H", status="cancelled", cancelled_at=NOW + DAY),
    line(SECOND, order_id="I", status="pending", person=None),
]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (step("first_order"), {"A": FIRST}),
        (step("last_order"), {"B": SECOND}),
        (step("ordered"), {"A": FIRST, "B": SECOND}),
        (
            step("cancelled"),
            {"C": SECOND + 2 * DAY, "D": SECOND + DAY, "F": SECOND + 3 * DAY},
        ),
        (step("delivered"), {"A": FIRST + 2 * DAY}),
        (
            step("delivered", per_line=True),
            {"A-soap": FIRST + DAY, "A-comb": FIRST + 2 * DAY, "B-soap": SECOND + DAY},
        ),
        (step("confirmed"), {}),
    ],
)
def test_an_order_is_an_occasion_of_what_became_of_it(
    rule: Step, found: dict[str, datetime]
) -> None:
    sources = shop(lines=TWO_ORDERS)
    assert {name: row["anchor_at"] for name, row in rows(sources, rule).items()} == found


@pytest.mark.parametrize(
    ("after", "over"),
    [
        ("first_order", {"A": True}),
        ("ordered", {"A": True, "B": False}),
        # Both were ordered after the parcel of A came; nothing came after the cancelled ones.
        ("delivered", {"A": True}),
        ("cancelled", {"C": False, "D": False, "F": False}),
    ],
)
def test_a_later_order_ends_an_orders_occasion(after: str, over: dict[str, bool]) -> None:
    sources = shop(lines=TWO_ORDERS)
    assert {name: row["over"] for name, row in rows(sources, step(after)).items()} == over
    never = rows(sources, step(after, until="never"))
    assert {row["over"] for row in never.values()} == {False}


def test_only_an_order_after_the_delivery_ends_its_occasion() -> None:
    arrived = line(FIRST, order_id="A", delivered_at=FIRST + 4 * DAY)
    before, after = line(FIRST + 2 * DAY, order_id="B"), line(FIRST + 5 * DAY, order_id="C")
    assert ids(shop(lines=[arrived, before]), step("delivered"), over=False) == ["A"]
    assert ids(shop(lines=[arrived, after]), step("delivered"), over=True) == ["A"]
    # Files that state days only put both at midnight, the delivery before a timed order.
    early = line(FIRST, order_id="A", delivered_at=FIRST - 3 * HOUR)
    assert ids(shop(lines=[early]), step("delivered"), over=False) == ["A"]


def test_a_delivery_to_come_is_not_there_yet() -> None:
    sources = shop(lines=[line(FIRST, delivered_at=NOW + DAY)])
    assert all_occasions(sources, step("delivered", Span(days=-3))).is_empty()


def test_an_anchor_tells_the_products_of_its_order_most_paid_first() -> None:
    told = rows(shop(lines=TWO_ORDERS), step("ordered"))["A"]
    assert told["product"] == "comb"
    assert told["products"] == ["comb", "soap"]
    assert (told["quantity"], told["value"]) == (2, Decimal(10000))
    one = rows(shop(lines=TWO_ORDERS), step("delivered", per_line=True))["A-soap"]
    assert (one["products"], one["value"], one["url"]) == (["soap"], Decimal(1000), None)
    gone = rows(shop(lines=TWO_ORDERS), step("cancelled"))["C"]
    assert gone["products"] == ["soap"]
    plain = occasions(shop(lines=TWO_ORDERS), step("ordered"), details=False)
    assert plain["product"].to_list() == [None, None]


def test_the_expected_order_is_an_occasion_of_the_latest_one() -> None:
    sources = shop(lines=TWO_ORDERS)
    expected = sources.profiles.with_columns(expected_next_on=pl.lit(date(2025, 7, 2)))
    sources = replace(sources, profiles=Profiles(expected))
    [row] = rows(sources, step("expected_next_order", Span(days=-3))).values()
    assert (row["occasion"], row["product"], row["over"]) == ("B", "soap", False)
    assert row["anchor_at"] == datetime(2025, 7, 1, 15, tzinfo=UTC)
    assert row["wanted_at"] == datetime(2025, 6, 28, 15, tzinfo=UTC)
    assert rows(sources, step("expected_next_order")) == {}
    # The events of the latest order's own day are part of it.
    events = [event(SECOND + HOUR, "purchase"), event(SECOND + DAY, "purchase")]
    for count, over in ((1, False), (2, True)):
        happened = Events(conform(pl.DataFrame(events[:count]).with_columns(person=0), EVENTS))
        again = replace(sources, events=happened)
        assert ids(again, step("expected_next_order", Span(days=-3)), over=over) == ["B"]


def event(at: datetime, name: str = "cart", **more: object) -> dict[str, Any]:
    return {"event": name, "occurred_at": at, **more}


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


T = NOW - 5 * DAY


@pytest.mark.parametrize(
    ("events", "lines", "found"),
    [
        # Events without an id follow each other in one episode, told by the first.
        ([event(T), event(T + HOUR)], [], {stamp(T): T + HOUR}),
        ([event(T), event(T + DAY)], [], {stamp(T): T + DAY}),
        # A pause of more than a day, or an order in between, begins another one.
        (
            [event(T), event(T + DAY + HOUR)],
            [],
            {stamp(T): T, stamp(T + DAY + HOUR): T + DAY + HOUR},
        ),
        (
            [event(T), event(T + 2 * HOUR)],
            [line(T + HOUR)],
            {stamp(T): T, stamp(T + 2 * HOUR): T + 2 * HOUR},
        ),
        (
            [event(T), event(T + HOUR, "purchase"), event(T + 2 * HOUR)],
            [],
            {stamp(T): T, stamp(T + 2 * HOUR): T + 2 * HOUR},
        ),
        # Unpaid, other people's and earlier orders separate nothing.
        (
            [event(T), event(T + 2 * HOUR)],
            [line(T + HOUR, status="pending"), line(T + HOUR, person=1), line(T)],
            {stamp(T): T + 2 * HOUR},
        ),
        # What has an id is its own occasion, whatever happens in between.
        (
            [event(T, cart_id="c1"), event(T + 2 * DAY, cart_id="c1"), event(T, event_id="e")],
            [line(T + HOUR)],
            {"c1": T + 2 * DAY, "e": T},
        ),
        ([event(NOW + HOUR), event(T, "visit"), event(T, person=None)], [], {}),
    ],
)
def test_events_are_occasions_of_their_cart_or_episode(
    events: Rows, lines: Rows, found: dict[str, datetime]
) -> None:
    sources = shop(lines=lines, events=events, people=[{}, {}])
    assert {name: row["anchor_at"] for name, row in rows(sources, step("cart")).items()} == found


def test_an_order_after_the_last_event_ends_its_occasion() -> None:
    def over(*lines: dict[str, Any], **due: Any) -> list[bool]:
        sources = shop(lines=list(lines), events=[event(T), event(T + HOUR, "purchase")][:1])
        return [row["over"] for row in rows(sources, step("cart", **due)).values()]

    assert over() == over(line(T - HOUR)) == over(line(T)) == [False]
    assert over(line(T + HOUR)) == [True]
    assert over(line(T + HOUR), until="never") == over(line(T + HOUR), until="visit") == [False]
    # A file without hours puts a day's orders at its midnight: they may have come later.
    midnight = datetime(T.year, T.month, T.day, tzinfo=UTC) - 9 * HOUR
    assert over(line(midnight)) == [True]
    assert over(line(midnight - DAY)) == [False]


def test_an_event_may_end_occasions_of_its_own_kind() -> None:
    events = [event(T, "visit", event_id="a"), event(T + DAY, "visit", event_id="b")]
    sources = shop(events=events)
    found = rows(sources, step("visit", until="visit"))
    assert {name: row["over"] for name, row in found.items()} == {"a": True, "b": False}


def test_a_purchase_event_does_not_end_itself_when_its_order_is_stamped_later() -> None:
    sources = shop(lines=[line(T + HOUR)], events=[event(T, "purchase")])
    assert ids(sources, step("purchase"), over=False) == [stamp(T)]


def test_a_cart_is_told_of_by_its_last_event_and_the_dearest_row_of_that() -> None:
    events = [
        event(T, cart_id="c", product="old", value=Decimal(9)),
        event(T + HOUR, cart_id="c", product="cheap", value=Decimal(1)),
        event(T + HOUR, cart_id="c", product="dear", value=Decimal(5), url="https://a.example"),
    ]
    [told] = rows(shop(events=events), step("cart")).values()
    assert (told["product"], told["value"], told["url"]) == ("dear", 5, "https://a.example")
    assert (told["products"], told["cart_id"]) == (["dear", "cheap", "old"], "c")


EVENT_TIMES = st.lists(st.integers(0, 24 * 8), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(EVENT_TIMES, EVENT_TIMES, st.lists(st.sampled_from(["", "x", "y"]), min_size=8, max_size=8))
def test_later_events_rename_no_occasion(
    hours: list[int], ordered: list[int], carts: list[str]
) -> None:
    start = NOW - 10 * DAY
    events = [
        event(start + hour * HOUR, cart_id=cart or None)
        for hour, cart in zip(sorted(hours), carts, strict=False)
    ]
    lines = [line(start + hour * HOUR) for hour in sorted(set(ordered))]
    before: set[str] = set()
    for count in range(1, len(events) + 1):
        found = occasions(shop(lines=lines, events=events[:count]), step("cart"))
        assert found["occasion"].is_unique().all()
        assert before <= set(found["occasion"])
        before = set(found["occasion"])


def test_signing_up_happens_once() -> None:
    stated = NOW - 3 * DAY
    sources = shop(
        people=[{"signed_up_at": stated}, {}, {}],
        events=[
            event(NOW - 5 * DAY, "signup"),
            event(NOW - 2 * DAY, "signup", person=1),
            event(NOW - DAY, "signup", person=1),
        ],
    )
    found = occasions(sources, step("signup")).select("person", "occasion", "anchor_at").rows()
    assert found == [(0, "signup", stated), (1, "signup", NOW - 2 * DAY)]


def test_a_visitor_who_signed_up_is_asked_no_more_whichever_file_says_so() -> None:
    visits = [event(T, "visit", person=person) for person in range(4)]
    sources = shop(
        people=[{"signed_up_at": T + HOUR}, {}, {"signed_up_at": NOW + DAY}, {}],
        events=[*visits, event(T + HOUR, "signup", person=1)],
    )
    found = occasions(sources, step("visit", until="signup"))
    assert found["over"].to_list() == [True, True, False, False]


SEOUL_ZONE = timedelta(hours=9)


@pytest.mark.parametrize(
    ("born", "as_of", "wait", "found"),
    [
        # Today is 2025-06-30 in Seoul; nobody's birthday is today.
        ("1990-06-30", NOW, 0, {"birthday 2025": date(2025, 6, 30)}),
        ("1990-07-03", NOW, -3, {"birthday 2025": date(2025, 7, 3)}),
        ("1990-07-04", NOW, -3, {"birthday 2024": date(2024, 7, 4)}),
        # Over the turn of the year, both ways.
        ("1990-01-02", datetime(2025, 12, 30, tzinfo=UTC), -3, {"birthday 2026": date(2026, 1, 2)}),
        ("1990-12-30", datetime(2026, 1, 2, tzinfo=UTC), 3, {"birthday 2025": date(2025, 12, 30)}),
        ("1990-12-30", datetime(2026, 1, 1, tzinfo=UTC), 3, {"birthday 2024": date(2024, 12, 30)}),
        # 29 February is the 28th where there is none.
        ("1992-02-29", datetime(2025, 3, 1, tzinfo=UTC), 0, {"birthday 2025": date(2025, 2, 28)}),
        ("1992-02-29", datetime(2024, 3, 1, tzinfo=UTC), 0, {"birthday 2024": date(2024, 2, 29)}),
        ("1990-02-29", datetime(2025, 3, 1, tzinfo=UTC), 0, {"birthday 2025": date(2025, 2, 28)}),
        *[
            (text, datetime(2025, 3, 1, tzinfo=UTC), 0, {"birthday 2025": date(2025, 2, 28)})
            for text in ("1990.02.29", "19900229", "02-29", "1990. 2. 29.", "1990-02-28 00:00:00")
        ],
        ("2/29", NOW, 0, {"birthday 2025": date(2025, 2, 28)}),
        ("0000-02-05", NOW, 0, {"birthday 2025": date(2025, 2, 5)}),
        *[(text, NOW, 0, {}) for text in ("02/29/1990", "13-01", "02-30", "spring", "", None)],
        # Nobody had a birthday before they were born.
        ("2025-05-05", NOW, 0, {"birthday 2025": date(2025, 5, 5)}),
        ("2025-12-05", NOW, 0, {}),
    ],
)
def test_a_birthday_comes_every_year(
    born: str | None, as_of: datetime, wait: int, found: dict[str, date]
) -> None:
    birthdays: list[object] = [born, *["1980-01-01"] * 30]
    sources = shop(people=[{}] * 31, as_of=as_of, birthday=birthdays)
    rule = step("birthday", Span(days=wait))
    told = occasions(sources, rule).filter(pl.col("person") == 0).to_dicts()
    assert {
        row["occasion"]: (row["anchor_at"].astimezone(UTC) + SEOUL_ZONE).date() for row in told
    } == found


@pytest.mark.parametrize("as_text", [True, False])
def test_a_deadline_comes_in_its_own_year_only(as_text: bool) -> None:
    ends = [date(2025, 7, 2), date(2026, 7, 2), date(2024, 7, 2), date(2025, 6, 1)]
    values: list[object] = [str(end) for end in ends] if as_text else list(ends)
    sources = shop(people=[{}] * 4, valid_to=values)
    found = occasions(sources, step("valid_to", Span(days=-3))).select("person", "occasion")
    assert found.rows() == [(0, "valid_to 2025"), (2, "valid_to 2024"), (3, "valid_to 2025")]
    # What the column holds is seen from everyone, also where one person is asked about.
    alone = all_occasions(replace(sources, only=2), step("valid_to", Span(days=-3)))
    assert alone.select("person", "occasion").rows() == [(2, "valid_to 2024")]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        (None, datetime(2025, 6, 29, 15, tzinfo=UTC)),
        ("America/New_York", datetime(2025, 6, 30, 4, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2025, 6, 29, 10, tzinfo=UTC)),
    ],
)
def test_a_birthday_begins_on_the_recipients_clock(zone: str | None, midnight: datetime) -> None:
    people = [{"timezone": zone, "timezone_source": zone and "phone"}]
    [row] = rows(shop(people=people, birthday=["06-30"]), step("birthday")).values()
    assert row["anchor_at"] == row["wanted_at"] == midnight
    known = (zone, True, "phone") if zone else ("Asia/Seoul", False, "store")
    assert (row["zone"], row["zone_known"], row["zone_source"]) == known


def test_days_are_counted_on_the_recipients_clock_across_a_change_of_the_clocks() -> None:
    people = [{"timezone": "America/New_York"}]
    at = datetime(2025, 3, 8, 21, tzinfo=UTC)  # 16:00, the day before the clocks go forward
    sources = shop(people=people, lines=[line(at)], as_of=at + 3 * DAY)
    [row] = rows(sources, step("last_order", Span(days=1))).values()
    assert row["wanted_at"] == datetime(2025, 3, 9, 20, tzinfo=UTC)
    assert row["zone_source"] == "stated"


@settings(deadline=None, max_examples=40)
@given(
    st.dates(date(1950, 1, 1), date(2022, 12, 31)),
    st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    st.integers(-40, 40),
)
def test_the_next_birthday_is_told_beside_the_last(born: date, today: date, wait: int) -> None:
    as_of = datetime(today.year, today.month, today.day, 3, tzinfo=UTC)
    sources = shop(people=[{}], birthday=[born], as_of=as_of)
    rule = step("birthday", Span(days=wait))
    told = all_occasions(sources, rule)
    assert told["occasion"].is_unique().all()
    last, following = told.sort("wanted_at")["wanted_at"].to_list()
    assert last <= as_of < following
    assert 365 <= (following - last) / DAY <= 366
    assert occasions(sources, rule)["wanted_at"].to_list() == [last]


def coupon(code: str = "ABC", **more: object) -> dict[str, Any]:
    values = {
        "pool": "welcome",
        "code": code,
        "valid_until": date(2025, 7, 2),
        "person": 0,
        "issued_at": T,
        "state": "sent",
    }
    return {**values, **more}


def test_a_coupon_counts_once_its_message_arrived() -> None:
    states = ["sent", "delivered", "unknown", "claimed", "rejected", None]
    coupons = [coupon(f"C{number}", state=state) for number, state in enumerate(states)]
    coupons += [coupon("free", person=None), coupon("SPRING", pool=None, valid_until=None)]
    sources = shop(coupons=coupons)
    issued = rows(sources, step("coupon_issued"))
    assert list(issued) == ["SPRING", "welcome C0", "welcome C1"]
    assert {row["anchor_at"] for row in issued.values()} == {T}
    told = rows(sources, step("coupon_expires", Span(days=-3)))
    assert list(told) == ["welcome C0", "welcome C1"]
    one = told["welcome C0"]
    assert (one["code"], one["pool"], one["until"]) == ("C0", "welcome", date(2025, 7, 2))
    # The last day is over at midnight in Seoul; three days before is the morning of the 30th.
    assert one["anchor_at"] == datetime(2025, 7, 2, 15, tzinfo=UTC)
    assert one["wanted_at"] == datetime(2025, 6, 29, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "events", "over"),
    [
        ([line(T + HOUR, discount_code="WELCOME + abc ")], [], True),
        # Whoever used a code of one's own, it is used; a friend may have.
        ([line(T + HOUR, discount_code="ABC", person=None)], [], True),
        ([line(T + HOUR, discount_code="ABCD")], [], False),
        ([line(T + HOUR, discount_code="ABC", status="cancelled")], [], False),
        ([line(T + HOUR, discount_code="ABC", status="pending")], [], True),
        ([line(NOW + HOUR, discount_code="ABC")], [], False),
        # An order without the code leaves the coupon as it is, where files tell codes at all.
        ([line(T + HOUR), line(T - DAY, discount_code="OTHER")], [], False),
        ([line(T + HOUR)], [event(T, "coupon_used", code="OTHER")], False),
        ([], [event(T + HOUR, "coupon_used", code="abc")], True),
        ([], [event(T + HOUR, "coupon_used", event_id="ABC")], True),
        # Where they tell none, any order since the issue may have used it.
        ([line(T + HOUR)], [], True),
        ([line(T - HOUR)], [], False),
        ([line(T + HOUR, person=1)], [], False),
        ([], [event(T + HOUR, "purchase")], True),
        ([], [], False),
    ],
)
@pytest.mark.parametrize("after", ["coupon_issued", "coupon_expires"])
def test_a_used_coupon_needs_no_reminder(after: str, lines: Rows, events: Rows, over: bool) -> None:
    sources = shop(lines=lines, events=events, coupons=[coupon()], people=[{}, {}])
    for until in ("order", "never"):
        rule = step(after, Span(days=-3), until=until)
        assert [row["over"] for row in rows(sources, rule).values()] == [over]


def test_a_code_for_all_is_used_up_by_each_on_their_own() -> None:
    coupons = [coupon("SPRING", pool=None, person=person) for person in range(3)]
    lines = [
        line(T + HOUR, discount_code="spring"),
        line(T - HOUR, discount_code="spring", person=1),
    ]
    sources = shop(lines=lines, coupons=coupons, people=[{}] * 3)
    found = occasions(sources, step("coupon_issued"))
    assert found.select("person", "over").rows() == [(0, True), (1, False), (2, False)]


def test_a_coupon_that_ran_out_is_not_recommended() -> None:
    sources = shop(coupons=[coupon(valid_until=date(2025, 6, 29))])
    assert ids(sources, step("coupon_issued"), over=True) == ["welcome ABC"]
    assert ids(sources, step("coupon_expires", Span(days=-3)), over=False) == ["welcome ABC"]


def sent(sources: Sources, rule: Step, occasion: str, at: datetime, **more: object) -> Sources:
    row = {
        "person": 0,
        "campaign": "care",
        "step": rule.id,
        "key": key_of("green", "care", rule.id, occasion),
        "state": "sent",
        "claimed_at": at,
        **more,
    }
    history = pl.concat([sources.history, conform(pl.DataFrame([row]), HISTORY)])
    return replace(sources, history=History(history))


def test_a_message_is_an_anchor_once_it_was_sent() -> None:
    first = step("first_order", id="first")
    second = step("message", Span(days=2), id="second")
    third = step("message", id="third", step="first")
    sources = shop(lines=TWO_ORDERS, steps=(first, second, third))
    assert rows(sources, second) == {}
    # Whose message it was may be long ago, whatever the window of either step.
    brief = replace(second, due=replace(second.due, within=Span(days=1), max_delay=Span(days=1)))
    assert concerned(sources, brief).to_list() == [0]
    at = SECOND + 2 * DAY
    for state in ("claimed", "unknown", "control", "failed"):
        assert rows(sent(sources, first, "A", at, state=state), third) == {}
    assert rows(sent(sources, first, "B", at), third) == {}
    sources = sent(sources, first, "A", at)
    [row] = rows(sources, second).values()
    assert (row["occasion"], row["anchor_at"], row["wanted_at"]) == ("A", at, at + 2 * DAY)
    assert (row["product"], row["over"]) == ("comb", False)
    # A step in between that never went out is no anchor; the step named is.
    assert list(rows(sources, third)) == ["A"]
    fourth = step("message", id="fourth")
    chain = replace(sources.campaign, steps=(first, second, fourth))
    assert rows(replace(sources, campaign=chain), fourth) == {}
    chained = sent(replace(sources, campaign=chain), second, "A", at + 3 * DAY)
    assert [row["anchor_at"] for row in rows(chained, fourth).values()] == [at + 3 * DAY]


def test_whoever_came_back_is_still_known_by_the_order_they_were_messaged_about() -> None:
    first, thanks = step("last_order", id="first"), step("message", until="never", id="thanks")
    sources = shop(lines=TWO_ORDERS, steps=(first, thanks))
    sources = sent(sources, first, "A", FIRST + 5 * DAY)
    assert list(rows(sources, thanks)) == ["A"]
    by_order = replace(thanks, due=replace(thanks.due, until="order"))
    assert ids(sources, by_order, over=True) == ["A"]


def cycle_lines(gap: int, buyers: int, **more: object) -> Rows:
    """Every buyer orders twice, ``gap`` days apart, the second time long ago."""
    start = NOW - 200 * DAY
    return [
        line(start + DAY * gap * turn, person=person, order_id=f"{person}-{turn}-{gap}", **more)
        for person in range(buyers)
        for turn in (0, 1)
    ]


def test_a_wait_may_be_the_stores_own_cycle() -> None:
    lines = cycle_lines(20, 40)
    sources = shop(lines=lines, people=[{}] * 40)
    found = occasions(sources, step("last_order", Statistic("cycle")))
    # Half of all 80 waits ended after 20 days; the other half are still going on.
    assert set((found["wanted_at"] - found["anchor_at"]).to_list()) == {20 * DAY}
    assert len(found) == 40
    # The curve never gets to three in four, and below 30 returns it says nothing.
    assert occasions(sources, step("last_order", Statistic("cycle", "p75"))).is_empty()
    few = shop(lines=cycle_lines(20, 29), people=[{}] * 29)
    assert occasions(few, step("last_order", Statistic("cycle", "p25"))).is_empty()


def test_a_wait_may_be_the_persons_own_cycle() -> None:
    days = [0, 10, 30, 70]
    lines = [line(NOW - 120 * DAY + day * DAY) for day in days]
    lines.append(line(NOW - 20 * DAY, person=1))
    sources = shop(lines=lines, people=[{}, {}])
    found = occasions(sources, step("last_order", Statistic("customer_cycle")))
    assert found["person"].to_list() == [0]
    assert (found["wanted_at"] - found["anchor_at"]).to_list() == [20 * DAY]


def test_each_product_has_a_cycle_and_an_occasion_of_its_own() -> None:
    lines = cycle_lines(20, 40, product="soap", product_id="s", quantity=2)
    lines += cycle_lines(30, 29, product="comb")
    recent = NOW - 45 * DAY
    lines.append(line(recent, person=40, product="soap", product_id="s", quantity=4))
    lines.append(line(recent + DAY, person=40, product="comb", order_id="later"))
    sources = shop(lines=lines, people=[{}] * 41)
    rule = step("last_order", Statistic("product_cycle", "p25"))
    found = occasions(sources, rule)
    assert set(found["product"]) == {"soap"}
    # Ten days a unit: four of them last forty, counted from their own purchase.
    mine = found.filter(pl.col("person") == 40).to_dicts()
    assert [(row["occasion"], row["wanted_at"], row["over"]) for row in mine] == [
        (f"s {recent + SEOUL_ZONE:%Y-%m-%d}", recent + 40 * DAY, False)
    ]
    assert mine[0]["products"] == ["soap"]

    def over(product: str | None) -> list[bool]:
        bought = event(NOW - DAY, "purchase", person=40, product=product)
        again = replace(sources, events=Events(conform(pl.DataFrame([bought]), EVENTS)))
        found = occasions(again, rule).filter(pl.col("person") == 40)
        return found["over"].to_list()

    assert (over("comb"), over(None)) == ([False], [True])


def test_only_the_audience_has_occasions() -> None:
    lines = [line(FIRST), line(FIRST, person=1), line(SECOND, person=1, order_id="B")]
    sources = shop(lines=lines, people=[{}, {}])
    campaign = replace(sources.campaign, audience=Audience(where="orders > 1"))
    found = occasions(replace(sources, campaign=campaign), step("first_order"))
    assert found["person"].to_list() == [1]


@pytest.mark.parametrize(
    ("wait", "within", "due"),
    [(20, None, True), (21, None, False), (10, 9, True), (1, 1, False), (-5, None, True)],
)
def test_what_is_not_due_yet_or_long_past_its_window_is_left_out(
    wait: int, within: int | None, due: bool
) -> None:
    sources = shop(lines=[line(FIRST, order_id="A")])
    span = None if within is None else Span(days=within)
    delay = Span(days=1)
    rule = step("ordered", Span(days=wait), within=span, max_delay=delay)
    assert ids(sources, rule) == (["A"] if due else [])
    assert concerned(sources, rule).to_list() == ([0] if due else [])
    assert all_occasions(sources, rule)["occasion"].to_list() == ["A"]


AFTERS = st.sampled_from(
    ["first_order", "last_order", "ordered", "cancelled", "delivered", "signup", "cart", "birthday"]
)
LINES = st.lists(
    st.builds(
        lambda hour, order, status, person: line(
            NOW - 30 * DAY + hour * HOUR, order_id=order, status=status, person=person
        ),
        st.integers(0, 24 * 40),
        st.sampled_from(["A", "B", "C"]),
        st.sampled_from(["paid", "cancelled", "refunded"]),
        st.sampled_from([0, 1]),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(AFTERS, LINES, st.integers(-40, 40), st.booleans())
def test_a_person_has_an_occasion_once(after: str, lines: Rows, wait: int, per_line: bool) -> None:
    lines = [{**row, "line_id": str(number)} for number, row in enumerate(lines)]
    lines = [{**row, "delivered_at": row["ordered_at"] + DAY} for row in lines]
    events = [event(row["ordered_at"] - HOUR, person=row["person"]) for row in lines]
    sources = shop(
        lines=lines,
        events=events,
        people=[{}, {}],
        birthday=["1990-02-03", date(1991, 5, 4).isoformat()],
    )
    per_line = per_line and after == "delivered"
    rule = step(after, Span(days=wait), per_line=per_line)
    found, every = occasions(sources, rule), all_occasions(sources, rule)
    for told in (found, every):
        assert told.select("person", "occasion").is_unique().all()
        known = told.select("anchor_at", "ends_from", "wanted_at", "over", "zone", "zone_known")
        assert sum(known.null_count().row(0)) == 0
    assert set(found.select("person", "occasion").rows()) <= set(
        every.select("person", "occasion").rows()
    )
    assert (found["wanted_at"] <= NOW).all()
    assert found.columns == every.columns
