"""Ask providers what became of messages that nobody has told of: unknown, or sent and no more.

It happens before a run is planned. What is unknown may have been sent, so it is never sent again
unless the provider surely never had it; what was sent and not delivered opens its next leg.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remindctl.channels import NotSent, Question, Unreadable
from remindctl.dispatch.claims import message_id
from remindctl.model import FAMILY, Channel, Family, State
from remindctl.sendlog import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from remindctl.channels import Receipt
    from remindctl.frames import Addresses
    from remindctl.sendlog import Hasher, OpenEnd, SendLog

_KIND = {Family.EMAIL: "email", Family.PUSH: "push_token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A provider that can be asked.

    Attributes:
        ask: what it says of some messages, see ``http.LooksUp``.
        exact: whether finding nothing means that it never had the message.
        at_a_time: questions in one request.
        grace: how long after an attempt finding nothing means nothing yet.
    """

    ask: Callable[[Sequence[Question]], Sequence[Receipt]]
    exact: bool
    at_a_time: int
    grace: timedelta


@dataclass(slots=True)
class Reconciled:
    """What came of asking.

    Attributes:
        states: how many messages have been told of, by what became of them.
        silent: providers that gave no answer → why.
        open: unknown messages of which nobody can be asked, or nothing can be told.
    """

    states: Counter[State] = field(default_factory=Counter)
    silent: dict[str, str] = field(default_factory=dict)
    open: int = 0


def reconcile(
    log: SendLog,
    ends: Iterable[OpenEnd],
    providers: Mapping[str, Asked],
    hasher: Hasher,
    addresses: Addresses,
    store: str,
    now: datetime,
) -> Reconciled:
    """Ask for the fate of open ends and write it down.

    Args:
        log: where it is written.
        ends: messages that are unknown, or sent without a result.
        providers: those that can be asked, by name.
        hasher: of the log.
        addresses: of the store's people, by which an address is found again.
        store: its key.
        now: the instant.
    """
    done = Reconciled()
    by_provider: defaultdict[str, list[OpenEnd]] = defaultdict(list)
    for end in ends:
        by_provider[end.provider or ""].append(end)
    known: Mapping[bytes, str] = {}
    if by_provider.keys() & providers.keys():
        known = _known(hasher, addresses, store)
    for name, open_ends in by_provider.items():
        provider = providers.get(name)
        if provider is None:
            done.open += _unknown(open_ends)
            continue
        outcomes = list(_outcomes(open_ends, provider, known, now, name, done))
        log.conclude(outcomes, now)
        done.states.update(outcome.state for outcome in outcomes)
        settled = {outcome.claim for outcome in outcomes}
        done.open += _unknown([end for end in open_ends if end.claim not in settled])
    return done


def _unknown(ends: Sequence[OpenEnd]) -> int:
    return sum(end.state is State.UNKNOWN for end in ends)


def _known(hasher: Hasher, addresses: Addresses, store: str) -> dict[bytes, str]:
    rows = addresses.select("kind", "value").iter_rows()
    return {hasher.hash(kind, value, store): value for kind, value in rows}


def _outcomes(
    ends: Sequence[OpenEnd],
    provider: Asked,
    known: Mapping[bytes, str],
    now: datetime,
    name: str,
    done: Reconciled,
) -> Iterator[Outcome]:
    questions = [_question(end, known) for end in ends]
    asked = {question.id: end for question, end in zip(questions, ends, strict=True)}
    for start in range(0, len(questions), provider.at_a_time):
        batch = questions[start : start + provider.at_a_time]
        try:
            receipts = {receipt.id: receipt for receipt in provider.ask(batch)}
        except (NotSent, Unreadable) as error:
            done.silent[name] = str(error)
            return
        for question in batch:
            end = asked[question.id]
            outcome = _outcome(end, receipts.get(question.id), provider, now)
            if outcome is not None:
                yield outcome


def _outcome(
    end: OpenEnd, receipt: Receipt | None, provider: Asked, now: datetime
) -> Outcome | None:
    """Say what a message has come to; None = as it was."""
    if receipt is not None:
        if receipt.state in (State.UNKNOWN, end.state):
            return None
        state = receipt.state
        if end.state is State.SENT and state in (State.REJECTED, State.FAILED):
            # It was accepted before; whatever it is called, it did not arrive.
            state = State.UNDELIVERED
        return Outcome(
            end.claim, state, receipt.provider_id or end.provider_id, receipt.code, receipt.detail
        )
    never_had = end.state is State.UNKNOWN and provider.exact
    if never_had and end.attempted_at + provider.grace <= now:
        return Outcome(end.claim, State.FAILED, detail="the provider never had it")
    return None


def _question(end: OpenEnd, known: Mapping[bytes, str]) -> Question:
    channel = Channel(str(end.channel))
    reached_by = _KIND.get(FAMILY[channel], "phone")
    found = [known[hmac] for hmac in end.identifiers if hmac in known]
    # Of several addresses of one person the destination is not told apart: better none.
    fitting = [value for value in found if _is_a(reached_by, value)]
    return Question(
        id=message_id(end.key, end.person, end.leg),
        channel=channel,
        to=fitting[0] if len(fitting) == 1 else None,
        provider_id=end.provider_id,
        at=end.attempted_at,
    )


def _is_a(kind: str, value: str) -> bool:
    if kind == "email":
        return "@" in value
    return value.startswith("+") if kind == "phone" else True
