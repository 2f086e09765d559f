"""NHN Cloud: what it is sent, and what its answers say of a message.

Nobody has recorded its requests: what stands here is written from the vendor's API guides (SMS
v3.0, Alimtalk v2.3, Brand Message v1.0, Sender v2.3) and its pages of error codes.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.channels.http import (
    AccountError,
    Attempt,
    Groups,
    HasBalance,
    HttpProvider,
    LooksUp,
    Prepares,
    Question,
    Request,
    Response,
    Unreadable,
)
from remindctl.channels.nhn import Nhn
from remindctl.channels.nhn.codes import ON_DELIVERY, ON_SENDING
from remindctl.channels.nhn.messages import grouping_key
from remindctl.channels.provider import Account, NotSent, Outgoing, Receipt
from remindctl.errors import Refused
from remindctl.model import Channel, Family, State

NOW = datetime(2026, 1, 1, 15, 30, tzinfo=UTC)
ATTEMPT = Attempt(at=NOW, nonce="0" * 32)
TEXT = {"sms_app_key": "sms-app", "sms_secret_key": "sms-secret", "sender": "02-0000-0000"}
KAKAO = {"kakao_app_key": "kakao-app", "kakao_secret_key": "kakao-secret", "sender_key": "f" * 40}
SMS_URL = "https://sms.api.nhncloudservice.com/sms/v3.0/appKeys/sms-app/"
KAKAO_URL = "https://kakaotalk-bizmessage.api.nhncloudservice.com/"
ALIMTALK_URL = f"{KAKAO_URL}alimtalk/v2.3/appkeys/kakao-app/"
BRAND_URL = f"{KAKAO_URL}brand-message/v1.0/appkeys/kakao-app/"

SMS = Outgoing(
    id="k-1-0",
    key="k",
    store="green",
    campaign="shipped",
    step="day1",
    customer_key="a",
    channel=Channel.SMS,
    to="+821090000001",
    kind="phone",
    subject=None,
    text="주문이 도착했어요",
    html=None,
    advertising=False,
    at=NOW,
)
ALIMTALK = replace(
    SMS,
    channel=Channel.ALIMTALK,
    extras={"template": "SHIPPED", "variables": {"이름": "김하나", "수량": 2}},
)
BRAND = replace(
    SMS,
    channel=Channel.BRAND_MESSAGE,
    text="(광고) 다시 만나요",
    advertising=True,
    extras={"form": "text", "targeting": "I"},
)


def provider(**settings: str) -> Nhn:
    settings = settings or TEXT | KAKAO
    return Nhn.of(Account("nhn", settings, Path(), io.StringIO()))


def other(message: Outgoing, **changes: Any) -> Outgoing:
    return replace(message, **{"id": "k-2-0", "to": "+821090000002"} | changes)


def sent(*batch: Outgoing, **ready: str) -> tuple[str, dict[str, Any], dict[str, str]]:
    request = provider().request(batch, replace(ATTEMPT, ready=ready))
    assert request.method == "POST"
    return request.url, json.loads(request.content), dict(request.headers)


def answer(body: object, status: int = 200) -> Response:
    return Response(status=status, content=json.dumps(body, ensure_ascii=False).encode())


def header(code: object = 0, said: str = "SUCCESS") -> dict[str, Any]:
    return {"isSuccessful": code == 0, "resultCode": code, "resultMessage": said}


def result(message: Outgoing, code: object = 0, sequence: int = 1) -> dict[str, Any]:
    found = {
        "recipientSeq": sequence,
        "recipientNo": "0" + message.to[3:],
        "resultCode": code,
        "resultMessage": "SUCCESS" if code == 0 else "01090000001 is wrong",
    }
    if message.channel is Channel.BRAND_MESSAGE:
        return found
    return found | {"recipientGroupingKey": message.id}


def taken(*results: dict[str, Any], text: bool, code: object = 0, status: str = "2") -> Response:
    if text:
        data = {"requestId": "R1", "statusCode": status, "sendResultList": list(results)}
        return answer({"header": header(code), "body": {"data": data}})
    message = {"requestId": "R1" if code == 0 else None, "sendResults": list(results)}
    return answer({"header": header(code), "message": message})


def receipts(response: Response, *batch: Outgoing) -> list[Receipt]:
    return list(provider().receipts(batch, response))


def question(channel: str = "sms", provider_id: str | None = None, name: str = "k-1-0") -> Question:
    return Question(id=name, channel=channel, to=None, provider_id=provider_id, at=NOW)


def found(response: Response, *questions: Question) -> list[Receipt]:
    return list(provider().found(questions or [question()], response))


def text_list(*messages: dict[str, Any], total: int | None = None) -> Response:
    count = len(messages) if total is None else total
    return answer({"header": header(), "body": {"totalCount": count, "data": list(messages)}})


def kakao_list(*messages: dict[str, Any]) -> Response:
    page = {"messages": list(messages), "totalCount": len(messages)}
    return answer({"header": header(), "messageSearchResultResponse": page})


def text_state(status: str, code: str | None, name: str = "k-1-0") -> dict[str, Any]:
    named = {"requestId": "R1", "recipientSeq": 1, "recipientGroupingKey": name}
    return named | {"msgStatus": status, "resultCode": code, "resultCodeName": "상태"}


def kakao_state(status: str, code: str | None, text: str | None = "RSC01") -> dict[str, Any]:
    named = {"requestId": "R1", "recipientSeq": 1, "recipientGroupingKey": "k-1-0"}
    return named | {"messageStatus": status, "resultCode": code, "resendStatus": text}


def test_it_does_all_that_a_provider_over_http_can_do() -> None:
    nhn: HttpProvider = provider()
    for interface in (Groups, Prepares, LooksUp, HasBalance):
        assert isinstance(nhn, interface)
    assert provider().exact
    assert provider().facts.batch_size == 1_000


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"sender": ""}, {"sms_app_key", "sms_secret_key", "sender"}),
        ({"sms_app_key": "a"}, {"sms_secret_key", "sender"}),
        ({"sender_key": "f"}, {"kakao_app_key", "kakao_secret_key"}),
        (TEXT | {"sender": "shop"}, {"sender"}),
        (
            TEXT | {"kakao_secret_key": "hidden\nkey"},
            {"kakao_app_key", "kakao_secret_key", "sender_key"},
        ),
        (TEXT | {"base_url": "http://example.com"}, {"base_url"}),
        (KAKAO | {"kakao_base_url": "ftp://example.com"}, {"kakao_base_url"}),
        (TEXT | {"app_key": "a"}, {"app_key"}),
    ],
)
def test_everything_wrong_with_its_settings_is_told_at_once(
    settings: dict[str, str], keys: set[str]
) -> None:
    with pytest.raises(Refused) as refused:
        provider(**settings)
    assert {problem.place.path for problem in refused.value.problems} == {
        f"providers.nhn.{key}" for key in keys
    }
    assert "hidden" not in str(refused.value)


def test_one_product_is_enough_and_the_other_one_is_asked_for_when_it_is_needed() -> None:
    local = {"base_url": "http://127.0.0.1:1/"}
    assert (
        provider(**TEXT, **local).request([SMS], ATTEMPT).url.startswith("http://127.0.0.1:1/sms/")
    )
    assert provider(**KAKAO).request([ALIMTALK], ATTEMPT).url == f"{ALIMTALK_URL}messages"
    with pytest.raises(AccountError, match="kakao_app_key"):
        provider(**TEXT).request([ALIMTALK], ATTEMPT)
    with pytest.raises(AccountError, match="sms_app_key"):
        provider(**KAKAO).request([SMS], ATTEMPT)


def test_a_text_message_for_several_recipients() -> None:
    url, body, headers = sent(SMS, other(SMS, to="+12025550100"))
    assert url == f"{SMS_URL}sender/sms"
    assert headers == {
        "X-Secret-Key": "sms-secret",
        "Content-Type": "application/json;charset=UTF-8",
    }
    assert body == {
        "body": "주문이 도착했어요",
        "sendNo": "0200000000",
        "recipientList": [
            {"recipientNo": "01090000001", "recipientGroupingKey": "k-1-0"},
            {"internationalRecipientNo": "12025550100", "recipientGroupingKey": "k-2-0"},
        ],
    }


@pytest.mark.parametrize(
    ("channel", "advertising", "path"),
    [
        (Channel.SMS, True, "sender/ad-sms"),
        (Channel.LMS, False, "sender/mms"),
        (Channel.LMS, True, "sender/ad-mms"),
    ],
)
def test_advertising_and_long_texts_have_paths_of_their_own(
    channel: Channel, advertising: bool, path: str
) -> None:
    url, _, _ = sent(replace(SMS, channel=channel, advertising=advertising))
    assert url == SMS_URL + path


def test_a_long_text_always_has_a_title_which_fits() -> None:
    lms = replace(SMS, channel=Channel.LMS, text="가" * 30 + "\n둘째 줄")
    assert sent(lms)[1]["title"] == "가" * 20
    assert sent(replace(lms, subject="제목"))[1]["title"] == "제목"
    assert "title" not in sent(SMS)[1]


def test_the_image_of_a_text_message_is_uploaded_first(tmp_path: Path) -> None:
    image = tmp_path / "sale.JPG"
    image.write_bytes(b"\xff\xd8jpg")
    mms = replace(SMS, channel=Channel.MMS, extras={"image": str(image)})
    [upload] = provider().needs([mms, other(mms)], ATTEMPT)
    assert upload.request.url == f"{SMS_URL}attachfile/binaryUpload"
    assert upload.request.headers["X-Secret-Key"] == "sms-secret"
    assert json.loads(upload.request.content) == {
        "fileName": "image.jpg",
        "createUser": "remindctl",
        "fileBody": base64.b64encode(b"\xff\xd8jpg").decode(),
    }
    answered = answer({"header": header(), "body": {"data": {"fileId": 0}}})
    value, kept = provider().prepared(upload.key, answered)
    assert (value, kept) == ("0", timedelta(hours=1))
    assert sent(mms, **{upload.key: value})[1]["attachFileIdList"] == [0]


def test_the_image_of_a_brand_message_is_uploaded_as_a_form(tmp_path: Path) -> None:
    image = tmp_path / "new.png"
    image.write_bytes(b"\x89PNG\r\n--bytes")
    extras = {"form": "wide", "image": str(image), "url": "https://shop.example/new"}
    brand = replace(BRAND, extras=extras)
    [upload] = provider().needs([brand], ATTEMPT)
    assert upload.request.url == f"{BRAND_URL}images"
    assert upload.request.headers["X-Secret-Key"] == "kakao-secret"
    start = f"Content-Type: {upload.request.headers['Content-Type']}\r\n\r\n".encode()
    kind, file = message_from_bytes(start + upload.request.content, policy=HTTP).iter_parts()
    assert kind.get_param("name", header="content-disposition") == "imageType"
    assert kind.get_payload() == "WIDE_IMAGE"
    assert file.get_param("name", header="content-disposition") == "image"
    assert (file.get_filename(), file.get_content_type()) == ("image.png", "image/png")
    assert file.get_payload(decode=True) == b"\x89PNG\r\n--bytes"
    address = "https://mud-kage.example/i.png"
    answered = answer({"header": header(), "image": {"imageSeq": 1, "imageUrl": address}})
    assert provider().prepared(upload.key, answered) == (address, None)
    _, body, _ = sent(brand, **{upload.key: address})
    assert body["chatBubbleType"] == "WIDE"
    assert body["image"] == {"imageUrl": address, "imageLink": "https://shop.example/new"}


def test_an_image_that_cannot_be_used_is_no_reason_to_send_without(tmp_path: Path) -> None:
    mms = replace(SMS, channel=Channel.MMS, extras={"image": str(tmp_path / "gone.jpg")})
    with pytest.raises(NotSent, match="cannot be read"):
        provider().needs([mms], ATTEMPT)
    for response in (
        answer({"header": header(-2005, "The file size must be less than 300KB.")}),
        answer({"header": header()}),
        Response(status=200, content=b"<html>"),
    ):
        with pytest.raises(NotSent, match="image"):
            provider().prepared("MMS:x", response)
    with pytest.raises(AccountError):
        provider().prepared("IMAGE:x", answer({"header": header(-1001)}))


def test_an_alimtalk_has_values_for_each_recipient_and_a_key_against_repeats() -> None:
    batch = (ALIMTALK, other(ALIMTALK, extras={"template": "SHIPPED", "variables": {}}))
    url, body, headers = sent(*batch)
    assert url == f"{ALIMTALK_URL}messages"
    assert headers["X-Secret-Key"] == "kakao-secret"
    assert body == {
        "senderKey": "f" * 40,
        "templateCode": "SHIPPED",
        "recipientList": [
            {
                "recipientNo": "01090000001",
                "templateParameter": {"이름": "김하나", "수량": "2"},
                "resendParameter": {"isResend": False},
                "recipientGroupingKey": "k-1-0",
            },
            {
                "recipientNo": "01090000002",
                "resendParameter": {"isResend": False},
                "recipientGroupingKey": "k-2-0",
            },
        ],
    }
    again = provider().request(batch, Attempt(at=NOW + timedelta(minutes=1), nonce="1" * 32))
    key = headers["X-NC-API-IDEMPOTENCY-KEY"]
    assert again.headers["X-NC-API-IDEMPOTENCY-KEY"] == key
    assert sent(ALIMTALK)[2]["X-NC-API-IDEMPOTENCY-KEY"] != key


@pytest.mark.parametrize(
    ("fallback", "to", "asked"),
    [
        ({"text": "가" * 45}, SMS.to, {"resendType": "SMS", "resendContent": "가" * 45}),
        ({"text": "가" * 46}, SMS.to, {"resendType": "LMS", "resendContent": "가" * 46}),
        (
            {"subject": "알림", "text": "짧다"},
            SMS.to,
            {"resendType": "LMS", "resendTitle": "알림", "resendContent": "짧다"},
        ),
        ({}, SMS.to, {}),
        ({"text": "가" * 46}, "+12025550100", {"resendType": "SMS", "resendContent": "가" * 46}),
    ],
)
def test_a_text_follows_an_alimtalk_where_one_is_given(
    fallback: dict[str, str], to: str, asked: dict[str, str]
) -> None:
    message = replace(ALIMTALK, to=to, extras={**ALIMTALK.extras, "fallback": fallback})
    [entry] = sent(message)[1]["recipientList"]
    assert entry["resendParameter"] == {"isResend": True, "resendSendNo": "0200000000"} | asked


def test_a_free_brand_message_has_its_bubble_once() -> None:
    extras = {
        "form": "text",
        "targeting": "M",
        "buttons": [
            {"name": "추가", "kind": "add_channel"},
            {"name": "보러 가기", "kind": "link", "url": "https://shop.example"},
        ],
        "coupon": {
            "title": "10% 할인 쿠폰",
            "description": "이번 주",
            "url": "https://shop.example/c",
        },
        "fallback": {"text": "never"},
    }
    url, body, headers = sent(replace(BRAND, extras=extras))
    assert url == f"{BRAND_URL}freestyle-messages"
    assert "X-NC-API-IDEMPOTENCY-KEY" not in headers
    assert body == {
        "senderKey": "f" * 40,
        "chatBubbleType": "TEXT",
        "content": "(광고) 다시 만나요",
        "buttons": [
            {"name": "채널 추가", "type": "AC"},
            {
                "name": "보러 가기",
                "type": "WL",
                "linkMo": "https://shop.example",
                "linkPc": "https://shop.example",
            },
        ],
        "coupon": {
            "title": "10% 할인 쿠폰",
            "description": "이번 주",
            "linkMo": "https://shop.example/c",
        },
        "recipientList": [
            {
                "recipientNo": "01090000001",
                "targeting": "M",
                "resendParameter": {"isResend": False},
                "recipientGroupingKey": "k-1-0",
            }
        ],
    }


def test_a_brand_message_by_template_leaves_wording_and_image_to_it() -> None:
    extras = {
        "template": "SALE",
        "variables": {"이름": "하나"},
        "form": "image",
        "image": "/gone.png",
    }
    message = replace(BRAND, extras=extras)
    assert not provider().needs([message], ATTEMPT)
    url, body, _ = sent(message)
    assert url == f"{BRAND_URL}basic-messages"
    assert body == {
        "senderKey": "f" * 40,
        "templateCode": "SALE",
        "recipientList": [
            {
                "recipientNo": "01090000001",
                "targeting": "I",
                "templateParameter": {"이름": "하나"},
                "resendParameter": {"isResend": False},
                "recipientGroupingKey": "k-1-0",
            }
        ],
    }


def test_only_what_one_request_can_say_is_grouped() -> None:
    nhn = provider()
    template = {"template": "SHIPPED", "variables": {"이름": "박둘"}}
    same = [
        (SMS, other(SMS)),
        (ALIMTALK, other(ALIMTALK, extras=template)),
        (BRAND, other(BRAND, extras={**BRAND.extras, "targeting": "N"})),
    ]
    for one, two in same:
        assert nhn.group(one) == nhn.group(two)
        sent(one, two)
    image = {"image": "/a.jpg"}
    different = [
        (SMS, other(SMS, text="다른 글")),
        (SMS, other(SMS, channel=Channel.LMS)),
        (SMS, other(SMS, advertising=True)),
        (ALIMTALK, other(ALIMTALK, extras={"template": "PAID"})),
        (ALIMTALK, other(BRAND, extras={"template": "SHIPPED"})),
        (
            BRAND,
            other(BRAND, extras={**BRAND.extras, "coupon": {"title": "t", "description": "d"}}),
        ),
        (
            replace(SMS, channel=Channel.MMS, extras=image),
            other(SMS, channel=Channel.MMS, extras={"image": "/b.jpg"}),
        ),
    ]
    for one, two in different:
        assert nhn.group(one) != nhn.group(two)
        with pytest.raises(NotSent, match="one wording or template"):
            nhn.request([one, two], ATTEMPT)


def test_only_an_alimtalk_may_be_repeated_and_for_ten_minutes() -> None:
    nhn = provider()
    assert nhn.facts.repeat_safe_for is None
    for message, time in ((ALIMTALK, timedelta(minutes=10)), (SMS, None), (BRAND, None)):
        assert nhn.facts_of(nhn.group(message)).repeat_safe_for == time


def test_what_it_does_not_carry_is_not_sent() -> None:
    mail = replace(SMS, channel=Channel.EMAIL, to="kim@example.com", kind="email")
    assert provider().group(mail) == "email"
    with pytest.raises(NotSent, match="email"):
        provider().request([mail], ATTEMPT)


def test_a_name_that_is_too_long_is_kept_as_its_hash() -> None:
    long = "n" * 101
    key = grouping_key(long)
    assert len(key) == 64
    assert grouping_key("n" * 100) == "n" * 100
    one = replace(SMS, id=long)
    assert sent(one)[1]["recipientList"][0]["recipientGroupingKey"] == key
    entry = result(one) | {"recipientGroupingKey": key, "recipientNo": "?"}
    assert receipts(taken(entry, text=True), one)[0].id == long
    asked = replace(question(), id=long)
    assert f"recipientGroupingKey={key}" in provider().look_up([asked], ATTEMPT).url
    [receipt] = found(text_list(text_state("3", "1000", key)), asked)
    assert (receipt.id, receipt.state) == (long, State.DELIVERED)


@pytest.mark.parametrize("message", [SMS, ALIMTALK, BRAND])
def test_every_recipient_of_a_request_has_a_result(message: Outgoing) -> None:
    two = other(message)
    results = [result(two, 0, 2), result(message)]
    done = receipts(taken(*results, text=message is SMS), message, two)
    assert done == [
        Receipt("k-1-0", State.SENT, "R1/1", "0", "SUCCESS"),
        Receipt("k-2-0", State.SENT, "R1/2", "0", "SUCCESS"),
    ]


def test_a_recipient_that_cannot_be_told_from_another_or_is_not_named_is_unknown() -> None:
    twice = other(BRAND, to=BRAND.to)
    done = receipts(taken(result(BRAND), result(twice, 0, 2), text=False), BRAND, twice)
    assert [receipt.state for receipt in done] == [State.UNKNOWN] * 2
    done = receipts(taken(result(SMS), text=True), SMS, other(SMS))
    assert [receipt.state for receipt in done] == [State.SENT, State.UNKNOWN]
    twice = other(SMS, to=SMS.to)
    done = receipts(taken(result(twice, -2019), result(SMS), text=True), SMS, twice)
    assert [receipt.state for receipt in done] == [State.SENT, State.REJECTED]


# The class of every code at the time of a request, of the vendor's pages as the project reads them.
TEXT_CLASSES = {
    -2015: State.REJECTED,
    -2016: State.REJECTED,
    -2018: "dead",
    -2019: "dead",
    -2021: State.UNKNOWN,
    -9999: State.UNKNOWN,
    -2022: State.REJECTED,
    -2023: State.REJECTED,
    -2024: State.REJECTED,
    -6001: "refused",
    -6003: State.REJECTED,
    -6004: State.FAILED,
    -77777: State.REJECTED,
    77777: State.UNKNOWN,
}
KAKAO_CLASSES = {
    -1031: State.REJECTED,
    -1005: State.UNKNOWN,
    -3004: State.REJECTED,
    -3005: State.FAILED,
    -3301: "refused",
    -4019: "dead",
    -77777: State.REJECTED,
    77777: State.UNKNOWN,
}
ACCOUNT = [
    *((SMS, code) for code in (-1000, -1001, -1002, -1004, -1008, -2052, -2312, -2313)),
    *((ALIMTALK, code) for code in (-1000, -1001, -1006, -1027, -2017, -4004, -4005)),
]


@pytest.mark.parametrize(
    ("message", "code", "meant"),
    [(SMS, *one) for one in TEXT_CLASSES.items()]
    + [(ALIMTALK, *one) for one in KAKAO_CLASSES.items()],
)
def test_a_refused_recipient_is_read_by_its_code(
    message: Outgoing, code: int, meant: State | str
) -> None:
    suppress = None if isinstance(meant, State) else meant
    response = taken(result(message, code), result(other(message), 0, 2), text=message is SMS)
    refused, taken_too = receipts(response, message, other(message))
    state = meant if isinstance(meant, State) else State.REJECTED
    expected = Receipt("k-1-0", state, "R1/1", str(code), "… is wrong", suppress)
    assert (refused, taken_too.state) == (expected, State.SENT)


@pytest.mark.parametrize(("message", "code"), ACCOUNT)
def test_the_account_stops_the_run_unless_something_was_sent(message: Outgoing, code: int) -> None:
    text = message is SMS
    with pytest.raises(AccountError, match=str(code)):
        receipts(answer({"header": header(code)}), message)
    with pytest.raises(AccountError, match=str(code)):
        receipts(taken(result(message, code), text=text), message)
    done = receipts(
        taken(result(message, code), result(other(message)), text=text), message, other(message)
    )
    assert [receipt.state for receipt in done] == [State.FAILED, State.SENT]


def test_a_request_that_is_refused_whole_blames_a_message_only_if_it_is_alone() -> None:
    refusal = answer({"header": header(-2023, "Unacceptable characters in title and body")})
    said = ("-2023", "Unacceptable characters in title and body")
    assert receipts(refusal, SMS) == [Receipt("k-1-0", State.REJECTED, None, *said)]
    assert receipts(refusal, SMS, other(SMS)) == [
        Receipt("k-1-0", State.FAILED, None, *said),
        Receipt("k-2-0", State.FAILED, None, *said),
    ]


def test_a_request_whose_recipients_were_all_refused_names_them() -> None:
    results = [result(ALIMTALK, -4019), result(other(ALIMTALK), -3004)]
    done = receipts(taken(*results, text=False, code=-1031), ALIMTALK, other(ALIMTALK))
    assert [(receipt.state, receipt.suppress) for receipt in done] == [
        (State.REJECTED, "dead"),
        (State.REJECTED, None),
    ]
    assert done[0].provider_id is None


@pytest.mark.parametrize(
    "response", [taken(result(SMS), text=True, status="3"), taken(result(SMS), text=True, code=-1)]
)
def test_success_within_a_failure_is_unknown(response: Response) -> None:
    assert receipts(response, SMS)[0].state is State.UNKNOWN


def test_a_key_that_was_used_before_means_that_the_first_request_arrived() -> None:
    refusal = answer({"header": header(-1005, "The same key was used within 10 minutes.")})
    done = receipts(refusal, ALIMTALK, other(ALIMTALK))
    assert [(receipt.state, receipt.code) for receipt in done] == [(State.UNKNOWN, "-1005")] * 2


@pytest.mark.parametrize(
    "response",
    [
        answer({"header": header(-9999, "System error.")}),
        answer({"header": header(-2021, "Failed insert queue.")}),
        answer({"header": header(77777)}),
        answer({"header": header()}),
        answer({"header": {"isSuccessful": True}}),
        answer([]),
        Response(status=200, content=b"<html>"),
        Response(status=302),
        Response(status=408),
    ],
)
def test_an_answer_that_tells_nothing_is_unreadable(response: Response) -> None:
    with pytest.raises(Unreadable):
        receipts(response, SMS)
    with pytest.raises(Unreadable):
        found(response)


def test_a_status_alone_refuses_the_request() -> None:
    for response in (Response(status=404, content=b"<html>"), answer({"header": header()}, 400)):
        first, second = receipts(response, SMS, other(SMS))
        assert first.state is second.state is State.FAILED
    assert receipts(Response(status=404), SMS)[0] == Receipt(
        "k-1-0", State.REJECTED, None, "HTTP 404"
    )
    for status in (401, 403):
        with pytest.raises(AccountError, match=str(status)):
            receipts(Response(status=status), SMS)


FIELDS = [
    *("header", "isSuccessful", "resultCode", "body", "data", "sendResultList", "statusCode"),
    *("message", "sendResults", "requestId", "recipientSeq", "recipientNo", "recipientGroupingKey"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9999, 9999) | st.sampled_from(["0", "R1", "k-1-0"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(body=json_values, head=st.sampled_from([header(), header(-1031), header(-2019), None]))
def test_whatever_it_answers_each_message_has_one_receipt_or_nobody_knows(
    body: object, head: object
) -> None:
    if isinstance(body, dict) and head is not None:
        body = body | {"header": head}
    for message in (SMS, ALIMTALK):
        try:
            done = receipts(answer(body), message, other(message))
        except (AccountError, Unreadable):
            continue
        assert [receipt.id for receipt in done] == ["k-1-0", "k-2-0"]


def query(request: Request) -> dict[str, str]:
    assert request.method == "GET"
    return {key: value for key, [value] in parse_qs(urlsplit(request.url).query).items()}


@pytest.mark.parametrize(
    ("channel", "url", "seconds"),
    [
        ("sms", f"{SMS_URL}sender/sms", ":00"),
        ("lms", f"{SMS_URL}sender/mms", ":00"),
        ("mms", f"{SMS_URL}sender/mms", ":00"),
        ("alimtalk", f"{ALIMTALK_URL}messages", ""),
        ("brand_message", f"{BRAND_URL}messages", ""),
    ],
)
def test_a_lost_message_is_looked_up_by_its_name_in_korean_time(
    channel: str, url: str, seconds: str
) -> None:
    request = provider().look_up([question(channel)], ATTEMPT)
    assert request.url.partition("?")[0] == url
    assert query(request) == {
        "startRequestDate": f"2026-01-01 00:30{seconds}",
        "endRequestDate": f"2026-01-03 00:30{seconds}",
        "recipientGroupingKey": "k-1-0",
        "pageNum": "1",
        "pageSize": "1000",
    }
    assert request.headers["X-Secret-Key"] in {"sms-secret", "kakao-secret"}


def test_messages_of_one_request_are_looked_up_together() -> None:
    nhn = provider()
    one, two = question("sms", "R1/1"), question("sms", "R1/2", "k-2-0")
    alone, apart = question("sms", None, "k-3-0"), question("lms", "R1/1", "k-4-0")
    assert nhn.question_group(one) == nhn.question_group(two)
    assert len({nhn.question_group(asked) for asked in (one, alone, apart)}) == 3
    request = nhn.look_up([one, two], ATTEMPT)
    assert query(request) == {"requestId": "R1", "pageNum": "1", "pageSize": "1000"}
    listed = text_list(text_state("3", "1000"), text_state("1", None, "k-2-0"))
    assert [(receipt.id, receipt.state) for receipt in found(listed, one, two, alone)] == [
        ("k-1-0", State.DELIVERED),
        ("k-2-0", State.SENT),
        ("k-3-0", State.UNKNOWN),
    ]


def test_what_is_too_old_to_be_listed_is_not_asked_for() -> None:
    late = replace(ATTEMPT, at=NOW + timedelta(days=30))
    with pytest.raises(NotSent, match="30 days"):
        provider().look_up([question()], late)
    assert "requestId=R1" in provider().look_up([question("sms", "R1/1")], late).url


@pytest.mark.parametrize(
    ("status", "code", "state", "suppress"),
    [
        ("1", None, State.SENT, None),
        ("2", None, State.SENT, None),
        ("3", "1000", State.DELIVERED, None),
        ("3", None, State.DELIVERED, None),
        ("3", "3015", State.UNDELIVERED, None),
        ("0", "1002", State.UNDELIVERED, "dead"),
        ("0", "3001", State.UNDELIVERED, "dead"),
        ("0", "3003", State.UNDELIVERED, "dead"),
        ("0", "3006", State.UNDELIVERED, "refused"),
        ("0", "2003", State.UNDELIVERED, None),
        ("0", "3012", State.UNDELIVERED, None),
        ("0", "3019", State.UNDELIVERED, None),
        ("0", "E919", State.UNDELIVERED, None),
        ("4", None, State.UNDELIVERED, None),
        ("5", "E915", State.UNDELIVERED, None),
    ],
)
def test_the_result_of_a_text_message(
    status: str, code: str | None, state: State, suppress: str | None
) -> None:
    assert found(text_list(text_state(status, code))) == [
        Receipt("k-1-0", state, "R1/1", code, "상태", suppress)
    ]


@pytest.mark.parametrize(
    ("status", "code", "text", "state", "suppress"),
    [
        ("READY", None, None, State.SENT, None),
        ("COMPLETED", "1000", "RSC02", State.DELIVERED, None),
        ("COMPLETED", None, None, State.DELIVERED, None),
        ("COMPLETED", "3005", "RSC01", State.SENT, None),
        ("COMPLETED", "4161", None, State.SENT, None),
        ("FAILED", "3018", "RSC02", State.SENT, None),
        ("FAILED", "3019", "RSC03", State.SENT, None),
        ("FAILED", "3019", "RSC04", State.DELIVERED, None),
        ("FAILED", "3019", "RSC05", State.UNDELIVERED, None),
        ("FAILED", "3020", "RSC01", State.UNDELIVERED, None),
        ("FAILED", "3022", None, State.UNDELIVERED, None),
        ("FAILED", "3008", "RSC01", State.UNDELIVERED, "dead"),
        ("FAILED", "4131", None, State.UNDELIVERED, None),
        ("FAILED", "3005", None, State.SENT, None),
        ("CANCEL", None, None, State.UNDELIVERED, None),
    ],
)
def test_the_result_of_a_kakao_message_and_of_the_text_in_its_place(
    status: str, code: str | None, text: str | None, state: State, suppress: str | None
) -> None:
    entry = kakao_state(status, code, text)
    expected = [Receipt("k-1-0", state, "R1/1", code, None, suppress)]
    assert found(kakao_list(entry), question("alimtalk")) == expected
    entry["resendStatusCode"] = entry.pop("resendStatus")
    assert found(kakao_list(entry), question("brand_message")) == expected


def test_of_a_message_that_was_tried_twice_the_better_result_counts() -> None:
    refused, arrived = text_state("0", "2003"), text_state("3", "1000")
    for order in ((refused, arrived), (arrived, refused)):
        assert [receipt.state for receipt in found(text_list(*order))] == [State.DELIVERED]


def test_a_message_is_missing_only_from_a_list_that_is_whole() -> None:
    stranger = text_state("3", "1000", "k-9-0")
    assert found(text_list()) == found(text_list(stranger)) == []
    assert found(answer({"header": header(-1016)}), question("alimtalk")) == []
    assert [receipt.state for receipt in found(text_list(stranger, total=2))] == [State.UNKNOWN]
    with pytest.raises(Unreadable):
        found(answer({"header": header(-4017)}), question("alimtalk"))
    with pytest.raises(Unreadable):
        found(answer({"header": header(), "body": {"data": None, "totalCount": 0}}))
    with pytest.raises(AccountError):
        found(answer({"header": header(-1000)}))


def sender(**changes: str) -> Response:
    one = {"sendNo": "02-0000-0000", "useYn": "Y", "blockYn": "N"} | changes
    return answer({"header": header(), "body": {"totalCount": 1, "data": [one]}})


def test_the_sender_is_checked_without_sending() -> None:
    request = provider().balance(ATTEMPT)
    assert request.url == f"{SMS_URL}sendNos?sendNo=0200000000"
    assert provider().told(sender()) == "the sender is registered"
    for response in (sender(blockYn="Y"), sender(useYn="N"), sender(sendNo="02-0000-0001")):
        with pytest.raises(AccountError, match="sender is"):
            provider().told(response)
    with pytest.raises(AccountError, match="-1001"):
        provider().told(answer({"header": header(-1001)}))
    with pytest.raises(Unreadable):
        provider().told(answer({"header": header(-2000)}))


def test_the_kakao_channel_is_checked_where_there_are_no_text_messages() -> None:
    nhn = provider(**KAKAO)
    assert nhn.balance(ATTEMPT).url == f"{ALIMTALK_URL}senders/{'f' * 40}"
    good = {"status": "YSC03", "kakaoStatus": "A", "kakaoProfileStatus": "A", "block": False}

    def told(**changes: object) -> str:
        return nhn.told(answer({"header": header(), "sender": good | changes}))

    assert told() == "the Kakao channel is active"
    for change in ({"block": True}, {"dormant": True}, {"status": "YSC02"}, {"kakaoStatus": "S"}):
        with pytest.raises(AccountError, match="not active"):
            told(**change)
    with pytest.raises(Unreadable):
        nhn.told(answer({"header": header()}))


def test_no_code_means_two_things() -> None:
    for family in (Family.TEXT, Family.KAKAO):
        assert "0" not in ON_SENDING[family]
        assert "1000" not in ON_DELIVERY[family]


def test_no_secret_leaves_but_in_its_header(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    image.write_bytes(b"jpg")
    mms = replace(SMS, channel=Channel.MMS, extras={"image": str(image)})
    nhn = provider()
    requests = [nhn.request([message], ATTEMPT) for message in (SMS, ALIMTALK, BRAND)]
    requests += [one.request for one in nhn.needs([mms], ATTEMPT)]
    requests += [nhn.look_up([question()], ATTEMPT), nhn.balance(ATTEMPT)]
    for request in requests:
        headers = {key: value for key, value in request.headers.items() if key != "X-Secret-Key"}
        assert "secret" not in f"{request.url}{request.content!r}{headers}"
    assert "secret" not in repr(vars(nhn))
