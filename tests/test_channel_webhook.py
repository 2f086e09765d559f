"""The webhook: a body anyone can read, a signature anyone can check, and what answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.channels.http import AccountError, Attempt, HttpProvider, Response, Unreadable
from remindctl.channels.provider import Account, Outgoing, Receipt
from remindctl.channels.webhook import Webhook, signature
from remindctl.errors import Refused
from remindctl.model import Channel, State

KEY = b"twenty-four bytes of key"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
URL = "https://shop.example/hook/"
NOW = datetime(2026, 12, 1, 0, 0, 0, 900_000, tzinfo=UTC)
ATTEMPT = Attempt(at=NOW, nonce="0" * 32)
MESSAGE = Outgoing(
    id="6b1f-a0-0",
    key="6b1f",
    store="green",
    campaign="winback",
    step="day30",
    customer_key="a",
    channel=Channel.ALIMTALK,
    to="+821090000000",
    kind="phone",
    subject=None,
    text="안녕하세요 😀",
    html=None,
    advertising=False,
    extras={"template": "T1", "variables": {"이름": "김"}, "image": "/home/kim/새.jpg"},
    at=datetime.fromisoformat("2026-12-01T09:00:00+09:00"),
)


def webhook(**settings: str) -> Webhook:
    given = {"url": URL, "secret": SECRET, **settings}
    return Webhook.of(Account("own", given, Path(), io.StringIO()))


def test_the_body_is_what_the_documentation_says() -> None:
    request = webhook().request([MESSAGE], ATTEMPT)
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content) == {
        "type": "message.send",
        "schema": "remindctl.message/1",
        "timestamp": "2026-12-01T09:00:00+09:00",
        "data": {
            "id": "6b1f-a0-0",
            "key": "6b1f",
            "store": "green",
            "campaign": "winback",
            "step": "day30",
            "customer_key": "a",
            "channel": "alimtalk",
            "kind": "phone",
            "to": "+821090000000",
            "subject": None,
            "text": "안녕하세요 😀",
            "html": None,
            "advertising": False,
            "extras": {"template": "T1", "variables": {"이름": "김"}, "image": "새.jpg"},
        },
    }
    web = replace(MESSAGE, extras={"image": "https://shop.example/1.jpg"})
    body = json.loads(webhook().request([web], ATTEMPT).content)
    assert body["data"]["extras"] == web.extras


@given(text=st.text(), identifier=st.from_regex(r"[0-9a-f]{1,32}-[0-9]", fullmatch=True))
def test_a_receiver_can_check_the_signature_over_the_raw_body(text: str, identifier: str) -> None:
    request = webhook().request([replace(MESSAGE, id=identifier, text=text)], ATTEMPT)
    named, seconds = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert named == request.headers["Idempotency-Key"] == identifier
    assert seconds == "1796083200"
    signed = f"{named}.{seconds}.".encode() + request.content
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(request.content)["data"]["text"] == text


def test_the_signature_is_that_of_the_published_example() -> None:
    # From the libraries of Standard Webhooks.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature(key, *signed) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_repetition_differs_in_its_time_and_signature_only() -> None:
    first = webhook().request([MESSAGE], ATTEMPT)
    later = webhook().request([MESSAGE], replace(ATTEMPT, at=NOW + timedelta(hours=1)))
    differing = {name for name in first.headers if first.headers[name] != later.headers[name]}
    assert differing == {"webhook-timestamp", "webhook-signature"}
    assert (first.content, first.url) == (later.content, later.url)
    assert webhook().facts.repeat_safe_for == timedelta(hours=24)
    assert isinstance(webhook(), HttpProvider)


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"url": "", "secret": ""}, ["url", "secret"]),
        ({"url": "http://shop.example"}, ["url"]),
        ({"secret": base64.b64encode(KEY).decode()}, ["secret"]),
        ({"secret": "whsec_not base64"}, ["secret"]),
        ({"secret": "whsec_c2hvcnQ="}, ["secret"]),
        ({"secret": f"whsec_{base64.b64encode(b'x' * 65).decode()}"}, ["secret"]),
        ({"base_url": "https://shop.example"}, ["base_url"]),
    ],
)
def test_settings_that_it_cannot_work_with_are_refused(
    settings: dict[str, str], keys: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        webhook(**settings)
    places = [problem.place.path for problem in refused.value.problems]
    assert places == [f"providers.own.{key}" for key in keys]
    assert SECRET not in repr(refused.value.problems)


def test_a_line_end_that_came_along_with_the_secret_is_left_out() -> None:
    requests = [webhook(secret=one).request([MESSAGE], ATTEMPT) for one in (SECRET, f"{SECRET}\n")]
    assert requests[0] == requests[1]


def answer(status: int, said: object) -> Response:
    return Response(status=status, content=json.dumps(said).encode())


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", None), (b"ok", None), (b"{}", None), (b'{"id": "m-1"}', "m-1"), (b'{"id": 17}', "17")],
)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_sent_whatever_the_body(
    status: int, content: bytes, name: str | None
) -> None:
    receipts = webhook().receipts([MESSAGE], Response(status=status, content=content))
    assert receipts == [Receipt("6b1f-a0-0", State.SENT, name)]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_refused_message_is_refused_for_ever(status: int) -> None:
    [receipt] = webhook().receipts([MESSAGE], answer(status, {"code": "E7"}))
    assert (receipt.state, receipt.code, receipt.suppress) == (State.REJECTED, "E7", None)
    for said in (None, {"code": "no kim@example.com here"}, {"code": ["E7"]}):
        [receipt] = webhook().receipts([MESSAGE], answer(status, said))
        assert receipt.code == f"HTTP {status}"


def test_gone_means_the_address_or_that_the_person_wants_no_more() -> None:
    for said, suppress in (
        (None, "dead"),
        ({"suppress": "dead"}, "dead"),
        ({"suppress": "refused"}, "refused"),
        ({"suppress": "everything"}, "dead"),
    ):
        [receipt] = webhook().receipts([MESSAGE], answer(410, said))
        assert (receipt.state, receipt.suppress) == (State.REJECTED, suppress)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 406, 407, 415])
def test_a_receiver_that_takes_nothing_stops_the_run(status: int) -> None:
    with pytest.raises(AccountError, match=str(status)):
        webhook().receipts([MESSAGE], answer(status, {"error": "hidden"}))


@pytest.mark.parametrize("status", [301, 303, 308, 402, 408, 418])
def test_any_other_answer_tells_nothing(status: int) -> None:
    with pytest.raises(Unreadable):
        webhook().receipts([MESSAGE], answer(status, {"id": "m-1"}))


def test_what_is_not_taken_yet_is_left_to_a_later_try() -> None:
    assert webhook().facts.not_accepted == {425, 429}
