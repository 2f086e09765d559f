"""Batches on their way: never too many, none twice, and what providers say of them."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.channels import AccountError, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.dispatch.flight import Departure, Flight
from remindctl.model import Channel, State

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 6, 30, 7, 30, tzinfo=UTC)


def departure(number: int) -> Departure:
    message = Outgoing(
        id=f"m{number}", key="6b", store="green", campaign="winback", step="day30",
        customer_key="a", channel=Channel.SMS, to="+821090000001", kind="phone", subject=None,
        text="다시", html=None, advertising=True, at=NOW,
    )  # fmt: skip
    return Departure(number, message)


class Sender:
    """Keeps batches until the test answers them."""

    batch_size = 1
    local = False

    def __init__(self, concurrency: int = 3) -> None:
        self.concurrency = concurrency
        self.open: dict[str, Future[Sequence[Receipt]]] = {}
        self.most = 0
        self.asked: list[str] = []

    def group(self, _: Outgoing) -> str:
        return ""

    def stop(self, why: str) -> None:
        raise NotImplementedError

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        name = batch[0].id
        self.asked.append(name)
        self.open[name] = Future()
        self.most = max(self.most, len(self.open))
        return self.open[name]

    def answer(self, told: Sequence[Receipt] | Exception, name: str | None = None) -> None:
        future = self.open.pop(name or next(iter(self.open)))
        if isinstance(told, Exception):
            future.set_exception(told)
        else:
            future.set_result(told)


SENT = [Receipt("m0", State.SENT)]


@given(st.lists(st.tuples(st.sampled_from(["answer", "fail", "look"]), st.integers(0, 9))))
def test_no_more_are_on_their_way_than_the_provider_takes_and_none_is_sent_twice(
    moves: list[tuple[str, int]],
) -> None:
    sender = Sender()
    flight = Flight(sender)
    flight.add([[departure(n)] for n in range(20)])
    flight.fill()
    landed = 0
    for move, which in moves:
        if move == "look" or not sender.open:
            landed += len(flight.landed(0.0))
            flight.fill()
        else:
            names = list(sender.open)
            told = SENT if move == "answer" else MaybeSent("?")
            sender.answer(told, names[which % len(names)])
        assert sender.most <= sender.concurrency
    unstarted = [batch[0].message.id for batch in flight.ground()]
    assert sorted(sender.asked + unstarted) == sorted(f"m{n}" for n in range(20))
    landed += len(flight.landed(0.0))
    given_up = list(flight.given_up("ended"))
    assert landed + len(given_up) == len(sender.asked)
    assert {one.receipts[0].state for one in given_up} <= {State.UNKNOWN}


def test_a_good_answer_makes_room_at_once_and_a_bad_one_waits_for_a_decision() -> None:
    sender = Sender(concurrency=2)
    flight = Flight(sender)
    flight.add([[departure(n)] for n in range(9)])
    flight.fill()
    sender.answer(SENT)
    assert sender.asked == ["m0", "m1", "m2"]
    sender.answer(NotSent("down"))
    flight.fill()  # it is to be looked at first
    assert sender.asked == ["m0", "m1", "m2"]
    assert [one.answered for one in flight.landed(0.0)] == [True, False]
    flight.fill()
    assert sender.asked == ["m0", "m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("told", "states", "answered", "fatal"),
    [
        ([Receipt("m0", State.SENT), Receipt("m1", State.REJECTED)], "sent rejected", True, None),
        # Half of it, somebody else's, nobody's, two stories, and what nobody can know yet.
        ([Receipt("m1", State.FAILED)], "unknown failed", True, None),
        ([Receipt("x", State.SENT)] * 2, "unknown unknown", False, None),
        ([], "unknown unknown", False, None),
        ([Receipt("m0", State.SENT), Receipt("m0", State.FAILED)], "unknown unknown", True, None),
        ([Receipt("m0", State.DELIVERED), Receipt("m1", State.SENT)], "unknown sent", True, None),
        (NotSent("down"), "failed failed", False, None),
        (MaybeSent("?"), "unknown unknown", False, None),
        (AccountError("no balance"), "failed failed", False, "no balance"),
        (KeyError("to"), "unknown unknown", False, None),
    ],
)
def test_what_is_said_of_a_batch_is_what_is_written(
    told: Any, states: str, fatal: str | None, *, answered: bool
) -> None:
    sender = Sender()
    flight = Flight(sender)
    flight.add([[departure(0), departure(1)]])
    flight.fill()
    sender.answer(told)
    [landed] = flight.landed(0.0)
    assert " ".join(one.state for one in landed.receipts) == states
    assert (landed.answered, landed.fatal) == (answered, fatal)
    assert not len(flight)
