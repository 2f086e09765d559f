"""Aligo: its forms, and what its answers say of the messages of a request."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from remindctl.channels.aligo import Aligo
from remindctl.channels.http import (
    AccountError,
    Attempt,
    Groups,
    HasBalance,
    LooksUp,
    Question,
    Request,
    Response,
    Unreadable,
)
from remindctl.channels.provider import Account, NotSent, Outgoing, Receipt
from remindctl.errors import Refused
from remindctl.model import Channel, State

if TYPE_CHECKING:
    from email.message import EmailMessage

AT = datetime(2026, 11, 22, tzinfo=UTC)
ATTEMPT = Attempt(at=AT, nonce="0123456789abcdef0123456789abcdef")
SETTINGS = {"api_key": "KEY0", "user_id": "shop", "sender": "02-000-0000", "sender_key": "PF0"}


def aligo(**changed: str) -> Aligo:
    settings = {key: value for key, value in (SETTINGS | changed).items() if value}
    return Aligo.of(Account("aligo", settings, Path(), io.StringIO()))


def message(number: int, channel: Channel, text: str, **more: Any) -> Outgoing:
    return Outgoing(
        id=f"m{number}",
        key="6b",
        store="green",
        campaign="winback",
        step="day30",
        customer_key="a",
        channel=channel,
        to=more.pop("to", f"+82100000000{number}"),
        kind="phone",
        subject=more.pop("subject", None),
        text=text,
        html=None,
        advertising=True,
        extras=more,
        at=AT,
    )


def fields(request: Request) -> dict[str, str]:
    assert request.method == "POST"
    assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    return dict(parse_qsl(request.content.decode(), strict_parsing=True))


def answer(body: Any, status: int = 200) -> Response:
    content = body if isinstance(body, str) else json.dumps(body)
    return Response(status=status, content=content.encode())


SMS = [message(number, Channel.SMS, f"{number}님 & 안녕") for number in (1, 2)]
ACCESS = {"key": "KEY0", "user_id": "shop"}


def test_texts_of_their_own_go_in_one_request() -> None:
    request = aligo().request(SMS, ATTEMPT)
    assert request.url == "https://apis.aligo.in/send_mass/"
    assert fields(request) == ACCESS | {
        "sender": "020000000",
        "msg_type": "SMS",
        "cnt": "2",
        "rec_1": "01000000001",
        "msg_1": "1님 & 안녕",
        "rec_2": "01000000002",
        "msg_2": "2님 & 안녕",
    }


def test_a_long_message_has_its_title_and_test_mode_delivers_none() -> None:
    lms = message(1, Channel.LMS, "가" * 60, subject="제목")
    found = fields(aligo(test_mode="Y").request([lms], ATTEMPT))
    assert (found["msg_type"], found["title"], found["testmode_yn"]) == ("LMS", "제목", "Y")
    assert "testmode_yn" not in fields(aligo(test_mode="N").request([lms], ATTEMPT))


def test_an_image_goes_with_one_text_to_many(tmp_path: Path) -> None:
    image = tmp_path / "new.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n--\r\n")
    batch = [
        message(number, Channel.MMS, "사진\n둘", subject="새", image=str(image))
        for number in (1, 2)
    ]
    request = aligo().request(batch, ATTEMPT)
    assert request.url == "https://apis.aligo.in/send/"
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    whole: EmailMessage = message_from_bytes(head + request.content, policy=HTTP)
    parts = {
        part.get_param("name", header="content-disposition"): part for part in whole.iter_parts()
    }
    texts = {
        name: part.get_payload(decode=True) for name, part in parts.items() if name != "image1"
    }
    assert texts == {
        "key": b"KEY0",
        "user_id": b"shop",
        "sender": b"020000000",
        "msg_type": b"MMS",
        "title": "새".encode(),
        "receiver": b"01000000001,01000000002",
        "msg": "사진\n둘".encode(),
    }
    assert parts["image1"].get_content_type() == "image/png"
    assert image.read_bytes() in request.content
    image.unlink()
    with pytest.raises(NotSent, match=r"new\.png: cannot be read"):
        aligo().request(batch, ATTEMPT)


def test_an_alimtalk_repeats_its_template_filled() -> None:
    buttons = [
        {"name": "채널 추가", "kind": "add_channel"},
        {"name": "배송", "kind": "link", "url": "https://example.com/1"},
    ]
    batch = [
        message(
            number,
            Channel.ALIMTALK,
            f"{number}님, 출발했습니다.",
            template="TB_1",
            variables={"이름": str(number)},
            buttons=buttons,
            fallback={"subject": "배송", "text": f"{number}님 문자"},
        )
        for number in (1, 2)
    ]
    request = aligo(test_mode="Y").request(batch, ATTEMPT)
    assert request.url == "https://kakaoapi.aligo.in/akv10/alimtalk/send/"
    found = fields(request)
    link = {
        "name": "배송",
        "linkType": "WL",
        "linkTypeName": "웹링크",
        "linkM": "https://example.com/1",
        "linkP": "https://example.com/1",
    }
    add = {"name": "채널 추가", "linkType": "AC", "linkTypeName": "채널 추가"}
    for number in "12":
        assert json.loads(found.pop(f"button_{number}")) == {"button": [add, link]}
    assert found == {
        "apikey": "KEY0",
        "userid": "shop",
        "senderkey": "PF0",
        "tpl_code": "TB_1",
        "sender": "020000000",
        "failover": "Y",
        "testMode": "Y",
        "receiver_1": "01000000001",
        "subject_1": "TB_1",
        "message_1": "1님, 출발했습니다.",
        "fsubject_1": "배송",
        "fmessage_1": "1님 문자",
        "receiver_2": "01000000002",
        "subject_2": "TB_1",
        "message_2": "2님, 출발했습니다.",
        "fsubject_2": "배송",
        "fmessage_2": "2님 문자",
    }
    alone = fields(aligo().request([message(1, Channel.ALIMTALK, "a", template="T")], ATTEMPT))
    assert alone["failover"] == "N"
    with pytest.raises(AccountError, match="sender_key is missing"):
        aligo(sender_key="").request(batch, ATTEMPT)


def test_only_messages_of_one_kind_share_a_request() -> None:
    def alike(one: Outgoing, other: Outgoing) -> bool:
        return aligo().group(one) == aligo().group(other)

    def alimtalk(template: str, **more: Any) -> Outgoing:
        return message(1, Channel.ALIMTALK, "a", template=template, **more)

    assert isinstance(aligo(), Groups)
    assert alike(*SMS)
    assert not alike(SMS[0], message(1, Channel.LMS, "a"))
    assert not alike(message(1, Channel.LMS, "a", subject="b"), message(1, Channel.LMS, "a"))
    mms = [message(1, Channel.MMS, text, image=image) for text, image in ("ax", "ay", "bx")]
    assert len({aligo().group(one) for one in mms}) == 3
    assert alike(alimtalk("T"), alimtalk("T", variables={"a": "b"}))
    assert not alike(alimtalk("T"), alimtalk("U"))
    assert not alike(alimtalk("T"), alimtalk("T", fallback={"text": "b"}))
    with pytest.raises(NotSent, match="one kind"):
        aligo().request([*SMS, message(1, Channel.LMS, "a")], ATTEMPT)
    with pytest.raises(NotSent, match="carries no brand_message"):
        aligo().request([message(1, Channel.BRAND_MESSAGE, "a")], ATTEMPT)


def test_what_goes_abroad_is_left_out_and_refused() -> None:
    abroad = message(3, Channel.SMS, "Hi", to="+12025550101")
    batch = [abroad, *SMS]
    found = fields(aligo().request(batch, ATTEMPT))
    assert (found["cnt"], found["rec_1"]) == ("2", "01000000001")
    taken = answer({"result_code": 1, "msg_id": 77, "success_cnt": 2, "error_cnt": 0})
    receipts = aligo().receipts(batch, taken)
    assert [receipt.state for receipt in receipts] == [State.REJECTED, State.SENT, State.SENT]
    assert [receipt.id for receipt in receipts] == ["m3", "m1", "m2"]
    with pytest.raises(NotSent, match="Korean numbers only"):
        aligo().request([abroad], ATTEMPT)


@pytest.mark.parametrize(
    ("body", "state", "given", "code"),
    [
        ({"result_code": "1", "msg_id": "77", "success_cnt": 2}, State.SENT, "77", "1"),
        ({"result_code": 1, "msg_id": 77, "error_cnt": "0"}, State.SENT, "77", "1"),
        ({"result_code": 1, "msg_id": 77, "success_cnt": 1, "error_cnt": 1},
         State.UNKNOWN, "77", "1"),
        ({"result_code": 1, "msg_id": 77, "success_cnt": 0, "error_cnt": 2},
         State.FAILED, "77", "1"),
        ({"result_code": "-201", "message": "보유건수 부족"}, State.FAILED, None, "-201"),
        ({"code": 0, "info": {"mid": 88, "scnt": 2, "fcnt": 0}}, State.SENT, "88", "0"),
        ({"code": 0, "info": {"mid": 88, "scnt": 1, "fcnt": 1}}, State.UNKNOWN, "88", "0"),
        ({"code": 509, "message": "템플릿이 없습니다."}, State.FAILED, None, "509"),
    ],
)  # fmt: skip
def test_one_answer_speaks_for_the_whole_request(
    body: dict[str, Any], state: State, given: str | None, code: str
) -> None:
    receipts = aligo().receipts(SMS, answer(body))
    assert [receipt.id for receipt in receipts] == ["m1", "m2"]
    for receipt in receipts:
        assert (receipt.state, receipt.provider_id, receipt.code) == (state, given, code)
        assert state is State.SENT or receipt.detail


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"result_code": "-101", "message": "인증오류입니다. 01000000001"}, 200, AccountError),
        ({"code": -99, "message": "인증오류입니다."}, 200, AccountError),
        ("", 401, AccountError),
        ("", 403, AccountError),
        ({"result_code": 0}, 200, Unreadable),
        ({"result_code": "x"}, 200, Unreadable),
        ({}, 200, Unreadable),
        ([], 200, Unreadable),
        ("<html>", 200, Unreadable),
        ("", 408, Unreadable),
        ("", 500, Unreadable),
    ],
)
def test_what_stops_the_run_and_what_nobody_can_read(
    body: Any, status: int, error: type[Exception]
) -> None:
    for read in (
        lambda given: aligo().receipts(SMS, given),
        lambda given: aligo().found([question()], given),
        lambda given: aligo().told(given),
    ):
        with pytest.raises(error) as caught:
            read(answer(body, status))
        assert "0000000" not in str(caught.value)


def test_a_page_that_refuses_means_that_nothing_was_sent() -> None:
    receipts = aligo().receipts(SMS, answer("<html>", 404))
    assert {(receipt.state, receipt.code) for receipt in receipts} == {(State.FAILED, "404")}


def question(number: int = 1, channel: str = "sms", **more: Any) -> Question:
    given: dict[str, Any] = {"to": f"+82100000000{number}", "provider_id": "77", "at": AT} | more
    return Question(id=f"m{number}", channel=channel, **given)


def test_a_look_up_asks_for_the_request_that_a_message_went_with() -> None:
    provider = aligo()
    assert isinstance(provider, LooksUp)
    assert not provider.exact
    text = provider.look_up([question()], ATTEMPT)
    assert text.url == "https://apis.aligo.in/sms_list/"
    assert fields(text) == ACCESS | {"mid": "77", "page": "1", "page_size": "500"}
    kakao = provider.look_up([question(channel="alimtalk")], ATTEMPT)
    assert kakao.url == "https://kakaoapi.aligo.in/akv10/history/detail/"
    assert fields(kakao) == {
        "apikey": "KEY0", "userid": "shop", "mid": "77", "page": "1", "limit": "500",
    }  # fmt: skip
    with pytest.raises(NotSent, match="only by the number that it gave"):
        provider.look_up([question(provider_id=None)], ATTEMPT)


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ({"receiver": "010-0000-0001", "sms_state": "발송완료"}, State.SENT),
        ({"receiver": "01000000001", "sms_state": "전송성공"}, State.DELIVERED),
        ({"receiver": "01000000001", "sms_state": "수신불가"}, State.UNDELIVERED),
        ({"phone": "01000000001", "rslt": "0", "rslt_message": "성공"}, State.DELIVERED),
        ({"phone": "01000000001", "rslt": "U", "rslt_message": "전송 실패"}, State.UNDELIVERED),
        ({"phone": "01000000001", "rslt_message": "전송 실패", "smid": 9}, State.SENT),
        ({"phone": "01000000001", "status": "전송중"}, State.SENT),
    ],
)
def test_a_message_is_found_by_its_number(entry: dict[str, Any], state: State) -> None:
    code = {"code": 0} if "phone" in entry else {"result_code": "1"}
    other = {"receiver": "01000000009", "sms_state": "수신완료"}
    asked = [question(), question(2), question(3, to=None), question(9, provider_id="78")]
    [found] = aligo().found(asked, answer(code | {"list": [other, entry]}))
    assert (found.id, found.state, found.provider_id) == ("m1", state, "77")
    assert found.code == entry.get("rslt")


def test_one_number_twice_is_nobodys_result() -> None:
    entry = {"receiver": "01000000001", "sms_state": "발송완료"}
    assert aligo().found([question()], answer({"result_code": 1, "list": [entry] * 2})) == []
    assert aligo().found([question()], answer({"result_code": 1})) == []
    with pytest.raises(Unreadable):
        aligo().found([question()], answer({"result_code": 1, "list": "none"}))


def test_what_is_left_is_told() -> None:
    provider = aligo(base_url="http://127.0.0.1:9")
    assert isinstance(provider, HasBalance)
    request = provider.balance(ATTEMPT)
    assert (request.url, fields(request)) == ("http://127.0.0.1:9/remain/", ACCESS)
    left = {"result_code": 1, "SMS_CNT": "1200", "LMS_CNT": 3, "MMS_CNT": 0}
    assert provider.told(answer(left)) == "1,200 SMS, 3 LMS, 0 MMS left"
    with pytest.raises(AccountError, match="nothing can be sent"):
        provider.told(answer({"result_code": 1, "SMS_CNT": 0}))
    with pytest.raises(Unreadable):
        provider.told(answer({"result_code": -5}))


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(Refused) as caught:
        aligo(api_key="", user_id="", sender="none", test_mode="yes")
    assert [str(problem) for problem in caught.value.problems] == [
        "providers.aligo.api_key: is missing",
        "providers.aligo.user_id: is missing",
        "providers.aligo.sender: is not what it should be",
        "providers.aligo.test_mode: is not what it should be",
    ]


def test_a_receipt_names_no_recipient() -> None:
    refused = answer({"result_code": -5, "message": "수신번호 01000000001 오류"})
    [receipt, _] = aligo().receipts(SMS, refused)
    assert receipt == Receipt("m1", State.FAILED, None, "-5", "수신번호 … 오류")
