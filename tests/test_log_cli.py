"""Keep the send log from the command line: count, decide, export, erase."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    shop = Shop(tmp_path, capsys)
    shop.run()
    return shop


def log(shop: Shop, *words: str | Path, code: int = 0) -> tuple[str, str]:
    ended, out, err = shop.call("log", *words, "--config", shop.folder / "remindctl.yaml")
    assert ended == code, err
    return out, err


def entries(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(log(shop, "show", "-o", "json")[0])["entries"]
    return found[::-1]


def journal(shop: Shop) -> list[tuple[str, str, int]]:
    rows = json.loads(log(shop, "journal", "-o", "json")[0])["journal"]
    return [(row["action"], row["reason"], row["entries"]) for row in rows]


def put(shop: Shop, change: str) -> None:
    """Change entries behind the program's back."""
    with closing(sqlite3.connect(shop.state / "log.db")) as connection, connection:
        connection.execute(f"UPDATE claims SET {change}")  # noqa: S608 (ours)


def test_before_anything_was_sent_there_is_nothing_to_keep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(tmp_path, capsys)
    assert "Nothing" in log(shop, "stats")[0]
    assert "Nothing" in log(shop, "journal")[0]
    for words in (
        ["export", "--reason", "check"],
        ["forget", "kim1@example.com"],
        ["purge", "--older-than", "2y", "--yes"],
        ["resolve", "--all-unknown", "--as", "sent"],
    ):
        assert "nothing was ever sent" in log(shop, *words, code=2)[1]
    assert not shop.state.exists()


def test_stats_count_states_and_cost_in_every_form(shop: Shop) -> None:
    put(shop, "state = 'unknown' WHERE id = 2")
    put(shop, "state = 'delivered' WHERE id = 3")
    [row] = json.loads(log(shop, "stats", "-o", "json")[0])["messages"]
    assert row == {
        "store": "goods", "campaign": "winback", "step": "day30", "variant": None,
        "channel": "email", "sent": 1, "delivered": 1, "undelivered": 0, "rejected": 0,
        "failed": 0, "unknown": 1, "claimed": 0, "control": 0, "cost": 4.0, "currency": "KRW",
    }  # fmt: skip
    [line] = csv.DictReader(io.StringIO(log(shop, "stats", "-o", "csv")[0]))
    assert (line["campaign"], line["unknown"], line["cost"]) == ("winback", "1", "4.0")
    table = log(shop, "stats", "--campaign", "winback", "--store", "goods")[0]
    assert "winback day30 email" in table
    assert "4 KRW" in table
    assert "rejected" not in table
    assert "Nothing" in log(shop, "stats", "--since", "2999-01-01")[0]


def test_a_person_decides_about_unknown_messages(shop: Shop) -> None:
    put(shop, "state = 'unknown' WHERE id < 3")
    note = "asked kim1@example.com, 010-9000-1234"
    log(shop, "resolve", "1", "--as", "sent", "--note", note)
    assert (
        "Nobody is here to ask"
        in log(shop, "resolve", "--all-unknown", "--as", "failed", code=2)[1]
    )
    assert [entry["state"] for entry in entries(shop)] == ["sent", "unknown", "sent"]
    for words in (["1"], ["9"], ["2", "9"], []):
        log(shop, "resolve", *words, "--as", "sent", code=2)
    _, err = log(shop, "resolve", "--all-unknown", "--as", "failed", "--yes")
    assert err == "1 of 1 unknown resolved as failed\n"
    one, two, _ = entries(shop)
    assert (one["state"], two["state"]) == ("sent", "failed")
    assert one["detail"] == "a person said so: asked … …"
    assert journal(shop) == [("resolve as failed", "", 1), ("resolve as sent", "asked … …", 1)]
    # What failed is sent again by the next run, and by no other way.
    [run] = shop.run()
    assert run["sent"] == 1


def test_exports_are_recorded_with_their_reason_and_hold_no_address(shop: Shop) -> None:
    put(shop, "detail = '=1+1' WHERE id = 3")
    out, _ = log(shop, "export", "--reason", "monthly check")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["number"] for row in rows] == ["3", "2", "1"]
    assert rows[0]["detail"] == "'=1+1"
    assert {row["ending"] for row in rows} == {"k***@e…"}
    out, _ = log(shop, "export", "-o", "ndjson", "--store", "goods", "--reason", "for a@b.example")
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["sent"] * 3
    log(shop, "export", "--reason", " ", code=2)
    assert journal(shop) == [("export", "for …", 3), ("export", "monthly check", 3)]
    assert "monthly check" in log(shop, "journal")[0]


@pytest.mark.parametrize("by", ["KIM2@example.com", "customer key"])
def test_forgetting_someone_leaves_no_trace_and_messages_nobody_again(shop: Shop, by: str) -> None:
    put(shop, "detail = 'secret of ' || id, provider_id = 'p' || id")
    config = shop.folder / "remindctl.yaml"
    shop.call("optout", "add", "kim2@example.com", "--config", config)
    if by == "customer key":
        [by] = [line["customer_key"] for line in shop.outbox() if line["to"] == "kim2@example.com"]
    _, err = log(shop, "forget", by, "--store", "goods")
    assert "1 entries of this person stripped" in err
    gone = [entry for entry in entries(shop) if entry["detail"] is None]
    assert [(entry["ending"], entry["provider_id"]) for entry in gone] == [("", None)]
    stored = b"".join(path.read_bytes() for path in shop.state.glob("*.db*"))
    assert stored.count(b"secret of") == 2
    assert by.encode() not in stored
    _, out, _ = shop.call("optout", "list", "-o", "json", "--config", config)
    assert [word["ending"] for word in json.loads(out)["optouts"]] == [""]
    [run] = shop.run()
    assert run["sent"] == 0
    assert journal(shop) == [("forget", "", 1)]
    assert "nobody in the log" in log(shop, "forget", "010-9000-1234")[1]


def test_a_purge_asks_and_strips_what_is_old(shop: Shop) -> None:
    put(shop, "attempted_at = attempted_at - 86400000000 * 800 WHERE id = 1")
    assert "Nobody is here" in log(shop, "purge", "--older-than", "2y", code=2)[1]
    for wrong in ("6m", "soon", "-3d"):
        log(shop, "purge", f"--older-than={wrong}", "--yes", code=2)
    _, err = log(shop, "purge", "--older-than", "2y", "--yes")
    assert err.startswith("1 entries from before")
    assert [entry["ending"] for entry in entries(shop)] == ["", "k***@e…", "k***@e…"]
    [(action, reason, count)] = journal(shop)
    assert (action, count) == ("purge", 1)
    assert reason.startswith("older than 20")
