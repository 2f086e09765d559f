"""Occasions and their time: what ends them, and when a moved due instant is no longer due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.audience import (
    LONGEST_MOVE,
    Sources,
    due_problems,
    occasions,
    problems,
    schedule,
    wait_problems,
)
from remindctl.errors import Place
from remindctl.frames import (
    COUPONS,
    EVENTS,
    HISTORY,
    INSTANT,
    ORDERS,
    Coupons,
    Events,
    History,
    Orders,
    conform,
    empty,
)
from remindctl.hours import Opening
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
    Window,
)
from remindctl.profiles import COLUMNS, Profiles

ORDERED = datetime(2025, 5, 1, 3, 0, tzinfo=UTC)  # noon in Seoul
NOW = ORDERED + timedelta(days=31)
NIGHT_IS_CLOSED = (Opening(Window(time(8), time(21))),)


def sources(
    *, again: datetime | None = None, events: tuple[tuple[str, datetime], ...] = ()
) -> Sources:
    last = again or ORDERED
    day = (last + timedelta(hours=9)).date()
    row = {
        "person": 0,
        "first_order_id": "A",
        "last_order_id": "B" if again else "A",
        "first_at": ORDERED,
        "last_at": last,
        "first_on": ORDERED.date(),
        "last_on": day,
        "segments": ["repeat"],
    }
    schema = {name: column.dtype for name, column in COLUMNS.items()}
    happened = [{"person": 0, "event": event, "occurred_at": at} for event, at in events]
    store = Store(
        key="green",
        name="초록상점",
        timezone="Asia/Seoul",
        country="KR",
        currency="KRW",
        policy=Policy(preset="KR"),
    )
    return Sources(
        profiles=Profiles(conform(pl.DataFrame([row]), schema, extra=True)),
        orders=Orders(empty(ORDERS)),
        events=Events(conform(pl.DataFrame(happened or None), EVENTS)),
        coupons=Coupons(empty(COUPONS)),
        history=History(empty(HISTORY)),
        store=store,
        campaign=Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=()),
        as_of=NOW,
        known_until={"orders": NOW},
    )


def step(**due: object) -> Step:
    rule: dict[str, object] = {"after": "first_order", "wait": Span(days=30), **due}
    return Step(id="day30", due=Due(**rule), variants=())  # type: ignore[arg-type]


def over(found: Sources, **due: object) -> list[bool]:
    return occasions(found, step(**due))["over"].to_list()


def test_each_order_is_its_own_occasion() -> None:
    found = sources(again=ORDERED + timedelta(days=2))
    assert occasions(found, step(after="first_order"))["occasion"].to_list() == ["A"]
    assert occasions(found, step(after="last_order", wait=Span(days=1)))["occasion"].to_list() == [
        "B"
    ]


def test_an_order_ends_an_occasion_unless_it_is_of_the_same_day() -> None:
    assert over(sources()) == [False]
    assert over(sources(again=ORDERED + timedelta(hours=11))) == [False]
    assert over(sources(again=ORDERED + timedelta(hours=13))) == [True]
    assert over(sources(again=ORDERED + timedelta(hours=13)), until="never") == [False]


def test_no_order_ends_its_own_occasion_whatever_date_the_shop_wrote() -> None:
    ordered = sources()
    the_day_before = ORDERED.date() - timedelta(days=1)
    profiles = ordered.profiles.with_columns(first_on=the_day_before, last_on=the_day_before)
    assert over(replace(ordered, profiles=Profiles(profiles))) == [False]


def test_events_end_occasions_too() -> None:
    later = ORDERED + timedelta(days=3)
    assert over(sources(events=(("purchase", later),))) == [True]
    assert over(sources(events=(("purchase", NOW + timedelta(seconds=1)),))) == [False]
    assert over(sources(events=(("review", later),)), until="review") == [True]
    assert over(sources(events=(("review", ORDERED - timedelta(1)),)), until="review") == [False]


def wanted(at: datetime) -> pl.DataFrame:
    return pl.DataFrame({"wanted_at": pl.Series([at], dtype=INSTANT), "zone": ["Asia/Seoul"]})


def test_a_move_further_than_allowed_is_too_late_not_silent() -> None:
    ten_at_night = datetime(2025, 6, 1, 13, tzinfo=UTC)
    as_of = ten_at_night + timedelta(hours=12)
    for delay, late in (
        (Span(seconds=3600 * 9), True),
        (Span(seconds=3600 * 10), False),
        (None, False),
    ):
        due = Due(after="last_order", wait=Span(), max_delay=delay)
        [row] = schedule(wanted(ten_at_night), due, NIGHT_IS_CLOSED, as_of).to_dicts()
        assert row["due_at"] == ten_at_night + timedelta(hours=10)
        assert row["too_late"] is late
    holidays = frozenset(
        (ten_at_night + timedelta(days=n)).date() for n in range(LONGEST_MOVE.days + 2)
    )
    due = Due(after="last_order", wait=Span())
    as_of = ten_at_night + timedelta(days=40)
    [row] = schedule(wanted(ten_at_night), due, (Opening(closed_on=holidays),), as_of).to_dicts()
    assert row["too_late"]


def test_hours_that_never_meet_are_said_not_waited_for() -> None:
    due = Due(after="last_order", wait=Span(), at=Window(time(22), time(23)))
    [row] = schedule(wanted(ORDERED), due, NIGHT_IS_CLOSED, NOW).to_dicts()
    assert row["never_open"]


WINDOWS = st.sampled_from([None, Window(time(16), time(17)), Window(time(23), time(9))])


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 72 * 4),
    st.none() | st.integers(0, 30),
    WINDOWS,
    st.sampled_from(["Asia/Seoul", "America/New_York"]),
)
def test_due_means_the_moved_instant_has_come_and_its_window_is_not_over(
    quarters: int, within: int | None, at: Window | None, zone: str
) -> None:
    as_of = ORDERED + timedelta(minutes=15 * quarters)
    span = None if within is None else Span(seconds=3600 * within)
    due = Due(after="last_order", wait=Span(), at=at, within=span)
    rows = schedule(wanted(ORDERED).with_columns(zone=pl.lit(zone)), due, NIGHT_IS_CLOSED, as_of)

    def is_open(instant: datetime) -> bool:
        wall = instant.astimezone(ZoneInfo(zone)).time()
        inside = at is None or (
            at.opens <= wall < at.closes
            if at.opens < at.closes
            else wall >= at.opens or wall < at.closes
        )
        return inside and time(8) <= wall < time(21)

    moved = ORDERED
    while not is_open(moved):
        moved += timedelta(minutes=15)
    expires = (
        datetime.max.replace(tzinfo=UTC) if within is None else moved + timedelta(hours=within)
    )
    if not moved <= as_of <= expires:
        assert rows.is_empty()
        return
    [row] = rows.to_dicts()
    assert row["due_at"] == moved
    assert row["open_now"] == is_open(as_of)
    if row["open_now"]:
        assert as_of <= row["closes_at"] <= expires


@pytest.mark.parametrize(
    ("audience", "found"),
    [
        (Audience(segments=("new", "big"), exclude=("loyal",), where="spent > 3"), []),
        (
            Audience(segments=("neu",), exclude=("wholesale",)),
            ["no segment 'neu'", "no segment 'wholesale'"],
        ),
        (Audience(where="spendt > 3"), ["no column 'spendt' in Profiles"]),
    ],
)
def test_an_audience_names_what_exists(audience: Audience, found: list[str]) -> None:
    said = problems(audience, {"big": "spent > 9"}, Place("winback.yaml", 4, 3))
    assert [problem.what for problem in said] == found
    assert {problem.place for problem in said} <= {Place("winback.yaml", 4, 3)}


COLUMN_TYPES = {
    "birthday": pl.String(),
    "valid_to": pl.Date(),
    "points": pl.Int64(),
    "last_on": pl.Date(),
}


@pytest.mark.parametrize(
    ("due", "what", "hint"),
    [
        ({}, None, ""),
        ({"after": "birthday", "wait": Span(days=-3)}, None, ""),
        ({"after": "valid_to"}, None, ""),
        ({"after": "review", "until": "cart"}, None, ""),
        ({"after": "message"}, None, ""),
        ({"after": "lastorder"}, "'lastorder' is no anchor", "did you mean `last_order`?"),
        ({"after": "birthdy"}, "'birthdy' is no anchor", "did you mean `birthday`?"),
        ({"after": "points"}, "'points' is no anchor", ""),
        ({"after": "last_on"}, "'last_on' is no anchor", ""),
        ({"until": "reviw"}, "no event 'reviw'", "did you mean `review`?"),
        ({"until": "oder"}, "no event 'oder'", "did you mean `order`?"),
    ],
)
def test_a_due_rule_names_what_exists(due: dict[str, object], what: str | None, hint: str) -> None:
    at = {"id": Place("c.yaml", 2), "due": Place("c.yaml", 3), "until": Place("c.yaml", 5)}
    found = due_problems(replace(step(**due), places=at), COLUMN_TYPES, {"review", "cart"})
    if what is None:
        assert found == []
        return
    [problem] = found
    assert problem.what.startswith(what)
    assert problem.hint.startswith(hint)
    assert not problem.warning
    assert problem.place.line == (5 if "until" in due else 3)


def test_events_that_never_come_are_warned_of() -> None:
    found = due_problems(step(after="cart", until="checkout"), {}, ())
    assert [(problem.what, problem.warning) for problem in found] == [
        ("no 'cart' in the events file: nobody can be due", True),
        ("no 'checkout' in the events file: nothing ends the occasion", True),
    ]
    stated = {"signed_up_at": INSTANT}
    assert due_problems(step(after="last_order", until="signup"), stated, ()) == []


def test_what_the_data_cannot_tell_is_a_problem_before_anyone_waits_for_it() -> None:
    def said(found: Sources = sources(), **due: object) -> list[tuple[str, bool]]:  # noqa: B008 (frozen)
        return [(one.what, one.warning) for one in wait_problems(found, step(**due))]

    assert said() == []
    assert said(wait=Statistic("cycle")) == [
        ("cycle.median takes 30 returns, and there are 0", False)
    ]
    assert said(wait=Statistic("product_cycle")) == [
        ("no product has 30 repeat purchases of the same, and 50% of its waits over", False)
    ]
    assert said(wait=Statistic("customer_cycle")) == [
        ("nobody has bought on two days, so nobody has a cycle", False)
    ]
    assert said(after="coupon_expires") == [
        ("the files do not tell which coupons were used: an order after the issue counts", True)
    ]
    used = sources(events=(("coupon_used", ORDERED),))
    assert said(used, after="coupon_expires") == []

    def with_birthdays(*values: str | None) -> Sources:
        rows = [sources().profiles.with_columns(birthday=pl.lit(value)) for value in values]
        return replace(sources(), profiles=Profiles(pl.concat(rows)))

    assert said(with_birthdays("02-09", None), after="birthday") == []
    assert said(with_birthdays("02-09", "soon"), after="birthday") == [
        ("1 of 2 values of `birthday` are no dates", True)
    ]
    assert said(with_birthdays("late", "soon"), after="birthday") == [
        ("2 of 2 values of `birthday` are no dates", False)
    ]


def test_a_curve_that_stays_below_the_quantile_says_how_far_it_gets() -> None:
    days = [ORDERED - timedelta(days=100), ORDERED - timedelta(days=80)]
    lines = [
        {"person": person, "order_id": f"{person}-{at:%d}", "ordered_at": at, "ordered_on": at}
        for person in range(40)
        for at in days
    ]
    orders = conform(pl.DataFrame(lines).with_columns(status=pl.lit("paid")), ORDERS)
    found = replace(sources(), orders=Orders(orders))
    assert wait_problems(found, step(wait=Statistic("cycle", "median"))) == []
    [problem] = wait_problems(found, step(wait=Statistic("cycle", "p75")))
    assert problem.what == "cycle.p75 is not reached: 50% of the waits are over at last, not 75%"


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 72 * 4), st.none() | st.integers(0, 30), WINDOWS)
def test_rows_that_are_kept_say_why_it_is_not_their_time(
    quarters: int, within: int | None, at: Window | None
) -> None:
    as_of = ORDERED + timedelta(minutes=15 * quarters)
    span = None if within is None else Span(seconds=3600 * within)
    due = Due(after="last_order", wait=Span(), at=at, within=span)
    [row] = schedule(wanted(ORDERED), due, NIGHT_IS_CLOSED, as_of, keep=True).to_dicts()
    now = schedule(wanted(ORDERED), due, NIGHT_IS_CLOSED, as_of)
    assert row["not_yet"] is (row["due_at"] > as_of)
    assert (row["not_yet"] or row["expired"]) is now.is_empty()
    if not now.is_empty():
        assert now.to_dicts() == [{name: row[name] for name in now.columns}]
        assert not {"not_yet", "expired"} & set(now.columns)
