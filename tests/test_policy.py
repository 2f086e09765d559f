"""Consent, refusal and who is drawn: the gates whose mistakes cost most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.frames import (
    ADDRESS_KINDS,
    ADDRESSES,
    CONSENTS,
    SUPPRESSIONS,
    Addresses,
    Consents,
    Suppressions,
    conform,
    empty,
)
from remindctl.model import Family, Purpose
from remindctl.policy import Permissions, is_drawn, permissions
from remindctl.policy.consent import granted, refused

NOW = datetime(2025, 6, 30, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(days=20), NOW - timedelta(days=10)
PHONE, EMAIL, OTHER = "+821090000001", "kim@example.com", "+821090000002"


def said(granted: bool, **more: object) -> dict[str, object]:
    return {
        "kind": "phone",
        "value": PHONE,
        "channel": "sms",
        "purpose": "advertising",
        "granted": granted,
        "at": BEFORE,
        "source": "signup_form",
        **more,
    }


def weigh(
    *statements: dict[str, object], optouts: tuple[dict[str, object], ...] = ()
) -> Permissions:
    """Weigh what one person, with two phones, an e-mail and a shop id, has said."""
    who = [("phone", PHONE), ("phone", OTHER), ("email", EMAIL), ("shop_id", "u1")]
    people = pl.DataFrame([{"person": 7, "kind": kind, "value": value} for kind, value in who])
    return permissions(
        Consents(
            conform(pl.DataFrame(list(statements) or None, infer_schema_length=None), CONSENTS)
        ),
        Addresses(conform(people, ADDRESSES)),
        Suppressions(
            conform(pl.DataFrame(list(optouts) or None, infer_schema_length=None), SUPPRESSIONS)
        ),
        explicit_sources={"signup_form"},
        as_of=NOW,
    )


def destination(value: str = PHONE) -> pl.DataFrame:
    row = pl.DataFrame({"person": [7], "kind": ["phone"], "value": [value]})
    return row.cast({"person": pl.UInt32, "kind": pl.Enum(ADDRESS_KINDS)})


def is_refused(
    given: Permissions, family: Family = Family.TEXT, purpose: Purpose = Purpose.ADVERTISING
) -> bool:
    return bool(refused(destination(), given, family, purpose).item())


def is_granted(given: Permissions, value: str = PHONE, family: Family = Family.TEXT) -> bool:
    return bool(granted(destination(value), given, family)["granted"].item())


def test_consent_belongs_to_the_address_and_the_family() -> None:
    given = weigh(said(granted=True))
    assert is_granted(given)
    assert not is_granted(given, OTHER)
    assert not is_granted(given, family=Family.KAKAO)
    assert is_granted(weigh(said(granted=True, kind="shop_id", value="u1")), OTHER)
    assert not is_granted(weigh(said(granted=True, at=NOW + timedelta(seconds=1))))
    assert not is_granted(weigh(said(granted=True, purpose="informational")))
    assert not is_granted(weigh(said(granted=True, channel="pigeon")))


def test_a_refusal_of_any_address_is_the_persons_for_the_family() -> None:
    for refusal in (
        said(granted=False, value=OTHER, channel="lms"),
        said(granted=False, kind="email", value=EMAIL, channel="text"),
        said(granted=False, channel="pigeon"),
        said(granted=False, at=None),
        said(granted=False, purpose=None),
        said(granted=False, at=NOW + timedelta(days=1)),
    ):
        assert is_refused(weigh(said(granted=True), refusal)), refusal
    assert not is_refused(weigh(said(granted=False, channel="email")))
    assert not is_refused(weigh(said(granted=False)), purpose=Purpose.INFORMATIONAL)


@pytest.mark.parametrize(
    ("lifting", "lifted"),
    [
        (said(granted=True, at=AFTER), True),
        (said(granted=True, at=AFTER, channel="mms"), True),
        (said(granted=True, at=BEFORE), False),
        (said(granted=True, at=None), False),
        (said(granted=True, at=AFTER, source="import"), False),
        (said(granted=True, at=AFTER, source=None), False),
        (said(granted=True, at=AFTER, value=OTHER), False),
        (said(granted=True, at=AFTER, channel="kakao"), False),
        (said(granted=True, at=NOW + timedelta(seconds=1)), False),
    ],
)
def test_only_a_later_dated_explicit_grant_of_the_same_address_lifts_a_refusal(
    lifting: dict[str, object], lifted: bool
) -> None:
    assert is_refused(weigh(said(granted=False), lifting)) is not lifted
    optout = {
        "person": 7,
        "kind": "phone",
        "value": PHONE,
        "family": "text",
        "scope": "advertising",
        "at": BEFORE,
    }
    assert is_refused(weigh(lifting, optouts=(optout,))) is not lifted
    # An undated refusal stands, also beside a dated one that was lifted.
    undated = said(granted=False, at=None)
    assert is_refused(weigh(undated, lifting))
    assert is_refused(weigh(undated, said(granted=False), lifting))
    dead = optout | {"scope": "all"}
    assert is_refused(weigh(lifting, optouts=(dead,)))
    assert is_refused(weigh(lifting, optouts=(dead,)), purpose=Purpose.INFORMATIONAL)


def test_the_latest_dated_word_decides_about_the_night() -> None:
    def night(*statements: dict[str, object]) -> bool:
        return bool(granted(destination(), weigh(*statements), Family.TEXT)["night"].item())

    yes, no = said(granted=True, night=True), said(granted=True, night=False, at=AFTER)
    assert night(yes)
    assert not night(yes, no)
    assert night(said(granted=True, night=False, at=None), yes)
    assert night(yes, said(granted=True, night=None, at=AFTER))
    assert not night(said(granted=True))


STATEMENTS = st.lists(
    st.builds(
        lambda granted, value, channel, at, source: said(
            granted, value=value, channel=channel, at=at, source=source
        ),
        st.booleans(),
        st.sampled_from([PHONE, OTHER]),
        st.sampled_from(["sms", "text", "kakao"]),
        st.sampled_from([None, BEFORE, AFTER]),
        st.sampled_from(["signup_form", "import"]),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(STATEMENTS)
def test_a_refusal_stands_until_each_refused_address_says_yes_again(
    statements: list[dict[str, object]],
) -> None:
    texts = [one for one in statements if one["channel"] != "kakao"]

    def stands(refusal: dict[str, object]) -> bool:
        at = refusal["at"]
        return at is None or not any(
            one["granted"]
            and one["value"] == refusal["value"]
            and one["source"] == "signup_form"
            and one["at"] is not None
            and one["at"] > at  # type: ignore[operator]
            for one in texts
        )

    expected = any(stands(one) for one in texts if not one["granted"])
    assert is_refused(weigh(*statements)) == expected


def test_a_draw_is_a_share_of_all_and_the_same_for_ever() -> None:
    people = [f"c{n}" for n in range(5000)]
    drawn = {who for who in people if is_drawn("green\x1fwinback", who, 0.1)}
    assert 430 < len(drawn) < 570
    assert {who for who in people if is_drawn("green\x1fwinback", who, 0.2)} > drawn
    other = {who for who in people if is_drawn("green\x1fother", who, 0.1)}
    assert len(drawn & other) < 100
    # Written down once: a change of the hash would move people between the arms.
    assert [who for who in people[:40] if is_drawn("green\x1fwinback", who, 0.1)] == [
        "c10",
        "c16",
        "c24",
    ]


def test_who_has_no_statement_has_no_permission() -> None:
    given = weigh()
    assert given.grants.is_empty()
    assert given.refusals.is_empty()
    nobody = permissions(
        Consents(empty(CONSENTS)),
        Addresses(empty(ADDRESSES)),
        Suppressions(empty(SUPPRESSIONS)),
        explicit_sources=(),
        as_of=NOW,
    )
    assert not is_granted(nobody)
