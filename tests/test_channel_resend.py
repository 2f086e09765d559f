"""Resend: the requests that its own library sends, keys that make repeats safe, and its answers."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.channels.http import (
    AccountError,
    Attempt,
    HasBalance,
    HttpProvider,
    LooksUp,
    Question,
    Response,
    Unreadable,
)
from remindctl.channels.provider import Account, NotSent, Outgoing, Receipt
from remindctl.channels.resend import Resend, key_of
from remindctl.channels.resend.answers import ACCOUNT_ERRORS, EVENTS
from remindctl.errors import Refused
from remindctl.model import Channel, State

DATA = Path(__file__).parent / "data" / "providers"
DUE = datetime.fromisoformat("2026-12-01T09:00:00+09:00")
NOW = Attempt(at=DUE, nonce="0" * 32)
EARLY = Attempt(at=DUE - timedelta(hours=1), nonce="0" * 32)
SETTINGS = {"api_key": "re_hidden", "from": "Shop <s@example.com>", "reply_to": "r@example.com"}
FIRST = Outgoing(
    id="k-1-0",
    key="k",
    store="green",
    campaign="c1",
    step="day30",
    customer_key="a",
    channel=Channel.EMAIL,
    to="a@example.net",
    kind="email",
    subject="Time to restock",
    text="hi",
    html="<p>hi</p>",
    advertising=True,
    extras={"unsubscribe": "https://example.com/u/1"},
    at=DUE,
)
SECOND = replace(FIRST, id="k-2-0", to="b@example.net")
THIRD = replace(FIRST, id="k-3-0", to="c@example.net")
BATCH = [FIRST, SECOND, THIRD]


def resend(**settings: str) -> Resend:
    return Resend.of(Account("mail", {**SETTINGS, **settings}, Path(), io.StringIO()))


def body(batch: list[Outgoing], attempt: Attempt = NOW) -> Any:
    return json.loads(resend().request(batch, attempt).content)


def answer(status: int, said: object) -> Response:
    return Response(status=status, content=json.dumps(said).encode())


def test_it_is_a_provider_that_looks_up_and_tells_how_the_account_stands() -> None:
    assert isinstance(resend(), HttpProvider)
    assert isinstance(resend(), LooksUp)
    assert isinstance(resend(), HasBalance)
    assert resend().facts.batch_size == 100
    assert resend().facts.repeat_safe_for == timedelta(hours=24)


@pytest.mark.parametrize(
    ("name", "batch"), [("resend_send", [FIRST]), ("resend_batch", [FIRST, SECOND])]
)
def test_a_mail_and_a_batch_are_the_requests_of_the_library(
    name: str, batch: list[Outgoing]
) -> None:
    expected = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    request = resend().request(batch, EARLY)
    assert request.method == expected["method"]
    assert request.url == expected["real_origin"] + expected["path"]
    assert json.loads(request.content) == expected["body_json"]
    headers = dict(request.headers)
    assert headers.pop("Authorization") == "Bearer re_hidden"
    assert headers.pop("Content-Type") == expected["headers"]["Content-Type"]
    assert headers.pop("Idempotency-Key") == key_of(batch)
    # What the library leaves strict: one bad address would hold up a hundred mails.
    assert headers == ({} if len(batch) == 1 else {"x-batch-validation": "permissive"})


def test_a_repetition_is_the_same_request_and_another_batch_has_another_key() -> None:
    later = replace(NOW, at=DUE + timedelta(hours=23), nonce="f" * 32)
    assert resend().request(BATCH, NOW) == resend().request(BATCH, later)
    reworded = [replace(FIRST, text="hello"), SECOND, THIRD]
    keys = [key_of(batch) for batch in (BATCH, reworded, BATCH[:2], BATCH[::-1], [FIRST])]
    assert keys[0] == keys[1]
    assert len(set(keys[1:])) == 4
    assert all(1 <= len(key) <= 256 for key in keys)


def test_what_a_mail_lacks_is_left_out() -> None:
    plain = replace(FIRST, html=None, extras={}, campaign="재구매", subject="다시 & 또")
    provider = Resend("re_hidden", "s@example.com")
    sent = json.loads(provider.request([plain], NOW).content)
    [tag] = sent.pop("tags")
    assert tag["name"] == "campaign"
    assert tag["value"].isascii()
    assert tag["value"].isalnum()
    assert sent == {
        "from": "s@example.com",
        "to": ["a@example.net"],
        "subject": "다시 & 또",
        "text": "hi",
    }


def test_one_click_is_promised_for_https_only() -> None:
    link = "http://example.com/u/1"
    assert body([replace(FIRST, extras={"unsubscribe": link})])["headers"] == {
        "List-Unsubscribe": f"<{link}>"
    }


def test_what_is_no_mail_does_not_leave() -> None:
    with pytest.raises(NotSent, match="not push"):
        resend().request([FIRST, replace(SECOND, channel=Channel.PUSH)], NOW)


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, ["api_key", "from"]),
        ({**SETTINGS, "from": "Shop"}, ["from"]),
        ({**SETTINGS, "from": "Shop <s@example.com>\r\nBcc: x@example.com"}, ["from"]),
        ({**SETTINGS, "reply_to": "a@example.com, b@example.com"}, ["reply_to"]),
        ({**SETTINGS, "reply-to": "a@example.com"}, ["reply-to"]),
        ({**SETTINGS, "api_key": "re hidden"}, ["api_key"]),
    ],
)
def test_settings_that_it_cannot_work_with_are_refused(
    settings: dict[str, str], keys: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        Resend.of(Account("mail", settings, Path(), io.StringIO()))
    places = [problem.place.path for problem in refused.value.problems]
    assert places == [f"providers.mail.{key}" for key in keys]


def test_the_accepted_of_a_batch_are_told_from_the_refused() -> None:
    assert resend().receipts([FIRST], answer(200, {"id": "e1"})) == [
        Receipt("k-1-0", State.SENT, "e1")
    ]
    whole = answer(200, {"data": [{"id": "e1"}, {"id": "e2"}, {"id": "e3"}]})
    assert [one.provider_id for one in resend().receipts(BATCH, whole)] == ["e1", "e2", "e3"]
    errors = [{"index": 1, "message": "Invalid `to` field: b@example.net"}]
    part = answer(200, {"data": [{"id": "e1"}, {"id": "e3"}], "errors": errors})
    assert resend().receipts(BATCH, part) == [
        Receipt("k-1-0", State.SENT, "e1"),
        Receipt("k-2-0", State.REJECTED, None, "validation_error", "Invalid `to` field: …"),
        Receipt("k-3-0", State.SENT, "e3"),
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"data": [{"id": "e1"}]},
        {"data": [{"id": "e1"}, {"id": "e2"}, {"id": "e3"}], "errors": [{"index": 1}]},
        {"data": [{"id": "e1"}], "errors": [{"index": 1}, {"index": 1}]},
        {"data": [{"id": "e1"}, {"id": "e2"}], "errors": [{"index": 7}]},
        {"data": [{"id": "e1"}, {"id": "e2"}], "errors": [{"index": []}]},
        {"data": [{"id": "e1"}, {"id": "e2"}, {}]},
        {"data": {"id": "e1"}},
        {"id": "e1"},
        [],
    ],
)
def test_answers_that_do_not_add_up_to_the_batch_are_unreadable(said: object) -> None:
    with pytest.raises(Unreadable):
        resend().receipts(BATCH, answer(200, said))


def refused(status: int, name: str) -> Response:
    said = {"statusCode": status, "name": name, "message": "of a@example.net: hi"}
    return answer(status, said)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "validation_error"),
        (400, "invalid_idempotency_key"),
        (422, "missing_required_field"),
        (422, "invalid_attachment"),
        (451, "security_error"),
    ],
)
def test_a_refused_mail_is_refused_for_ever_and_a_refused_batch_is_not(
    status: int, name: str
) -> None:
    [receipt] = resend().receipts([FIRST], refused(status, name))
    assert (receipt.state, receipt.code, receipt.detail) == (State.REJECTED, name, "of …: …")
    receipts = resend().receipts(BATCH, refused(status, name))
    assert [(one.state, one.code) for one in receipts] == [(State.FAILED, name)] * 3


def test_a_known_key_is_never_taken_for_not_sent() -> None:
    with pytest.raises(Unreadable, match="still runs"):
        resend().receipts(BATCH, refused(409, "concurrent_idempotent_requests"))
    receipts = resend().receipts(BATCH, refused(409, "invalid_idempotent_request"))
    assert [one.state for one in receipts] == [State.UNKNOWN] * 3


@pytest.mark.parametrize(
    ("status", "name"),
    [
        *((400, name) for name in ACCOUNT_ERRORS),
        (401, "missing_api_key"),
        (403, "validation_error"),
        (404, ""),
        (405, ""),
    ],
)
def test_an_error_of_the_account_stops_the_run(status: int, name: str) -> None:
    with pytest.raises(AccountError) as error:
        resend().receipts(BATCH, refused(status, name))
    assert "example.net" not in str(error.value)
    with pytest.raises(AccountError):
        resend().receipts(BATCH, Response(status=401, content=b"<html>"))


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b"[]"])
def test_an_error_that_is_none_of_resend_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        resend().receipts(BATCH, Response(status=400, content=content))


LOST = Question(id="k-1-0", channel="email", to="a@example.net", provider_id=None, at=DUE)
NAMED = replace(LOST, provider_id="e1")


def mail(seconds: float, event: str = "delivered", to: str = "a@example.net") -> dict[str, Any]:
    created = (DUE + timedelta(seconds=seconds)).isoformat(" ")
    return {"id": "e1", "to": [to], "created_at": created, "last_event": event}


def test_a_message_is_asked_for_by_its_id_or_among_the_latest() -> None:
    named, listed = resend().look_up([NAMED], NOW), resend().look_up([LOST], NOW)
    assert (named.method, named.url) == ("GET", "https://api.resend.com/emails/e1")
    assert listed.url == "https://api.resend.com/emails?limit=100"
    assert listed.headers["Authorization"] == "Bearer re_hidden"


@pytest.mark.parametrize(
    ("mails", "states"),
    [
        ([mail(1)], [State.DELIVERED]),
        ([mail(1, to="b@example.net"), mail(-11), mail(2, "queued")], [State.SENT]),
        ([mail(1), mail(2)], []),
        ([mail(121)], []),
        ([{**mail(1), "created_at": "2026-12-01 00:00:01"}, {"to": 1}, 7], []),
    ],
)
def test_only_the_one_mail_of_that_time_can_be_it(mails: list[object], states: list[State]) -> None:
    receipts = resend().found([LOST], answer(200, {"data": mails}))
    assert [receipt.state for receipt in receipts] == states
    assert not resend().exact


def test_a_result_says_whose_address_is_of_no_use() -> None:
    def result(event: str) -> tuple[State, str | None]:
        [receipt] = resend().found([NAMED], answer(200, mail(0, event)))
        assert receipt.provider_id == "e1"
        return receipt.state, receipt.suppress

    assert {event: result(event) for event in EVENTS} == EVENTS
    assert result("bounced") == (State.UNDELIVERED, "dead")
    assert result("complained") == (State.DELIVERED, "refused")
    assert resend().found([NAMED], refused(404, "not_found")) == []
    with pytest.raises(AccountError):
        resend().found([NAMED], refused(401, "restricted_api_key"))
    with pytest.raises(Unreadable):
        result("dreaming")


def test_the_senders_domain_is_verified_or_it_cannot_send() -> None:
    assert resend().balance(NOW).url == "https://api.resend.com/domains?limit=100"
    domains = [{"name": "example.net", "status": "verified"}]
    waiting = {"name": "example.com", "status": "pending"}
    with pytest.raises(AccountError, match=r"example\.com is not verified"):
        resend().told(answer(200, {"data": [*domains, waiting]}))
    verified = [*domains, waiting | {"status": "verified"}]
    assert resend().told(answer(200, {"data": verified})) == "example.com is verified"
    assert "only sends" in resend().told(refused(401, "restricted_api_key"))
    with pytest.raises(AccountError):
        resend().told(refused(403, "invalid_api_key"))
    with pytest.raises(Unreadable):
        resend().told(answer(200, {"data": None}))


KEYS = ["id", "data", "errors", "index", "name", "message", "to", "last_event"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS), inner | st.sampled_from(sorted(EVENTS)), max_size=4
        )
    ),
    max_leaves=10,
)


@given(status=st.integers(200, 499), said=JSON, size=st.integers(1, 3))
def test_whatever_is_answered_there_is_a_receipt_each_or_a_known_error(
    status: int, said: object, size: int
) -> None:
    batch = BATCH[:size]
    try:
        receipts = resend().receipts(batch, answer(status, said))
    except (AccountError, Unreadable):
        pass
    else:
        assert [one.id for one in receipts] == [one.id for one in batch]
    for read in (resend().found, lambda _, said: resend().told(said)):
        for question in (LOST, NAMED):
            try:
                read([question], answer(status, said))
            except (AccountError, Unreadable):
                continue
