"""What providers tell of earlier messages, and what it makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from remindctl.channels import NotSent, Question, Receipt
from remindctl.dispatch import Asked, Reconciled, message_id, reconcile
from remindctl.frames import ADDRESSES, Addresses, conform
from remindctl.model import State
from remindctl.sendlog import Hasher, OpenEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remindctl.sendlog import Outcome

NOW = datetime(2026, 10, 31, 7, tzinfo=UTC)
HASHER = Hasher(b"k" * 32)
PHONE = "+821090000001"


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: dict[int, State] = {}

    def conclude(self, outcomes: Sequence[Outcome], at: datetime) -> int:
        assert at == NOW
        self.told |= {one.claim: one.state for one in outcomes}
        return len(outcomes)


def end(claim: int, state: State = State.UNKNOWN, ago: float = 10) -> OpenEnd:
    return OpenEnd(
        claim=claim,
        key=f"{claim:032x}",
        person=bytes(16),
        leg=0,
        campaign="cart",
        step="hour",
        channel="sms",
        provider="kakao",
        provider_id=None,
        state=state,
        attempted_at=NOW - timedelta(minutes=ago),
        identifiers=frozenset({HASHER.hash("phone", PHONE, "green")}),
    )


def settled(
    *ends: OpenEnd,
    answer: Callable[[Sequence[Question]], Sequence[Receipt]],
    exact: bool = True,
    at_a_time: int = 100,
) -> tuple[dict[int, State], Reconciled]:
    log = Log()
    told = {"person": [0], "kind": ["phone"], "value": [PHONE]}
    addresses = Addresses(conform(pl.DataFrame(told), ADDRESSES))
    asked = Asked(ask=answer, exact=exact, at_a_time=at_a_time, grace=timedelta(minutes=2))
    done = reconcile(
        log,  # type: ignore[arg-type] # the one method that is used
        ends, {"kakao": asked}, HASHER, addresses, "green", NOW,
    )  # fmt: skip
    return log.told, done


def saying(state: State) -> Callable[[Sequence[Question]], Sequence[Receipt]]:
    return lambda questions: [Receipt(one.id, state) for one in questions]


@pytest.mark.parametrize(
    ("before", "says", "after"),
    [
        (State.UNKNOWN, State.SENT, State.SENT),
        (State.UNKNOWN, State.DELIVERED, State.DELIVERED),
        (State.UNKNOWN, State.REJECTED, State.REJECTED),
        (State.UNKNOWN, State.UNKNOWN, None),
        (State.SENT, State.SENT, None),
        (State.SENT, State.DELIVERED, State.DELIVERED),
        (State.SENT, State.UNDELIVERED, State.UNDELIVERED),
        # It was accepted once: it is not unsent again, whatever the provider calls it.
        (State.SENT, State.FAILED, State.UNDELIVERED),
        (State.SENT, State.REJECTED, State.UNDELIVERED),
    ],
)
def test_an_answer_settles_a_message(before: State, says: State, after: State | None) -> None:
    told, done = settled(end(1, before), answer=saying(says))
    assert told.get(1) == after
    assert done.open == (before is State.UNKNOWN and after is None)


@pytest.mark.parametrize(
    ("state", "exact", "ago", "after"),
    [
        (State.UNKNOWN, True, 3, State.FAILED),
        (State.UNKNOWN, True, 1, None),  # too soon to know
        (State.UNKNOWN, False, 3, None),  # it would only have matched by chance
        (State.SENT, True, 3, None),
    ],
)
def test_finding_nothing_means_not_sent_only_where_it_can(
    state: State, exact: bool, ago: float, after: State | None
) -> None:
    told, _ = settled(end(1, state, ago), answer=lambda _: [], exact=exact)
    assert told.get(1) == after


def test_the_address_is_found_again_by_its_hash_and_questions_go_in_portions() -> None:
    asked: list[list[Question]] = []

    def answer(questions: Sequence[Question]) -> Sequence[Receipt]:
        asked.append(list(questions))
        return []

    settled(end(1), end(2), end(3), answer=answer, at_a_time=2)
    assert [len(one) for one in asked] == [2, 1]
    assert asked[0][0].to == PHONE
    assert asked[0][0].id == message_id(f"{1:032x}", bytes(16), 0)


def test_a_provider_that_does_not_answer_leaves_everything_as_it_was() -> None:
    def silent(_: Sequence[Question]) -> Sequence[Receipt]:
        raise NotSent("no connection")

    told, done = settled(end(1), answer=silent)
    assert (told, done.silent, done.open) == ({}, {"kakao": "no connection"}, 1)
