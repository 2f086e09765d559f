"""What goes into the log and comes out of it, and what a log must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from decimal import Decimal

    from remindctl.frames import History, Identifiers


class LogError(Exception):
    """The log failed during a run: what was claimed last may or may not have been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to send one message on one leg, or the memory that its person was held out.

    Attributes:
        key: of store, campaign, step and occasion, as hexadecimal digits.
        entry: of store, campaign and occasion, likewise.
        person: keyed hash of the customer key.
        identifiers: keyed hashes of everything the person is known by, the destination included.
        ground: why it may be sent (consent, existing_customer or informational).
        ending: what may be shown of the destination.
        state: claimed, or control.
    """

    key: str
    entry: str
    person: bytes
    identifiers: frozenset[bytes]
    leg: int
    store: str
    campaign: str
    step: str
    variant: str | None = None
    arm: str | None = None
    store_arm: str | None = None
    channel: str | None = None
    provider: str | None = None
    ground: str | None = None
    tags: tuple[str, ...] = ()
    counts: bool = True
    ending: str = ""
    due_at: datetime
    cost: Decimal | None = None
    currency: str | None = None
    state: State = State.CLAIMED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claim; ``claim`` is the number that claiming gave it."""

    claim: int
    state: State
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries to show; None = any."""

    store: str | None = None
    campaign: str | None = None
    state: State | None = None
    since: datetime | None = None
    person: bytes | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the log, as it may be shown."""

    number: int
    key: str
    store: str
    campaign: str
    step: str
    leg: int
    channel: str | None
    provider: str | None
    ending: str
    state: str
    run: str
    attempts: int
    attempted_at: datetime
    settled_at: datetime | None
    cost: Decimal | None
    currency: str | None
    provider_id: str | None
    code: str | None
    detail: str | None


class StoreLock(Protocol):
    """The right to be the one sending run of a store; it dies with its holder."""

    def check(self) -> None:
        """Make sure the right is still held.

        Raises:
            LogError: it is not; nothing more may be sent.
        """


class SendLog(Protocol):
    """A log of claims.

    Instants are UTC. Any method may raise :class:`LogError`.
    """

    def lock(self, store: str) -> AbstractContextManager[StoreLock]:
        """Become the one sending run of a store.

        Raises:
            Refused: another run is sending for it.
        """

    def give_up_dead_claims(self, store: str, run: str, at: datetime) -> int:
        """Settle the open claims of any other run as unknown; only under the store's lock.

        Returns:
            how many there were.
        """

    def history(self, store: str, identifiers: Identifiers) -> History:
        """Return every entry of a store that shares an identifier with one of these people."""

    def claim(self, run: str, claims: Sequence[Claim], at: datetime) -> list[int | None]:
        """Claim messages in one transaction.

        Returns:
            a number for each claim; None where the key was claimed before by any of its identifiers
            and may not be claimed (again) on this leg.
        """

    def settle(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Record what became of claims that are still open."""

    def entries(self, wanted: Filter) -> Iterator[Entry]:
        """Return entries, the newest first."""

    def close(self) -> None:
        """Let go of the log."""
