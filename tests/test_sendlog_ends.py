"""What becomes of messages after their answer: look-ups, results, a person's word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.installation import NOW, Files, claim, named

from remindctl.model import State
from remindctl.sendlog import Filter, Lost, OpenEnd, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from remindctl.sendlog import SendLog


@pytest.fixture
def log(log_backend: Callable[[Path], Files], tmp_path: Path) -> Iterator[SendLog]:
    with log_backend(tmp_path).open() as logs:
        yield logs.log


def settled(log: SendLog, key: str, state: State, at: timedelta = timedelta(0), **more: Any) -> int:
    [number] = log.claim("r", [claim(key, f"who of {key}", **more)], NOW + at)
    assert isinstance(number, int)
    log.settle([Outcome(number, state, f"id of {key}", "2000", "ok")], NOW + at)
    return number


def test_open_ends_are_unknown_of_any_age_and_sent_of_late(log: SendLog) -> None:
    old = -timedelta(days=30)
    unknown = settled(log, "u", State.UNKNOWN, old)
    settled(log, "s old", State.SENT, old)
    sent = settled(log, "s", State.SENT, provider="solapi")
    settled(log, "s blue", State.SENT, store="blue")
    for state in (State.REJECTED, State.FAILED):
        settled(log, state, state)
    [number] = log.claim("r", [claim("to", "a", destination=b"where")], NOW)
    assert isinstance(number, int)
    log.settle([Outcome(number, State.UNKNOWN)], NOW)
    ends = log.open_ends("green", since=NOW - timedelta(days=3))
    assert [end.claim for end in ends] == [unknown, sent, number]
    assert [end.state for end in ends] == [State.UNKNOWN, State.SENT, State.UNKNOWN]
    assert ends[2].identifiers == {b"where"}
    assert ends[1] == OpenEnd(
        claim=sent, key=named("s"), person=b"person who of s", leg=0, campaign="winback",
        step="day30", channel="sms", provider="solapi", provider_id="id of s", state=State.SENT,
        attempted_at=NOW, identifiers=frozenset(),
    )  # fmt: skip


@pytest.mark.parametrize("before", [state for state in State if state is not State.CONTROL])
@pytest.mark.parametrize("told", [*State])
def test_what_may_be_concluded(log: SendLog, before: State, told: State) -> None:
    number = settled(log, "k", before)
    later = NOW + timedelta(hours=1)
    changed = log.conclude([Outcome(number, told, None, "4000", "so it was")], later)
    final = {State.DELIVERED, State.UNDELIVERED}
    may = {State.UNKNOWN: {*final, State.SENT, State.REJECTED, State.FAILED}, State.SENT: final}
    [entry] = log.entries(Filter())
    if told in may.get(before, ()):
        assert changed == 1
        assert (entry.state, entry.code, entry.detail) == (told, "4000", "so it was")
        assert (entry.provider_id, entry.settled_at) == ("id of k", later)
    else:
        assert changed == 0
        assert (entry.state, entry.code) == (before, "2000")
    assert log.newest() == later


def test_results_of_one_message_may_come_in_any_order(log: SendLog) -> None:
    one, two = settled(log, "k1", State.UNKNOWN), settled(log, "k2", State.UNKNOWN)
    told = [(one, State.SENT), (two, State.DELIVERED), (one, State.DELIVERED), (two, State.SENT)]
    assert log.conclude([Outcome(*each) for each in told], NOW) == 3
    assert [entry.state for entry in log.entries(Filter())] == ["delivered", "delivered"]


def test_a_late_delivery_closes_the_next_leg_and_its_failure_opens_it(log: SendLog) -> None:
    for key, state, open_again in [
        ("arrived", State.DELIVERED, False),
        ("lost", State.UNDELIVERED, True),
    ]:
        number = settled(log, key, State.UNKNOWN)
        assert log.claim("r", [claim(key, f"who of {key}", leg=1)], NOW) == [Lost.ALREADY]
        log.conclude([Outcome(number, state)], NOW)
        [won] = log.claim("r", [claim(key, f"who of {key}", leg=1)], NOW)
        assert (won is not Lost.ALREADY) == open_again
