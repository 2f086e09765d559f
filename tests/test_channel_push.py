"""Web push and FCM: the requests of the official libraries, and what every answer means."""

from __future__ import annotations

import base64
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.auth import crypt
from py_vapid import Vapid02

from remindctl.channels.fcm import Fcm
from remindctl.channels.http import (
    AccountError,
    Attempt,
    HasBalance,
    HttpProvider,
    Prepares,
    Response,
    Unreadable,
)
from remindctl.channels.provider import Account, NotSent, Outgoing, Receipt
from remindctl.channels.webpush import WebPush
from remindctl.errors import Refused
from remindctl.model import Channel, State

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(__file__).parent / "data" / "providers"
NOW = datetime(2026, 1, 1, 7, 3, tzinfo=UTC)
ATTEMPT = Attempt(at=NOW, nonce="0" * 32, ready={"token": "ya29.token"})
RECEIVER = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
SENDER = ec.derive_private_key(0xBEEF, ec.SECP256R1())
AUTH = b"0123456789abcdef"
ENDPOINT = "https://push.example:8443/wpush/v2/abc?x=1"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    uncompressed = serialization.PublicFormat.UncompressedPoint
    return key.public_key().public_bytes(serialization.Encoding.X962, uncompressed)


def private(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encoding: serialization.Encoding = serialization.Encoding.PEM,
) -> bytes:
    return key.private_bytes(
        encoding,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


RAW_KEY = b64(SENDER.private_numbers().private_value.to_bytes(32, "big"))


def subscription(endpoint: object = ENDPOINT, **keys: object) -> str:
    given = {"p256dh": b64(point(RECEIVER)), "auth": b64(AUTH)}
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": given | keys})


def message(**more: Any) -> Outgoing:
    return Outgoing(
        **{
            "id": "k-p-0",
            "key": "k",
            "store": "green",
            "campaign": "c1",
            "step": "restock",
            "customer_key": "a",
            "channel": Channel.PUSH,
            "to": subscription(),
            "kind": "push_token",
            "subject": "재구매",
            "text": "사료가 떨어질 때예요",
            "html": None,
            "advertising": True,
            "extras": {"url": "https://e.com/r", "image": "https://e.com/a.png"},
            "at": NOW,
            **more,
        }
    )


def account(settings: dict[str, str], folder: Path = Path()) -> Account:
    return Account("push", settings, folder, io.StringIO())


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))


def answer(status: int, body: object = "") -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(status=status, content=text.encode())


def part_of(token: str, number: int) -> Any:
    part = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# Web push


def webpush(**settings: str) -> WebPush:
    given = {"private_key": RAW_KEY, "subject": "mailto:hello@shop.example"}
    return WebPush.of(account(given | settings))


@pytest.fixture
def browser() -> WebPush:
    return webpush()


@pytest.mark.parametrize("name", ["webpush_ttl_urgency_topic", "webpush_410"])
def test_a_web_push_is_the_recorded_one(name: str) -> None:
    theirs = recorded(name)
    # What the recorder of the second left out; a message without ttl is gone before it is seen.
    theirs["headers"] = {"urgency": "low", "topic": "t"} | theirs["headers"] | {"ttl": "86400"}
    sent = webpush(urgency="low").request([message()], ATTEMPT)
    assert (sent.method, sent.url) == (theirs["method"], ENDPOINT)
    assert ENDPOINT.split("?", maxsplit=1)[0].endswith(theirs["path"])
    ours = {name.lower(): value for name, value in sent.headers.items()}
    transport = {"host", "user-agent", "accept-encoding", "accept", "connection", "content-length"}
    assert ours.keys() == {header.lower() for header in theirs["headers"]} - transport
    for header in ("content-encoding", "ttl", "urgency"):
        assert ours[header] == theirs["headers"][header]
    assert len(ours["topic"]) == 32
    assert Vapid02.verify(ours["authorization"])
    scheme, token, key = ours["authorization"].replace(",", " ").split(" ")
    assert (scheme, token[:2], key) == ("vapid", "t=", f"k={b64(point(SENDER))}")
    assert part_of(token[2:], 0) == theirs["jwt_header"]
    claims = part_of(token[2:], 1)
    assert sorted(claims) == theirs["jwt_claim_names"]
    assert claims["aud"] == "https://push.example:8443"
    assert claims["sub"] == "mailto:hello@shop.example"
    assert claims["exp"] == (NOW + timedelta(hours=12)).timestamp()
    layout = theirs["body_layout"]
    assert int.from_bytes(sent.content[16:20], "big") == layout["record_size"]
    assert sent.content[20] == layout["keyid_len"]


def test_a_browser_can_read_what_it_is_sent(browser: WebPush) -> None:
    def shown(**more: Any) -> Any:
        sent = browser.request([message(**more)], ATTEMPT)
        return json.loads(
            http_ece.decrypt(
                sent.content, private_key=RECEIVER, auth_secret=AUTH, version="aes128gcm"
            )
        )

    assert shown() == {
        "title": "재구매",
        "body": "사료가 떨어질 때예요",
        "url": "https://e.com/r",
        "image": "https://e.com/a.png",
    }
    # A file of this machine is nothing that a browser can fetch.
    assert shown(subject=None, extras={"image": "/shop/a.png"}).keys() == {"title", "body"}


def test_a_later_message_of_the_step_takes_the_place_of_an_earlier(browser: WebPush) -> None:
    def topic(**more: str) -> str:
        return browser.request([message(**more)], ATTEMPT).headers["Topic"]

    assert topic() == topic(id="k-q-0", key="other")
    assert len({topic(), topic(step="day60"), topic(campaign="c2"), topic(store="blue")}) == 4


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, "", Receipt("k-p-0", State.SENT, code="201")),
        (202, "", Receipt("k-p-0", State.SENT, code="202")),
        (
            410,
            "push subscription has unsubscribed",
            Receipt(
                "k-p-0",
                State.REJECTED,
                code="410",
                detail="push subscription has unsubscribed",
                suppress="dead",
            ),
        ),
        (404, "", Receipt("k-p-0", State.REJECTED, code="404", suppress="dead")),
        (413, "", Receipt("k-p-0", State.REJECTED, code="413")),
        (
            403,
            '{"reason":"VapidPkHashMismatch"}',
            Receipt("k-p-0", State.REJECTED, code="403", detail='{"reason":"VapidPkHashMismatch"}'),
        ),
    ],
)
def test_what_a_push_service_says_of_a_message(
    browser: WebPush, status: int, body: str, expected: Receipt
) -> None:
    assert browser.receipts([message()], answer(status, body)) == [expected]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_signature_stops_everything(browser: WebPush, status: int) -> None:
    said = f"bad jwt for {ENDPOINT}"
    with pytest.raises(AccountError, match="VAPID") as stop:
        browser.receipts([message()], answer(status, said))
    assert "push.example" not in str(stop.value)


@pytest.mark.parametrize("status", [302, 408, 500, 503])
def test_other_answers_of_a_push_service_tell_nothing(browser: WebPush, status: int) -> None:
    with pytest.raises(Unreadable):
        browser.receipts([message()], answer(status))
    assert browser.facts.not_accepted == {429}


@pytest.mark.parametrize(
    "to",
    [
        "fcm-token:APA91",
        "[]",
        "{}",
        subscription("http://push.example/x"),
        subscription("https://user@push.example/x"),
        subscription("https:///x"),
        subscription(5),
        subscription(auth=None),
        subscription(auth=7),
        subscription(p256dh="AA"),
        subscription(p256dh=b64(b"\x04" + b"\x01" * 64)),
        subscription(p256dh="!!!"),
    ],
)
def test_an_address_that_is_no_subscription_is_not_tried(browser: WebPush, to: str) -> None:
    with pytest.raises(NotSent) as refused:
        browser.request([message(to=to)], ATTEMPT)
    assert not isinstance(refused.value, AccountError)
    assert "push.example" not in str(refused.value)


def test_a_relay_may_stand_before_every_push_service() -> None:
    relayed = webpush(base_url="http://127.0.0.1:9/", ttl="3600").request([message()], ATTEMPT)
    assert relayed.url == "http://127.0.0.1:9/wpush/v2/abc?x=1"
    assert relayed.headers["TTL"] == "3600"
    assert isinstance(webpush(), HttpProvider)


@pytest.mark.parametrize(
    "key",
    [
        RAW_KEY,
        private(SENDER).decode(),
        b64(private(SENDER, serialization.Encoding.DER)),
    ],
)
def test_a_vapid_key_is_read_in_each_of_its_forms(key: str) -> None:
    header = webpush(private_key=key).request([message()], ATTEMPT).headers["Authorization"]
    assert header.endswith(f"k={b64(point(SENDER))}")


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"private_key": ""}, {"private_key"}),
        ({"private_key": "not a key", "subject": "hello@shop.example"}, {"private_key", "subject"}),
        ({"private_key": b64(b"short")}, {"private_key"}),
        (
            {"private_key": private(ec.derive_private_key(7, ec.SECP384R1())).decode()},
            {"private_key"},
        ),
        ({"urgency": "now"}, {"urgency"}),
        ({"ttl": "1d"}, {"ttl"}),
        ({"base_url": "http://push.example"}, {"base_url"}),
        ({"public_key": "x"}, {"public_key"}),
    ],
)
def test_wrong_settings_of_web_push_are_named(settings: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(Refused) as refused:
        webpush(**settings)
    assert {one.place.path for one in refused.value.problems} == {
        f"providers.push.{key}" for key in wrong
    }
    assert "not a key" not in str(refused.value)


# FCM


@pytest.fixture(scope="session")
def signer() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def credentials(tmp_path: Path, signer: rsa.RSAPrivateKey) -> dict[str, str]:
    given = {
        "type": "service_account",
        "project_id": "demo-p",
        "private_key_id": "kid1",
        "private_key": private(signer).decode(),
        "client_email": "x@demo-p.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.example/token",
    }
    (tmp_path / "firebase.json").write_text(json.dumps(given), "utf-8")
    return given


@pytest.fixture
def app(tmp_path: Path, credentials: dict[str, str]) -> Callable[..., Fcm]:
    assert credentials
    return lambda **more: Fcm.of(account({"credentials": "firebase.json"} | more, tmp_path))


def test_an_app_is_sent_what_was_recorded(app: Callable[..., Fcm]) -> None:
    theirs = recorded("fcm_send")
    sent = app(ttl="3600").request([message(to="tok1")], ATTEMPT)
    assert (sent.method, sent.url) == ("POST", theirs["real_origin"] + theirs["path"])
    assert sent.headers["Content-Type"] == theirs["headers"]["Content-Type"]
    assert sent.headers["Authorization"] == "Bearer ya29.token"
    ours, expected = json.loads(sent.content)["message"], theirs["body_json"]["message"]
    # What the recorder chose: the name of the group, the badge of the icon, the urgency.
    group = ours["android"].pop("collapse_key")
    assert expected["android"].pop("collapse_key") == "restock"
    assert expected["apns"].pop("payload") == {"aps": {"badge": 1}}
    assert expected["webpush"].pop("headers") == {"Urgency": "low"}
    assert ours["webpush"].pop("headers") == {"TTL": "3600", "Urgency": "normal", "Topic": group}
    until = str(int(NOW.timestamp()) + 3600)
    expected["apns"]["headers"] |= {"apns-collapse-id": group, "apns-expiration": until}
    expected["data"]["url"] = "https://e.com/r"
    assert ours == expected


def test_what_google_would_refuse_is_left_out(app: Callable[..., Fcm]) -> None:
    mail = message(to="tok1", campaign="재구매", extras={"image": "/a.png", "url": "shop://cart"})
    sent = json.loads(app().request([mail], ATTEMPT).content)["message"]
    assert sent["notification"].keys() == {"title", "body"}
    assert sent["data"] == {"campaign": "재구매", "url": "shop://cart"}
    assert "fcm_options" not in sent
    assert "fcm_options" not in sent["webpush"]
    for to in (subscription(), "", "a b", "https://push.example/x"):
        with pytest.raises(NotSent):
            app().request([message(to=to)], ATTEMPT)


def test_a_token_is_asked_for_as_it_was_recorded(
    app: Callable[..., Fcm], signer: rsa.RSAPrivateKey, credentials: dict[str, str]
) -> None:
    theirs = recorded("google_oauth2_jwt_grant")
    fcm = app()
    assert isinstance(fcm, HttpProvider)
    assert isinstance(fcm, Prepares)
    assert isinstance(fcm, HasBalance)
    [needed] = fcm.needs([message()], ATTEMPT)
    sent = needed.request
    assert (needed.key, sent.method, sent.url) == ("token", "POST", credentials["token_uri"])
    assert sent.headers["Content-Type"] == theirs["headers"]["Content-Type"]
    form = {key: value for key, [value] in parse_qs(sent.content.decode()).items()}
    assert form.keys() == {key for key, _ in theirs["body_form"]}
    assert form["grant_type"] == theirs["body_form"][0][1]
    assert part_of(form["assertion"], 0) == theirs["assertion_header"]
    pem = signer.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = part_of(form["assertion"], 1)
    verified: Any = crypt.verify_signature
    head, body, signature = form["assertion"].split(".")
    padded = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert verified(f"{head}.{body}", padded, pem)
    assert claims.keys() == theirs["assertion_claims"].keys()
    assert claims["iss"] == credentials["client_email"]
    assert claims["aud"] == credentials["token_uri"]
    assert claims["scope"] == theirs["assertion_claims"]["scope"]
    assert claims["exp"] == claims["iat"] + 3600
    assert NOW - timedelta(minutes=5) < datetime.fromtimestamp(claims["iat"], UTC) <= NOW
    later = Attempt(at=NOW + timedelta(hours=1), nonce="1" * 32)
    assert fcm.needs([message()], ATTEMPT) == [needed]
    assert fcm.needs([message()], later) != [needed]
    assert fcm.balance(ATTEMPT) == sent


def test_a_token_is_used_until_shortly_before_its_end(app: Callable[..., Fcm]) -> None:
    given = answer(200, {"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"})
    assert app().prepared("token", given) == ("ya29.x", timedelta(seconds=3299))
    assert app().told(given) == "Google knows the service account of project demo-p"
    brief = answer(200, {"access_token": "ya29.x", "expires_in": 10})
    assert app().prepared("token", brief)[1] == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, {"error": "invalid_grant", "error_description": "Invalid JWT"}, AccountError),
        (401, {"error": "unauthorized_client"}, AccountError),
        (500, {"error": "internal_failure"}, NotSent),
        (200, {"token_type": "Bearer"}, NotSent),
        (200, "<html>", NotSent),
    ],
)
def test_without_a_token_nothing_is_sent(
    app: Callable[..., Fcm], status: int, body: object, outcome: type[NotSent]
) -> None:
    with pytest.raises(outcome) as refused:
        app().prepared("token", answer(status, body))
    assert type(refused.value) is outcome
    with pytest.raises(outcome):
        app().told(answer(status, body))


def refusal(code: str | None, status: str = "X", text: str = "sorry, tok1") -> Any:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": []}]
    if code is not None:
        details.append({"@type": kind, "errorCode": code})
    return {"error": {"code": 400, "message": text, "status": status, "details": details}}


@pytest.mark.parametrize(
    ("status", "code", "text", "state", "suppress"),
    [
        (404, "UNREGISTERED", "Requested entity was not found.", State.REJECTED, "dead"),
        (400, "INVALID_ARGUMENT", "Invalid value at 'message.data'", State.REJECTED, None),
        (
            400,
            "INVALID_ARGUMENT",
            "The registration token is not a valid FCM registration token",
            State.REJECTED,
            "dead",
        ),
        (403, "SENDER_ID_MISMATCH", "SenderId mismatch", State.REJECTED, None),
        (401, "THIRD_PARTY_AUTH_ERROR", "Auth error from APNS", State.FAILED, None),
        (400, "SOMETHING_NEW", "unheard of", State.REJECTED, None),
    ],
)
def test_what_fcm_says_of_a_message(
    app: Callable[..., Fcm], status: int, code: str, text: str, state: State, suppress: str | None
) -> None:
    said = answer(status, refusal(code, text=f"{text} tok1"))
    [receipt] = app().receipts([message(to="tok1")], said)
    assert receipt == Receipt("k-p-0", state, code=code, detail=f"{text} …", suppress=suppress)


def test_what_fcm_took_is_named(app: Callable[..., Fcm]) -> None:
    name = "projects/demo-p/messages/0:15"
    [receipt] = app().receipts([message(to="tok1")], answer(200, {"name": name}))
    assert receipt == Receipt("k-p-0", State.SENT, provider_id=name)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, refusal(None, "UNAUTHENTICATED")),
        (403, refusal(None, "PERMISSION_DENIED")),
        (404, "<html>not here</html>"),
    ],
)
def test_a_refused_service_account_stops_everything(
    app: Callable[..., Fcm], status: int, body: object
) -> None:
    with pytest.raises(AccountError, match="service account") as stop:
        app().receipts([message(to="tok1")], answer(status, body))
    assert "tok1" not in str(stop.value)


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (200, {}), (408, ""), (500, refusal("INTERNAL"))]
)
def test_other_answers_of_fcm_tell_nothing(
    app: Callable[..., Fcm], status: int, body: object
) -> None:
    with pytest.raises(Unreadable):
        app().receipts([message(to="tok1")], answer(status, body))
    # QUOTA_EXCEEDED and UNAVAILABLE.
    assert app().facts.not_accepted == {429, 503}


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        "{}",
        '{"type": "authorized_user"}',
        {"token_uri": "http://oauth2.example/token"},
        {"private_key": "none"},
        {"project_id": ""},
    ],
)
def test_a_file_that_is_no_service_account_is_refused(
    tmp_path: Path, credentials: dict[str, str], content: str | dict[str, str] | None
) -> None:
    path = tmp_path / "firebase.json"
    path.unlink()
    if content is not None:
        text = json.dumps(credentials | content) if isinstance(content, dict) else content
        path.write_text(text, "utf-8")
    with pytest.raises(Refused) as refused:
        Fcm.of(account({"credentials": "firebase.json", "project": "NO", "x": "1"}, tmp_path))
    assert {one.place.path for one in refused.value.problems} == {
        f"providers.push.{key}" for key in ("credentials", "project", "x")
    }
    with pytest.raises(Refused, match="is missing"):
        Fcm.of(account({}, tmp_path))


@pytest.mark.parametrize(
    ("package", "build"), [("pywebpush", webpush), ("py_vapid", webpush), ("google.auth", None)]
)
def test_without_the_extra_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
    app: Callable[..., Fcm],
    package: str,
    build: Callable[[], object] | None,
) -> None:
    for name in [one for one in sys.modules if one == package or one.startswith(f"{package}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Refused) as refused:
        (build or app)()
    [problem] = refused.value.problems
    assert problem.hint == "pip install 'remindctl[push]'"
