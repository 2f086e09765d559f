"""Secrets stay where they are used: no output, file or log holds one, whatever a provider says."""

from __future__ import annotations

import base64
import io
import json
import socketserver
import sys
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.shop import CONFIG, Shop
from typer.main import get_command

from remindctl.channels import PROVIDERS, Account, open_account
from remindctl.cli.app import app
from remindctl.cli.commands import Deferred
from remindctl.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "Zq7xW3vKp9LmT2rB5nYcD8fG"
SID = f"AC{'0' * 32}"
WEBHOOK = f"whsec_{base64.b64encode(SECRET.encode()).decode()}"
# As they are, and as headers and logins carry them.
FORMS = [
    SECRET,
    base64.b64encode(SECRET.encode()).decode(),
    base64.b64encode(f"{SID}:{SECRET}".encode()).decode(),
    base64.b64encode(f"\0shop\0{SECRET}".encode()).decode(),
]
ACCOUNTS = {
    "solapi": 'api_key: "${A}", api_secret: "${A}", sender: "0212345678", base_url: "URL"',
    "aligo": 'api_key: "${A}", user_id: shop, sender: "0212345678", base_url: "URL"',
    "nhn": 'sms_app_key: "${A}", sms_secret_key: "${A}", sender: "0212345678", base_url: "URL"',
    "twilio": f'account_sid: {SID}, auth_token: "${{A}}", from: "+12025550100", base_url: "URL"',
    "resend": 'api_key: "${A}", from: hello@shop.example, base_url: "URL"',
    "webhook": 'url: "URL/in", secret: "${W}"',
    "smtp": 'host: 127.0.0.1, port: "MAIL", security: none, username: shop, password: "${A}", '
    "from: hello@shop.example",
}
CHANNELS = {"resend": "email", "smtp": "email"}
CAMPAIGN = """
campaign: winback
purpose: informational
basis: answers a question of the customer's
steps:
  - id: day30
    due: {after: last_order, wait: 30d, within: 7d}
    send: [{channel: CHANNEL, text: Hello}]
"""


class _Parrot(BaseHTTPRequestHandler):
    """Repeats whatever it is told, in every field that providers read."""

    status = 400

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        heard = f"{self.path} {self.headers} {body}"
        header = {"isSuccessful": False, "resultCode": -1000, "resultMessage": heard}
        said: dict[str, Any] = {"message": heard, "errorMessage": heard, "errorCode": heard}
        said |= {"code": 21211, "name": heard, "result_code": "-101", "header": header}
        said |= {"error": {"message": heard}, "more_info": heard, "id": heard, "status": heard}
        content = json.dumps(said).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class _MailParrot(socketserver.StreamRequestHandler):
    """Refuses every login, and says which."""

    def handle(self) -> None:
        self.wfile.write(b"220 parrot\r\n")
        for line in self.rfile:
            word = line.strip()
            if word.upper().startswith(b"EHLO"):
                self.wfile.write(b"250-parrot\r\n250 AUTH PLAIN\r\n")
            elif word.upper().startswith(b"AUTH PLAIN"):
                login = base64.b64decode(word.split()[2]).replace(b"\0", b" ")
                self.wfile.write(b"535 no such login: %s (%s)\r\n" % (word.split()[2], login))
            else:
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"503 log in first\r\n")


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def parrots() -> Iterator[tuple[str, str, type[_Parrot]]]:
    handler = type("Parrot", (_Parrot,), {})
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _MailParrot)
    with ExitStack() as stack:
        stack.enter_context(serving(web))
        stack.enter_context(serving(mail))
        yield f"http://127.0.0.1:{web.server_port}", str(mail.server_address[1]), handler


@pytest.mark.parametrize("type_", ACCOUNTS)
def test_no_secret_leaves_but_to_its_provider(
    type_: str,
    parrots: tuple[str, str, type[_Parrot]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, mail, handler = parrots
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    monkeypatch.setenv("A", SECRET)
    monkeypatch.setenv("W", WEBHOOK)
    # Whatever were a bug is shown with all of its words.
    monkeypatch.setenv("REMINDCTL_TRACEBACK", "1")
    shop = Shop(tmp_path, capsys)
    channel = CHANNELS.get(type_, "sms")
    leg = "email, subject: Hi" if channel == "email" else channel
    account = ACCOUNTS[type_].replace("URL", url).replace("MAIL", mail)
    config = CONFIG.replace("policy: {CEILING}", f"channels: {{{channel}: it}}")
    config += f"providers:\n  it: {{type: {type_}, {account}}}\n"
    files = {"remindctl.yaml": config, "winback.yaml": CAMPAIGN.replace("CHANNEL", leg)}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    orders = (tmp_path / "orders.csv").read_text(encoding="utf-8").splitlines()
    phones = ["Phone", *(f"010-9000-000{n}" for n in range(1, len(orders)))]
    lines = [f"{row},{phone}" for row, phone in zip(orders, phones, strict=True)]
    (tmp_path / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    to = "me@example.com" if channel == "email" else "010-9000-1234"
    path = tmp_path / "winback.yaml"
    said = []
    for status in (400, 401, 404):
        handler.status = status
        said.append(shop.call("test", path, "--to", to, "--yes"))
        assert said[-1][0] == 1, said[-1]
    said.append(shop.call("check", path, "--providers"))
    handler.status = 400
    said.append(shop.call("run", path, "--dry-run", "--messages", tmp_path / "planned.ndjson"))
    said.append(shop.call("run", path, "-o", "json", "--messages", tmp_path / "sent.ndjson"))
    run = json.loads(said[-1][1])["runs"][0]
    assert run["planned"] > 0
    assert run["rejected"] + run["failed"] == run["planned"]
    said.append(shop.call("log", "show", "--config", tmp_path / "remindctl.yaml", "-o", "json"))
    kept = {str(one): one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    assert str(tmp_path / ".remindctl" / "log.db") in kept
    for form in FORMS:
        for _, out, err in said:
            assert form not in out + err
        assert [name for name, data in kept.items() if form.encode() in data] == []


def test_every_type_that_has_a_secret_is_tried() -> None:
    local = {"outbox", "console", "feed"}
    # Their secrets are keys to sign with, which they never send.
    signing = {"webpush", "fcm"}
    assert set(ACCOUNTS) == set(PROVIDERS) - local - signing


def test_no_option_takes_a_secret() -> None:
    """What stands on a command line is shown by ``ps`` and kept by the shell."""

    def options(command: Any) -> Iterator[str]:
        command = command.load() if isinstance(command, Deferred) else command
        for one in getattr(command, "commands", {}).values():
            yield from options(one)
        for parameter in command.params:
            yield from parameter.opts

    words = ("password", "secret", "token", "key", "credential")
    suspects = {one for one in options(get_command(app)) if any(word in one for word in words)}
    # The name of a variable, and the short name of a store.
    assert suspects == {"--password-env", "--key"}


def test_settings_that_are_missing_or_wrong_are_told_without_their_values(tmp_path: Path) -> None:
    keys = {
        "api_key", "api_secret", "auth_token", "secret", "password", "private_key", "credentials",
        "sms_app_key", "sms_secret_key", "kakao_app_key", "kakao_secret_key", "account_sid", "url",
        "base_url", "sender", "from", "host", "port", "security", "username", "ca_file",
    }  # fmt: skip
    settings = dict.fromkeys(keys, f"{SECRET} \n☃")
    said = ""
    for type_ in set(PROVIDERS) - {"outbox", "console", "feed"}:
        with pytest.raises(Refused) as refused:
            open_account(type_, Account("it", settings, tmp_path, io.StringIO()))
        said += "".join(f"{one} {one.hint}\n" for one in refused.value.problems)
    assert "providers.it.api_key: holds a blank" in said
    assert "a bug in it" not in said
    assert SECRET not in said
