"""SOLAPI: requests as its own SDK sends them, and what each answer says of each message."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from remindctl.channels.http import (
    AccountError,
    Attempt,
    HasBalance,
    LooksUp,
    Prepares,
    Question,
    Response,
    Unreadable,
)
from remindctl.channels.phones import dialled, split
from remindctl.channels.provider import Account, NotSent, Outgoing, Receipt
from remindctl.channels.solapi import Solapi
from remindctl.channels.solapi.codes import CODES
from remindctl.channels.verdicts import Verdict
from remindctl.errors import Refused
from remindctl.model import Channel, State

RECORDED = Path(__file__).parent / "data" / "providers"
AT = datetime(2026, 11, 22, 9, 0, 30, tzinfo=timezone(timedelta(hours=9)))
ATTEMPT = Attempt(at=AT, nonce="0123456789abcdef0123456789abcdef")
SETTINGS = {
    "api_key": "TESTAPIKEY000000",
    "api_secret": "TESTSECRET",
    "sender": "02-000-0000",
    "pf_id": "KA01PF0",
}


def solapi(**changed: str) -> Solapi:
    settings = {key: value for key, value in (SETTINGS | changed).items() if value}
    return Solapi.of(Account("solapi", settings, Path(), io.StringIO()))


def message(channel: Channel, text: str = "", to: str = "+821000000001", **more: Any) -> Outgoing:
    return Outgoing(
        id=more.pop("id", "6b-p-0"),
        key="6b",
        store="green",
        campaign="winback",
        step="day30",
        customer_key="a",
        channel=channel,
        to=to,
        kind="phone",
        subject=more.pop("subject", None),
        text=text,
        html=None,
        advertising=True,
        extras=more,
        at=AT,
    )


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what repeats a default of the server, and what we ask for on top of an SDK."""
    defaults = {"country": "82", "autoTypeDetect": True, "disableSms": False, "adult": False}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {k: plain(v) for k, v in value.items() if defaults.get(k, ...) != v}
            return {k: v for k, v in kept.items() if k != "customFields"}
        return [plain(item) for item in value] if isinstance(value, list) else value

    assert not body.get("allowDuplicates")
    return {"messages": plain(body["messages"])}


FREE: dict[str, Any] = {
    "form": "text",
    "targeting": "I",
    "buttons": [
        {"name": "다시 구매", "kind": "link", "url": "https://example.com/r/1"},
        {"name": "채널 추가", "kind": "add_channel"},
    ],
    "coupon": {
        "title": "10% 할인 쿠폰",
        "description": "이번 주만",
        "url": "https://example.com/c",
    },
}
CASES = {
    "sms": message(Channel.SMS, "안녕하세요 홍길동님, 재구매 시기입니다."),
    "lms": message(Channel.LMS, "가" * 60, subject="제목"),
    "mms": message(Channel.MMS, "사진", subject="제목", image="/shop/new.jpg"),
    "alimtalk": message(
        Channel.ALIMTALK,
        template="KA01TP0",
        variables={"고객명": "홍길동", "상품명": "사료 3kg"},
        fallback={},
    ),
    "alimtalk_disable_sms": message(
        Channel.ALIMTALK,
        template="KA01TP0",
        variables={"a": "1"},
        approved_text="#{a}",
        buttons=FREE["buttons"],
    ),
    "alimtalk_replacements": message(
        Channel.ALIMTALK,
        template="KA01TP0",
        variables={"a": "1"},
        fallback={"subject": "대체 제목", "text": "대체 문자"},
    ),
    "bms_template": message(
        Channel.BRAND_MESSAGE,
        template="KA01TPB",
        variables={"쿠폰": "10%"},
        form="image",
        image="/shop/new.jpg",
    ),
    "bms_free_text": message(Channel.BRAND_MESSAGE, "(광고) 본문", **FREE),
}


@pytest.mark.parametrize("name", CASES)
def test_a_request_means_what_the_sdk_of_solapi_sends(name: str) -> None:
    ready = {"MMS:/shop/new.jpg": "ST01FZ0"}
    request = solapi().request([CASES[name]], Attempt(at=AT, nonce=ATTEMPT.nonce, ready=ready))
    theirs = recorded(f"solapi_py_{name}")
    assert request.method == theirs["method"]
    assert request.url == theirs["real_origin"] + theirs["path"]
    assert request.headers["Content-Type"] == theirs["headers"]["Content-Type"]
    body = json.loads(request.content)
    assert meaning(body) == meaning(theirs["body_json"])
    assert body["showMessageList"] is True
    assert body["messages"][0]["customFields"] == {"remindctl": "6b-p-0"}


def test_one_request_holds_messages_of_all_channels() -> None:
    ready = {"MMS:/shop/new.jpg": "ST01FZ0"}
    attempt = Attempt(at=AT, nonce=ATTEMPT.nonce, ready=ready)
    body = json.loads(solapi().request([*CASES.values()], attempt).content)
    theirs = [recorded(f"solapi_py_{name}")["body_json"]["messages"][0] for name in CASES]
    assert meaning(body) == meaning({"messages": theirs})


def test_every_attempt_is_signed_anew() -> None:
    vector = recorded("solapi_hmac_vector")
    at = datetime.fromisoformat(vector["date"])
    one = solapi().request([CASES["sms"]], Attempt(at=at, nonce=vector["salt"]))
    assert one.headers["Authorization"] == (
        f"HMAC-SHA256 apiKey={vector['apiKey']}, date={vector['date']}, salt={vector['salt']},"
        f" signature={vector['signature']}"
    )
    other = solapi().request([CASES["sms"]], Attempt(at=at, nonce="f" * 32))
    assert other.headers["Authorization"] != one.headers["Authorization"]
    assert other.content == one.content


def test_each_image_is_uploaded_once_under_a_signature_of_its_own(tmp_path: Path) -> None:
    provider = solapi()
    assert isinstance(provider, Prepares)
    jpeg = recorded("solapi_py_upload_mms")["body_json"]["file"]
    image = tmp_path / "new.jpg"
    image.write_bytes(base64.b64decode(jpeg))
    where = str(image)
    batch = [
        message(Channel.MMS, "a", image=where),
        message(Channel.MMS, "b", image=where),
        message(Channel.BRAND_MESSAGE, "c", form="image", image=where, url="https://example.com"),
        message(Channel.BRAND_MESSAGE, "d", form="wide", image=where),
        message(Channel.BRAND_MESSAGE, template="T", form="image", image=where),
        CASES["sms"],
    ]
    needs = provider.needs(batch, ATTEMPT)
    assert [json.loads(need.request.content) for need in needs] == [
        {"type": kind, "file": jpeg} for kind in ("MMS", "BMS", "BMS_WIDE")
    ]
    assert {need.request.url for need in needs} == {"https://api.solapi.com/storage/v1/files"}
    salts = [re.findall(r"salt=(\w+)", need.request.headers["Authorization"]) for need in needs]
    assert len({salt for [salt] in salts} | {ATTEMPT.nonce}) == 4
    given = {
        need.key: provider.prepared(need.key, answer({"fileId": f"F{number}"}))[0]
        for number, need in enumerate(needs)
    }
    request = provider.request(batch, Attempt(at=AT, nonce=ATTEMPT.nonce, ready=given))
    mms, _, shown, wide, template, _ = json.loads(request.content)["messages"]
    assert mms["imageId"] == "F0"
    assert shown["kakaoOptions"]["bms"] == {
        "targeting": "I",
        "chatBubbleType": "IMAGE",
        "imageId": "F1",
        "imageLink": "https://example.com",
    }
    assert wide["kakaoOptions"]["bms"]["imageId"] == "F2"
    assert "imageId" not in json.dumps(template)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ((400, {"errorCode": "ValidationError"}), NotSent),
        ((402, {"errorCode": "NotEnoughBalance"}), AccountError),
        ((500, {}), NotSent),
        ((200, {}), NotSent),
        ((200, "<html>"), NotSent),
    ],
)
def test_an_image_that_is_not_taken_stops_what_needs_it(
    response: tuple[int, Any], error: type[NotSent], tmp_path: Path
) -> None:
    with pytest.raises(NotSent) as caught:
        solapi().prepared("MMS:x", answer(response[1], response[0]))
    assert type(caught.value) is error
    missing = message(Channel.MMS, "a", image=str(tmp_path / "gone.jpg"))
    with pytest.raises(NotSent, match=r"gone\.jpg: cannot be read"):
        solapi().needs([missing], ATTEMPT)


@pytest.mark.parametrize(
    ("phone", "parts"),
    [
        ("+821012345678", ("82", "01012345678")),
        ("+8225550100", ("82", "025550100")),
        ("+12025550101", ("1", "2025550101")),
        ("+14415550101", ("1441", "5550101")),
        ("+819012345678", ("81", "9012345678")),
        ("+79161234567", ("7", "9161234567")),
        ("+85251234567", ("852", "51234567")),
        ("+447700900123", ("44", "7700900123")),
        ("", ("", "")),
    ],
)
def test_numbers_are_split_as_solapi_dials_them(phone: str, parts: tuple[str, str]) -> None:
    assert split(phone) == parts


def test_calling_codes_agree_with_the_library_of_numbers() -> None:
    import phonenumbers  # noqa: PLC0415 (slow to import; an oracle for this test only)

    codes = {*phonenumbers.COUNTRY_CODE_TO_REGION_CODE} - {1}
    assert {code: split(f"+{code}55501234")[0] for code in codes} == {
        code: str(code) for code in codes
    }


def test_a_message_abroad_names_its_country() -> None:
    there = message(Channel.SMS, "Hello", to="+12025550101")
    [entry] = json.loads(solapi().request([there], ATTEMPT).content)["messages"]
    assert (entry["country"], entry["to"]) == ("1", "2025550101")


def test_what_cannot_be_carried_is_not_sent() -> None:
    with pytest.raises(NotSent, match="carries no email"):
        solapi().request([message(Channel.EMAIL, "a")], ATTEMPT)
    with pytest.raises(AccountError, match="pf_id is missing"):
        solapi(pf_id="").request([CASES["alimtalk"]], ATTEMPT)
    assert solapi(pf_id="").request([CASES["sms"]], ATTEMPT).method == "POST"


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(Refused) as caught:
        solapi(api_key="", api_secret="TEST SECRET", sender="shop", from_="02")
    assert [str(problem) for problem in caught.value.problems] == [
        "providers.solapi.api_key: is missing",
        "providers.solapi.api_secret: holds a blank, a line end or a letter outside ASCII",
        "providers.solapi.sender: is not what it should be",
        "providers.solapi.from_: is no setting of this provider",
    ]
    assert solapi(base_url="http://127.0.0.1:9/").balance(ATTEMPT).url == (
        "http://127.0.0.1:9/cash/v1/balance"
    )
    assert dialled("+82 2-000-0000") == dialled("02-000-0000") == "020000000"


# What it answers


def answer(body: Any, status: int = 200) -> Response:
    content = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return Response(status=status, content=content.encode())


BATCH = [
    message(Channel.SMS, "a", to=f"+82100000000{number}", id=f"m{number}") for number in range(3)
]


def entry(number: int, code: Any, **more: Any) -> dict[str, Any]:
    return {
        "messageId": f"M4V{number}",
        "statusCode": code,
        "statusMessage": "까닭",
        "customFields": {"remindctl": f"m{number}"},
        **more,
    }


def counts(total: int, failed: int) -> dict[str, Any]:
    return {"count": {"total": total, "registeredFailed": failed}}


def test_each_message_of_a_batch_gets_its_own_receipt() -> None:
    said = {
        "messageList": [entry(2, "2000"), entry(0, "2000"), entry(1, "2000")],
        "failedMessageList": [entry(1, "1061", statusMessage="080 수신거부 01000000001")],
        "groupInfo": counts(3, 1),
    }
    assert solapi().receipts(BATCH, answer(said)) == [
        Receipt("m0", State.SENT, "M4V0", "2000"),
        Receipt("m1", State.REJECTED, "M4V1", "1061", "080 수신거부 …", "refused"),
        Receipt("m2", State.SENT, "M4V2", "2000"),
    ]


EXPECTED = {
    Verdict.WAITING: (State.SENT, None),
    Verdict.DELIVERED: (State.SENT, None),
    Verdict.UNCLEAR: (State.UNKNOWN, None),
    Verdict.LATER: (State.FAILED, None),
    Verdict.REFUSED: (State.REJECTED, None),
    Verdict.DEAD: (State.REJECTED, "dead"),
    Verdict.OPTED_OUT: (State.REJECTED, "refused"),
    Verdict.ACCOUNT: (State.FAILED, None),
}
SPOT = {
    "1010": State.REJECTED,
    "1026": State.FAILED,
    "1043": State.REJECTED,
    "1062": State.FAILED,
    "3014": State.UNKNOWN,
    "3032": State.REJECTED,
    "3108": State.FAILED,
    "9999": State.REJECTED,
}


@pytest.mark.parametrize("code", [*CODES, "1999", "9999"])
def test_every_code_has_its_state(code: str) -> None:
    verdict = CODES.get(code, Verdict.REFUSED)
    said = {"messageList": [entry(0, "2000")], "failedMessageList": [entry(1, code)]}
    _, receipt = solapi().receipts(BATCH[:2], answer(said))
    assert (receipt.state, receipt.suppress) == EXPECTED[verdict]
    assert receipt.state is SPOT.get(code, receipt.state)
    assert (receipt.code, receipt.provider_id) == (code, "M4V1")


def test_the_table_has_every_code_of_the_vendors_page() -> None:
    assert Counter(CODES.values()) == {
        Verdict.WAITING: 2,
        Verdict.DELIVERED: 1,
        Verdict.UNCLEAR: 2,
        Verdict.LATER: 17,
        Verdict.REFUSED: 44,
        Verdict.DEAD: 2,
        Verdict.OPTED_OUT: 7,
        Verdict.ACCOUNT: 10,
    }


def test_an_account_at_fault_stops_only_where_nothing_was_taken() -> None:
    fault = [entry(number, 1030, statusMessage="잔액 부족") for number in (1, 2)]
    some = {"messageList": [entry(0, "2000")], "failedMessageList": fault}
    states = [receipt.state for receipt in solapi().receipts(BATCH, answer(some))]
    assert states == [State.SENT, State.FAILED, State.FAILED]
    none = {"failedMessageList": [entry(0, "3010"), *fault]}
    with pytest.raises(AccountError, match="1030: 잔액 부족"):
        solapi().receipts(BATCH, answer(none))


def test_counts_speak_for_what_no_list_names() -> None:
    def states(said: dict[str, Any], size: int = 3) -> list[State]:
        return [receipt.state for receipt in solapi().receipts(BATCH[:size], answer(said))]

    assert states({"groupInfo": counts(3, 0)}) == [State.SENT] * 3
    assert states({"groupInfo": counts(2, 0)}) == [State.UNKNOWN] * 3
    assert states({"groupInfo": counts(3, 1)}) == [State.UNKNOWN] * 3
    assert states({"messageList": [entry(1, "2000")]}) == [
        State.UNKNOWN,
        State.SENT,
        State.UNKNOWN,
    ]
    assert states({"messageList": [{"customFields": {"remindctl": "m0"}}]}, 1) == [State.SENT]
    assert states({"messageList": [entry(0, "5000")]}, 1) == [State.UNKNOWN]


def test_a_refusal_without_our_id_is_known_by_its_number_if_that_is_one() -> None:
    cases = {case["case"]: case["answered"][2] for case in recorded("solapi_py_error_behaviour")}
    some, every = cases["200 part failed (1 of 2)"], cases["200 all failed"]
    first, second = solapi().receipts(BATCH[:2], answer(some))
    assert (first.state, second.state, second.code) == (State.SENT, State.FAILED, "1062")
    with pytest.raises(AccountError, match="1062: 발신번호 미등록"):
        solapi().receipts([BATCH[1]], answer(every))
    twice = [BATCH[1], message(Channel.SMS, "b", to=BATCH[1].to, id="m9")]
    assert [receipt.state for receipt in solapi().receipts(twice, answer(some))] == [
        State.UNKNOWN,
        State.UNKNOWN,
    ]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, "", AccountError),
        (
            402,
            {"errorCode": "NotEnoughBalance", "errorMessage": "잔액이 부족합니다."},
            AccountError,
        ),
        (403, {"errorCode": "InvalidAPIKey"}, AccountError),
        (403, {"errorCode": "SignatureDoesNotMatch"}, AccountError),
        (403, {"errorCode": "RequestTimeTooSkewed"}, AccountError),
        (403, {"errorCode": "DuplicatedSignature"}, Unreadable),
        (408, "", Unreadable),
        (302, "", Unreadable),
        (500, {"errorCode": "InternalError"}, Unreadable),
        (200, "<html>", Unreadable),
        (200, [], Unreadable),
        (200, {"messageList": 3}, Unreadable),
        (200, {"messageList": ["no"]}, Unreadable),
    ],
)
def test_what_stops_the_run_and_what_nobody_can_read(
    status: int, body: Any, error: type[Exception]
) -> None:
    given = answer(body, status)
    with pytest.raises(error):
        solapi().receipts(BATCH, given)
    with pytest.raises(error):
        solapi().found([question(0)], given)


@pytest.mark.parametrize("body", ["<html>", "", {"errorCode": "ValidationError"}])
def test_a_request_refused_whole_has_surely_not_been_sent(body: Any) -> None:
    receipts = solapi().receipts(BATCH, answer(body, 400))
    assert {receipt.state for receipt in receipts} == {State.FAILED}
    assert {receipt.code for receipt in receipts} <= {"HTTP 400", "ValidationError"}


def test_a_refusal_is_repeated_without_what_it_quotes() -> None:
    said = "\"messages[0].to\" with value '01000000001' fails"
    refused = answer({"errorCode": "ValidationError", "errorMessage": said}, 400)
    assert solapi().receipts(BATCH, refused)[0].detail == "… with value … fails"


# What became of it


def question(number: int, **more: Any) -> Question:
    given = {"to": f"+82100000000{number}", "provider_id": None, "at": AT} | more
    return Question(id=f"m{number}", channel="sms", **given)


def query(questions: list[Question]) -> dict[str, list[str]]:
    request = solapi().look_up(questions, ATTEMPT)
    assert request.method == "GET"
    assert request.url.startswith("https://api.solapi.com/messages/v4/list?")
    assert "signature=" in request.headers["Authorization"]
    return parse_qs(urlsplit(request.url).query)


def test_a_lost_message_is_looked_for_by_number_and_time() -> None:
    assert isinstance(solapi(), LooksUp)
    assert solapi().exact
    assert query([question(0)]) == {
        "limit": ["500"],
        "dateType": ["CREATED"],
        "startDate": ["2026-11-21T23:40:30.000Z"],
        "endDate": ["2026-11-22T00:20:30.000Z"],
        "to": ["01000000000"],
    }
    later = AT.astimezone(UTC) + timedelta(hours=2)
    wide = query([question(0), question(1, at=later)])
    assert wide["endDate"] == ["2026-11-22T02:20:30.000Z"]
    assert "to" not in wide
    assert "to" not in query([question(0, to=None)])
    assert "to" not in query([question(0, to="+12025550101")])
    assert query([question(0, provider_id="M4V0"), question(1, provider_id="M4V1")]) == {
        "limit": ["500"],
        "messageIds[0]": ["M4V0"],
        "messageIds[1]": ["M4V1"],
    }


@pytest.mark.parametrize(
    ("code", "more", "state", "suppress"),
    [
        ("2000", {}, State.SENT, None),
        ("3000", {}, State.SENT, None),
        ("3014", {}, State.SENT, None),
        ("TEST1000", {}, State.SENT, None),
        ("4000", {}, State.DELIVERED, None),
        ("3044", {}, State.UNDELIVERED, None),
        ("3032", {}, State.UNDELIVERED, "dead"),
        ("3055", {}, State.UNDELIVERED, "refused"),
        ("2230", {}, State.UNDELIVERED, None),
        ("3199", {}, State.UNDELIVERED, None),
        ("3104", {}, State.UNDELIVERED, None),
        ("3104", {"replacement": True}, State.SENT, None),
        ("4000", {"replacement": True}, State.DELIVERED, None),
        ("1062", {}, State.FAILED, None),
        ("1043", {}, State.REJECTED, None),
        ("1061", {}, State.REJECTED, "refused"),
    ],
)
def test_a_look_up_tells_what_became_of_a_message(
    code: str, more: dict[str, Any], state: State, suppress: str | None
) -> None:
    listed = {"M4V0": entry(0, code, **more), "M4V8": entry(8, "4000")}
    [found] = solapi().found([question(0), question(1)], answer({"messageList": listed}))
    assert (found.id, found.state, found.code, found.suppress) == ("m0", state, code, suppress)
    assert found.provider_id == "M4V0"


def test_a_message_is_known_by_solapis_own_id_too() -> None:
    listed = {"M4V0": entry(0, "4000", customFields={})}
    asked = question(0, provider_id="M4V0")
    assert solapi().found([asked], answer({"messageList": listed}))[0].state is State.DELIVERED


def test_of_two_tries_the_one_that_was_taken_counts() -> None:
    listed = {"A": entry(0, "1062"), "B": entry(0, "3000"), "C": entry(0, "1024")}
    [found] = solapi().found([question(0)], answer({"messageList": listed}))
    assert (found.state, found.code) == (State.SENT, "3000")


def test_not_on_the_first_page_does_not_mean_not_sent() -> None:
    listed = {"M4V1": entry(1, "4000")}
    ends = {"messageList": listed, "nextKey": None}
    goes_on = {"messageList": listed, "nextKey": "M4V2"}
    full = {"messageList": [entry(number, "4000") for number in range(1, 501)]}
    for said, states in (
        (ends, [State.DELIVERED]),
        (goes_on, [State.UNKNOWN, State.DELIVERED]),
        (full, [State.UNKNOWN, State.DELIVERED]),
    ):
        found = solapi().found([question(0), question(1)], answer(said))
        assert [receipt.state for receipt in found] == states


def test_the_balance_is_told_and_an_empty_one_stops() -> None:
    provider = solapi()
    assert isinstance(provider, HasBalance)
    assert provider.balance(ATTEMPT).method == "GET"
    said = provider.told(answer({"balance": 12300.4, "point": 50}))
    assert said == "balance ₩12,300, 50 points"
    for given in (answer({"balance": 0, "point": 0}), answer({}, 403)):
        with pytest.raises(AccountError):
            provider.told(given)
    for given in (answer({"balance": "much"}), answer([]), answer({}, 500), answer({}, 404)):
        with pytest.raises(Unreadable):
            provider.told(given)
