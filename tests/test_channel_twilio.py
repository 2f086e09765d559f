"""Twilio: the requests that its own library sends, and what its answers say of a message."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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
from remindctl.channels.twilio import Twilio
from remindctl.channels.twilio.answers import ACCOUNT_ERRORS, ERRORS, STATUSES
from remindctl.errors import Refused
from remindctl.model import Channel, State

DATA = Path(__file__).parent / "data" / "providers"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ATTEMPT = Attempt(at=NOW, nonce="0" * 32)
SID = "AC" + "0" * 32
SERVICE = "MG" + "0" * 32
LOGIN = {"account_sid": SID, "auth_token": "hidden-token"}
MESSAGE = Outgoing(
    id="k-1-0",
    key="k",
    store="green",
    campaign="winback",
    step="day30",
    customer_key="a",
    channel=Channel.SMS,
    to="+15558675310",
    kind="phone",
    subject=None,
    text="Time to restock? Reply STOP to opt out",
    html=None,
    advertising=True,
    at=NOW,
)
MMS = replace(MESSAGE, channel=Channel.MMS, text="pic")


def twilio(**settings: str) -> Twilio:
    sender = {} if "messaging_service" in settings else {"from": "+15557122661"}
    return Twilio.of(Account("sms", {**LOGIN, **sender, **settings}, Path(), io.StringIO()))


def form(provider: Twilio, message: Outgoing) -> list[tuple[str, str]]:
    content = provider.request([message], ATTEMPT).content.decode()
    return parse_qsl(content, strict_parsing=True, keep_blank_values=True)


def recorded(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return loaded


def answer(status: int, body: object) -> Response:
    return Response(status=status, content=json.dumps(body).encode())


def test_it_is_a_provider_that_looks_up_and_tells_its_balance() -> None:
    assert isinstance(twilio(), HttpProvider)
    assert isinstance(twilio(), LooksUp)
    assert isinstance(twilio(), HasBalance)
    assert not twilio().exact


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("twilio_sms_from", MESSAGE),
        ("twilio_err_20429", replace(MESSAGE, text="x")),
        ("twilio_err_21610", replace(MESSAGE, text="x")),
    ],
)
def test_a_text_is_the_request_of_the_library(name: str, message: Outgoing) -> None:
    expected = recorded(name)
    request = twilio().request([message], ATTEMPT)
    assert request.method == expected["method"]
    assert request.url == expected["real_origin"] + expected["path"]
    assert request.content.decode() == expected["body_raw"]
    assert request.headers["Content-Type"] == expected["headers"]["Content-Type"]
    login = base64.b64encode(f"{SID}:hidden-token".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {login}"


def test_an_image_is_named_by_its_place_on_the_web() -> None:
    # The library was given two; a message of ours has one.
    expected = recorded("twilio_mms_media")["body_raw"].rpartition("&MediaUrl=")[0]
    web = replace(MMS, extras={"image": "https://example.com/1.jpg"})
    local = replace(MMS, extras={"image": "/shop/images/1.jpg"})
    assert twilio().request([web], ATTEMPT).content.decode() == expected
    named = twilio(media_url="https://example.com/")
    assert named.request([local], ATTEMPT).content.decode() == expected
    korean = replace(MMS, extras={"image": "/shop/images/새 상품.jpg"})
    [*_, (_, url)] = form(named, korean)
    assert url == "https://example.com/%EC%83%88%20%EC%83%81%ED%92%88.jpg"
    with pytest.raises(NotSent, match=r"put 1\.jpg there and name the folder, media_url") as error:
        twilio().request([local], ATTEMPT)
    assert "/shop" not in str(error.value)


def test_a_service_an_api_key_and_the_options_go_where_twilio_wants_them() -> None:
    provider = twilio(
        messaging_service=SERVICE,
        api_key="SK1",
        api_secret="s3",
        validity_period="3600",
        status_callback="https://shop.example/cb",
    )
    message = replace(MESSAGE, channel=Channel.LMS, subject="다시", text="안녕 & 잘가")
    assert form(provider, message) == [
        ("To", "+15558675310"),
        ("MessagingServiceSid", SERVICE),
        ("Body", "다시\n안녕 & 잘가"),
        ("StatusCallback", "https://shop.example/cb"),
        ("ValidityPeriod", "3600"),
    ]
    request = provider.request([message], ATTEMPT)
    assert SID in request.url
    assert request.headers["Authorization"] == f"Basic {base64.b64encode(b'SK1:s3').decode()}"


def test_a_message_that_is_due_later_is_scheduled_through_a_service() -> None:
    later = replace(MESSAGE, at=datetime.fromisoformat("2026-12-01T18:00:00+09:00"))
    fields = form(twilio(messaging_service=SERVICE), later)
    assert fields[-2:] == [("ScheduleType", "fixed"), ("SendAt", "2026-12-01T09:00:00Z")]
    soon = replace(MESSAGE, at=NOW + timedelta(minutes=4))
    assert form(twilio(), soon) == form(twilio(), MESSAGE)
    with pytest.raises(NotSent, match="messaging_service"):
        twilio().request([later], ATTEMPT)


def test_what_is_no_text_message_does_not_leave() -> None:
    with pytest.raises(NotSent, match="not email"):
        twilio().request([replace(MESSAGE, channel=Channel.EMAIL)], ATTEMPT)


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, ["account_sid", "auth_token", "from"]),
        ({**LOGIN, "from": "+1", "account_sid": "AC1"}, ["account_sid"]),
        ({**LOGIN, "messaging_service": "MG"}, ["messaging_service"]),
        ({**LOGIN, "from": "+1", "api_key": "SK1"}, ["api_secret"]),
        ({**LOGIN, "from": "+1", "validity_period": "36001"}, ["validity_period"]),
        ({**LOGIN, "from": "+1", "base_url": "http://shop.example"}, ["base_url"]),
        ({**LOGIN, "from": "+1", "sender": "+1"}, ["sender"]),
    ],
)
def test_settings_that_it_cannot_work_with_are_refused(
    settings: dict[str, str], keys: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        Twilio.of(Account("sms", settings, Path(), io.StringIO()))
    places = [problem.place.path for problem in refused.value.problems]
    assert places == [f"providers.sms.{key}" for key in keys]
    assert "hidden-token" not in repr(refused.value.problems)


def test_a_base_url_replaces_the_origin() -> None:
    request = twilio(base_url="http://127.0.0.1:4010/").request([MESSAGE], ATTEMPT)
    assert request.url == f"http://127.0.0.1:4010/2010-04-01/Accounts/{SID}/Messages.json"


def accepted(status: str, code: int | None = None, **more: object) -> dict[str, object]:
    return {"sid": "SM1", "status": status, "error_code": code, "error_message": None, **more}


def test_an_accepted_message_is_sent_and_one_that_failed_at_once_is_not() -> None:
    for status in ("queued", "accepted", "scheduled", "sending", "sent", "delivered"):
        receipts = twilio().receipts([MESSAGE], answer(201, accepted(status)))
        assert receipts == [Receipt("k-1-0", State.SENT, "SM1")]
    [dead] = twilio().receipts([MESSAGE], answer(201, accepted("failed", 30005)))
    assert (dead.state, dead.code, dead.suppress) == (State.REJECTED, "30005", "dead")
    [full] = twilio().receipts([MESSAGE], answer(201, accepted("failed", 30001)))
    assert (full.state, full.suppress) == (State.FAILED, None)
    [plain] = twilio().receipts([MESSAGE], answer(201, accepted("failed")))
    assert (plain.state, plain.code, plain.detail) == (State.REJECTED, None, "failed")


@pytest.mark.parametrize(("code", "state", "suppress"), [
    (21610, State.REJECTED, "refused"),
    (21211, State.REJECTED, "dead"),
    (21614, State.REJECTED, "dead"),
    (21635, State.REJECTED, "dead"),
    (21408, State.REJECTED, None),
    (21612, State.REJECTED, None),
    (21617, State.REJECTED, None),
    (21608, State.FAILED, None),
    (21611, State.FAILED, None),
    (35114, State.REJECTED, None),
])  # fmt: skip
def test_an_error_of_the_message_says_what_becomes_of_it(
    code: int, state: State, suppress: str | None
) -> None:
    said = {"code": code, "message": "about '+15558675310'", "status": 400}
    [receipt] = twilio().receipts([MESSAGE], answer(400, said))
    assert (receipt.id, receipt.state, receipt.suppress) == ("k-1-0", state, suppress)
    assert receipt.code == str(code)
    assert receipt.detail
    assert "5310" not in receipt.detail


@pytest.mark.parametrize("code", ACCOUNT_ERRORS)
def test_an_error_of_the_account_stops_the_run(code: int) -> None:
    with pytest.raises(AccountError, match=str(code)):
        twilio().receipts([MESSAGE], answer(400, {"code": code, "message": "+15557122661"}))


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("content", [b"", b"<html>", b'{"code": 1}', b'{"code": []}'])
def test_a_status_that_refuses_the_account_needs_no_body(status: int, content: bytes) -> None:
    with pytest.raises(AccountError):
        twilio().receipts([MESSAGE], Response(status=status, content=content))
    [stopped] = twilio().receipts([MESSAGE], answer(status, {"code": 21610}))
    assert stopped.suppress == "refused"


def test_no_code_stands_in_two_tables() -> None:
    assert not ERRORS.keys() & ACCOUNT_ERRORS.keys()
    assert 429 in twilio().facts.not_accepted
    assert twilio().facts.repeat_safe_for is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(ERRORS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sid", "status", "code", "error_code", "message", "messages"])
            | st.text(),
            inner | st.sampled_from(sorted(STATUSES)),
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(status=st.integers(200, 499), body=JSON)
def test_whatever_is_answered_there_is_one_receipt_or_a_known_error(
    status: int, body: object
) -> None:
    for read in (
        lambda: twilio().receipts([MESSAGE], answer(status, body)),
        lambda: twilio().found([QUESTION], answer(status, body)),
        lambda: twilio().told(answer(status, body)),
    ):
        try:
            said = read()
        except (AccountError, Unreadable) as error:
            assert "+15558675310" not in str(error)  # noqa: PT017 (either is right)
        else:
            assert isinstance(said, str) or [one.id for one in said] in ([], ["k-1-0"])


QUESTION = Question(
    id="k-1-0",
    channel="sms",
    to="+15558675310",
    provider_id=None,
    at=NOW + timedelta(seconds=10),
)


def listed(seconds: float, status: str = "delivered") -> dict[str, object]:
    at = QUESTION.at + timedelta(seconds=seconds)
    message = accepted(status, direction="outbound-api", to=QUESTION.to)
    return message | {"date_created": at.strftime("%a, %d %b %Y %H:%M:%S +0000")}


def test_a_lost_message_is_asked_for_as_the_library_does() -> None:
    expected = recorded("twilio_list")
    request = twilio().look_up([QUESTION], ATTEMPT)
    assert (request.method, request.content) == ("GET", b"")
    assert request.url == expected["real_origin"] + expected["path"]
    assert dict(parse_qsl(urlsplit(request.url).query))["DateSent>"] == "2026-01-01T00:00:00Z"
    by_id = twilio().look_up([replace(QUESTION, provider_id="SM/1")], ATTEMPT)
    assert by_id.url.endswith(f"/Accounts/{SID}/Messages/SM%2F1.json")
    with pytest.raises(NotSent, match="no longer"):
        twilio().look_up([replace(QUESTION, to=None)], ATTEMPT)


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ([listed(1)], State.DELIVERED),
        ([listed(-11), listed(2, "queued"), listed(121)], State.SENT),
        ([listed(1) | {"direction": "inbound"}, listed(1, "undelivered")], State.UNDELIVERED),
        ([listed(1) | {"to": "+12025550100"}], None),
        ([listed(1), listed(20)], None),
        ([listed(1) | {"date_created": None}, 7], None),
        ([], None),
    ],
)
def test_only_the_one_message_of_that_time_can_be_it(
    messages: list[object], state: State | None
) -> None:
    receipts = twilio().found([QUESTION], answer(200, {"messages": messages}))
    assert [receipt.state for receipt in receipts] == ([] if state is None else [state])
    more = {"messages": messages, "next_page_uri": "/2"}
    assert twilio().found([QUESTION], answer(200, more)) == []


def test_a_result_says_whose_address_is_of_no_use() -> None:
    named = replace(QUESTION, provider_id="SM1")

    def result(status: str, code: int | None = None) -> Receipt:
        [receipt] = twilio().found([named], answer(200, accepted(status, code)))
        return receipt

    assert result("delivered") == Receipt("k-1-0", State.DELIVERED, "SM1")
    assert result("sending") == Receipt("k-1-0", State.SENT, "SM1")
    for code, suppress in ((30003, None), (30005, "dead"), (30006, "dead"), (21610, "refused")):
        receipt = result("undelivered", code)
        assert (receipt.state, receipt.code) == (State.UNDELIVERED, str(code))
        assert receipt.suppress == suppress
    assert twilio().found([named], answer(404, {"code": 20404})) == []
    with pytest.raises(AccountError):
        twilio().found([named], answer(401, {"code": 20003}))
    with pytest.raises(Unreadable):
        twilio().found([named], answer(200, accepted("dreaming")))


def test_the_balance_tells_whether_the_account_can_send() -> None:
    request = twilio().balance(ATTEMPT)
    assert (request.method, request.url.rpartition("/")[2]) == ("GET", "Balance.json")
    said = answer(200, {"balance": "12.50", "currency": "USD"})
    assert twilio().told(said) == "balance 12.50 USD"
    assert "parent" in twilio().told(answer(200, {"balance": None}))
    for status, body in ((200, {"balance": "-0.10"}), (401, {"code": 20003}), (403, {})):
        with pytest.raises(AccountError):
            twilio().told(answer(status, body))
    for amount in ("much", "NaN"):
        with pytest.raises(Unreadable):
            twilio().told(answer(200, {"balance": amount}))
