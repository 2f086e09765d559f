"""Who may be messaged through which channel: no consent, no message, and what stands in for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.frames import (
    ADDRESSES,
    CONSENTS,
    INSTANT,
    PERSON,
    SUPPRESSIONS,
    Addresses,
    Consents,
    Suppressions,
    conform,
    empty,
)
from remindctl.model import Basis, Campaign, Channel, Leg, Policy, Purpose, Store
from remindctl.policy import Permissions, choose_legs, permissions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = datetime(2026, 8, 31, 3, tzinfo=UTC)
PHONE, EMAIL, TOKEN, ID = "+821090000001", "kim@example.com", "token1", "u1"
ADVERT = Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=())
INFO = replace(ADVERT, purpose=Purpose.INFORMATIONAL)
SAME_GOODS = replace(ADVERT, basis=Basis("skin care, as they bought before"))


def shop(preset: str = "KR", country: str = "KR", **policy: object) -> Store:
    return Store(
        key="s", name="s", timezone="Asia/Seoul", country=country, currency="KRW",
        policy=Policy(preset=preset, **policy),  # type: ignore[arg-type]
    )  # fmt: skip


def customer(**fields: object) -> pl.DataFrame:
    """One person with every destination, from the first leg on."""
    known = {
        "person": 7,
        "from_leg": 0,
        "last_at": NOW - timedelta(days=10),
        "country": None,
        "phone": PHONE,
        "email": EMAIL,
        "push_token": TOKEN,
        "shop_id": ID,
        "customer_key": "c7",
        **fields,
    }
    types: dict[str, pl.DataType | type[pl.DataType]] = {}
    types |= {"person": PERSON, "from_leg": pl.UInt8, "last_at": INSTANT}
    types |= dict.fromkeys(("country", "phone", "email", "push_token", "shop_id"), pl.String)
    return pl.DataFrame([known], schema_overrides=types)


def consent(
    channel: str, value: str = PHONE, kind: str = "phone", **more: object
) -> dict[str, object]:
    return {
        "kind": kind,
        "value": value,
        "channel": channel,
        "purpose": "advertising",
        "granted": True,
        "at": NOW - timedelta(days=30),
        **more,
    }


def allowing(
    *said: dict[str, object],
    refused: Sequence[Mapping[str, object]] = (),
    in_order: tuple[str, ...] = (),
) -> Permissions:
    """Weigh what the one customer said; ``in_order`` are addresses that stand in their order."""
    known = [("phone", PHONE), ("email", EMAIL), ("push_token", TOKEN), ("shop_id", ID)]
    people = [
        {"person": 7, "kind": kind, "value": value, "in_order": value in in_order}
        for kind, value in known
    ]
    optouts = [
        {"person": 7, "kind": "phone", "value": PHONE, "at": NOW, "scope": "advertising", **one}
        for one in refused
    ]
    return permissions(
        Consents(_frame(said, CONSENTS)),
        Addresses(conform(pl.DataFrame(people), ADDRESSES)),
        Suppressions(_frame(optouts, SUPPRESSIONS)),
        explicit_sources=(),
        as_of=NOW,
    )


def _frame(rows: object, schema: object) -> pl.DataFrame:
    found = list(rows)  # type: ignore[call-overload]
    if not found:
        return empty(schema)  # type: ignore[arg-type]
    return conform(pl.DataFrame(found, infer_schema_length=None), schema)  # type: ignore[arg-type]


def choose(
    given: Permissions,
    *channels: Channel,
    campaign: Campaign = ADVERT,
    store: Store | None = None,
    people: pl.DataFrame | None = None,
    **leg: object,
) -> dict[str, object]:
    legs = [Leg(channel=channel, text="x", **leg) for channel in channels]  # type: ignore[arg-type]
    whom = customer() if people is None else people
    [row] = choose_legs(whom, legs, campaign, store or shop(), given, NOW).to_dicts()
    return row


def test_without_a_consent_for_the_channel_no_advertisement_goes_out() -> None:
    every = [one for one in Channel if one is not Channel.ONSITE]
    for channel in every:
        assert choose(allowing(), channel)["hold"] == "no_consent", channel
    for preset, country in (("US", "US"), ("EU", "DE")):
        assert (
            choose(allowing(), Channel.EMAIL, store=shop(preset, country))["hold"] == "no_consent"
        )
    text_only = allowing(consent("text"))
    assert choose(text_only, Channel.LMS)["ground"] == "consent"
    assert choose(text_only, Channel.BRAND_MESSAGE)["hold"] == "no_consent"


def test_the_permission_of_the_phone_itself_is_no_consent_to_advertising_by_push() -> None:
    assert choose(allowing(), Channel.PUSH)["hold"] == "no_consent"
    pushed = consent("push", TOKEN, "push_token")
    assert choose(allowing(pushed), Channel.PUSH)["hold"] is None
    assert choose(allowing(pushed | {"purpose": "informational"}), Channel.PUSH)["hold"] is not None


def test_a_fallback_to_text_needs_its_own_consent_to_texts() -> None:
    legs = (Channel.BRAND_MESSAGE, Channel.LMS)
    fallen = customer(from_leg=1)
    held = choose(allowing(consent("kakao")), *legs, people=fallen)
    assert (held["leg"], held["hold"]) == (1, "no_consent")
    gone = choose(allowing(consent("kakao"), consent("text")), *legs, people=fallen)
    assert (gone["leg"], gone["hold"]) == (1, None)


def test_the_first_leg_that_may_reach_a_person_is_chosen_and_else_the_one_that_came_furthest() -> (
    None
):
    legs = (Channel.PUSH, Channel.LMS, Channel.EMAIL)
    assert choose(allowing(consent("text"), consent("email", EMAIL, "email")), *legs)["leg"] == 1
    row = choose(allowing(refused=({"family": "email"},)), *legs, people=customer(push_token=None))
    assert (row["leg"], row["hold"], row["to"]) == (1, "no_consent", PHONE)
    assert choose(allowing(), Channel.LMS, people=customer(phone=""))["hold"] == "unreachable"


def test_a_refusal_stands_against_any_consent_and_any_other_ground() -> None:
    yes = consent("text", at=NOW - timedelta(days=1))
    refused = ({"family": "text"},)
    assert choose(allowing(yes, refused=refused), Channel.SMS)["hold"] == "opted_out"
    bought = allowing(refused=refused, in_order=(PHONE,))
    store = shop(existing_customers="6_months")
    assert choose(bought, Channel.SMS, campaign=SAME_GOODS, store=store)["hold"] == "opted_out"
    assert choose(bought, Channel.SMS, campaign=INFO)["hold"] is None
    everything = allowing(refused=({"family": "text", "scope": "all"},))
    assert choose(everything, Channel.SMS, campaign=INFO)["hold"] == "opted_out"


def test_one_opt_out_covers_all_advertising_of_the_family_and_no_other() -> None:
    given = allowing(consent("text"), consent("kakao"), refused=({"family": "text"},))
    for channel in (Channel.SMS, Channel.LMS, Channel.MMS):
        assert choose(given, channel)["hold"] == "opted_out"
    assert choose(given, Channel.BRAND_MESSAGE)["hold"] is None


def test_informational_messages_need_an_address_and_no_consent() -> None:
    row = choose(allowing(), Channel.ALIMTALK, campaign=INFO)
    assert (row["to"], row["kind"], row["ground"], row["hold"]) == (
        PHONE, "phone", "informational", None,
    )  # fmt: skip


# Existing customers: Korea, Act 50(1)1 and Decree 61(1); European Union, 2002/58/EC 13(2).

BOUGHT = allowing(in_order=(PHONE, EMAIL))
SELLER = shop(existing_customers="6_months")


def test_recent_customers_are_told_of_the_same_goods_only_where_the_owner_chose_so() -> None:
    row = choose(BOUGHT, Channel.LMS, campaign=SAME_GOODS, store=SELLER)
    assert (row["ground"], row["hold"], row["night"]) == ("existing_customer", None, False)
    assert choose(BOUGHT, Channel.LMS, campaign=SAME_GOODS)["hold"] == "no_consent"
    eu = shop("EU", "DE", existing_customers="6_months")
    assert choose(BOUGHT, Channel.EMAIL, campaign=SAME_GOODS, store=eu)["hold"] is None


def test_the_exception_needs_all_three_facts_in_the_data() -> None:
    def held(
        given: Permissions = BOUGHT, campaign: Campaign = SAME_GOODS, **people: object
    ) -> object:
        whom = customer(**people)
        return choose(given, Channel.LMS, campaign=campaign, store=SELLER, people=whom)["hold"]

    assert held() is None
    assert held(campaign=ADVERT) == "no_consent"  # nothing says that the goods are of the same kind
    assert held(allowing(in_order=(EMAIL,))) == "no_consent"  # the number stands in no order
    assert held(last_at=None) == "no_consent"
    # Six months of the calendar: those of an order of 28 February ended on 28 August.
    assert held(last_at=datetime(2026, 3, 1, 3, tzinfo=UTC)) is None
    assert held(last_at=datetime(2026, 2, 28, 3, tzinfo=UTC)) == "no_consent"


def test_the_exception_never_covers_the_night() -> None:
    at_night = allowing(
        consent("text", at=NOW - timedelta(days=900), night=True), in_order=(PHONE,)
    )
    row = choose(at_night, Channel.LMS, campaign=SAME_GOODS, store=SELLER)
    assert (row["ground"], row["night"]) == ("existing_customer", False)
    assert choose(allowing(consent("text", night=True)), Channel.LMS)["night"] is True


def test_the_exception_does_not_exist_for_texts_to_the_united_states() -> None:
    us = shop("US", "US", existing_customers="6_months")
    assert choose(BOUGHT, Channel.SMS, campaign=SAME_GOODS, store=us)["hold"] == "no_consent"
    assert choose(BOUGHT, Channel.EMAIL, campaign=SAME_GOODS, store=us)["hold"] is None
    abroad = customer(country="US")
    held = choose(BOUGHT, Channel.SMS, campaign=SAME_GOODS, store=SELLER, people=abroad)
    assert held["hold"] == "no_consent"


def test_who_is_no_channel_friend_gets_a_brand_message_by_consent_only() -> None:
    more = {"campaign": SAME_GOODS, "store": SELLER}
    assert choose(BOUGHT, Channel.BRAND_MESSAGE, **more)["hold"] is None  # type: ignore[arg-type]
    for targeting in ("M", "N"):
        row = choose(BOUGHT, Channel.BRAND_MESSAGE, targeting=targeting, **more)  # type: ignore[arg-type]
        assert row["hold"] == "no_consent"


# The two-yearly notice: Korea, Act 50(8), Decree 62-3.


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "told", "rests"),
    [
        # It is noon of 31 August in Seoul: "before the same date of the second year" has passed.
        (_utc(2024, 8, 31, 14), None, True),
        (_utc(2024, 8, 31, 16), None, False),
        (_utc(2023, 1, 1), _utc(2024, 12, 1), False),
        (_utc(2023, 1, 1), _utc(2024, 8, 1), True),
        # The answer within 14 days of the consent is no such notice.
        (_utc(2024, 8, 30), _utc(2024, 9, 9), True),
        (None, None, False),
    ],
)
def test_a_consent_rests_while_its_two_yearly_notice_is_overdue(
    at: datetime | None,
    told: datetime | None,
    rests: bool,
) -> None:
    given = allowing(consent("text", at=at, notice_sent_at=told))
    assert choose(given, Channel.SMS)["hold"] == ("consent_notice_overdue" if rests else None)
    assert choose(given, Channel.SMS, store=shop("EU", "DE"))["hold"] is None


def test_what_the_shops_own_pages_show_needs_a_visitor_who_is_known_and_has_not_refused() -> None:
    row = choose(allowing(), Channel.ONSITE)
    assert (row["to"], row["kind"], row["ground"], row["hold"]) == (ID, "shop_id", "onsite", None)
    visitor = customer(shop_id=None)
    row = choose(allowing(), Channel.ONSITE, people=visitor)
    assert (row["to"], row["kind"]) == (TOKEN, "push_token")
    nobody = customer(shop_id=None, push_token=None)
    assert choose(allowing(), Channel.ONSITE, people=nobody)["hold"] == "unreachable"
    for scope in ("all", "advertising"):
        refused = allowing(refused=({"family": "onsite", "scope": scope},))
        assert choose(refused, Channel.ONSITE)["hold"] == "opted_out"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([("phone", PHONE), ("email", EMAIL), ("push_token", TOKEN)]),
            st.sampled_from(["text", "kakao", "email", "push", "sms", "pigeon"]),
            st.booleans(),
            st.sampled_from(["advertising", "informational"]),
        ),
        max_size=5,
    ),
    st.lists(st.sampled_from([one for one in Channel if one is not Channel.ONSITE]), min_size=1),
    st.sampled_from([("KR", "KR"), ("US", "US"), ("EU", "FR")]),
)
def test_no_consent_no_message(
    said: list[tuple[tuple[str, str], str, bool, str]],
    channels: list[Channel],
    where: tuple[str, str],
) -> None:
    family = {"sms": "text"}
    of = {
        Channel.EMAIL: ("email", EMAIL), Channel.PUSH: ("push", TOKEN),
        Channel.BRAND_MESSAGE: ("kakao", PHONE), Channel.ALIMTALK: ("kakao", PHONE),
        Channel.WEBHOOK: ("webhook", "c7"),
    }  # fmt: skip
    given = allowing(
        *(
            consent(channel, value, kind, granted=yes, purpose=purpose)
            for (kind, value), channel, yes, purpose in said
        )
    )
    row = choose(given, *channels, store=shop(*where))
    if row["hold"] is None:
        wanted, to = of.get(channels[int(str(row["leg"]))], ("text", PHONE))
        grounds = [
            (kind_value[1], yes)
            for kind_value, channel, yes, purpose in said
            if family.get(channel, channel) == wanted and purpose == "advertising"
        ]
        assert (to, True) in grounds
        assert not any(not yes for _, yes in grounds)
