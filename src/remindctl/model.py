"""The words that every layer shares: stores, campaigns, messages and states, as frozen values.

The YAML doors (``config``, ``campaigns``) build these, the core computes with them and the edges
apply them. Nothing here knows about files, frames or the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, time
    from decimal import Decimal

    from remindctl.errors import Place


# Currencies without a smaller unit in use (ISO 4217).
WHOLE_CURRENCIES = frozenset({"KRW", "JPY", "VND", "CLP", "ISK", "PYG", "XAF", "XOF", "XPF"})


class Purpose(StrEnum):
    """What a campaign is in the eyes of the law; one advertising element makes it advertising."""

    ADVERTISING = "advertising"
    INFORMATIONAL = "informational"


class Channel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    LMS = "lms"
    MMS = "mms"
    ALIMTALK = "alimtalk"
    BRAND_MESSAGE = "brand_message"
    EMAIL = "email"
    PUSH = "push"
    WEBHOOK = "webhook"


class Family(StrEnum):
    """Channels that one refusal covers together."""

    TEXT = "text"
    KAKAO = "kakao"
    EMAIL = "email"
    PUSH = "push"
    WEBHOOK = "webhook"


FAMILY: Mapping[Channel, Family] = {
    Channel.SMS: Family.TEXT,
    Channel.LMS: Family.TEXT,
    Channel.MMS: Family.TEXT,
    Channel.ALIMTALK: Family.KAKAO,
    Channel.BRAND_MESSAGE: Family.KAKAO,
    Channel.EMAIL: Family.EMAIL,
    Channel.PUSH: Family.PUSH,
    Channel.WEBHOOK: Family.WEBHOOK,
}


class State(StrEnum):
    """Where a claimed message stands; see ``sendlog`` for what may follow what."""

    CLAIMED = "claimed"
    SENT = "sent"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Span:
    """A wait as people write it: whole days follow the calendar of the zone, the rest is exact.

    Attributes:
        days: calendar days; ``30d`` after 16:00 is 16:00, also across a change of the clocks.
        seconds: exact seconds on top.
    """

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        parts = [f"{self.days}d"] if self.days or not self.seconds else []
        rest = self.seconds
        for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
            count, rest = (abs(rest) // size, abs(rest) % size)
            if count:
                parts.append(f"{'-' if self.seconds < 0 else ''}{count}{unit}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of a day, ``opens`` included and ``closes`` not; ``opens > closes`` spans midnight."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``max`` messages to one person within a rolling ``per``, of a channel, tag or all."""

    max: int
    per: Span
    channel: Channel | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A run above either number is refused whole."""

    recipients: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a store allows itself, after the preset of its country."""

    preset: str
    existing_customers: str = "never"
    hours: Mapping[Channel, Window] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    caps: tuple[Cap, ...] = ()
    holdout: float = 0.0
    ceiling: Ceiling = Ceiling()
    attribution: Span = Span(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One store as its owner configured it: the part of ``remindctl.yaml`` the core needs.

    Attributes:
        key: the name used by ``--store`` and in the log.
        name: what customers read.
        sender: phone, email, contact, address, as given.
        optout: phone (080, free of charge), url.
        providers: channel → name of a provider; a channel not named goes to ``outbox``.
        prices: cost of one message per channel, in ``currency``.
        segments: the owner's own segments, SQL expressions over Profiles.
        max_data_age: orders older than this refuse a run.
        explicit_consent_sources: consent sources whose later, dated grant lifts a refusal.
    """

    key: str
    name: str
    timezone: str
    country: str
    currency: str
    url: str = ""
    sender: Mapping[str, str] = field(default_factory=dict)
    optout: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[Channel, str] = field(default_factory=dict)
    prices: Mapping[Channel, Decimal] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    max_data_age: Span = Span(days=2)
    explicit_consent_sources: frozenset[str] = frozenset()
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a step is due: an anchor, a wait, and a window in which it still makes sense.

    Attributes:
        after: the anchor (``last_order``, …).
        wait: from the anchor to the due instant; negative = before it.
        within: how long after the moved due instant it may still go out; None = for ever.
        at: hours of the recipient's day.
        until: the event that ends the occasion (``order``), or ``never``.
        night: ``defer`` moves a due instant out of closed hours, ``skip`` drops it.
        max_delay: the furthest it may be moved from the unmoved due instant.
    """

    after: str
    wait: Span
    within: Span | None = None
    at: Window | None = None
    until: str = "order"
    night: str = "defer"
    max_delay: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One channel of a chain with the templates of its message, and where they stand."""

    channel: Channel
    text: str
    subject: str | None = None
    html: str | None = None
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message of a campaign: when, through which channels in order, and within which time."""

    id: str
    due: Due
    legs: tuple[Leg, ...]
    fallback_within: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who a campaign is for: any of ``segments`` and ``where``, without ``exclude``."""

    segments: tuple[str, ...] = ()
    where: str | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign file, checked: what it is for, who, and its steps.

    Attributes:
        name: the name in the log; another name is another history.
        basis: for informational campaigns, the ground they stand on.
        reentry: the pause before the same person may start this campaign again.
        place: where the file's first key stands, for problems found later.
        places: where ``stores`` and ``audience`` stand, if they do.
    """

    name: str
    purpose: Purpose
    steps: tuple[Step, ...]
    basis: str | None = None
    stores: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: int = 50
    counts_for_caps: bool = True
    audience: Audience = Audience()
    control: float = 0.0
    reentry: Span | None = None
    place: Place | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
