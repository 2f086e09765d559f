"""What providers tell of messages later, recorded from files and posted events."""

from __future__ import annotations

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
    """Send three mails that their provider calls p1 to p3; the last may not have been sent."""
    shop = Shop(tmp_path, capsys)
    shop.run()
    with closing(sqlite3.connect(shop.state / "log.db")) as connection, connection:
        connection.execute("UPDATE claims SET provider_id = 'p' || id")
        connection.execute("UPDATE claims SET state = 'unknown' WHERE id = 3")
    return shop


def take(shop: Shop, content: Any, *words: str, code: int = 0) -> dict[str, Any]:
    """Import a document, or a text as it is."""
    path = shop.folder / "results.json"
    if isinstance(content, bytes):
        path = path.with_suffix(".csv")
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    config = ["--config", str(shop.folder / "remindctl.yaml"), "-o", "json"]
    ended, out, err = shop.call("log", "import", path, *config, *words)
    assert ended == code, err
    answer: dict[str, Any] = json.loads(out) if out else {"problems": err}
    return {
        key: value for key, value in answer.items() if value not in (0, "remindctl.log_import/1")
    }


def states(shop: Shop) -> list[str]:
    config = shop.folder / "remindctl.yaml"
    _, out, _ = shop.call("log", "show", "-o", "json", "--config", config)
    return [entry["state"] for entry in json.loads(out)["entries"]][::-1]


def optouts(shop: Shop) -> list[tuple[str, str, str]]:
    config = shop.folder / "remindctl.yaml"
    _, out, _ = shop.call("optout", "list", "-o", "json", "--config", config)
    words = json.loads(out)["optouts"]
    return [(word["family"], word["scope"], word["source"]) for word in words]


def test_solapi_reports_find_messages_by_our_name_in_their_fields(shop: Shop) -> None:
    names = [line["id"] for line in shop.outbox()]
    # In the order of the outbox, which is that of the log.
    codes = ["4000", "3054", "3104"]
    reports = [
        {"messageId": f"M{n}", "statusCode": code, "customFields": {"remindctl": name}}
        for n, (name, code) in enumerate(zip(names, codes, strict=True))
    ]
    done = {"reports": 3, "changed": 3, "opted_out": 1}
    assert take(shop, {"eventDataId": "e", "data": reports, "retryCount": 0}) == done
    assert states(shop) == ["delivered", "undelivered", "undelivered"]
    assert optouts(shop) == [("email", "advertising", "provider: 3054")]
    # The provider posts again what it has posted.
    assert take(shop, reports) == {"reports": 3}


def test_resend_events_and_twilio_callbacks_may_stand_one_a_line(shop: Shop) -> None:
    events = [
        {"type": "email.delivered", "data": {"email_id": "p1", "to": ["kim1@example.com"]}},
        {"type": "email.bounced", "data": {"email_id": "p2", "bounce": {"type": "Permanent"}}},
        {"type": "email.bounced", "data": {"email_id": "p3", "bounce": {"type": "Transient"}}},
        {"type": "email.delivered", "data": {"email_id": "of someone else"}},
        {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+12025550100"},
        {"MessageSid": "SM2", "OptOutType": "STOP", "Body": "stop", "From": "+821090001234"},
    ]
    lines = "\n".join(json.dumps(event) for event in events)
    done = {"reports": 6, "changed": 3, "opted_out": 3, "unknown": 2}
    assert take(shop, lines) == done
    assert states(shop) == ["delivered", "undelivered", "undelivered"]
    assert optouts(shop) == [
        ("email", "all", "provider: bounced"),
        ("text", "advertising", "provider: STOP"),
        ("kakao", "advertising", "provider: STOP"),
    ]


def test_a_table_of_any_provider_is_read_by_its_titles(shop: Shop) -> None:
    rows = "메시지ID,결과,사유,이메일\np1,성공,,\np2,반송,550 no such user,\n"
    rows += ",수신거부,,ann@example.com\n"
    done = {"reports": 3, "changed": 2, "opted_out": 2}
    assert take(shop, rows.encode("cp949")) == done
    assert states(shop) == ["delivered", "undelivered", "unknown"]
    assert [scope for _, scope, _ in optouts(shop)] == ["all", "advertising"]


def test_what_is_unknown_becomes_what_is_told(shop: Shop) -> None:
    assert take(shop, [{"id": "p3", "status": "sent"}]) == {"reports": 1, "changed": 1}
    assert states(shop) == ["sent", "sent", "sent"]
    [name] = [line["id"] for line in shop.outbox()[2:]]
    assert take(shop, [{"id": name, "status": "Delivered"}]) == {"reports": 1, "changed": 1}
    assert states(shop)[2] == "delivered"


def test_nothing_is_recorded_of_a_file_that_cannot_be_read_whole(shop: Shop) -> None:
    bad = '{"id": "p1", "status": "delivered"}\n{"id": "p2", "status": "gone fishing"}\n{"id"\n'
    said = take(shop, bad, code=2)["problems"]
    assert "results.json:2: a status that is not known" in said
    assert "results.json:3: not an event" in said
    assert "fishing" not in said
    assert states(shop) == ["sent", "sent", "unknown"]
    assert take(shop, bad, "--skip-bad") == {"reports": 1, "changed": 1, "skipped": 2}
    assert "no column is known" in take(shop, b"a,b\n1,2\n", code=2)["problems"]


def test_a_refusal_of_nobody_knows_whom_is_told(shop: Shop) -> None:
    event = [{"id": "nothing", "status": "unsubscribed"}]
    assert take(shop, event) == {"reports": 1, "unknown": 1, "unplaced": 1}
    assert take(shop, [{"id": "p1", "status": "ok"}], "--provider", "other") == {
        "reports": 1, "unknown": 1,
    }  # fmt: skip


def test_a_name_that_several_share_is_told_apart_by_the_address(shop: Shop) -> None:
    with closing(sqlite3.connect(shop.state / "log.db")) as connection, connection:
        connection.execute("UPDATE claims SET provider_id = 'batch'")
    to = shop.outbox()[1]["to"]
    events = [{"messageid": "batch", "status": "ok"}]
    assert take(shop, events) == {"reports": 1, "unknown": 1}
    assert take(shop, [{**events[0], "to": to}]) == {"reports": 1, "changed": 1}
    assert states(shop) == ["sent", "delivered", "unknown"]
