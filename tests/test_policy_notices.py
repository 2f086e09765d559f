"""Whom the law asks to be told of their consent or refusal, and what a reply or a bounce means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from remindctl.errors import Place
from remindctl.frames import (
    ADDRESSES,
    CONSENTS,
    SUPPRESSIONS,
    Addresses,
    Consents,
    Suppressions,
    conform,
    empty,
)
from remindctl.model import (
    Campaign,
    Channel,
    Due,
    Leg,
    Policy,
    Purpose,
    Span,
    Step,
    Store,
    Variant,
)
from remindctl.policy import (
    Reply,
    everyone,
    is_hard_bounce,
    notices,
    read_reply,
    stale_feed,
    undated,
    vague_wordings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# Noon in Seoul.
NOW = datetime(2026, 10, 10, 3, tzinfo=UTC)
PHONE, EMAIL = "+821090000001", "kim@example.com"


def day(month: int, day_: int, year: int = 2026, hour: int = 3) -> datetime:
    return datetime(year, month, day_, hour, tzinfo=UTC)


def said(**more: object) -> dict[str, object]:
    return {
        "kind": "phone", "value": PHONE, "channel": "sms", "purpose": "advertising",
        "granted": True, "at": day(10, 1), "notice_sent_at": None, **more,
    }  # fmt: skip


def owed(
    *statements: Mapping[str, object],
    optouts: tuple[Mapping[str, object], ...] = (),
    within: int = 30,
) -> list[tuple[str, ...]]:
    """List who is to be told: the address, the family, what for, of what, until when, overdue?"""
    consents = _ledger(*statements)
    known = [{"person": 7, "kind": "phone", "value": PHONE},
             {"person": 7, "kind": "email", "value": EMAIL},
             {"person": 7, "kind": "shop_id", "value": "u1"}]  # fmt: skip
    people = everyone(Addresses(conform(pl.DataFrame(known), ADDRESSES)), consents)
    suppressed = [
        {"person": 7, "kind": "phone", "value": PHONE, "family": "text", **one} for one in optouts
    ]
    found = notices(
        consents,
        people,
        Suppressions(
            conform(pl.DataFrame(suppressed), SUPPRESSIONS) if suppressed else empty(SUPPRESSIONS)
        ),
        explicit_sources=("signup_form",),
        as_of=NOW,
        within=Span(days=within),
        zone="Asia/Seoul",
    )
    return [
        (row["value"], row["family"], row["notice"], row["said"], str(row["due_on"]))
        + (("overdue",) if row["overdue"] else ())
        for row in found.to_dicts()
    ]


def _ledger(*statements: Mapping[str, object]) -> Consents:
    if not statements:
        return Consents(empty(CONSENTS))
    frame = pl.DataFrame(list(map(dict, statements)), infer_schema_length=None)
    return Consents(conform(frame, CONSENTS))


def test_whoever_consents_or_refuses_is_told_the_result_within_14_days() -> None:
    assert owed(said()) == [(PHONE, "text", "result", "consent", "2026-10-15")]
    refusal = said(granted=False, channel="email", kind="email", value=EMAIL, at=day(9, 26))
    assert owed(refusal) == [(EMAIL, "email", "result", "refusal", "2026-10-10")]
    late = said(granted=False, channel="pigeon", at=day(9, 25))
    assert owed(late) == [(PHONE, "every", "result", "refusal", "2026-10-09", "overdue")]
    # What is told is told; what came after the notice is not.
    assert owed(said(notice_sent_at=day(10, 3))) == []
    again = said(granted=False, at=day(10, 5))
    assert owed(said(notice_sent_at=day(10, 3)), again) == [
        (PHONE, "text", "result", "refusal", "2026-10-19")
    ]


def test_the_days_are_those_of_the_stores_calendar() -> None:
    # Half past midnight of the second in Seoul, still the first in London.
    assert owed(said(at=day(10, 1, hour=15)))[0][4] == "2026-10-16"


def test_a_withdrawal_by_the_free_line_is_told_of_too_but_nothing_to_a_dead_address() -> None:
    optout = {"scope": "advertising", "at": day(10, 5)}
    assert owed(optouts=(optout,)) == [(PHONE, "text", "result", "refusal", "2026-10-19")]
    assert owed(optouts=(optout | {"scope": "all"},)) == []


def test_a_consent_is_renewed_before_the_same_date_of_the_second_year() -> None:
    old = said(at=day(10, 20, 2024), notice_sent_at=day(10, 25, 2024))
    assert owed(old) == [(PHONE, "text", "renewal", "consent", "2026-10-19")]
    assert owed(old, within=8) == []
    gone = said(at=day(10, 10, 2024), notice_sent_at=day(10, 12, 2024))
    assert owed(gone, within=1)[0][4:] == ("2026-10-09", "overdue")
    assert owed(said(at=day(1, 1, 2023), notice_sent_at=day(11, 1, 2024)))[0][4] == "2026-10-31"
    # Who has refused since is not asked again, and an undated consent foretells nothing.
    assert owed(old, said(granted=False, at=day(1, 1, 2025), notice_sent_at=day(1, 2, 2025))) == []
    assert owed(old, optouts=({"scope": "all", "at": day(1, 1, 2025)},)) == []
    assert owed(said(at=None)) == []
    assert undated(_ledger(said(at=None), said(at=None, granted=False), said())) == 1


def test_one_statement_is_told_of_once_at_the_address_of_its_family() -> None:
    everywhere = [said(), said(kind="email", value=EMAIL), said(kind="shop_id", value="u1")]
    assert [one[0] for one in owed(*everywhere)] == [PHONE]
    assert [one[0] for one in owed(everywhere[2])] == ["u1"]
    # A yes to texts that an e-mail address says allows nothing; a no does forbid.
    assert owed(everywhere[1]) == []
    assert [one[0] for one in owed(everywhere[1] | {"granted": False})] == [EMAIL]
    assert owed(said(purpose="informational")) == []


def test_addresses_that_no_other_file_knows_are_owed_the_same() -> None:
    stranger = said(value="+821090000099")
    assert [one[0] for one in owed(stranger, said())] == [PHONE, "+821090000099"]


@pytest.mark.parametrize(
    ("wording", "vague"),
    [
        ("혜택 알림 받기", True),
        ("Get news and offers", True),
        ("광고성 정보 수신에 동의합니다", False),
        ("마케팅 활용 동의", False),
        ("I agree to receive ADVERTISING texts", False),
        ("Email me marketing messages", False),
        ("v3", False),
        ("2026-03", False),
        (None, False),
    ],
)
def test_a_wording_that_does_not_name_advertising_is_found(
    wording: str | None, vague: bool
) -> None:
    both = _ledger(said(wording=wording), said(wording=wording, at=None))
    assert vague_wordings(both).rows() == ([(wording, 1)] if vague else [])
    assert vague_wordings(_ledger(said(wording=wording, granted=False))).is_empty()


def test_a_feed_of_opt_outs_that_went_stale_is_warned_of_where_mail_advertises() -> None:
    shop = Store(
        key="green", name="g", timezone="Asia/Seoul", country="KR", currency="KRW",
        policy=Policy(preset="KR"),
    )  # fmt: skip

    def campaign(channel: Channel, purpose: Purpose = Purpose.ADVERTISING) -> Campaign:
        due = Due(after="last_order", wait=Span(days=30))
        variants = (Variant(legs=(Leg(channel=channel, text="x"),)),)
        return Campaign(
            name="c", purpose=purpose, steps=(Step(id="a", due=due, variants=variants),)
        )

    mail = [campaign(Channel.EMAIL)]
    for last in (None, NOW - timedelta(hours=25)):
        problem = stale_feed(shop, mail, last, NOW)
        assert problem is not None
        assert problem.warning
        assert problem.place == Place("store green")
    assert stale_feed(shop, mail, NOW - timedelta(hours=24), NOW) is None
    quiet = [campaign(Channel.LMS), campaign(Channel.EMAIL, Purpose.INFORMATIONAL)]
    assert stale_feed(shop, quiet, None, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop.", " Stop ", "S T O P", "Stop please", "“STOP”", "quit", "END", "revoke",
        "opt out", "Opt-Out", "OPTOUT", "cancel", "unsubscribe me", "stopall", "Ｓｔｏｐ",
        "수신거부", "수신 거부", "거부", "거부합니다", "수신거부해주세요", "무료수신거부",
    ],
)  # fmt: skip
def test_every_word_that_opts_out_is_recognised_whatever_its_form(text: str) -> None:
    assert read_reply(text) is Reply.STOP


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("START", Reply.RETURN),
        ("unstop", Reply.RETURN),
        ("Yes!", Reply.RETURN),
        ("when does my order come", Reply.UNCLEAR),
        ("please stop", Reply.UNCLEAR),
        ("ended well", Reply.UNCLEAR),
        ("보내지 마세요", Reply.UNCLEAR),
        ("", Reply.UNCLEAR),
        ("👍", Reply.UNCLEAR),
    ],
)
def test_what_is_unclear_is_left_to_a_person_and_nothing_lifts_an_opt_out(
    text: str, reply: Reply
) -> None:
    assert read_reply(text) is reply


def test_only_a_bounce_for_good_is_a_dead_address() -> None:
    for hard in (
        "hard",
        "Permanent",
        "5.1.1",
        "550 no such user",
        "영구 반송",
        "존재하지 않는 사용자",
    ):
        assert is_hard_bounce(hard) is True, hard
    for soft in ("soft", "Transient", "4.2.2", "452", "mailbox full", "soft 5.2.2", "일시적"):
        assert is_hard_bounce(soft) is False, soft
    assert is_hard_bounce("undetermined") is None
    assert is_hard_bounce("") is None
