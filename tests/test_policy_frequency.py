"""How far an occasion has come, and how often is often enough, by what the log says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.frames import HISTORY, INSTANT, PERSON, History, conform, empty
from remindctl.model import (
    Calendar,
    Campaign,
    Cap,
    Channel,
    Condition,
    Policy,
    Purpose,
    Span,
    State,
    Store,
)
from remindctl.policy import in_reentry, met, over_caps, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Noon of a Wednesday in Seoul, late on Tuesday in New York.
NOW = datetime(2025, 7, 2, 3, tzinfo=UTC)
DAY = timedelta(days=1)
ADVERT = Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=())


def past(*rows: Mapping[str, object]) -> History:
    """Make a log; a row is a message of person 7 that was sent just now, but for what it says."""
    usual = {
        "person": 7, "campaign": "winback", "step": "a", "key": "k", "entry": "e", "leg": 0,
        "channel": "lms", "state": "sent", "claimed_at": NOW, "tags": [], "counts": True,
        "variant": None,
    }  # fmt: skip
    if not rows:
        return History(empty(HISTORY))
    frame = pl.DataFrame([{**usual, **row} for row in rows], infer_schema_length=None)
    return History(conform(frame, HISTORY))


def due(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Make due rows of person 7, each with a key of its own."""
    usual = {"person": 7, "channel": "lms", "zone": "Asia/Seoul", "held": False, "last_at": None}
    frame = [
        usual | {"key": f"new{n}", "entry": f"new{n}", **row} for n, row in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(frame, schema_overrides={"person": PERSON, "last_at": INSTANT})


# How far an occasion has come


def how_far(
    *rows: Mapping[str, object], legs: int = 2, within: Span | None = None
) -> tuple[object, ...]:
    [row] = progress(due({"key": "k"}), past(*rows), legs, within, NOW).rows()
    return row


def test_an_occasion_is_messaged_once() -> None:
    assert how_far() == (0, False, None)
    for state in (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED, State.CONTROL):
        assert how_far({"state": state})[1] is True, state
    assert how_far({"person": 8})[1] is False
    assert how_far({"key": "other"})[1] is False


def test_the_next_leg_opens_only_after_a_sure_failure_of_the_one_before() -> None:
    for state in (State.REJECTED, State.UNDELIVERED):
        assert how_far({"state": state}) == (1, False, None), state
    assert how_far({"state": "failed"})[:2] == (0, False)
    assert how_far({"state": "rejected"}, {"state": "failed", "leg": 1})[:2] == (1, False)
    assert how_far({"state": "rejected"}, {"state": "unknown", "leg": 1})[1] is True
    assert how_far({"state": "rejected"}, legs=1)[1] is True
    # A delivery that arrives late for the first leg closes the second.
    assert how_far({"state": "delivered"}, {"state": "rejected", "leg": 1})[1] is True


def test_the_next_leg_follows_within_its_time_and_a_failed_one_whenever_it_is_due() -> None:
    six = Span(seconds=6 * 3600)
    for hours, already in ((5, False), (7, True)):
        at = {"claimed_at": NOW - timedelta(hours=hours)}
        assert how_far({"state": "undelivered", **at}, within=six)[1] is already
        assert how_far({"state": "failed", **at}, within=six)[:2] == (0, False)
    # Counted from the leg before, not from the first one.
    first = {"state": "rejected", "claimed_at": NOW - timedelta(hours=9)}
    second = {"state": "rejected", "leg": 1, "claimed_at": NOW - timedelta(hours=4)}
    assert how_far(first, second, legs=3, within=six)[:2] == (2, False)


def test_progress_tells_the_variant_that_the_message_began_with() -> None:
    first = {"variant": "plain", "state": "rejected", "claimed_at": NOW - DAY}
    assert how_far({"variant": "warm", "leg": 1, "state": "failed"}, first)[2] == "plain"


# What became of an earlier step


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        ([], {"not_sent"}),
        *(([{"state": state}], {"sent"}) for state in ("claimed", "sent", "unknown", "delivered")),
        *(([{"state": state}], {"not_sent"}) for state in ("rejected", "undelivered", "failed")),
        ([{"state": "rejected"}, {"state": "delivered", "leg": 1}], {"sent"}),
        ([{"state": "control"}], {"control"}),
        ([{"entry": "other"}], {"not_sent"}),
        ([{"step": "b"}], {"not_sent"}),
        ([{"campaign": "other"}], {"not_sent"}),
        ([{"person": 8}], {"not_sent"}),
    ],
)
def test_a_condition_looks_at_the_earlier_step_on_the_same_occasion(
    rows: list[dict[str, object]], kinds: set[str]
) -> None:
    def holds(kind: str) -> bool:
        one = due({"entry": "e"})
        return bool(met(one, past(*rows), Condition(kind, "a"), ADVERT).item())

    assert {kind for kind in ("sent", "not_sent", "control") if holds(kind)} == kinds


def test_ordered_since_means_after_the_earlier_message_that_was_sent() -> None:
    def holds(last_at: datetime | None, **row: object) -> bool:
        rows = due({"entry": "e", "last_at": last_at})
        history = past({"claimed_at": NOW - DAY, **row})
        return bool(met(rows, history, Condition("ordered_since", "a"), ADVERT).item())

    assert holds(NOW)
    assert not holds(NOW - 2 * DAY)
    assert not holds(None)
    assert not holds(NOW, state="control")
    assert not holds(NOW, state="rejected")


# The pause before the campaign starts again


def reentry(rows: pl.DataFrame, *history: Mapping[str, object], days: int = 90) -> list[bool]:
    campaign = replace(ADVERT, reentry=Span(days=days))
    return in_reentry(rows, past(*history), campaign, NOW).to_list()


def test_a_campaign_pauses_before_it_starts_again_with_the_same_person() -> None:
    again = due({"entry": "new"})
    assert reentry(again, {"claimed_at": NOW - 89 * DAY}) == [True]
    assert reentry(again, {"claimed_at": NOW - 91 * DAY}) == [False]
    assert reentry(again, {"claimed_at": NOW - DAY, "state": "control"}) == [True]
    for other in ({"state": "failed"}, {"campaign": "other"}, {"person": 8}):
        assert reentry(again, other) == [False], other
    assert in_reentry(again, past({}), ADVERT, NOW).to_list() == [False]


def test_a_start_that_was_made_goes_on_through_the_pause() -> None:
    goes_on = due({"entry": "e"}, {"entry": "new"})
    assert reentry(goes_on, {"claimed_at": NOW - DAY}) == [False, True]
    both: list[dict[str, object]] = [
        {"claimed_at": NOW - 100 * DAY},
        {"entry": "later", "claimed_at": NOW - DAY},
    ]
    assert reentry(goes_on, *both) == [False, True]


def test_of_several_starts_in_one_run_the_first_that_goes_out_wins() -> None:
    rows = due({"entry": "x", "held": True}, {"entry": "y"}, {"entry": "z"}, {"entry": "y"})
    assert reentry(rows)[1:] == [False, True, False]
    rows = due({"entry": "x"}, {"entry": "y", "person": 8})
    assert reentry(rows) == [False, False]


# Caps


def shop(*caps: Cap, preset: str = "KR") -> Store:
    return Store(
        key="s", name="s", timezone="Asia/Seoul", country="KR", currency="KRW",
        policy=Policy(preset=preset, caps=caps),
    )  # fmt: skip


def capped(
    rows: pl.DataFrame, store: Store, *history: Mapping[str, object], campaign: Campaign = ADVERT
) -> list[bool]:
    return over_caps(rows, past(*history), campaign, store, NOW).to_list()


def test_a_rolling_cap_counts_what_may_have_reached_the_person_once_for_an_occasion() -> None:
    store = shop(Cap(1, Span(days=7)))
    assert capped(due({}), store) == [False]
    assert capped(due({}), store, {"claimed_at": NOW - 6 * DAY}) == [True]
    assert capped(due({}), store, {"claimed_at": NOW - 7 * DAY}) == [False]
    for other in ({"state": "rejected"}, {"state": "control"}, {"counts": False}, {"person": 8}):
        assert capped(due({}), store, other) == [False], other
    twice: list[dict[str, object]] = [{"state": "sent"}, {"leg": 1, "state": "unknown"}]
    assert capped(due({}), shop(Cap(2, Span(days=7))), *twice) == [False]


def test_caps_are_of_a_channel_a_tag_or_all() -> None:
    sms = shop(Cap(1, Span(days=7), channel=Channel.SMS))
    assert capped(due({"channel": "sms"}), sms, {"channel": "sms"}) == [True]
    assert capped(due({"channel": "sms"}), sms, {"channel": "lms"}) == [False]
    assert capped(due({}), sms, {"channel": "sms"}) == [False]
    cart = shop(Cap(1, Span(days=3), tag="cart"))
    tagged = replace(ADVERT, tags=("cart",))
    assert capped(due({}), cart, {"tags": ["cart"]}, campaign=tagged) == [True]
    assert capped(due({}), cart, {"tags": ["sale"]}, campaign=tagged) == [False]
    assert capped(due({}), cart, {"tags": ["cart"]}) == [False]


def test_informational_messages_are_never_held_and_count_only_if_their_campaign_says_so() -> None:
    store = shop(Cap(1, Span(days=7)))
    info = replace(ADVERT, purpose=Purpose.INFORMATIONAL)
    assert capped(due({}, {}), store, {}, campaign=info) == [False, False]
    quiet = replace(ADVERT, counts_for_caps=False)
    assert capped(due({}, {}), store, campaign=quiet) == [False, False]
    assert capped(due({}, {}), store) == [False, True]


@pytest.mark.parametrize(
    ("per", "first", "zone"),
    [
        # Wednesday noon in Seoul: today, since Monday, since the first of July.
        (Calendar.DAY, datetime(2025, 7, 1, 15, tzinfo=UTC), "Asia/Seoul"),
        (Calendar.WEEK, datetime(2025, 6, 29, 15, tzinfo=UTC), "Asia/Seoul"),
        (Calendar.MONTH, datetime(2025, 6, 30, 15, tzinfo=UTC), "Asia/Seoul"),
        # In New York it is still Tuesday, the first.
        (Calendar.DAY, datetime(2025, 7, 1, 4, tzinfo=UTC), "America/New_York"),
        (Calendar.MONTH, datetime(2025, 7, 1, 4, tzinfo=UTC), "America/New_York"),
    ],
)
def test_a_calendar_cap_begins_anew_at_the_recipients_midnight(
    per: Calendar, first: datetime, zone: str
) -> None:
    store, rows = shop(Cap(1, per)), due({"zone": zone})
    assert capped(rows, store, {"claimed_at": first}) == [True]
    assert capped(rows, store, {"claimed_at": first - timedelta(seconds=1)}) == [False]


def test_no_second_brand_message_on_one_day_unless_the_owner_says_what_holds_for_a_day() -> None:
    rows, sent = due({"channel": "brand_message"}), {"channel": "brand_message"}
    assert capped(rows, shop(), sent) == [True]
    assert capped(rows, shop(), sent | {"claimed_at": NOW - DAY}) == [False]
    assert capped(rows, shop(preset="US"), sent) == [False]
    brand = Channel.BRAND_MESSAGE
    assert capped(rows, shop(Cap(2, Calendar.DAY, channel=brand)), sent) == [False]
    assert capped(rows, shop(Cap(9, Calendar.MONTH, channel=brand)), sent) == [True]
    assert capped(rows, shop(Cap(2, Span(days=1), channel=brand, tag="x")), sent) == [True]


CAPS = st.lists(
    st.builds(
        Cap,
        st.integers(1, 3),
        st.sampled_from([Span(days=1), Span(days=7), *Calendar]),
        st.sampled_from([None, Channel.SMS, Channel.LMS]),
    ),
    min_size=1,
    max_size=3,
)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from(["sms", "lms"]),
        st.integers(0, 40 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
    ),
    max_size=6,
)
ZONES = {1: "Asia/Seoul", 2: "America/New_York"}


def _begins(per: Span | Calendar, zone: str) -> datetime:
    if isinstance(per, Span):
        return NOW - timedelta(days=per.days) + timedelta(microseconds=1)
    today = NOW.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    back = {Calendar.DAY: 0, Calendar.WEEK: today.weekday(), Calendar.MONTH: today.day - 1}[per]
    return (today.replace(tzinfo=None) - timedelta(days=back)).replace(tzinfo=ZoneInfo(zone))


@settings(deadline=None, max_examples=60)
@given(CAPS, MESSAGES, st.lists(MESSAGES, max_size=3), st.randoms(use_true_random=False))
def test_caps_hold_for_any_order_of_messages_and_campaigns(
    caps: list[Cap],
    sent: list[tuple[int, str, datetime]],
    campaigns: list[list[tuple[int, str, datetime]]],
    random: object,
) -> None:
    random.shuffle(campaigns)  # type: ignore[attr-defined]
    store = shop(*caps)
    names = (f"key{n}" for n in itertools.count())
    log = [
        {"person": person, "channel": channel, "claimed_at": at, "key": next(names)}
        for person, channel, at in sent
    ]
    for asked in campaigns:
        rows = due(
            *(
                {"person": person, "channel": channel, "zone": ZONES[person], "key": next(names)}
                for person, channel, _ in asked
            )
        )
        if rows.is_empty():
            continue
        before = list(log)
        held = over_caps(rows, past(*log), ADVERT, store, NOW)
        for row, over in zip(rows.to_dicts(), held, strict=True):
            full = [cap for cap in caps if _concerns(cap, row) and _count(cap, row, log) >= cap.max]
            assert over == bool(full)
            if not over:
                log.append({name: row[name] for name in ("person", "channel", "key")})
        assert before == log[: len(before)]


def _concerns(cap: Cap, row: dict[str, object]) -> bool:
    return cap.channel is None or row["channel"] == cap.channel


def _count(cap: Cap, row: dict[str, object], log: Iterable[dict[str, object]]) -> int:
    since = _begins(cap.per, str(row["zone"]))
    return sum(
        one["person"] == row["person"]
        and _concerns(cap, one)
        and one.get("claimed_at", NOW) >= since  # type: ignore[operator]
        for one in log
    )
