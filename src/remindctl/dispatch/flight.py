"""The batches on their way: no more at a time than the provider takes, and what came of each."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from remindctl.channels import AccountError, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remindctl.channels import Sender

_SILENCE = "the provider said nothing of it"


@dataclass(frozen=True, slots=True)
class Departure:
    """A claimed message: the number of its claim, and what is sent."""

    claim: int
    message: Outgoing


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one batch.

    Attributes:
        receipts: one for each message, in their order.
        answered: whether the provider said anything of it.
        fatal: why every further batch would fail as well.
    """

    batch: Sequence[Departure]
    receipts: Sequence[Receipt]
    answered: bool
    fatal: str | None = None


@dataclass(slots=True)
class Flight:
    """Batches of one sender that are on their way.

    Attributes:
        waiting: batches that are claimed and have not started.
    """

    sender: Sender
    waiting: deque[Sequence[Departure]] = field(default_factory=deque)
    _open: dict[Future[Sequence[Receipt]], Sequence[Departure]] = field(default_factory=dict)
    _done: SimpleQueue[Future[Sequence[Receipt]]] = field(default_factory=SimpleQueue)

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        """Send the next batch that waits."""
        batch = self.waiting[0]
        # It counts as on its way before it is: an interrupt may come in between.
        placeholder: Future[Sequence[Receipt]] = Future()
        self._open[placeholder] = batch
        self.waiting.popleft()
        future = self.sender.submit([one.message for one in batch])
        self._open[future] = self._open.pop(placeholder)
        future.add_done_callback(self._done.put)

    def landed(self, *, room_for: int = 0) -> Iterator[Landed]:
        """Return what has come back.

        Args:
            room_for: wait until so many more batches fit; 0 = do not wait.
        """
        while self._open:
            full = room_for and len(self._open) + room_for > self.sender.concurrency
            try:
                future = self._done.get(block=bool(full))
            except Empty:
                return
            yield _result(self._open.pop(future), future)

    def drained(self, patience: float | None = None) -> Iterator[Landed]:
        """Wait for everything on its way.

        Args:
            patience: seconds to wait for each next answer; what does not come may have been sent.
        """
        while self._open:
            try:
                future = self._done.get(timeout=patience)
            except Empty:
                yield from self.given_up("the run was stopped before the answer came")
                return
            yield _result(self._open.pop(future), future)

    def given_up(self, why: str) -> Iterator[Landed]:
        """Wait for nothing more: everything on its way may have been sent."""
        while self._open:
            _, batch = self._open.popitem()
            receipts = [Receipt(one.message.id, State.UNKNOWN, detail=why) for one in batch]
            yield Landed(batch, receipts, answered=False)


def _result(batch: Sequence[Departure], future: Future[Sequence[Receipt]]) -> Landed:
    try:
        told = {receipt.id: receipt for receipt in future.result()}
    except AccountError as error:
        return _alike(batch, State.FAILED, str(error), fatal=str(error))
    except NotSent as error:
        return _alike(batch, State.FAILED, str(error))
    except MaybeSent as error:
        return _alike(batch, State.UNKNOWN, str(error))
    except Exception as error:  # noqa: BLE001 (a provider's own fault: nobody knows what left)
        return _alike(batch, State.UNKNOWN, f"a bug in the provider ({type(error).__name__})")
    silence = [Receipt(one.message.id, State.UNKNOWN, detail=_SILENCE) for one in batch]
    return Landed(batch, [told.get(one.id, one) for one in silence], answered=True)


def _alike(batch: Sequence[Departure], state: State, why: str, fatal: str | None = None) -> Landed:
    receipts = [Receipt(one.message.id, state, detail=why) for one in batch]
    return Landed(batch, receipts, answered=False, fatal=fatal)
