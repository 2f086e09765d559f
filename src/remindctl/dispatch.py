"""Apply a plan: claim, send, settle, batch by batch, and stop when it makes no sense to go on.

A claim is on disk before its message leaves, and its outcome after the answer has come. Whatever
interrupts a run, what may have been sent is never sent again.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.channels import MaybeSent, NotSent, Outgoing, Receipt
from remindctl.frames import Identifiers
from remindctl.model import FAMILY, Channel, Purpose, State
from remindctl.policy import EVERYTHING
from remindctl.sendlog import Claim, Lost, Outcome, code_hash, ending, text_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from remindctl.channels import Provider
    from remindctl.frames import Suppressions
    from remindctl.plan import Plan
    from remindctl.sendlog import Hasher, OptOuts, SendLog, StoreLock

# So many batches in a row without an answer, and the rest would fare no better.
MOST_FAILURES = 3


@dataclass(slots=True)
class Dispatched:
    """What became of a plan.

    Attributes:
        planned: as it was before.
        late: what was held after all: (key, person) → reason.
        states: how many messages ended as sent, rejected, failed or unknown.
        stopped: why the rest was not tried, if so.
    """

    planned: Plan
    late: dict[tuple[str, int], str] = field(default_factory=dict)
    states: Counter[State] = field(default_factory=Counter)
    stopped: str | None = None

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
        lock: checked before each batch.
        identifiers: of everybody in the plans.
        suppressions: the opt-outs that the plans have weighed already.
        last_word: of the opt-outs, when these were read.
        providers: by the names in the configuration.
        now: the clock.
        progress: told how many messages are done, after each batch.
    """

    run: str
    log: SendLog
    lock: StoreLock
    hasher: Hasher
    optouts: OptOuts
    identifiers: Identifiers
    suppressions: Suppressions
    last_word: int
    providers: Mapping[str, Provider]
    now: Callable[[], datetime]
    progress: Callable[[int], None]

    def dispatch(self, plan: Plan) -> Dispatched:
        """Send a plan's messages, the longest due first, and remember whom it held out.

        Raises:
            sendlog.LogError: the log failed or the lock was lost; what was claimed last is open.
        """
        done = Dispatched(plan)
        control = [self._held_out(plan, row) for row in self._known(plan.control).to_dicts()]
        failures = 0
        for batch in self._batches(self._known(plan.messages)):
            failures = 0 if self._send(plan, batch, control, done) else failures + 1
            control = []
            self.progress(len(batch))
            if failures == MOST_FAILURES:
                done.stopped = f"{MOST_FAILURES} batches in a row could not be sent"
                break
        if control:
            self.lock.check()
            self.log.claim(self.run, control, self.now())
        return done

    def _known(self, rows: pl.DataFrame) -> pl.DataFrame:
        hashes = self.identifiers.group_by("person").agg("hmac")
        return rows.join(hashes, on="person", how="left", maintain_order="left")

    def _batches(self, messages: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for part in messages.partition_by("provider", maintain_order=True):
            yield from part.iter_slices(self.providers[part["provider"][0]].batch_size)

    def _send(
        self, plan: Plan, batch: pl.DataFrame, control: Sequence[Claim], done: Dispatched
    ) -> bool:
        """Claim, send and settle one batch; say whether the provider answered."""
        self.lock.check()
        now = self.now()
        allowed = self._still_allowed(batch, now, done)
        rows = allowed.to_dicts()
        extras = [json.loads(row["extras"] or "{}") for row in rows]
        claims = [self._claim(plan, *one) for one in zip(rows, extras, strict=True)]
        answers = self.log.claim(self.run, [*claims, *control], now)[: len(claims)]
        for why in Lost:
            done.hold(
                allowed.filter(pl.Series([answer is why for answer in answers], dtype=pl.Boolean)),
                why,
            )
        going = {
            _name(claim): (answer, _outgoing(plan, claim, row, more, now))
            for answer, claim, row, more in zip(answers, claims, rows, extras, strict=True)
            if not isinstance(answer, Lost)
        }
        if not going:
            return True
        receipts: Mapping[str, Receipt] = {}
        unanswered = Receipt("", State.UNKNOWN, detail="the provider said nothing of it")
        answered = False
        try:
            sent = self.providers[batch["provider"][0]].send([one for _, one in going.values()])
            receipts = {receipt.id: receipt for receipt in sent}
            answered = True
        except NotSent as error:
            unanswered = Receipt("", State.FAILED, detail=str(error))
        except MaybeSent as error:
            unanswered = Receipt("", State.UNKNOWN, detail=str(error))
        finally:
            # Also when someone interrupts: what may have left is unknown, not open.
            outcomes = [
                _outcome(number, receipts.get(name, unanswered))
                for name, (number, _) in going.items()
            ]
            self.log.settle(outcomes, self.now())
            done.states.update(outcome.state for outcome in outcomes)
        return answered

    def _still_allowed(self, batch: pl.DataFrame, now: datetime, done: Dispatched) -> pl.DataFrame:
        """Leave out whose hours have closed, and who has opted out since the plan was made."""
        is_open = (pl.col("closes_at") > now).fill_null(value=True)
        open_now = batch.filter(is_open)
        done.hold(batch.filter(~is_open), "not_open_now")
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

    def _claim(self, plan: Plan, row: Mapping[str, Any], extras: Mapping[str, Any]) -> Claim:
        campaign, store = plan.campaign, plan.store
        pool, code = row["coupon_pool"], row["coupon_code"]
        wording = extras.get("approved_text")
        if self.providers[row["provider"]].local:
            wording = None
        return replace(
            self._held_out(plan, row),
            identifiers=frozenset(row["hmac"] or ())
            | {self.hasher.hash(row["kind"], row["to"], store.key)},
            provider=row["provider"],
            ground=row["ground"],
            coupon_pool=pool,
            coupon=None if code is None else code_hash(self.hasher, pool, code, store.key),
            coupon_until=row["coupon_until"],
            template=extras.get("template"),
            text_hash=None if wording is None else text_hash(wording),
            counts=campaign.counts_for_caps,
            cost=row["cost"],
            currency=store.currency,
            state=State.CLAIMED,
        )

    def _held_out(self, plan: Plan, row: Mapping[str, Any]) -> Claim:
        campaign, store = plan.campaign, plan.store
        return Claim(
            key=row["key"],
            entry=row["entry"],
            person=self.hasher.hash("person", row["customer_key"], store.key),
            identifiers=frozenset(row["hmac"] or ()),
            leg=row["leg"],
            store=store.key,
            campaign=campaign.name,
            step=row["step"],
            variant=row["variant"],
            arm=row["arm"],
            store_arm=row["store_arm"],
            channel=row["channel"],
            tags=campaign.tags,
            counts=False,
            ending=ending(row["to"] or ""),
            due_at=row["due_at"],
            state=State.CONTROL,
        )


def _name(claim: Claim) -> str:
    """Name a message for ever, also when its claim is repeated."""
    return f"{claim.key}-{claim.person.hex()[:16]}-{claim.leg}"


def _outgoing(
    plan: Plan, claim: Claim, row: Mapping[str, Any], extras: Mapping[str, Any], now: datetime
) -> Outgoing:
    return Outgoing(
        id=_name(claim),
        key=claim.key,
        store=claim.store,
        campaign=claim.campaign,
        step=claim.step,
        customer_key=row["customer_key"],
        channel=Channel(row["channel"]),
        to=row["to"],
        kind=row["kind"],
        subject=row["subject"],
        text=row["text"],
        html=row["html"],
        advertising=plan.campaign.purpose is Purpose.ADVERTISING,
        extras=extras,
        at=now,
    )


def _outcome(number: int, receipt: Receipt) -> Outcome:
    return Outcome(number, receipt.state, receipt.provider_id, receipt.code, receipt.detail)
