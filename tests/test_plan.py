"""From a store's frames to a plan: who is due, who gets a message, and who is held and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world import DUE, LONG_AGO, NOW, World, campaign, held, step, store

from remindctl.errors import Refused
from remindctl.model import (
    Audience,
    Basis,
    Campaign,
    Cap,
    Ceiling,
    Channel,
    Purpose,
    Span,
    State,
    Step,
    Window,
)
from remindctl.plan import describe, over_ceiling, people_concerned, too_old
from remindctl.policy import REASONS


def test_a_message_says_who_why_when_and_what_it_costs() -> None:
    world = World()
    world.person(DUE)
    made = world.plan(campaign())
    [message] = made.messages.to_dicts()
    assert message["text"] == "(광고)초록상점\n김민수님, 다시 만나요\n무료수신거부 0808880000"
    assert message["due_at"] == NOW - timedelta(hours=1)
    assert message["reason"] == "30d after last_order (2025-05-31)"
    assert {
        name: message[name] for name in ("to", "channel", "provider", "cost", "ground", "leg")
    } == {
        "to": "+821090000000",
        "channel": "sms",
        "provider": "outbox",
        "cost": 18,
        "ground": "consent",
        "leg": 0,
    }
    assert made.due == 1
    assert made.cost == 18


def test_only_the_time_between_due_and_over_is_due() -> None:
    world = World()
    world.person(timedelta(days=29))
    world.person(timedelta(days=37, hours=1))
    world.person(timedelta(days=400))
    world.person()
    assert world.plan(campaign()).due == 0


def test_each_gate_holds_with_its_reason_and_the_first_one_speaks() -> None:
    world = World()
    shop = store(caps=(Cap(1, Span(days=7), tag="winback"),))
    reasons = {
        world.person(DUE, phone=None, consent=False): "unreachable",
        world.person(DUE, consent=False): "no_consent",
    }
    refuser, lapsed, unnamed = (
        world.person(DUE),
        world.person(DUE, consent=False),
        world.person(DUE, name=None),
    )
    world.consent(refuser, "sms", granted=False, at=LONG_AGO - timedelta(days=1), source="paper")
    world.consent(lapsed, "text", at=NOW - timedelta(days=731))
    capped, control = world.person(DUE), world.person(DUE, customer_key="control-0")
    world.past.append(
        {
            "person": capped,
            "campaign": "other",
            "key": "k",
            "entry": "e",
            "tags": ["winback"],
            "channel": "lms",
            "state": "sent",
            "counts": True,
            "claimed_at": NOW - timedelta(days=6),
        }
    )
    world.past.append(
        {
            "person": control,
            "campaign": "winback",
            "key": "k2",
            "entry": "e2",
            "state": "control",
            "arm": "control",
            "channel": "sms",
            "claimed_at": LONG_AGO,
        }
    )
    of = campaign(tags=("winback",), control=1e-9)
    reasons |= {
        refuser: "opted_out",
        lapsed: "consent_notice_overdue",
        unnamed: "content",
        capped: "cap",
        control: "control",
    }
    made = world.plan(of, shop)
    assert held(made) == reasons
    assert made.messages.is_empty()
    assert all(detail for detail in made.held["detail"])
    assert set(reasons.values()) <= set(REASONS)


def test_an_occasion_ends_with_the_next_days_order_and_waits_for_the_files() -> None:
    first = step(after="first_order")
    world = World()
    bought_again = world.person(DUE, timedelta(days=3))
    same_day = world.person(DUE, DUE - timedelta(hours=2))
    assert held(world.plan(campaign(steps=(first,)))) == {bought_again: "occasion_over"}
    never = step(after="first_order", until="never")
    assert held(world.plan(campaign(steps=(never,)))) == {}
    world.known_until = NOW - timedelta(hours=2)
    assert held(world.plan(campaign(steps=(first,)))) == {
        bought_again: "occasion_over",
        same_day: "orders_older_than_anchor",
    }
    assert held(world.plan(campaign(steps=(never,)))) == {}


def test_a_due_instant_moves_to_its_hours_and_now_must_be_open() -> None:
    world = World()
    world.person(DUE)
    afternoon = campaign(steps=(step(at=Window(time(16), time(17))),))
    [message] = world.plan(afternoon).messages.to_dicts()
    assert message["due_at"] == NOW - timedelta(minutes=30)
    assert message["closes_at"] == NOW + timedelta(minutes=30)
    assert world.plan(afternoon, as_of=NOW - timedelta(minutes=31)).due == 0
    late = world.plan(afternoon, as_of=NOW + timedelta(minutes=30))
    assert held(late) == {0: "not_open_now"}
    next_day = world.plan(afternoon, as_of=NOW + timedelta(days=1))
    assert next_day.messages["due_at"].to_list() == [message["due_at"]]


NIGHT = datetime(2025, 6, 30, 13, 0, tzinfo=UTC)  # 22:00 in Seoul


@pytest.mark.parametrize(
    ("night", "consented", "channel", "as_of", "outcome"),
    [
        ("defer", False, Channel.SMS, NIGHT, "not due"),
        ("defer", False, Channel.SMS, NIGHT + timedelta(hours=10), "08:00"),
        ("defer", True, Channel.SMS, NIGHT, "22:00"),
        ("defer", True, Channel.BRAND_MESSAGE, NIGHT, "not due"),
        ("skip", False, Channel.SMS, NIGHT + timedelta(hours=10), "night"),
        ("skip", True, Channel.SMS, NIGHT, "22:00"),
    ],
)
def test_the_night_moves_skips_or_has_its_own_consent(
    night: str, consented: bool, channel: Channel, as_of: datetime, outcome: str
) -> None:
    world = World()
    n = world.person(NOW - NIGHT + timedelta(days=30), consent=False)
    for family in ("text", "kakao"):
        world.consent(n, family, night=consented)
    world.known_until = as_of
    made = world.plan(campaign(steps=(step(channels=(channel,), night=night),)), as_of=as_of)
    if outcome == "not due":
        assert made.due == 0
    elif ":" in outcome:
        at = made.messages["due_at"].dt.convert_time_zone("Asia/Seoul").dt.strftime("%H:%M")
        assert at.to_list() == [outcome]
    else:
        assert held(made) == {n: outcome}


def test_the_leg_is_chosen_by_address_and_consent_never_by_the_hour() -> None:
    both = step(channels=(Channel.BRAND_MESSAGE, Channel.SMS))
    world = World()
    kakao, text = world.person(DUE), world.person(DUE, consent=False)
    world.consent(text, "sms")
    open_hours = world.plan(campaign(steps=(both,)))
    assert dict(open_hours.messages.select("person", "channel").iter_rows()) == {
        kakao: "brand_message",
        text: "sms",
    }
    # 20:55: Brand Message is closed, SMS is not.
    evening = world.plan(campaign(steps=(both,)), as_of=datetime(2025, 6, 30, 11, 55, tzinfo=UTC))
    assert held(evening) == {kakao: "not_open_now"}


def test_a_message_in_the_log_is_not_planned_again_in_whatever_state() -> None:
    world = World()
    n = world.person(DUE)
    made = world.plan(campaign())
    for state in (
        State.CLAIMED,
        State.SENT,
        State.DELIVERED,
        State.UNKNOWN,
        State.CONTROL,
        State.REJECTED,
    ):
        world.past = []
        world.sent(made, state)
        assert held(world.plan(campaign())) == {n: "already"}, state
    world.past = []
    world.sent(made, State.FAILED)
    assert world.plan(campaign()).messages["leg"].to_list() == [0]
    # Whether another leg could reach them does not matter any more.
    world.past = []
    world.sent(made)
    more_legs = step(channels=(Channel.SMS, Channel.EMAIL))
    assert held(world.plan(campaign(steps=(more_legs,)))) == {n: "already"}


def test_the_next_leg_opens_when_the_one_before_was_surely_not_delivered() -> None:
    both = step(channels=(Channel.BRAND_MESSAGE, Channel.SMS))
    of = campaign(
        steps=(
            Step(
                id="day30",
                due=both.due,
                variants=both.variants,
                fallback_within=Span(seconds=21600),
            ),
        )
    )
    world = World()
    n = world.person(DUE)
    made = world.plan(of)
    for state in (State.REJECTED, State.UNDELIVERED):
        world.past = []
        world.sent(made, state, ago=timedelta(hours=5))
        assert world.plan(of).messages["channel"].to_list() == ["sms"]
        world.past = []
        world.sent(made, state, ago=timedelta(hours=7))
        assert held(world.plan(of)) == {n: "already"}


def test_reentry_pauses_another_start_but_not_the_next_step() -> None:
    steps = (step(), step("day31", wait=Span(days=31)))
    world = World()
    n = world.person(DUE)
    of = campaign(steps=steps, reentry=Span(days=90))
    world.sent(world.plan(of), ago=timedelta(days=1))
    world.known_until = NOW + timedelta(days=1)
    tomorrow = world.plan(of, as_of=NOW + timedelta(days=1))
    assert tomorrow.messages["step"].to_list() == ["day31"]
    world.past[0]["entry"] = "another order"
    for pause, outcome in ((Span(days=90), {n: "reentry"}), (Span(days=2), {})):
        of = campaign(steps=steps[1:], reentry=pause)
        assert held(world.plan(of, as_of=NOW + timedelta(days=1))) == outcome


def test_caps_count_what_goes_out_before_in_the_same_run_and_only_that() -> None:
    world = World()
    n = world.person(DUE, timedelta(days=30, minutes=30))
    steps = (
        step("a", after="first_order"),
        step("b"),
        step("c", wait=Span(days=29), within=Span(days=9)),
    )
    shop = store(caps=(Cap(2, Span(days=7)),))
    made = world.plan(campaign(steps=steps), shop)
    assert made.messages["step"].to_list() == ["c", "a"]
    assert held(made) == {n: "cap"}
    world.past += made.history().to_dicts()
    second = world.plan(campaign(name="other"), shop)
    assert held(second) == {n: "cap"}
    assert (
        world.plan(campaign(name="other", purpose=Purpose.INFORMATIONAL), shop).messages.height == 1
    )
    world.past = made.history().with_columns(pl.lit(value=False).alias("counts")).to_dicts()
    assert world.plan(campaign(name="other"), shop).messages.height == 1


def test_the_held_out_are_a_share_stay_so_and_do_not_count_for_caps() -> None:
    world = World()
    for _ in range(400):
        world.person(DUE)
    made = world.plan(campaign(control=0.2), store(holdout=0.1))
    reasons = Counter(made.held["reason"])
    assert 50 < reasons["control"] < 110
    assert 15 < reasons["holdout"] < 60
    assert made.control.height == reasons["control"] + reasons["holdout"]
    assert set(made.messages["arm"]) == {"treated"}
    again = world.plan(campaign(name="winback", control=0.2), store(holdout=0.1))
    assert again.held.equals(made.held)
    other = world.plan(campaign(name="other", control=0.2), store(holdout=0.1))
    same = set(made.held.filter(reason="holdout")["person"])
    assert same & set(other.held.filter(reason="holdout")["person"])
    # Recorded arms win over the hash.
    treated = made.messages["person"][0]
    world.past = [
        {
            "person": treated,
            "campaign": "winback",
            "key": "x",
            "entry": "x",
            "state": "control",
            "arm": "control",
            "channel": "sms",
            "claimed_at": LONG_AGO,
        }
    ]
    assert held(world.plan(campaign(control=0.2), store(holdout=0.1)))[treated] == "control"


def test_the_held_out_count_for_no_cap_and_a_tag_limits_its_own_campaigns_only() -> None:
    world = World()
    n = world.person(DUE, timedelta(days=30, minutes=30))
    steps = (step("a", after="first_order"), step("b"))
    shop = store(caps=(Cap(1, Span(days=7), tag="win"),))
    all_out = world.plan(campaign(steps=steps, tags=("win",), control=1.0), shop)
    assert all_out.held["reason"].to_list() == ["control", "control"]
    capped = world.plan(campaign(steps=steps, tags=("win",)), shop)
    assert (capped.messages.height, held(capped)) == (1, {n: "cap"})
    assert world.plan(campaign(steps=steps, tags=("cart",)), shop).messages.height == 2


def test_a_limit_takes_the_longest_due_after_the_holdout() -> None:
    world = World()
    for hours in range(5):
        world.person(DUE + timedelta(hours=hours))
    made = world.plan(campaign(), limit=2)
    assert made.messages["person"].to_list() == [4, 3]
    assert Counter(made.held["reason"]) == {"limit": 3}


def test_the_recipients_own_clock_counts_and_an_unknown_american_one_is_all_of_them() -> None:
    world = World()
    known = world.person(DUE, timezone="America/New_York")
    unknown = world.person(DUE)
    shop = replace(store(preset="US"), country="US")
    # 11:30 in New York, 05:30 in Honolulu; then 15:30 and 09:30.
    morning, later = (datetime(2025, 6, 30, hour, 30, tzinfo=UTC) for hour in (15, 19))
    world.known_until = later
    first = world.plan(campaign(), shop, as_of=morning)
    assert first.messages["person"].to_list() == [known]
    assert set(world.plan(campaign(), shop, as_of=later).messages["person"]) == {known, unknown}


def test_an_audience_is_any_segment_and_the_condition_without_the_excluded() -> None:
    world = World()
    once, twice = world.person(DUE), world.person(DUE, timedelta(days=200))
    for audience, who in [
        (Audience(), {once, twice}),
        (Audience(segments=("one_time",)), {once}),
        (Audience(exclude=("one_time",)), {twice}),
        (Audience(where="orders >= 2"), {twice}),
        (Audience(segments=("one_time",), where="orders >= 2"), set()),
    ]:
        made = world.plan(campaign(audience=audience))
        assert set(made.messages["person"]) == who, audience
    with pytest.raises(Refused) as refused:
        world.plan(campaign(audience=Audience(segments=("one_tme",), where="nothing > 1")))
    assert len(refused.value.problems) == 2


def test_an_existing_customer_needs_no_consent_where_the_owner_says_so_but_a_refusal_stands() -> (
    None
):
    world = World()
    customer, refuser = world.person(DUE, consent=False), world.person(DUE)
    world.consent(refuser, "kakao_typo", granted=False)
    same_kind = campaign(basis=Basis("the kind of goods they bought"))
    shop = store(existing_customers="6_months")
    assert world.plan(campaign(), shop).messages.is_empty()
    made = world.plan(same_kind, shop)
    assert made.messages.select("person", "ground").rows() == [(customer, "existing_customer")]
    assert held(made) == {refuser: "opted_out"}


def test_old_data_and_ceilings_refuse_the_run() -> None:
    world = World()
    world.person(DUE)
    world.person(DUE)
    made = world.plan(campaign())
    shop = store(ceiling=Ceiling(1, Decimal(35)))
    problems = over_ceiling([replace(made, store=shop)])
    assert [problem.what for problem in problems] == [
        "2 recipients are more than the ceiling of 1",
        "36 KRW is more than the ceiling of 35",
    ]
    assert over_ceiling([made]) == []
    world.known_until = NOW - timedelta(days=2, seconds=1)
    assert too_old(world.snapshot(), store(), NOW)
    world.known_until = NOW - timedelta(days=2)
    assert too_old(world.snapshot(), store(), NOW) is None


PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "waited": st.lists(st.integers(0, 45 * 24), max_size=3),
            "phone": st.booleans(),
            "grant": st.sampled_from([None, "text", "kakao", "sms"]),
            "refusal": st.sampled_from([None, None, "text", "kakao"]),
            "timezone": st.sampled_from([None, "Asia/Seoul", "America/New_York"]),
        }
    ),
    max_size=5,
)
CAMPAIGNS = st.builds(
    lambda channels, within, at, until, control: campaign(
        steps=(
            step("a", channels=channels, within=within, at=at, until=until),
            step("b", channels=channels[:1], after="first_order", wait=Span(days=20), at=at),
        ),
        control=control,
    ),
    st.sampled_from([(Channel.SMS,), (Channel.BRAND_MESSAGE, Channel.SMS)]),
    st.sampled_from([None, Span(days=7), Span(seconds=7200)]),
    st.sampled_from([None, Window(time(16), time(17)), Window(time(22), time(2))]),
    st.sampled_from(["order", "never"]),
    st.sampled_from([0.0, 0.5]),
)


@settings(deadline=None, max_examples=40)
@given(PEOPLE, CAMPAIGNS, st.integers(0, 48), st.integers(0, 4))
def test_everyone_due_is_planned_or_held_and_no_consent_means_no_message(
    people: list[dict[str, object]], of: Campaign, hours: int, limit: int
) -> None:
    world = World()
    consented = set()
    for one in people:
        waited = [timedelta(hours=hour) for hour in one["waited"]]  # type: ignore[attr-defined]
        zone = one["timezone"]
        more = {} if one["phone"] else {"phone": None}
        n = world.person(*waited, consent=False, timezone=zone, **more)
        if one["phone"] and one["grant"]:
            world.consent(n, str(one["grant"]))
            if one["refusal"] is None:
                consented.add(n)
        if one["phone"] and one["refusal"]:
            world.consent(n, str(one["refusal"]), granted=False)
    as_of = NOW + timedelta(hours=hours)
    world.known_until = as_of
    whole, cut = world.plan(of, as_of=as_of), world.plan(of, as_of=as_of, limit=limit)
    assert whole.due == cut.due
    assert len(cut.messages) == min(limit, len(whole.messages))
    both = pl.concat([whole.messages.select("key", "person"), whole.held.select("key", "person")])
    assert both.is_unique().all()
    files = world.snapshot()
    concerned = people_concerned([of], describe(files, store(), as_of), files, store(), as_of)
    assert set(both["person"]) <= set(concerned)
    for message in whole.messages.iter_rows(named=True):
        n = message["person"]
        family = "kakao" if message["channel"] == "brand_message" else "text"
        allowed = {family, "sms"} if family == "text" else {family}
        assert people[n]["grant"] in allowed
        assert people[n]["refusal"] != family
        assert message["due_at"] <= as_of
        assert message["closes_at"] is None or message["closes_at"] >= as_of
    assert set(whole.held["reason"]) <= set(REASONS)
