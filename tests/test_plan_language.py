"""From frames to a plan, the whole language: variants, conditions, coupons, facts, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world import DUE, NOW, World, campaign, held, step, store

from remindctl.model import (
    Basis,
    Button,
    Campaign,
    Channel,
    Condition,
    Coupon,
    Due,
    Leg,
    Purpose,
    Span,
    State,
    Step,
    Variant,
)
from remindctl.plan import calendar, empty_pools, explain, sample, without


def sms(text: str = "{{ name }}님", **more: object) -> Leg:
    return Leg(channel=Channel.SMS, text=text, **more)  # type: ignore[arg-type]


def with_step(**more: object) -> Campaign:
    return campaign(steps=(replace(step(), **more),))  # type: ignore[arg-type]


def test_variants_by_segment_come_before_those_drawn_by_weight() -> None:
    world = World()
    for _ in range(40):
        world.person(DUE)
    often = [world.person(DUE, *(DUE + timedelta(days=30 * n) for n in range(1, 6))) for _ in "ab"]
    variants = (
        Variant(id="a", weight=1, legs=(sms("가"),)),
        Variant(id="b", weight=1, legs=(sms("나"),)),
        Variant(id="regulars", when="frequent", legs=(sms("단골"),)),
    )
    regular = replace(store(), segments={"frequent": "orders >= 5"})
    of = with_step(variants=variants)
    made = world.plan(of, regular)
    texts = dict(made.messages.select("person", "text").iter_rows())
    drawn = dict(made.messages.select("person", "variant").iter_rows())
    assert {drawn[person] for person in often} == {"regulars"}
    assert all("단골" in texts[person] for person in often)
    split = [drawn[person] for person in range(40)]
    assert 8 <= split.count("a") <= 32
    assert (
        world.plan(of, regular).messages["variant"].to_list() == made.messages["variant"].to_list()
    )


def test_a_fallback_keeps_its_variant_and_its_code_on_the_next_leg() -> None:
    world = World()
    world.person(DUE)
    world.code("AAA")
    world.code("BBB")
    legs = (
        Leg(channel=Channel.BRAND_MESSAGE, text="{{ coupon.code }}"),
        sms("{{ coupon.code }}"),
    )
    of = with_step(
        variants=(Variant(id="a", legs=legs), Variant(id="b", legs=legs)),
        coupon=Coupon(pool="welcome", valid_for=Span(days=10)),
        fallback_within=Span(days=1),
    )
    first = world.plan(of)
    [message] = first.messages.to_dicts()
    assert (message["channel"], message["coupon_code"]) == ("brand_message", "AAA")
    assert message["coupon_until"] == date(2025, 7, 10)
    world.sent(first, State.UNDELIVERED, ago=timedelta(hours=1))
    # What the log knows of the first leg, as the edge hands it back.
    world.codes[0] |= {
        "person": 0, "key": message["key"], "valid_until": message["coupon_until"],
        "issued_at": NOW, "state": "undelivered",
    }  # fmt: skip
    [again] = world.plan(of).messages.to_dicts()
    assert (again["channel"], again["leg"]) == ("sms", 1)
    kept = ("variant", "coupon_code", "coupon_until", "key")
    assert {name: again[name] for name in kept} == {name: message[name] for name in kept}


def test_a_code_is_given_once_and_a_pool_that_is_too_small_refuses_the_run() -> None:
    world = World()
    for _ in range(3):
        world.person(DUE)
    world.code("AAA")
    world.code("OLD", valid_until=date(2025, 6, 29))
    world.code("BBB")
    of = with_step(
        variants=(Variant(legs=(sms("{{ coupon.code }} {{ coupon.until | date }}까지"),)),),
        coupon=Coupon(pool="welcome", valid_for=Span(days=10)),
    )
    made = world.plan(of)
    assert sorted(made.messages["coupon_code"]) == ["AAA", "BBB"]
    assert set(held(made).values()) == {"coupon_pool_empty"}
    [problem] = empty_pools([made])
    assert "`welcome` of green is 1 codes short" in problem.what
    left = without(world.desk(of).coupons, made.messages)
    assert left.filter(pl.col("key").is_null())["code"].to_list() == ["OLD"]


def test_no_code_is_spent_on_whom_a_cap_or_the_control_group_holds() -> None:
    world = World()
    for _ in range(200):
        world.person(DUE)
    for n in range(200):
        world.code(f"C{n}")
    of = replace(
        with_step(
            variants=(Variant(legs=(sms("{{ coupon.code }}"),)),), coupon=Coupon(pool="welcome")
        ),
        control=0.5,
    )
    made = world.plan(of)
    reasons = set(held(made).values())
    assert reasons == {"control"}
    assert sorted(made.messages["coupon_code"]) == sorted(
        f"C{n}" for n in range(len(made.messages))
    )


def test_one_code_for_all_ends_with_its_last_day() -> None:
    world = World()
    world.person(DUE)
    legs = (sms("{{ coupon.code }}"),)
    open_ = Coupon(code="SPRING", valid_until=date(2025, 6, 30))
    [message] = world.plan(
        with_step(variants=(Variant(legs=legs),), coupon=open_)
    ).messages.to_dicts()
    assert (message["coupon_pool"], message["coupon_code"]) == (None, "SPRING")
    over = replace(open_, valid_until=date(2025, 6, 29))
    made = world.plan(with_step(variants=(Variant(legs=legs),), coupon=over))
    assert held(made) == {0: "coupon_over"}


def two_steps(kind: str) -> Campaign:
    later = replace(step("day60", wait=Span(days=60)), condition=Condition(kind=kind, step="day30"))
    return campaign(steps=(step(), later))


def test_a_second_step_asks_what_became_of_the_first_on_the_same_occasion() -> None:
    for state, kind, reason in (
        (State.SENT, "sent", None),
        (State.SENT, "not_sent", "condition"),
        (State.REJECTED, "not_sent", None),
        (State.CONTROL, "sent", "condition"),
        (State.CONTROL, "control", None),
    ):
        world = World()
        world.person(timedelta(days=30, hours=1))
        first = world.plan(campaign())
        world.sent(first, state, ago=timedelta(days=30))
        world.orders[0]["ordered_at"] = NOW - timedelta(days=60, hours=1)
        world.orders[0]["ordered_on"] = (NOW - timedelta(days=60, hours=-8)).date()
        made = world.plan(two_steps(kind))
        assert held(made).get(0) == reason, (state, kind)
        assert len(made.messages) == (reason is None)


def test_a_stale_fact_holds_and_a_fresh_one_is_told() -> None:
    cart = Due(after="cart", wait=Span(seconds=3600), within=Span(days=1))
    of = campaign(
        steps=(
            Step(
                id="few",
                due=cart,
                variants=(Variant(legs=(sms("{{ anchor.product }} {{ facts.stock }}개"),)),),
                facts={"stock": Span(seconds=2 * 3600)},
            ),
        )
    )
    told = {"cart_id": "k1", "product_id": "p1", "product": "비누", "stock": 3}
    world = World()
    world.person(timedelta(days=300))
    world.event(0, "cart", timedelta(minutes=70), **told)
    [message] = world.plan(of).messages.to_dicts()
    assert "비누 3개" in message["text"]
    world.events[0]["occurred_at"] = NOW - timedelta(hours=3)
    assert held(world.plan(of)) == {0: "stale_fact"}


def test_a_provider_that_falls_back_is_given_the_text_of_whoever_may_get_one() -> None:
    world = World()
    world.person(DUE)
    world.person(DUE)
    world.suppressions = [
        {"person": 1, "kind": "phone", "value": "+821090000001", "family": "text", "scope": "all"}
    ]
    alimtalk = Leg(
        channel=Channel.ALIMTALK,
        text="#{이름}님, 주문을 받았습니다.",
        template="T1",
        variables={"이름": "{{ name }}"},
    )
    told = campaign(
        purpose=Purpose.INFORMATIONAL,
        basis=Basis("an order"),
        steps=(replace(step(), variants=(Variant(legs=(alimtalk, sms("받았어요"))),)),),
    )
    alone = replace(store(), falls_back=frozenset({Channel.ALIMTALK}))
    made = world.plan(told, alone)
    fallbacks = {
        row["person"]: json.loads(row["extras"]).get("fallback") for row in made.messages.to_dicts()
    }
    assert fallbacks == {0: {"subject": None, "text": "받았어요"}, 1: None}
    world.sent(made, State.UNDELIVERED, ago=timedelta(hours=1))
    # The text was the provider's to send: our next leg is off.
    assert set(held(world.plan(told, alone)).values()) == {"already"}
    assert set(world.plan(told).messages["channel"]) == {"sms"}


def test_buttons_and_addresses_travel_beside_the_text() -> None:
    leg = Leg(
        channel=Channel.BRAND_MESSAGE,
        text="{{ name }}님",
        buttons=(Button(name="보러 가기", url="https://shop.example/{{ customer_key }}"),),
    )
    world = World()
    world.person(DUE)
    [message] = world.plan(with_step(variants=(Variant(legs=(leg,)),))).messages.to_dicts()
    [button] = json.loads(message["extras"])["buttons"]
    assert button["url"] == "https://shop.example/c0"


def test_the_same_person_starts_a_campaign_with_a_pause_once_in_a_run() -> None:
    world = World()
    world.person(timedelta(days=300))
    for minutes, cart in ((70, "k1"), (65, "k2")):
        world.event(0, "cart", timedelta(minutes=minutes), cart_id=cart)
    after_an_hour = step(after="cart", wait=Span(seconds=3600), within=Span(days=1))
    of = campaign(steps=(after_an_hour,), reentry=Span(days=1))
    made = world.plan(of)
    assert (made.messages["occasion"].to_list(), made.held["reason"].to_list()) == (
        ["k1"],
        ["reentry"],
    )


def test_a_day_of_the_calendar_is_everyones_occasion_once_by_their_own_clock() -> None:
    world = World()
    here = world.person(timedelta(days=100))
    there = world.person(timedelta(days=100), timezone="America/New_York")
    today = Due(after="2025-06-30", wait=Span(seconds=9 * 3600), within=Span(seconds=12 * 3600))
    of = campaign(steps=(replace(step(), due=today),))
    made = world.plan(of)
    # 16:30 in Seoul is 03:30 in New York.
    assert made.messages["person"].to_list() == [here]
    assert made.messages["occasion"].to_list() == ["2025-06-30"]
    assert there not in held(made)
    world.sent(made)
    assert held(world.plan(of)) == {here: "already"}


def explained(world: World, of: Campaign, person: int = 0) -> list[dict[str, object]]:
    desk, made = world.desk(of), world.plan(of)
    return [
        {"reason": one.reason, **{gate.name: (gate.passed, gate.detail) for gate in one.gates}}
        for one in explain(desk, person, made)
    ]


def test_explaining_names_the_value_at_every_gate() -> None:
    world = World()
    world.person(DUE)
    world.person(DUE, consent=False)
    world.person(timedelta(days=10))
    world.person()
    goes, no_consent, early = (explained(world, campaign(), n)[0] for n in range(3))
    assert goes["reason"] is None
    assert goes["due"] == (
        True,
        "30d after last_order (2025-05-31) = 2025-06-30 15:30 Asia/Seoul (store)",
    )
    assert goes["sms"] == (True, "has consented, this leg is chosen")
    assert no_consent["reason"] == "no_consent"
    assert no_consent["sms"] == (False, "no recorded consent to advertising on this channel")
    assert early["reason"] == "not_yet"
    assert early["due"][0] is False  # type: ignore[index]
    [nothing] = explained(world, campaign(), 3)
    assert nothing["reason"] == "no_occasion"


def test_the_calendar_counts_what_becomes_due_day_by_day() -> None:
    world = World()
    for days in (29, 28, 28, 20, 10):
        world.person(timedelta(days=days))
    world.person(timedelta(days=28), consent=False)
    coming = calendar(world.desk(campaign()), Span(days=14))
    assert coming.select("on", "due", "reachable").rows() == [
        (date(2025, 7, 1), 1, 1),
        (date(2025, 7, 2), 3, 2),
        (date(2025, 7, 10), 1, 1),
    ]


def test_a_sample_makes_every_leg_whether_or_not_anything_holds_it() -> None:
    world = World()
    world.person(DUE)
    world.person(timedelta(days=5), consent=False)
    legs = tuple(Leg(channel=one, text="{{ name }}님") for one in (Channel.LMS, Channel.SMS))
    of = with_step(variants=(Variant(legs=legs),))
    made = sample(world.desk(of), of.steps[0])
    assert made.height == 4
    assert made["text"].null_count() == 0
    told = {(row["person"], row["leg"]): row["held_by"] for row in made.to_dicts()}
    assert told == {(0, 0): None, (0, 1): "another_leg", (1, 0): "not_yet", (1, 1): "not_yet"}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_person_gets_a_step_once_per_occasion_over_any_sequence_of_runs(
    data: st.DataObject,
) -> None:
    world = World()
    for _ in range(6):
        world.person(timedelta(days=data.draw(st.integers(25, 40))))
    for n in range(12):
        world.code(f"C{n}")
    of = with_step(
        variants=(
            Variant(id="a", legs=(sms("{{ coupon.code }}"),)),
            Variant(id="b", legs=(sms(),)),
        ),
        coupon=Coupon(pool="welcome"),
    )
    seen: list[tuple[int, str]] = []
    codes: dict[str, tuple[int, str]] = {}
    for _ in range(data.draw(st.integers(1, 4))):
        made = world.plan(of)
        seen += made.messages.select("person", "key").rows()
        for person, key, code in made.messages.select("person", "key", "coupon_code").rows():
            assert codes.setdefault(code, (person, key)) == (person, key)
        state = data.draw(st.sampled_from([State.SENT, State.UNKNOWN, State.DELIVERED]))
        world.sent(made, state)
        world.codes = without(world.desk(of).coupons, made.messages).to_dicts()
    assert len(seen) == len(set(seen))
