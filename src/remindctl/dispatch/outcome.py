"""What became of a plan, as it goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remindctl.channels import Receipt
from remindctl.model import FAMILY, State
from remindctl.policy import EVERYTHING
from remindctl.sendlog import OptOut, Outcome, ending

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from remindctl.dispatch.claims import Columns
    from remindctl.dispatch.flight import Departure, Landed
    from remindctl.plan import Plan
    from remindctl.sendlog import Hasher

# So many batches in a row without an answer, and the rest would fare no better.
MOST_FAILURES = 3
_NOT_TRIED = Receipt("", State.FAILED, detail="the run was stopped before it was sent")


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

    def hold(self, rows: Columns, reasons: Sequence[str | None]) -> None:
        """Hold those messages after all that there is a reason for."""
        for key, person, reason in zip(rows["key"], rows["person"], reasons, strict=True):
            if reason is not None:
                self.late[key, person] = str(reason)

    def note(self, landed: Landed, hasher: Hasher, at: datetime) -> None:
        """Take note of what became of a batch, and stop when it makes no sense to go on."""
        self.outcomes += map(_outcome, landed.batch, landed.receipts)
        self.refusals += _refusals(landed, hasher, at)
        self.failures = 0 if landed.answered else self.failures + 1
        if self.stopped is None and landed.fatal is not None:
            self.stopped = landed.fatal
        elif self.stopped is None and self.failures >= MOST_FAILURES:
            self.stopped = f"{MOST_FAILURES} batches in a row could not be sent"

    def free(self, batch: Sequence[Departure]) -> None:
        """Free the claims of a batch that was never started."""
        self.outcomes += [_outcome(one, _NOT_TRIED) for one in batch]

    def written(self) -> None:
        """Count what is written down now."""
        self.states.update(outcome.state for outcome in self.outcomes)
        self.outcomes, self.refusals = [], []


def _outcome(departure: Departure, receipt: Receipt) -> Outcome:
    return Outcome(
        departure.claim, receipt.state, receipt.provider_id, receipt.code, receipt.detail
    )


def _refusals(landed: Landed, hasher: Hasher, at: datetime) -> Iterator[OptOut]:
    """Turn what providers say of recipients into opt-outs."""
    for departure, receipt in zip(landed.batch, landed.receipts, strict=True):
        if receipt.suppress is not None:
            message = departure.message
            yield OptOut(
                hmac=hasher.hash(message.kind, message.to, message.store),
                family=FAMILY[message.channel],
                scope=EVERYTHING if receipt.suppress == "dead" else "advertising",
                at=at,
                source=f"provider: {receipt.code or receipt.suppress}",
                ending=ending(message.to),
            )
