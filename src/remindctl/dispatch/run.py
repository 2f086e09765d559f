"""Apply a plan: claim, send, settle, batch by batch, and stop when it makes no sense to go on.

A claim is on disk before its message leaves, and its outcome after the answer has come. Whatever
interrupts a run, what may have been sent is never sent again.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from remindctl.channels import Receipt
from remindctl.dispatch.claims import Scribe
from remindctl.dispatch.flight import Departure, Flight
from remindctl.frames import Identifiers
from remindctl.model import FAMILY, State
from remindctl.policy import EVERYTHING
from remindctl.sendlog import Claim, Lost, OptOut, Outcome, ending

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from remindctl.channels import Sender
    from remindctl.dispatch.flight import Landed
    from remindctl.frames import Suppressions
    from remindctl.plan import Plan
    from remindctl.sendlog import Hasher, OptOuts, SendLog, StoreLock

# So many batches in a row without an answer, and the rest would fare no better.
MOST_FAILURES = 3
# How long a run that is stopped waits for what is on its way.
PATIENCE_SECONDS = 30.0
_NOT_TRIED = "the run was stopped before it was sent"


@dataclass(slots=True)
class Dispatched:
    """What became of a plan.

    Attributes:
        planned: as it was before.
        late: what was held after all: (key, person) → reason.
        states: how many messages ended as sent, rejected, failed or unknown.
        stopped: why the rest was not tried, if so.
        interrupted: whether somebody wanted it to stop.
        failures: how many batches in a row went unanswered.
        outcomes, refusals: not written down yet.
    """

    planned: Plan
    late: dict[tuple[str, int], str] = field(default_factory=dict)
    states: Counter[State] = field(default_factory=Counter)
    stopped: str | None = None
    interrupted: bool = False
    failures: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    refusals: list[OptOut] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """The plan as it was carried out."""
        return self.planned.hold(self.late) if self.late else self.planned

    def hold(self, rows: pl.DataFrame, reason: str) -> None:
        """Hold messages after all."""
        self.late |= dict.fromkeys(rows.select("key", "person").iter_rows(), reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """What a run of one store sends with.

    Attributes:
        run: its name in the log.
        lock: checked before each chunk.
        identifiers: of everybody in the plans.
        suppressions: the opt-outs that the plans have weighed already.
        last_word: of the opt-outs, when these were read.
        senders: by the names of the providers in the configuration.
        now: the clock.
        progress: told how many messages are done.
        interrupted: whether somebody wants the run to end.
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
    interrupted: Callable[[], bool] = lambda: False
    ordered: Callable[[], Collection[bytes]] = tuple

    def dispatch(self, plan: Plan) -> Dispatched:
        """Send a plan's messages, the longest due first, and remember whom it held out.

        Raises:
            sendlog.LogError: the log failed or the lock was lost; what was claimed last is open.
        """
        done = Dispatched(plan)
        scribe = Scribe(plan, self.hasher)
        control = [scribe.held_out(row) for row in self._known(plan.control).to_dicts()]
        for part in self._known(plan.messages).partition_by("provider", maintain_order=True):
            flight = Flight(self.senders[part["provider"][0]])
            try:
                self._fly(scribe, part, flight, control, done)
            except KeyboardInterrupt:
                self._settle(flight.given_up("the run was killed"), done)
                self._not_tried(flight, done)
                self._flush(done)
                raise
            control = []
        if control:
            self.lock.check()
            self.log.claim(self.run, control, self.now())
        return done

    def _fly(
        self,
        scribe: Scribe,
        part: pl.DataFrame,
        flight: Flight,
        control: Sequence[Claim],
        done: Dispatched,
    ) -> None:
        """Send everything that goes through one provider."""
        sender = flight.sender
        for chunk in part.iter_slices(sender.batch_size * sender.concurrency):
            if self._should_stop(done):
                break
            going = self._claimed(scribe, chunk, sender, control, done)
            control = ()
            flight.waiting.extend(_batches(going, sender))
            while flight.waiting and not self._should_stop(done):
                self._settle(flight.landed(room_for=1), done)
                if not self._should_stop(done):
                    flight.start()
            self._settle(flight.landed(), done)
            self._flush(done)
        self._not_tried(flight, done)
        self._settle(flight.drained(PATIENCE_SECONDS if done.stopped else None), done)
        self._flush(done)

    def _should_stop(self, done: Dispatched) -> bool:
        if done.stopped is None and self.interrupted():
            done.stopped, done.interrupted = "it was interrupted", True
        return done.stopped is not None

    def _known(self, rows: pl.DataFrame) -> pl.DataFrame:
        hashes = self.identifiers.group_by("person").agg("hmac")
        return rows.join(hashes, on="person", how="left", maintain_order="left")

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
        allowed = self._still_allowed(chunk, now, done)
        rows = allowed.to_dicts()
        extras = [json.loads(row["extras"] or "{}") for row in rows]
        claims = [
            scribe.claim(row, more, local=sender.local)
            for row, more in zip(rows, extras, strict=True)
        ]
        answers = self.log.claim(self.run, [*claims, *control], now)[: len(claims)]
        for why in Lost:
            lost = pl.Series([answer is why for answer in answers], dtype=pl.Boolean)
            done.hold(allowed.filter(lost), why)
        return [
            Departure(answer, scribe.message(claim, row, more, now))
            for answer, claim, row, more in zip(answers, claims, rows, extras, strict=True)
            if not isinstance(answer, Lost)
        ]

    def _settle(self, landings: Iterable[Landed], done: Dispatched) -> None:
        """Record what became of batches, and stop when it makes no sense to go on."""
        for landed in landings:
            done.outcomes += map(_outcome, landed.batch, landed.receipts)
            done.refusals += self._refusals(landed)
            done.failures = 0 if landed.answered else done.failures + 1
            if done.stopped is None and landed.fatal is not None:
                done.stopped = landed.fatal
            elif done.stopped is None and done.failures >= MOST_FAILURES:
                done.stopped = f"{MOST_FAILURES} batches in a row could not be sent"

    def _flush(self, done: Dispatched) -> None:
        """Write outcomes down; until then their claims are open."""
        if done.outcomes:
            self.log.settle(done.outcomes, self.now())
            self.progress(len(done.outcomes))
        if done.refusals:
            self.optouts.record(done.refusals, self.now())
        done.states.update(outcome.state for outcome in done.outcomes)
        done.outcomes, done.refusals = [], []

    @staticmethod
    def _not_tried(flight: Flight, done: Dispatched) -> None:
        """Free the claims of what was not sent any more."""
        failed = Receipt("", State.FAILED, detail=_NOT_TRIED)
        while flight.waiting:
            done.outcomes += [_outcome(one, failed) for one in flight.waiting.popleft()]

    def _refusals(self, landed: Landed) -> Iterator[OptOut]:
        """Turn what providers say of recipients into opt-outs."""
        for departure, receipt in zip(landed.batch, landed.receipts, strict=True):
            message = departure.message
            if receipt.suppress is not None:
                yield OptOut(
                    hmac=self.hasher.hash(message.kind, message.to, message.store),
                    family=FAMILY[message.channel],
                    scope=EVERYTHING if receipt.suppress == "dead" else "advertising",
                    at=self.now(),
                    source=f"provider: {receipt.code or receipt.suppress}",
                    ending=ending(message.to),
                )

    def _still_allowed(self, batch: pl.DataFrame, now: datetime, done: Dispatched) -> pl.DataFrame:
        """Leave out whose hours have closed, and who has opted out since the plan was made."""
        is_open = (pl.col("closes_at") > now).fill_null(value=True)
        open_now = batch.filter(is_open)
        done.hold(batch.filter(~is_open), "not_open_now")
        open_now = self._without_buyers(open_now, done)
        if self.optouts.last_word() == self.last_word:
            return open_now
        concerned = self.identifiers.filter(pl.col("person").is_in(open_now["person"].implode()))
        standing = self.optouts.standing(Identifiers(concerned))
        scopes = [EVERYTHING, str(done.planned.campaign.purpose)]
        new = (
            standing.join(self.suppressions, on=standing.columns, how="anti")
            .filter(pl.col("scope").is_in(scopes))
            .select("person", "family")
        )
        families = {str(channel): str(family) for channel, family in FAMILY.items()}
        family = pl.col("channel").replace_strict(families, return_dtype=pl.String)
        of_family = open_now.with_columns(family.alias("family"))
        pair = ["person", "family"]
        done.hold(of_family.join(new, on=pair, how="semi"), "opted_out")
        return of_family.join(new, on=pair, how="anti", maintain_order="left")

    def _without_buyers(self, rows: pl.DataFrame, done: Dispatched) -> pl.DataFrame:
        """Leave out who has ordered since, where an order ends the occasion."""
        ordered = self.ordered()
        steps = [one.id for one in done.planned.campaign.steps if one.due.until == "order"]
        if not ordered or not steps:
            return rows
        known = pl.col("hmac").list.set_intersection(pl.lit(list(ordered))).list.len() > 0
        bought = pl.col("step").is_in(steps) & known.fill_null(value=False)
        done.hold(rows.filter(bought), "occasion_over")
        return rows.filter(~bought)


def _batches(going: Sequence[Departure], sender: Sender) -> Iterator[Sequence[Departure]]:
    """Cut into batches of one kind of request each, in the order of the plan within a kind."""
    kinds = sorted(going, key=lambda one: sender.group(one.message))
    for _, alike in groupby(kinds, key=lambda one: sender.group(one.message)):
        batch = list(alike)
        for start in range(0, len(batch), sender.batch_size):
            yield batch[start : start + sender.batch_size]


def _outcome(departure: Departure, receipt: Receipt) -> Outcome:
    return Outcome(
        departure.claim, receipt.state, receipt.provider_id, receipt.code, receipt.detail
    )
