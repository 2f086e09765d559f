"""A cart reminder through three runs: a Brand Message, its result, and the text that follows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.shop import Shop

from remindctl import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# 15:00 in Seoul: open for texts and for Kakao.
NOW = datetime(2026, 10, 30, 6, tzinfo=UTC)
CONFIG = """
version: 1
stores:
  goods:
    name: 초록 상점
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    sender: {phone: "0212345678", contact: 02-1234-5678}
    optout: {phone: "0808880000"}
    sources: {orders: orders.csv, events: events.csv, consents: consents.csv}
    max_data_age: 3650d
    channels: {brand_message: kakao, lms: kakao}
    policy: {preset: KR}
providers:
  kakao:
    type: solapi
    api_key: "${KEY}"
    api_secret: "${SECRET}"
    sender: "0212345678"
    pf_id: KA01PF0
    base_url: "URL"
"""
CAMPAIGN = """
campaign: cart
purpose: advertising
data_age: 7d
steps:
  - id: hour
    due: {after: cart, wait: 1h, within: 1d}
    fallback_within: 6h
    send:
      - {channel: brand_message, text: "담아 두신 {{ anchor.product }}, 아직 있어요."}
      - {channel: lms, subject: 장바구니, text: "담아 두신 {{ anchor.product }}, 아직 있어요."}
"""
FAILED_AT_KAKAO = "3104"  # not a friend of the channel


class Solapi(BaseHTTPRequestHandler):
    """Takes messages as the recorded vendor does, and lists them with the status it is told."""

    taken: list[dict[str, Any]] = []  # noqa: RUF012 (one server a test, emptied by it)
    status = "2000"
    loses = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        listed = []
        for message in body["messages"]:
            message_id = f"M{len(self.taken)}"
            self.taken.append({**message, "messageId": message_id})
            listed.append(
                {
                    "messageId": message_id,
                    "statusCode": "2000",
                    "statusMessage": "ok",
                    "customFields": message["customFields"],
                }
            )
        if self.loses:
            self.close_connection = True
            return
        total = len(listed)
        count = {"total": total, "registeredSuccess": total, "registeredFailed": 0}
        self._answer(
            {"failedMessageList": [], "messageList": listed, "groupInfo": {"count": count}}
        )

    def do_GET(self) -> None:
        listed = {
            one["messageId"]: {**one, "statusCode": type(self).status, "status": "COMPLETE"}
            for one in self.taken
        }
        self._answer({"messageList": listed, "limit": 500})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def address() -> Iterator[str]:
    Solapi.taken.clear()
    Solapi.status = "2000"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Solapi)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> Shop:
    monkeypatch.setenv("KEY", "K" * 16)
    monkeypatch.setenv("SECRET", "S" * 32)
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    shop = Shop(tmp_path, capsys)
    (tmp_path / "remindctl.yaml").write_text(CONFIG.replace("URL", address), "utf-8")
    (tmp_path / "cart.yaml").write_text(CAMPAIGN, "utf-8")
    events = "event,occurred_at,cart_id,phone,product\n"
    at = NOW - timedelta(minutes=65)
    events += f"cart,{at.isoformat()},k1,010-9000-0001,비누\n"
    (tmp_path / "events.csv").write_text(events, "utf-8")
    consents = "phone,channel,purpose,granted,at,source\n" + "".join(
        f"010-9000-0001,{family},advertising,yes,2026-09-01T10:00:00+09:00,signup_form\n"
        for family in ("kakao", "text")
    )
    (tmp_path / "consents.csv").write_text(consents, "utf-8")
    return shop


def run(shop: Shop, monkeypatch: pytest.MonkeyPatch, at: datetime, code: int = 0) -> dict[str, Any]:
    monkeypatch.setattr(clock, "now", lambda: at)
    ended, out, err = shop.call("run", shop.folder / "cart.yaml", "-o", "json")
    assert ended == code, err
    [done] = json.loads(out)["runs"]
    return dict(done)


def test_the_text_follows_once_the_brand_message_surely_did_not_arrive(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(shop, monkeypatch, NOW)
    assert (first["by_channel"], first["sent"]) == ({"brand_message": 1}, 1)
    # No result yet: the next leg stays closed.
    second = run(shop, monkeypatch, NOW + timedelta(minutes=10))
    assert (second["planned"], second["held"]) == (0, {"already": 1})
    Solapi.status = FAILED_AT_KAKAO
    third = run(shop, monkeypatch, NOW + timedelta(minutes=20))
    assert (third["by_channel"], third["sent"]) == ({"lms": 1}, 1)
    kinds = [one.get("type") or one["subject"] for one in Solapi.taken]
    assert kinds == ["BMS_FREE", "(광고)장바구니"]
    fourth = run(shop, monkeypatch, NOW + timedelta(minutes=30))
    assert fourth["planned"] == 0


def test_a_brand_message_that_arrived_is_followed_by_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shop, monkeypatch, NOW)
    Solapi.status = "4000"
    assert run(shop, monkeypatch, NOW + timedelta(minutes=20))["planned"] == 0
    assert len(Solapi.taken) == 1
    _, out, _ = shop.call("log", "show", "-o", "json", "--config", shop.folder / "remindctl.yaml")
    assert '"delivered"' in out


def test_an_unknown_message_is_settled_by_a_look_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was lost on the way; the provider has it, and knows it by our name."""
    monkeypatch.setattr(Solapi, "loses", True)
    assert run(shop, monkeypatch, NOW, code=1)["unknown"] == 1
    monkeypatch.setattr(Solapi, "loses", False)
    Solapi.status = "4000"
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=10))
    config = shop.folder / "remindctl.yaml"
    code, _, err = shop.call("log", "resolve", "--lookup", "--config", config)
    assert (code, err) == (0, "goods: of earlier messages the providers tell: 1 delivered\n")
    assert run(shop, monkeypatch, NOW + timedelta(minutes=20))["planned"] == 0
    assert len(Solapi.taken) == 1
