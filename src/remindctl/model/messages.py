"""What a message is, how it travels, where it stands, and the name it has for ever."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
    ONSITE = "onsite"
    WEBHOOK = "webhook"


class Family(StrEnum):
    """Channels that one refusal covers together."""

    TEXT = "text"
    KAKAO = "kakao"
    EMAIL = "email"
    PUSH = "push"
    ONSITE = "onsite"
    WEBHOOK = "webhook"


FAMILY: Mapping[Channel, Family] = {
    Channel.SMS: Family.TEXT,
    Channel.LMS: Family.TEXT,
    Channel.MMS: Family.TEXT,
    Channel.ALIMTALK: Family.KAKAO,
    Channel.BRAND_MESSAGE: Family.KAKAO,
    Channel.EMAIL: Family.EMAIL,
    Channel.PUSH: Family.PUSH,
    Channel.ONSITE: Family.ONSITE,
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


def key_of(*parts: str) -> str:
    """Name a message or an entry for ever: a hash of store, campaign, step and occasion."""
    [key] = keys_of(parts[:-1], parts[-1:])
    return key


def keys_of(parts: Iterable[str], ends: Iterable[str]) -> list[str]:
    """Return :func:`key_of` of ``parts`` and each of ``ends``, a million of them in a second."""
    start, sha256 = "".join(f"{part}\x1f" for part in parts), hashlib.sha256
    return [sha256((start + end).encode()).hexdigest()[:32] for end in ends]
