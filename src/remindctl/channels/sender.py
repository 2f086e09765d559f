"""What dispatch hands batches to: the same for a local file, a mail server and an HTTP service."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.channels.provider import Outgoing, Provider, Receipt


class Sender(Protocol):
    """One provider, ready to be given many batches.

    Attributes:
        batch_size: messages in one batch.
        concurrency: batches at the same time.
        local: see ``Provider.local``.
    """

    @property
    def batch_size(self) -> int:
        """See the class."""

    @property
    def concurrency(self) -> int:
        """See the class."""

    @property
    def local(self) -> bool:
        """See the class."""

    def group(self, message: Outgoing) -> str:
        """Name the kind of request a message needs; a batch holds one kind."""

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        """Send a batch; the result raises what ``Provider.send`` does."""

    def stop(self, why: str) -> None:
        """Start nothing more, and end what waits to try again; what is on its way goes on."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Sends at once, in the caller's thread: for what stays on this machine."""

    provider: Provider
    concurrency: int = 1

    @property
    def batch_size(self) -> int:
        """See :class:`Sender`."""
        return self.provider.batch_size

    @property
    def local(self) -> bool:
        """See :class:`Sender`."""
        return self.provider.local

    def group(self, message: Outgoing) -> str:  # noqa: ARG002 (the interface's)
        """See :class:`Sender`."""
        return ""

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        """See :class:`Sender`; an interrupt passes through."""
        done: Future[Sequence[Receipt]] = Future()
        try:
            done.set_result(self.provider.send(batch))
        except Exception as error:  # noqa: BLE001 (the future's to raise)
            done.set_exception(error)
        return done

    def stop(self, why: str) -> None:
        """See :class:`Sender`; nothing ever waits here."""


@dataclass(slots=True)
class Threads:
    """Sends several batches at a time, each in a thread: for a mail server."""

    provider: Provider
    concurrency: int
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.concurrency, "sender")

    @property
    def batch_size(self) -> int:
        """See :class:`Sender`."""
        return self.provider.batch_size

    @property
    def local(self) -> bool:
        """See :class:`Sender`."""
        return self.provider.local

    def group(self, message: Outgoing) -> str:  # noqa: ARG002 (the interface's)
        """See :class:`Sender`."""
        return ""

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        """See :class:`Sender`."""
        return self._pool.submit(self.provider.send, batch)

    def stop(self, why: str) -> None:
        """See :class:`Sender`; no batch is submitted before there is a thread for it."""

    def close(self) -> None:
        """Let the threads end once they are done."""
        self._pool.shutdown(wait=True)
