"""``check --providers``: each account is asked whether it is ready, and nothing is sent."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.mailserver import mail_server
from tests.shop import CONFIG, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNTS = """
providers:
  texts: {type: solapi, api_key: "${A}", api_secret: "${A}", sender: "0212345678", base_url: WEB}
  mail: {type: smtp, host: localhost, port: "MAIL", security: none, from: hello@shop.example}
  hook: {type: webhook, url: WEB/in, secret: "${W}"}
"""
CHANNELS = "{sms: texts, email: mail, webhook: hook, onsite: feed, lms: texts}"


@contextmanager
def solapi(status: int, answer: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("A", "0123456789ABCDEF")
    monkeypatch.setenv("W", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Shop(tmp_path, capsys)


def checked(shop: Shop, web: str, mail: int, *words: str) -> tuple[int, str]:
    text = CONFIG.replace("policy: {CEILING}", f"channels: {CHANNELS}")
    text += ACCOUNTS.replace("WEB", web).replace("MAIL", str(mail))
    (shop.folder / "remindctl.yaml").write_text(text, encoding="utf-8")
    code, out, err = shop.call("check", shop.folder / "winback.yaml", "--providers", *words)
    assert err == ""
    return code, out


def test_each_provider_says_in_a_line_how_it_stands(shop: Shop) -> None:
    with solapi(200, {"balance": 12000, "point": 30}) as (web, asked), mail_server() as box:
        code, out = checked(shop, web, box.port)
        assert code == 0, out
        lines = [line.split(maxsplit=2) for line in out.partition("Providers")[2].splitlines()]
        said = {line[0]: line[2].strip() for line in lines if len(line) == 3}
        assert list(said)[:4] == ["texts", "mail", "hook", "feed"]
        assert "12" in said["texts"]
        assert said["mail"] == f"localhost:{box.port} answers, without a login"
        assert "remindctl test" in said["hook"]
        assert said["feed"] == "stays on this machine"
        assert (len(asked), box.mails) == (1, [])
        # Whoever does not ask for it asks nobody.
        shop.call("check", shop.folder / "winback.yaml")
        assert len(asked) == 1


def test_what_is_not_ready_is_a_problem_of_its_account(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refusal = {"errorCode": "InvalidAPIKey", "errorMessage": "no such key"}
    with solapi(401, refusal) as (web, _):
        code, out = checked(shop, web, port, "-o", "json")
    document = json.loads(out)
    assert (code, document["ok"]) == (2, False)
    assert {one["provider"]: one["ready"] for one in document["providers"]} == {
        "texts": False, "mail": False, "hook": True, "feed": True,
    }  # fmt: skip
    wrong = [one for one in document["problems"] if one["severity"] == "error"]
    assert {one["line"] for one in wrong} == {17, 18}
    assert any("InvalidAPIKey" in one["what"] for one in wrong)
    assert any(f"no connection to localhost:{port}" in one["what"] for one in wrong)
