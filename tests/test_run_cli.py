"""``run``, ``log`` and ``optout`` from the command line, on real files in a folder of their own."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.shop import Shop

from remindctl.sendlog.lock import hold

CONTRACT = [
    "campaign", "store", "as_of", "dry_run", "due", "planned", "held", "cost", "by_channel",
    "sent", "rejected", "failed", "unknown",
]  # fmt: skip


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Shop(tmp_path, capsys)


def test_a_dry_run_says_everything_and_touches_nothing(shop: Shop) -> None:
    before = sorted(shop.folder.rglob("*"))
    [run] = shop.run("--dry-run")
    assert list(run) == CONTRACT
    assert run | {"as_of": ""} == {
        "campaign": "winback",
        "store": "goods",
        "as_of": "",
        "dry_run": True,
        "due": 4,
        "planned": 3,
        "held": {"no_consent": 1},
        "cost": {"amount": 6, "currency": "KRW"},
        "by_channel": {"email": 3},
        "sent": 0,
        "rejected": 0,
        "failed": 0,
        "unknown": 0,
    }
    assert str(run["as_of"]).endswith("+09:00")
    assert sorted(shop.folder.rglob("*")) == before


def test_a_dry_run_reads_well_on_80_columns_and_shows_no_whole_address(shop: Shop) -> None:
    code, out, _ = shop.call("run", shop.folder / "winback.yaml", "--dry-run")
    assert code == 0
    assert max(map(cell_len, out.splitlines())) <= 80
    assert "4 messages due: 3 to send, for 6 KRW; 1 held." in out
    assert "김*수" in out
    assert "30d after last_order" in out
    assert "no_consent" in out
    assert "수분 크림 어떠셨나요?" in out
    assert "kim1@" not in out
    columns = {
        cell_len(line[: line.index(found)])
        for line in out[out.index("Who gets it") : out.index("For example")].splitlines()
        for found in ("김*수", "customer")
        if line.startswith("  ") and found in line
    }
    assert len(columns) == 1


def test_a_dry_run_can_look_back_and_limit(shop: Shop) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%S}+00:00"
    [run] = shop.run("--dry-run", "--as-of", yesterday)
    assert run["due"] == 0
    [run] = shop.run("--dry-run", "--limit", "2")
    assert (run["planned"], run["held"]) == (2, {"no_consent": 1, "limit": 1})
    assert "--dry-run" in shop.refused("--as-of", yesterday)
    assert "is no instant" in shop.refused("--dry-run", "--as-of", "2026-10-31")


def test_a_run_sends_once_and_the_second_one_nothing(shop: Shop) -> None:
    [first] = shop.run()
    assert (first["planned"], first["sent"]) == (3, 3)
    [second] = shop.run()
    assert (second["planned"], second["sent"]) == (0, 0)
    assert second["held"] == {"no_consent": 1, "already": 3}
    lines = shop.outbox()
    assert {line["to"] for line in lines} == {f"kim{n}@example.com" for n in range(1, 4)}
    assert lines[0]["subject"] == "(광고) 다시 만나요"
    assert "https://shop.example/optout" in lines[0]["text"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in shop.state.iterdir()} == {0o600}


def test_one_more_order_ends_the_reminder(shop: Shop) -> None:
    shop.export(
        ("김민수", "kim1@example.com", 30.1, "yes"), ("김민수", "kim1@example.com", 2, "yes")
    )
    [run] = shop.run()
    assert run["due"] == 0


def test_messages_are_written_one_a_line_with_the_documented_keys(shop: Shop) -> None:
    path = shop.folder / "planned.ndjson"
    shop.run("--dry-run", "--messages", path)
    [line, *_] = lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(lines) == 3
    assert list(line) == [
        "key", "campaign", "step", "variant", "occasion", "store", "customer_key", "channel",
        "provider", "to", "subject", "text", "html", "due_at", "reason",
    ]  # fmt: skip
    assert line["provider"] == "outbox"
    assert datetime.fromisoformat(line["due_at"]).utcoffset() == timedelta(hours=9)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_log_shows_messages_and_holds_no_address_or_text(shop: Shop) -> None:
    [run] = shop.run()
    _, out, _ = shop.call("log", "show", "--config", shop.folder / "remindctl.yaml", "-o", "json")
    document = json.loads(out)
    assert document["schema"] == "remindctl.log/1"
    assert [entry["state"] for entry in document["entries"]] == ["sent"] * 3
    config = ["--config", str(shop.folder / "remindctl.yaml")]
    for words, count in [
        (["--state", "failed"], 0),
        (["--campaign", "winback", "--limit", "2"], 2),
        (["--since", "2020-01-01"], 3),
        (["--store", "goods", "--customer", shop.outbox()[0]["customer_key"]], 1),
        (["--store", "goods", "--customer", "nobody"], 0),
    ]:
        _, out, _ = shop.call("log", "show", *config, *words, "-o", "json")
        assert len(json.loads(out)["entries"]) == count, words
    _, out, _ = shop.call("log", "show", *config)
    assert "k***@e…" in out
    for path in shop.state.glob("*.db*"):
        stored = path.read_bytes()
        for secret in (
            "example.com",
            "김민수",
            "수분 크림",
            run["campaign"] if "optouts" in path.name else "\0no",
        ):
            assert str(secret).encode() not in stored


def test_who_opts_out_is_never_messaged_and_may_come_back_with_evidence(shop: Shop) -> None:
    config = ["--config", str(shop.folder / "remindctl.yaml")]
    code, _, err = shop.call("optout", "add", "KIM1@example.com", "010-9000-1234", *config)
    assert (code, err) == (0, "3 recorded\n")  # an e-mail, and a phone for texts and for Kakao
    [run] = shop.run("--dry-run")
    assert run["held"] == {"opted_out": 1, "no_consent": 1}
    _, out, _ = shop.call("optout", "list", *config, "-o", "json")
    shown = [(word["ending"], word["family"]) for word in json.loads(out)["optouts"]]
    assert shown == [("k***@e…", "email"), ("1234", "text"), ("1234", "kakao")]
    code, _, err = shop.call("optout", "remove", "kim1@example.com", *config)
    assert code == 2
    words = ["kim1@example.com", "--evidence", "signed form of 1 May"]
    assert shop.call("optout", "remove", *words, *config)[2] == "1 lifted\n"
    [run] = shop.run("--dry-run")
    assert run["planned"] == 3
    code, _, err = shop.call("optout", "add", "nonsense", "010-****-1234", *config)
    assert code == 2
    assert "nonsense" not in err
    assert "2 problems" in err


def test_what_refuses_a_whole_run_sends_nothing(shop: Shop) -> None:
    assert "no store 'godos'" in shop.refused("--store", "godos")
    assert "there is no such file" in shop.refused(shop.folder / "missing.yaml")
    shop.configure("ceiling: {recipients: 2}")
    assert "3 recipients are more than the ceiling of 2" in shop.refused()
    assert not (shop.state / "outbox.ndjson").exists()
    code, out, _ = shop.call("run", shop.folder / "winback.yaml", "--dry-run", "-o", "json")
    assert (code, json.loads(out)["runs"][0]["planned"]) == (2, 3)
    shop.configure()
    old = datetime.now(UTC).timestamp() - 3 * 86400
    os.utime(shop.folder / "orders.csv", (old, old))
    assert "the orders are known until" in shop.refused()
    os.utime(shop.folder / "orders.csv")
    with hold(shop.state / "log.db.goods.lock", "goods"):
        assert "another run is sending for the store 'goods'" in shop.refused()
    (shop.state / "log.db").unlink()
    assert "the send log is gone" in shop.refused()
    code, _, err = shop.call("run", shop.folder / "winback.yaml", "--dry-run")
    assert code == 0
    assert "a sending run will be refused" in err
    assert not (shop.state / "outbox.ndjson").exists()
    assert shop.run("--new-log")[0]["sent"] == 3


def test_campaigns_run_by_priority_and_count_each_other(shop: Shop) -> None:
    shop.campaign("vip", priority=90)
    limited = shop.run("--dry-run", "--limit", "4", campaigns=("winback", "vip"))
    assert [(run["campaign"], run["planned"]) for run in limited] == [("vip", 3), ("winback", 1)]
    shop.configure("caps: [{max: 1, per: 7d}]")
    runs = shop.run(campaigns=("winback", "vip"))
    assert [(run["campaign"], run["sent"]) for run in runs] == [("vip", 3), ("winback", 0)]
    assert runs[1]["held"] == {"no_consent": 1, "cap": 3}


def test_a_failed_message_exits_1_and_is_sent_by_the_next_run(shop: Shop) -> None:
    (shop.state / "outbox.ndjson").mkdir(parents=True)
    code, out, err = shop.call("run", shop.folder / "winback.yaml", "-o", "json")
    assert (code, json.loads(out)["runs"][0]["failed"]) == (1, 3), err
    (shop.state / "outbox.ndjson").rmdir()
    assert shop.run()[0]["sent"] == 3


def test_what_a_killed_run_left_open_is_said_and_not_sent_again(shop: Shop) -> None:
    shop.run()
    with closing(sqlite3.connect(shop.state / "log.db")) as log, log:
        log.execute("UPDATE claims SET state = 'claimed' WHERE id = 1")
    code, out, err = shop.call("run", shop.folder / "winback.yaml", "-o", "json")
    assert (code, json.loads(out)["runs"][0]["held"]["already"]) == (0, 3)
    assert "1 of its messages may have been sent" in err
    assert len(shop.outbox()) == 3


def test_a_channel_goes_through_the_provider_the_store_names(shop: Shop) -> None:
    channel = "    channels: {email: PROVIDER}\n"
    shop.configure(extra=channel.replace("PROVIDER", "console"))
    code, out, err = shop.call("run", shop.folder / "winback.yaml", "--limit", "1")
    assert code == 0
    assert "--- email to kim3@example.com" in err
    assert "kim3@" not in out
    providers = "providers: {mail: {type: resend, api_key: '${RESEND_KEY}'}}\n"
    shop.configure(extra=channel.replace("PROVIDER", "mail") + providers)
    assert "the environment variable RESEND_KEY is not set" in shop.refused()
    assert shop.run("--dry-run")[0]["planned"] == 2


@pytest.mark.parametrize(("answer", "code", "sent"), [(b"n\n", 2, 0), (b"y\n", 0, 3)])
def test_at_a_terminal_it_asks_first(shop: Shop, answer: bytes, code: int, sent: int) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "remindctl", "run", str(shop.folder / "winback.yaml"), "-o", "json"],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src"), "TERM": "dumb"},
    )
    os.close(theirs)
    os.write(ours, answer)
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == code
    if sent:
        assert json.loads(out)["runs"][0]["sent"] == sent
    else:
        assert out == b""
        assert not (shop.state / "outbox.ndjson").exists()
