"""What goes into the log and comes out of it, and what a log must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime
    from decimal import Decimal

    from remindctl.frames import History, Identifiers
    from remindctl.sendlog.coupons import Issued


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
        coupon_pool: the pool of ``coupon``; None = a code for all, or no coupon.
        coupon: keyed hash of the code that the message carries.
        coupon_until: its last day, as the customer is told.
        template: code of the provider's approved template, if it is sent by one.
        text_hash: of that template's wording; see ``templates.text_hash``.
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
    coupon_pool: str | None = None
    coupon: bytes | None = None
    coupon_until: date | None = None
    template: str | None = None
    text_hash: bytes | None = None
    tags: tuple[str, ...] = ()
    counts: bool = True
    ending: str = ""
    due_at: datetime
    cost: Decimal | None = None
    currency: str | None = None
    state: State = State.CLAIMED


class Lost(StrEnum):
    """Why a claim was not made; the values are codes of ``policy.REASONS``."""

    ALREADY = "already"
    COUPON_TAKEN = "coupon_taken"


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


NEWEST = "newest_at"
ABANDONED = "the run ended before the answer was recorded"


def writer(store: str) -> str:
    """Name the entry of a log's meta table that holds which run may claim for a store."""
    return f"run of {store}"


def taken_over(store: str) -> LogError:
    """Say that a run has lost the right to claim for a store."""
    return LogError(f"another run has begun to send for the store {store!r}")


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
