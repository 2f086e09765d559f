"""``run --ping``: a monitor hears how each run ended, and can spoil none."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import typer
from tests.shop import Shop

from remindctl.cli.ping import pinging
from remindctl.errors import Refused, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def monitor(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Serve on loopback, and write down what is asked for."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/s3cr3t/?a=1", heard
        server.shutdown()
        thread.join()


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Shop(tmp_path, capsys)


def test_a_run_says_how_it_ended(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monitor() as (url, heard):
        shop.run("--ping", url)
        assert heard == ["/s3cr3t/?a=1"]
        monkeypatch.setenv("REMINDCTL_PING", url)
        shop.run("--dry-run")
        assert len(heard) == 1
        assert "looking back" in shop.refused("--as-of", "2025-06-30T10:00")
        assert heard[1:] == ["/s3cr3t/fail?a=1"]


@pytest.mark.parametrize(
    ("end", "heard"),
    [
        (typer.Exit(1), ["/s3cr3t/fail?a=1"]),
        (typer.Exit(0), ["/s3cr3t/?a=1"]),
        (refuse("no"), ["/s3cr3t/fail?a=1"]),
        (ZeroDivisionError(), ["/s3cr3t/fail?a=1"]),
        (typer.Exit(130), []),
        (typer.Abort(), []),
        (KeyboardInterrupt(), []),
    ],
    ids=str,
)
def test_each_end_is_told_as_what_it_is(end: BaseException, heard: list[str]) -> None:
    with monitor() as (url, told), pytest.raises(type(end)), pinging(url):
        raise end
    assert told == heard


@pytest.mark.parametrize("status", [302, 500])
def test_a_monitor_that_fails_or_sends_elsewhere_spoils_nothing(
    status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with monitor(status) as (url, heard), pinging(url):
        pass
    assert len(heard) == 1
    with pinging(url):
        pass
    said = capsys.readouterr().err
    assert f"the monitor at 127.0.0.1 answered HTTP {status}" in said
    assert "no answer of the monitor at 127.0.0.1" in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    "url", ["http://shop.example/a", "ftp://127.0.0.1/a", "https:///a", "file:///etc/passwd", "a"]
)
def test_only_safe_addresses_are_asked(url: str) -> None:
    ran = False
    with pytest.raises(Refused, match="is no address that may be asked"), pinging(url):
        ran = True
    assert not ran
