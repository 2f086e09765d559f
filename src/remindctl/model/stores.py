"""One store as its owner configured it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remindctl.model.times import Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from remindctl.model.messages import Channel
    from remindctl.model.times import Calendar, Window

# The entry points by which installed packages add types of providers.
PROVIDER_PLUGINS = "remindctl.providers"

_ATTRIBUTION, _MAX_DATA_AGE = Span(days=7), Span(days=2)

# Currencies without a smaller unit in use (ISO 4217).
WHOLE_CURRENCIES = frozenset({"KRW", "JPY", "VND", "CLP", "ISK", "PYG", "XAF", "XOF", "XPF"})


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``max`` messages to one person, of a channel, a tag or all.

    Attributes:
        per: a rolling span that ends now, or the day, week or month of the recipient's calendar.
    """

    max: int
    per: Span | Calendar
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
    attribution: Span = _ATTRIBUTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One store as its owner configured it: the part of ``remindctl.yaml`` the core needs.

    Attributes:
        key: the name used by ``--store`` and in the log.
        name: what customers read.
        sender: phone, email, contact, address, as given.
        optout: phone (080, free of charge), url.
        providers: channel → name of a provider; a channel not named goes to ``outbox``.
        falls_back: channels whose provider sends a text of its own accord where the message does
            not arrive.
        prices: cost of one message per channel, in ``currency``.
        segments: the owner's own segments, SQL expressions over Profiles.
        max_data_age: orders older than this refuse a run.
        explicit_consent_sources: consent sources whose later, dated grant lifts a refusal.
        brand_targets: who else Kakao has approved as the target of Brand Messages: M, N.
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
    falls_back: frozenset[Channel] = frozenset()
    prices: Mapping[Channel, Decimal] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    max_data_age: Span = _MAX_DATA_AGE
    explicit_consent_sources: frozenset[str] = frozenset()
    brand_targets: frozenset[str] = frozenset()
    policy: Policy
