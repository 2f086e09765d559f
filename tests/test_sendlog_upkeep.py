"""Count the log, find what others tell of, and strip what it knows of people."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from tests.installation import NOW, Files, claim, identifiers, named

from remindctl.model import Family, State
from remindctl.sendlog import Deed, Filter, Lost, OptOut, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from remindctl.sendlog import SendingLogs, SendLog


@pytest.fixture
def files(log_backend: Callable[[Path], Files], tmp_path: Path) -> Files:
    return log_backend(tmp_path)


@pytest.fixture
def logs(files: Files) -> Iterator[SendingLogs]:
    with files.open() as logs:
        yield logs


@pytest.fixture
def log(logs: SendingLogs) -> SendLog:
    return logs.log


def send(log: SendLog, key: str, *who: str, days: int = 0, **more: object) -> int:
    """Send a message that its provider calls after the key and its first identifier."""
    at = NOW - timedelta(days=days)
    [number] = log.claim("r", [claim(key, *who, ending=f"+{who[0]}", **more)], at)  # type: ignore[arg-type]
    assert isinstance(number, int)
    log.settle([Outcome(number, State.SENT, f"{key} of {who[0]}", "4000", "said so")], at)
    return number


def fields(log: SendLog) -> list[tuple[str, str | None, str | None, str | None]]:
    entries = list(log.entries(Filter()))[::-1]
    return [(one.ending, one.provider_id, one.code, one.detail) for one in entries]


def test_tallies_add_up_states_and_prices(log: SendLog) -> None:
    for n, price in enumerate(("0.1", "0.2", None)):
        cost = None if price is None else Decimal(price)
        send(log, f"k{n}", "a", cost=cost, currency="USD", variant="plain")
    log.claim("r", [claim("k", "c", state=State.CONTROL)], NOW)
    send(log, "old", "a", days=9, store="blue")
    found = {(one.state, one.variant, one.messages, one.cost) for one in log.tallies(Filter())}
    assert found == {
        (State.SENT, "plain", 3, Decimal("0.3")),
        (State.CONTROL, None, 1, None),
        (State.SENT, None, 1, None),
    }
    [late] = log.tallies(Filter(store="green", state=State.SENT, since=NOW))
    assert (late.campaign, late.step, late.channel, late.currency, late.messages) == (
        "winback", "day30", "sms", "USD", 3,
    )  # fmt: skip


def test_messages_are_found_by_our_name_and_by_the_providers(log: SendLog) -> None:
    first = send(log, "k1", "a", "b", destination=b"a", provider="solapi")
    second = send(log, "k1", "c")
    ours = f"{named('k1')}-{(b'person a').hex()[:16]}-0"
    other_leg, other_person = ours[:-1] + "1", f"{named('k1')}-{b'person x'.hex()}-0"
    asked = [ours, "k1 of c", other_leg, other_person, "nothing", "k1 of a"]
    found = log.known(asked)
    assert {name: [one.claim for one in ones] for name, ones in found.items()} == {
        ours: [first],
        "k1 of a": [first],
        "k1 of c": [second],
    }
    [one] = found[ours]
    assert (one.destination, one.provider, one.ending, one.store) == (b"a", "solapi", "+a", "green")


def test_forgetting_strips_a_person_and_lets_nobody_be_messaged_twice(log: SendLog) -> None:
    send(log, "k1", "a", "phone", "mail", coupon_pool="welcome", coupon=b"code")
    # Before the phone was known.
    send(log, "k0", "a", "mail")
    send(log, "k1", "other")
    send(log, "k9", "b", "phone", store="blue")
    assert log.forget("green", [b"nobody"], NOW).messages == 0
    erased = log.forget("green", [b"phone"], NOW)
    assert erased.messages == 2
    assert erased.identifiers == {b"a", b"phone", b"mail", b"person a"}
    gone = ("", None, "4000", None)
    assert fields(log) == [
        gone, gone, ("+other", "k1 of other", "4000", "said so"),
        ("+b", "k9 of b", "4000", "said so"),
    ]  # fmt: skip
    for who in ("a", "phone", "mail"):
        assert log.claim("r", [claim("k1", who)], NOW) == [Lost.ALREADY]
    assert len(log.history("green", identifiers({0: ["mail"]}))) == 2
    assert log.issued("green")["coupon"].unique().to_list() == [b"code"]
    assert [(deed.action, deed.entries) for deed in log.journal()] == [("forget", 2), ("forget", 0)]


def test_a_purge_strips_what_is_old_once_and_is_in_the_journal(log: SendLog) -> None:
    send(log, "old", "a", days=800)
    send(log, "new", "a", days=700)
    before = NOW - timedelta(days=730)
    assert [log.purge(before, NOW), log.purge(before, NOW)] == [1, 0]
    assert fields(log) == [("", None, "4000", None), ("+a", "new of a", "4000", "said so")]
    assert log.claim("r", [claim("old", "a")], NOW) == [Lost.ALREADY]
    deed = Deed(at=NOW, action="purge", reason="older than 2023-07-01", entries=1)
    assert log.journal()[-1] == deed


def test_what_was_stripped_is_gone_from_the_files(logs: SendingLogs, files: Files) -> None:
    for file in (logs.log, *logs.optouts.values()):
        if hasattr(file._database, "connection"):  # type: ignore[attr-defined]
            # As most builds of SQLite have it; some overwrite what is deleted anyway.
            file._database.connection.execute("PRAGMA secure_delete = OFF")  # type: ignore[attr-defined]
    who = ["a", "b"]
    for name in who:
        number = send(logs.log, "k", name, days=800)
        # Long enough for pages of its own, which stay as they were when they become free.
        told = f"secret of {name} " * 1_000
        logs.log.conclude([Outcome(number, State.DELIVERED, detail=told)], NOW)
    [optouts] = logs.optouts.values()
    words = [
        OptOut(hmac=name.encode(), family=Family.TEXT, scope="all", at=NOW, ending=f"end of {name}")
        for name in who
    ]
    optouts.record(words, NOW)
    erased = logs.log.forget("green", [b"a"], NOW)
    assert optouts.forget(erased.identifiers) == 1
    logs.log.rewrite()
    assert [word.ending for word in optouts.all_standing()] == ["", "end of b"]
    content = b"".join(path.read_bytes() for path in files.folder.glob("*.db*"))
    assert b"end of b" in content
    assert b"end of a" not in content
    assert b"secret of a" not in content
    if files.log == files.file:
        assert b"secret of b" in content
    assert logs.log.claim("r", [claim("k", "a")], NOW) == [Lost.ALREADY]
