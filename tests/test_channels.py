"""The providers of this machine: what they write, whole or not at all, and who may read it."""

from __future__ import annotations

import io
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from remindctl.channels import PROVIDERS, Account, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.channels.console import Console
from remindctl.channels.feed import Feed
from remindctl.channels.outbox import Outbox
from remindctl.model import Channel, State

NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)


def message(text: str = "안녕하세요 😀") -> Outgoing:
    return Outgoing(
        id="k-p-0",
        key="6b",
        store="green",
        campaign="winback",
        step="day30",
        customer_key="a",
        channel=Channel.EMAIL,
        to="kim@example.com",
        kind="email",
        subject="다시",
        text=text,
        html=None,
        advertising=True,
        at=NOW,
    )


def test_the_outbox_appends_a_line_each_for_its_owner_only(tmp_path: Path) -> None:
    outbox = Outbox.of(Account("outbox", {}, tmp_path, io.StringIO()))
    for text in ("one\ntwo", "세"):
        assert outbox.send([message(text)] * 2) == [Receipt("k-p-0", State.SENT)] * 2
    lines = [json.loads(line) for line in outbox.path.read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["one\ntwo", "one\ntwo", "세", "세"]
    assert lines[0]["to"] == "kim@example.com"
    assert stat.S_IMODE(outbox.path.stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_what_the_disk_cannot_hold_is_taken_back_or_unknown(tmp_path: Path) -> None:
    import resource  # noqa: PLC0415 (not on every system)

    outbox = Outbox(tmp_path / "outbox.ndjson")
    outbox.send([message()])
    before = outbox.path.read_bytes()
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, hard))
    try:
        with pytest.raises(NotSent):
            outbox.send([message()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert outbox.path.read_bytes() == before
    with pytest.raises(MaybeSent):
        Outbox(Path("/dev/full")).send([message()])


def test_the_console_shows_the_whole_message() -> None:
    talk = io.StringIO()
    Console.of(Account("console", {}, Path(), talk)).send([message("line 1\nline 2")])
    assert talk.getvalue() == "--- email to kim@example.com\n다시\n\nline 1\nline 2\n"


def popup(number: int, **more: Any) -> Outgoing:
    extras = {"url": "https://shop.example", "show_for": 86400, **more.pop("extras", {})}
    return Outgoing(
        **{
            "id": f"k-{number}-0",
            "key": "k",
            "store": "green",
            "campaign": "sale",
            "step": "popup",
            "customer_key": "a",
            "channel": Channel.ONSITE,
            "to": f"c{number}",
            "kind": "shop_id",
            "subject": "할인",
            "text": "오늘까지",
            "html": None,
            "advertising": True,
            "extras": extras,
            "at": NOW,
            **more,
        }
    )


def entries(feed: Feed, store: str = "green") -> list[dict[str, Any]]:
    document = json.loads(feed.path(store).read_text("utf-8"))
    assert document["schema"] == "remindctl.onsite/1"
    return list(document["entries"])


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed.of(Account("feed", {}, tmp_path, io.StringIO()))


def test_the_feed_says_who_sees_what_until_when(feed: Feed, tmp_path: Path) -> None:
    visitor = popup(2, kind="push_token", to="t", subject=None, extras={"show_for": None})
    assert feed.send([popup(1), visitor]) == [
        Receipt("k-1-0", State.SENT),
        Receipt("k-2-0", State.SENT),
    ]
    path = tmp_path / ".remindctl" / "onsite-green.json"
    assert feed.path("green") == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    common = {"campaign": "sale", "step": "popup", "text": "오늘까지", "image": None}
    common |= {"url": "https://shop.example", "from": "2025-06-30T07:30:00+00:00"}
    assert entries(feed) == [
        {
            "key": "k-1-0",
            "customer_id": "c1",
            "title": "할인",
            "until": "2025-07-01T07:30:00+00:00",
            **common,
        },
        {"key": "k-2-0", "push_token": "t", "title": None, "until": None, **common},
    ]


def test_the_feed_of_a_store_keeps_each_message_once_and_until_its_end(feed: Feed) -> None:
    feed.send([popup(1), popup(2, extras={"show_for": 3600}), popup(3, store="blue")])
    feed.send([popup(1, text="새 글", at=NOW + timedelta(minutes=59))])
    assert [(one["key"], one["text"]) for one in entries(feed)] == [
        ("k-1-0", "새 글"),
        ("k-2-0", "오늘까지"),
    ]
    feed.send([popup(4, at=NOW + timedelta(hours=1))])
    assert [one["key"] for one in entries(feed)] == ["k-1-0", "k-4-0"]
    assert [one["key"] for one in entries(feed, "blue")] == ["k-3-0"]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"schema": "other/1", "entries": []}',
        '{"schema": "remindctl.onsite/1"}',
        '{"schema": "remindctl.onsite/1", "entries": [{"key": "k", "until": "2025-07-01"}]}',
    ],
)
def test_a_file_that_is_no_feed_is_left_as_it_is(feed: Feed, content: str) -> None:
    feed.path("green").parent.mkdir()
    feed.path("green").write_text(content)
    with pytest.raises(NotSent, match=r"onsite-green\.json"):
        feed.send([popup(1)])
    assert feed.path("green").read_text() == content
    with pytest.raises(MaybeSent):
        feed.send([popup(1, store="blue"), popup(2)])


def test_a_feed_that_cannot_be_written_stays_as_it_was(feed: Feed) -> None:
    feed.send([popup(1)])
    before = feed.path("green").read_bytes()
    # Neither a text nor a number: the writing breaks off half-way.
    with pytest.raises(TypeError):
        feed.send([popup(2, text=object())])
    assert feed.path("green").read_bytes() == before
    assert len(list(feed.path("green").parent.iterdir())) == 1


def test_what_a_channel_carries_beside_the_text_is_written_and_shown(tmp_path: Path) -> None:
    extras = {
        "buttons": [
            {"name": "보러 가기", "kind": "link", "url": "https://shop.example/1"},
            {"name": "채널 추가", "kind": "add_channel"},
        ],
        "unsubscribe": "https://shop.example/optout?u=1",
    }
    sent = replace(message("안녕"), extras=extras)
    outbox = Outbox.of(Account("outbox", {"path": "sent.ndjson"}, tmp_path, io.StringIO()))
    outbox.send([sent])
    assert json.loads((tmp_path / "sent.ndjson").read_text("utf-8"))["extras"] == extras
    talk = io.StringIO()
    Console.of(Account("console", {}, Path(), talk)).send([sent])
    assert talk.getvalue().endswith("안녕\n[보러 가기] https://shop.example/1\n[채널 추가]\n")


def test_whatever_stays_on_this_machine_says_so() -> None:
    for name in ("outbox", "console", "feed"):
        provider = PROVIDERS[name](Account(name, {}, Path(), io.StringIO()))
        assert getattr(provider, "local", False)
