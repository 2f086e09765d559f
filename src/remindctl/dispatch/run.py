"""Apply a plan: claim, send, settle, batch by batch, and stop when it makes no sense to go on.

A claim is on disk before its message leaves, and its outcome after the answer has come. Whatever
interrupts a run, what may have been sent is never sent again.
"""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING

import polars as pl

from remindctl.dispatch.claims import Scribe, with_hashes
from remindctl.dispatch.flight import Departure, Flight
from remindctl.dispatch.outcome import Dispatched
from remindctl.dispatch.recheck import Recheck
from remindctl.sendlog import Claim, LogError, Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from remindctl.channels import Sender
    from remindctl.dispatch.flight import Landed
    from remindctl.frames import Identifiers, Suppressions
    from remindctl.plan import Plan
    from remindctl.sendlog import Hasher, OptOuts, SendLog, StoreLock

# How long an interrupted run waits for each next answer to what is on its way.
PATIENCE_SECONDS = 20.0
# How long it waits for answers before it looks whether it is to end.
_TICK_SECONDS = 0.1
# Answers wait no longer than this until they are written down.
_UNWRITTEN = timedelta(seconds=1)
# Messages that are claimed at once, unless one batch is more, and no more than may be on their way
# at a time: a run that dies leaves them unknown.
_CHUNK = 10_000
# Rows that are given their identifiers at once: everybody's at once would double the plan.
_BLOCK = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """What a run of one store sends with.

    Attributes:
        run: its name in the log.
        lock: checked before each chunk.
        identifiers, suppressions, last_word: see ``Recheck``.
        senders: by the names of the providers in the configuration.
        now: the clock.
        progress: told how many messages are done.
        interrupted: how often somebody has wanted the run to end: once, it starts nothing more and
            settles what is on its way; twice, it waits for no answer.
        ordered: keyed hashes of whoever has ordered since the plans were made.
    """

    run: str
    log: SendLog
    lock: StoreLock
    hasher: Hasher
    optouts: OptOuts
    identifiers: Identifiers
    suppressions: Suppressions
    last_word: int
    senders: Mapping[str, Sender]
    now: Callable[[], datetime]
    progress: Callable[[int], None]
    interrupted: Callable[[], int] = lambda: 0
    ordered: Callable[[], Collection[bytes]] = tuple

    def dispatch(self, plan: Plan) -> Dispatched:
        """Send a plan's messages, the longest due first, and remember whom it held out.

        Raises:
            sendlog.LogError: the log failed or the lock was lost; what was claimed last is open.
        """
        done = Dispatched(plan)
        scribe = Scribe(plan, self.hasher)
        control = (
            claim
            for chunk in self._chunks(plan.control, _BLOCK)
            for claim in scribe.held_out(chunk.to_dict(as_series=False))
        )
        for name in plan.messages["provider"].unique(maintain_order=True):
            flight = Flight(self.senders[name])
            try:
                self._fly(scribe, name, flight, control, done)
                self._land(flight, done)
            except KeyboardInterrupt:
                self._note(flight.given_up("the run was killed"), done)
                self._free(flight, done)
                self._flush(done)
                raise
            except LogError as error:
                done.stopped = str(error)
                # What is on its way comes back, and whatever can be written down is.
                with suppress(LogError):
                    self._land(flight, done)
                raise
        while not self._should_stop(done) and (rest := list(islice(control, _BLOCK))):
            self.lock.check()
            self.log.claim(self.run, rest, self.now())
        return done

    @property
    def _recheck(self) -> Recheck:
        return Recheck(self.identifiers, self.optouts, self.suppressions, self.last_word)

    def _fly(
        self,
        scribe: Scribe,
        provider: str,
        flight: Flight,
        control: Iterator[Claim],
        done: Dispatched,
    ) -> None:
        """Send everything that goes through one provider, until it is on its way or must stop."""
        sender = flight.sender
        batches = min(sender.concurrency, max(1, _CHUNK // sender.batch_size))
        size = sender.batch_size * batches
        chunks = self._chunks(done.planned.messages, size, provider)
        chunk = next(chunks, None)
        flushed_at = self.now()
        while chunk is not None or flight.waiting or flight:
            # The next chunk is claimed while half of the one before still waits for its turn.
            hungry = chunk is not None and flight.hungry
            self._note(flight.landed(0.0 if hungry else _TICK_SECONDS), done)
            if self._should_stop(done):
                return
            now = self.now()
            if hungry or not timedelta(0) <= now - flushed_at < _UNWRITTEN:
                self._flush(done)
                flushed_at = now
            if hungry and chunk is not None:
                with _uncollected():
                    with_these = list(islice(control, size))
                    going = self._claimed(scribe, chunk, sender, with_these, done)
                    flight.add(_batches(going, sender))
                chunk = next(chunks, None)
            flight.fill()

    def _land(self, flight: Flight, done: Dispatched) -> None:
        """Wait for what is on its way, free what is not, and write it all down."""
        self._free(flight, done)
        if done.stopped is not None:
            flight.sender.stop(done.stopped)
        idle = 0.0
        while flight:
            landings = flight.landed(_TICK_SECONDS)
            self._note(landings, done)
            idle = 0.0 if landings else idle + _TICK_SECONDS
            asked = self.interrupted()
            if asked > 1 or (asked and idle > PATIENCE_SECONDS):
                self._note(flight.given_up("the run was ended before the answer came"), done)
        self._flush(done)

    def _should_stop(self, done: Dispatched) -> bool:
        if done.stopped is None and self.interrupted():
            done.stopped, done.interrupted = "it was interrupted", True
        return done.stopped is not None

    def _chunks(
        self, rows: pl.DataFrame, size: int, provider: str | None = None
    ) -> Iterator[pl.DataFrame]:
        """Cut the rows of a provider, with everything that their people are known by."""
        for block in rows.iter_slices(max(1, _BLOCK // size) * size):
            part = block if provider is None else block.filter(pl.col("provider") == provider)
            known = with_hashes(part, self.identifiers)
            yield from (one for one in known.iter_slices(size) if len(one))

    def _claimed(
        self,
        scribe: Scribe,
        chunk: pl.DataFrame,
        sender: Sender,
        control: Sequence[Claim],
        done: Dispatched,
    ) -> list[Departure]:
        """Claim what may still go of a chunk."""
        self.lock.check()
        now = self.now()
        reasons = self._recheck.reasons(done.planned, chunk, self.ordered(), now)
        done.hold(chunk.select("key", "person").to_dict(as_series=False), reasons)
        rows = chunk.filter([reason is None for reason in reasons]).to_dict(as_series=False)
        extras = [json.loads(text) if text else {} for text in rows["extras"]]
        claims = scribe.claims(rows, extras, local=sender.local)
        answers = self.log.claim(self.run, [*claims, *control], now)[: len(claims)]
        done.hold(rows, [one if isinstance(one, Lost) else None for one in answers])
        messages = scribe.messages(rows, extras, claims, now)
        return [
            Departure(answer, message)
            for answer, message in zip(answers, messages, strict=True)
            if not isinstance(answer, Lost)
        ]

    def _note(self, landings: Iterable[Landed], done: Dispatched) -> None:
        for landed in landings:
            done.note(landed, self.hasher, self.now())

    def _flush(self, done: Dispatched) -> None:
        """Write outcomes down; until then their claims are open."""
        if done.outcomes:
            self.log.settle(done.outcomes, self.now())
            self.progress(len(done.outcomes))
        if done.refusals:
            self.optouts.record(done.refusals, self.now())
        done.written()

    @staticmethod
    def _free(flight: Flight, done: Dispatched) -> None:
        for batch in flight.ground():
            done.free(batch)


def _batches(going: Sequence[Departure], sender: Sender) -> Iterator[Sequence[Departure]]:
    """Cut into batches of one kind of request each, in the order of the plan within a kind."""
    named = [(sender.group(one.message), one) for one in going]
    named.sort(key=lambda pair: pair[0])
    for _, alike in groupby(named, key=lambda pair: pair[0]):
        batch = [one for _, one in alike]
        for start in range(0, len(batch), sender.batch_size):
            yield batch[start : start + sender.batch_size]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no circular garbage meanwhile: where objects are many, that takes a third longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
