"""What a log must be able to do, whichever database keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from remindctl.frames import History, Identifiers
    from remindctl.sendlog.coupons import Issued
    from remindctl.sendlog.entries import Claim, Entry, Filter, Lost, OpenEnd, Outcome
    from remindctl.sendlog.upkeep import Deed, Erased, Known, Tally


class StoreLock(Protocol):
    """The right to be the one sending run of a store; it dies with its holder."""

    def check(self) -> None:
        """Make sure the right is still held.

        Raises:
            LogError: it is not; nothing more may be sent.
        """


class PastLog(Protocol):
    """A log to look into.

    Instants are UTC. Any method may raise :class:`LogError`.
    """

    def history(
        self,
        store: str,
        identifiers: Identifiers,
        *,
        campaigns: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> History:
        """Return the entries of a store that share an identifier with one of these people.

        Args:
            store: its key.
            identifiers: of the people.
            campaigns: those whose whole past is wanted; None = of all, and ``since`` says nothing.
                Of any other campaign there is what was attempted at ``since`` or later, and of each
                person the first entry that drew them for the holdout of the store, which stands for
                ever. Nothing older is asked for by caps, pauses, steps or variants.
            since: None = never.
        """

    def issued(self, store: str) -> Issued:
        """Return every claim of a store that carries a coupon, once per identifier."""

    def approved(self, store: str, templates: Collection[str]) -> Mapping[str, bytes]:
        """Return the hash of the wording with which each template was first sent.

        A template that no message has been sent with is left out. What was rejected or not
        delivered does not count: its wording may not have been the approved one.
        """

    def entries(self, wanted: Filter) -> Iterator[Entry]:
        """Return entries, the newest first."""

    def tallies(self, wanted: Filter) -> list[Tally]:
        """Count the entries; ``limit`` says nothing. In no order."""

    def journal(self) -> list[Deed]:
        """Return what was done with the log as a whole, the latest first."""

    def close(self) -> None:
        """Let go of the log."""


class SendLog(PastLog, Protocol):
    """A log of claims."""

    def newest(self) -> datetime | None:
        """Return the instant of the latest claim or outcome."""

    def meta(self, name: str) -> str | None:
        """Return what the log says of itself under a name."""

    def set_meta(self, name: str, value: str) -> None:
        """Let the log say something of itself."""

    def lock(self, store: str) -> AbstractContextManager[StoreLock]:
        """Become the one sending run of a store.

        Raises:
            Refused: another run is sending for it.
        """

    def take_over(self, store: str, run: str, at: datetime) -> int:
        """Become the run that writes a store's claims; under its lock, before anything is read.

        The open claims of any other run are settled as unknown, and no other run can claim for the
        store from here on. So what a plan read after this (caps, codes, the past) still stands when
        its messages are claimed, also where a lock was lost.

        Returns:
            how many open claims there were.
        """

    def claim(self, run: str, claims: Sequence[Claim], at: datetime) -> list[int | Lost]:
        """Claim messages in one transaction.

        Returns:
            a number for each claim, or why it was lost: the key was claimed before by any of its
            identifiers and may not be claimed (again) on this leg, or its code belongs to another
            person or key. A code stays with its person and key, whatever becomes of the message.

        Raises:
            LogError: another run has taken over the store.
        """

    def settle(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Record what became of claims that are still open."""

    def open_ends(self, store: str, *, since: datetime) -> list[OpenEnd]:
        """Return a store's messages that are unknown, or sent and attempted at ``since`` or later.

        The earliest claims come first.
        """

    def conclude(self, outcomes: Sequence[Outcome], at: datetime) -> int:
        """Record what came to light after the answer: by look-up, result file or a person's word.

        What is unknown may become anything that is settled; what is sent may only be delivered or
        undelivered; anything else is left as it is. A provider's id is kept where none is told.

        Returns:
            how many states have changed.
        """

    def known(self, names: Collection[str]) -> Mapping[str, Sequence[Known]]:
        """Find the messages that somebody tells of.

        Args:
            names: our names of messages, or providers' ids.

        Returns:
            name → messages; a provider's id may be shared by those that left together.
        """

    def record(self, deed: Deed) -> None:
        """Write into the journal."""

    def forget(self, store: str, identifiers: Collection[bytes], at: datetime) -> Erased:
        """Strip the entries of whoever is known by any of these, and say so in the journal.

        What is left: keys, codes of coupons and of results, and the hashes by which nobody is
        messaged twice. Stripped: endings of addresses, providers' ids, details.
        """

    def purge(self, before: datetime, at: datetime) -> int:
        """Strip the entries that were last attempted before, likewise; return how many."""

    def rewrite(self) -> None:
        """Write what is stored anew, so that nothing that was stripped can be read from the disk.

        Raises:
            LogError: it could not be; what was stripped is gone from the log, but maybe not from
                its files.
        """
