"""The batches on their way: no more at a time than the provider takes, and what came of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Event, Lock
from typing import TYPE_CHECKING, NamedTuple

from remindctl.channels import AccountError, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from remindctl.channels import Sender

_SILENCE = "the provider said nothing of it"
_CONTRADICTION = "the provider said two things of it"
# What a provider may say of a message that it has just been given.
_ANSWERS = frozenset({State.SENT, State.REJECTED, State.FAILED, State.UNKNOWN})


class Departure(NamedTuple):
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


class Flight:
    """Batches of one sender, waiting and on their way.

    A batch that has come back well makes room for the next one at once, in whichever thread that
    is, so that a provider is kept busy while its owner writes the log. After one that has not, it
    is the owner who decides whether to go on.
    """

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self._waiting: deque[Sequence[Departure]] = deque()
        self._open: dict[int, Sequence[Departure]] = {}
        self._running = 0
        self._numbers = count()
        self._back: deque[tuple[int, Future[Sequence[Receipt]]]] = deque()
        self._look = Event()
        self._lock = Lock()

    @property
    def waiting(self) -> int:
        """How many batches have not been started."""
        return len(self._waiting)

    @property
    def hungry(self) -> bool:
        """Whether so few wait that more should be made ready."""
        return len(self._waiting) <= self.sender.concurrency // 2

    def __len__(self) -> int:
        """Return how many batches are on their way, or are back and not yet taken note of."""
        return len(self._open)

    def add(self, batches: Iterable[Sequence[Departure]]) -> None:
        """Let batches wait for their turn."""
        self._waiting.extend(batches)

    def fill(self) -> None:
        """Start what fits, unless something has come back that is to be looked at first."""
        while not self._back and self._start():
            pass

    def ground(self) -> Iterator[Sequence[Departure]]:
        """Start nothing more; return the batches that never were."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                batch = self._waiting.popleft()
            yield batch

    def landed(self, wait: float) -> list[Landed]:
        """Return what has come back; before, wait so many seconds until it is worth looking."""
        if wait and self._open:
            self._look.wait(wait)
        self._look.clear()
        found: list[Landed] = []
        while self._back:
            number, future = self._back.popleft()
            found.append(_result(self._open.pop(number), future))
        return found

    def given_up(self, why: str) -> Iterator[Landed]:
        """Wait for nothing more: everything on its way may have been sent."""
        while self._open:
            _, batch = self._open.popitem()
            receipts = [Receipt(one.message.id, State.UNKNOWN, detail=why) for one in batch]
            yield Landed(batch, receipts, answered=False)

    def _start(self) -> bool:
        """Send the next batch that waits, if there is room for it."""
        with self._lock:
            if not self._waiting or self._running >= self.sender.concurrency:
                return False
            number = next(self._numbers)
            # It counts as on its way before it is: an interrupt may come in between.
            self._open[number] = self._waiting[0]
            batch = self._waiting.popleft()
            self._running += 1
        future = self.sender.submit([one.message for one in batch])
        future.add_done_callback(partial(self._came_back, number))
        return True

    def _came_back(self, number: int, future: Future[Sequence[Receipt]]) -> None:
        with self._lock:
            self._running -= 1
        self._back.append((number, future))
        # With one at a time, each is looked at before the next: a sender may work in this thread.
        well = self.sender.concurrency > 1 and future.exception() is None
        if well:
            self._start()
        if self.hungry or not well:
            self._look.set()


def send_one(sender: Sender, message: Outgoing) -> Receipt:
    """Send a message that no log knows of, and wait for what becomes of it."""
    [receipt] = _result([Departure(0, message)], sender.submit([message])).receipts
    return receipt


def _result(batch: Sequence[Departure], future: Future[Sequence[Receipt]]) -> Landed:
    try:
        return _told(batch, future.result())
    except AccountError as error:
        return _alike(batch, State.FAILED, str(error), fatal=str(error))
    except NotSent as error:
        return _alike(batch, State.FAILED, str(error))
    except MaybeSent as error:
        return _alike(batch, State.UNKNOWN, str(error))
    except Exception as error:  # noqa: BLE001 (a provider's own fault: nobody knows what left)
        return _alike(batch, State.UNKNOWN, f"a bug in the provider ({type(error).__name__})")


def _told(batch: Sequence[Departure], receipts: Sequence[Receipt]) -> Landed:
    """Match receipts with messages; whoever is left out may have been sent."""
    told: dict[str, Receipt] = {}
    for receipt in receipts:
        known = told.setdefault(receipt.id, receipt)
        if known.state != receipt.state or receipt.state not in _ANSWERS:
            told[receipt.id] = Receipt(receipt.id, State.UNKNOWN, detail=_CONTRADICTION)
    ids = [one.message.id for one in batch]
    # An answer of which nothing fits is no sign that the next batch would fare better.
    return Landed(
        batch,
        [told.get(one) or Receipt(one, State.UNKNOWN, detail=_SILENCE) for one in ids],
        answered=any(one in told for one in ids),
    )


def _alike(batch: Sequence[Departure], state: State, why: str, fatal: str | None = None) -> Landed:
    receipts = [Receipt(one.message.id, state, detail=why) for one in batch]
    return Landed(batch, receipts, answered=False, fatal=fatal)
