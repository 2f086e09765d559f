"""``test`` from the command line: messages to oneself, which the log never hears of."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.shop import Shop

SRC = Path(__file__).parents[1] / "src"
CAMPAIGN = """
campaign: winback
purpose: informational
basis: answers a question of the customer's
steps:
  - id: day30
    due: {after: last_order, wait: 30d, within: 7d}
    coupon: {pool: welcome}
    send:
      - {channel: sms, text: "{{ coupon.code }} AAAA"}
      - {channel: lms, subject: 안내, text: "{{ coupon.code }} 안녕"}
      - {channel: email, subject: 안내, text: "{{ coupon.code }}", html: "<p>{{ name }}</p>"}
  - id: day31
    due: {after: last_order, wait: 31d, within: 7d}
    variants:
      - id: plain
        send:
          - channel: alimtalk
            template: T1
            variables: {이름: "{{ name }}"}
            text: "#{이름}님, 안녕하세요"
          - {channel: email, subject: 하나, text: 하나}
      - {id: loud, send: [{channel: email, subject: 둘, text: 둘}]}
"""

ADVERTISING = """
campaign: winback
purpose: advertising
steps:
  - id: day30
    due: {after: last_order, wait: 30d, within: 7d}
    coupon: {pool: welcome}
    send:
      - {channel: sms, text: 안녕}
      - {channel: email, subject: 안내, text: "{{ coupon.code }} {{ coupon.until }}",
         html: "<p>!</p>"}
"""


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Shop(tmp_path, capsys)


def written(shop: Shop, text: str = CAMPAIGN) -> Path:
    path = shop.folder / "winback.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def tried(shop: Shop, *words: str | Path) -> list[dict[str, Any]]:
    code, out, err = shop.call("test", shop.folder / "winback.yaml", "-o", "json", *words)
    assert code == 0, err
    document = json.loads(out)
    assert document["schema"] == "remindctl.test/1"
    messages: list[dict[str, Any]] = document["messages"]
    return messages


def test_a_message_of_each_step_goes_to_one_address_and_leaves_no_trace(shop: Shop) -> None:
    written(shop)
    told = tried(shop, "--to", "Me@Example.com")
    assert [(one["step"], one["variant"], one["channel"]) for one in told] == [
        ("day30", None, "email"),
        ("day31", "plain", "email"),
    ]
    assert {one["state"] for one in told} == {"sent"}
    first, second = shop.outbox()
    assert {first["to"], second["to"]} == {"me@example.com"}
    assert first["subject"] == "[TEST] 안내"
    assert first["text"].splitlines()[0] == "TEST-CODE"
    assert first["customer_key"] == second["customer_key"] == "TEST"
    assert first["id"].startswith("test-")
    assert [path.name for path in shop.state.iterdir()] == ["outbox.ndjson"]
    # Whoever runs the campaign afterwards finds everyone where they were.
    shop.campaign("winback")
    assert shop.run()[0]["sent"] == 3


def test_the_mark_stands_where_it_is_allowed_and_fits(shop: Shop) -> None:
    text = CAMPAIGN.replace("AAAA", "a" * 70)
    written(shop, text)
    for step, channel in {"day31": "alimtalk", "day30": "sms"}.items():
        tried(shop, "--to", "010-9000-1234", "--step", step, "--channel", channel)
    tried(shop, "--to", "010-9000-1234", "--channel", "lms")
    alimtalk, sms, lms = shop.outbox()
    assert {one["to"] for one in (alimtalk, sms, lms)} == {"+821090001234"}
    assert alimtalk["text"].endswith("님, 안녕하세요")
    assert "TEST" not in alimtalk["text"]
    # 80 of the 90 bytes that a text message has.
    assert sms["text"] == f"[TEST] TEST-CODE {'a' * 70}"
    assert (lms["subject"], lms["text"]) == ("안내", "[TEST] TEST-CODE 안녕")
    written(shop, text.replace("aaa", "aaa" + "a" * 7, 1))
    tried(shop, "--to", "010-9000-1234", "--channel", "sms")
    assert shop.outbox()[-1]["text"] == f"TEST-CODE {'a' * 77}"


def test_codes_and_links_are_nobodys(shop: Shop) -> None:
    shop.configure(extra="    optouts: x.db\n")
    text = (shop.folder / "remindctl.yaml").read_text(encoding="utf-8")
    text = text.replace("/optout}", '/optout?id={id}"}').replace(
        "url: https://shop.example/o", 'url: "https://shop.example/o'
    )
    text = text.replace("orders: orders.csv", "orders: orders.csv, coupons: welcome.csv")
    (shop.folder / "remindctl.yaml").write_text(text, encoding="utf-8")
    (shop.folder / "welcome.csv").write_text("code,valid_until\nREAL-1,2099-12-31\n")
    written(shop, ADVERTISING)
    tried(shop, "--to", "me@example.com", "--step", "day30", "--yes")
    [line] = shop.outbox()
    assert "TEST-CODE 2099-12-31" in line["text"]
    assert line["subject"] == "[TEST] (광고) 안내"
    assert "REAL-1" not in json.dumps(line)
    assert line["extras"]["unsubscribe"] == "https://shop.example/optout?id=TEST"  # type: ignore[index]
    assert "optout?id=TEST" in line["html"]


def test_steps_and_variants_are_chosen_and_what_is_not_there_is_said(shop: Shop) -> None:
    path = written(shop)
    [one] = tried(shop, "--to", "me@example.com", "--variant", "loud")
    assert (one["step"], shop.outbox()[-1]["subject"]) == ("day31", "[TEST] 둘")
    for words, said in {
        ("--step", "day3"): "--step: winback has no step 'day3'",
        ("--variant", "quiet"): "--variant: winback has no variant 'quiet'",
        ("--channel", "push"): "winback sends nothing by push to an e-mail address",
        ("--to", "10.5"): "winback sends nothing to a push token or customer id",
        ("--to", " "): "--to: is empty",
    }.items():
        code, out, err = shop.call("test", path, "--to", "me@example.com", *words)
        assert (code, out) == (2, ""), err
        assert said in err
    written(shop, CAMPAIGN.replace("steps:", "audience: {where: orders >= 99}\nsteps:"))
    code, _, err = shop.call("test", path, "--to", "me@example.com")
    assert code == 2
    assert "step day30 has no message to try: nobody is there to make it for" in err


def test_what_a_provider_refuses_is_shown_and_exits_1(shop: Shop) -> None:
    path = written(shop)
    (shop.state / "outbox.ndjson").mkdir(parents=True)
    code, out, err = shop.call("test", path, "--to", "me@example.com", "--step", "day30")
    assert code == 1, err
    assert "winback (goods): day30" in out
    assert "email, outbox" in out
    assert "failed" in out
    assert "outbox.ndjson: Is a directory" in out


def closed_now() -> str:
    """Hours of text messages that have just ended, or not begun, on the store's clock."""
    now = datetime.now(UTC) + timedelta(hours=9)
    return "08:00-09:00" if now.hour >= 12 else "15:00-16:00"


def test_closed_hours_need_a_word_of_consent(shop: Shop) -> None:
    shop.configure(f'hours: {{sms: "{closed_now()}"}}')
    path = written(shop, ADVERTISING)
    words = ["--to", "010-9000-1234", "--channel", "sms"]
    code, out, err = shop.call("test", path, *words)
    assert (code, out) == (2, "")
    assert "these are no hours for sms" in err
    assert not (shop.state / "outbox.ndjson").exists()
    assert tried(shop, *words, "--yes")[0]["state"] == "sent"


@pytest.mark.parametrize(("answer", "code", "sent"), [(b"n\n", 2, 0), (b"y\n", 0, 2)])
def test_at_a_terminal_it_asks_first(shop: Shop, answer: bytes, code: int, sent: int) -> None:
    written(shop)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "remindctl", "test", str(shop.folder / "winback.yaml"),
         "--to", "me@example.com", "-o", "json"],
        stdin=theirs, stderr=theirs, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SRC), "TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, answer)
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == code
    assert len(json.loads(out)["messages"] if out else []) == sent
    assert (shop.state / "outbox.ndjson").exists() == bool(sent)
