"""What goes into the log and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from remindctl.model import State

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal


class LogError(Exception):
    """The log failed during a run: what was claimed last may or may not have been sent."""


class Claim(NamedTuple):
    """The right to send one message on one leg, or the memory that its person was held out.

    A tuple, as claims are made by the thousand, column by column.

    Attributes:
        key: of store, campaign, step and occasion, as hexadecimal digits.
        entry: of store, campaign and occasion, likewise.
        person: keyed hash of the customer key.
        identifiers: keyed hashes of everything the person is known by, the destination included.
        destination: keyed hash of the address it goes to, by which a look-up finds it again.
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
    due_at: datetime
    variant: str | None = None
    arm: str | None = None
    store_arm: str | None = None
    channel: str | None = None
    provider: str | None = None
    destination: bytes | None = None
    ground: str | None = None
    coupon_pool: str | None = None
    coupon: bytes | None = None
    coupon_until: date | None = None
    template: str | None = None
    text_hash: bytes | None = None
    tags: tuple[str, ...] = ()
    counts: bool = True
    ending: str = ""
    cost: Decimal | None = None
    currency: str | None = None
    state: State = State.CLAIMED


class Lost(StrEnum):
    """Why a claim was not made; the values are codes of ``policy.REASONS``."""

    ALREADY = "already"
    COUPON_TAKEN = "coupon_taken"


class Outcome(NamedTuple):
    """What became of a claim; ``claim`` is the number that claiming gave it."""

    claim: int
    state: State
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEnd:
    """A message whose end nobody has told of: unknown, or sent and nothing more.

    Attributes:
        claim: its number.
        identifiers: keyed hashes of where it went; none in what earlier versions wrote.
        attempted_at: the latest attempt.
    """

    claim: int
    key: str
    person: bytes
    leg: int
    campaign: str
    step: str
    channel: str | None
    provider: str | None
    provider_id: str | None
    state: State
    attempted_at: datetime
    identifiers: frozenset[bytes]


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


# What an unknown message may turn out to be, and one that was sent.
ENDS = (State.SENT, State.REJECTED, State.FAILED, State.DELIVERED, State.UNDELIVERED)
LATE_ENDS = (State.DELIVERED, State.UNDELIVERED)

NEWEST = "newest_at"
ABANDONED = "the run ended before the answer was recorded"


def writer(store: str) -> str:
    """Name the entry of a log's meta table that holds which run may claim for a store."""
    return f"run of {store}"


def taken_over(store: str) -> LogError:
    """Say that a run has lost the right to claim for a store."""
    return LogError(f"another run has begun to send for the store {store!r}")
