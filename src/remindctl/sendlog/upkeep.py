"""What is asked of a log as a whole, and what is done with it: counted, found again, stripped."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

# As ``dispatch`` names messages to providers.
_NAME = re.compile(r"((?:[0-9a-f]{2})+)-([0-9a-f]{16})-([0-9]{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many messages of one kind there are in one state, and what they cost together.

    Attributes:
        cost: None where no price was known for any of them.
    """

    store: str
    campaign: str
    step: str
    variant: str | None
    channel: str | None
    currency: str | None
    state: State
    messages: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Known:
    """A message that somebody tells of, as the log knows it.

    Attributes:
        destination: keyed hash of where it went, if it is known.
        ending: what may be shown of it.
    """

    claim: int
    store: str
    channel: str | None
    provider: str | None
    destination: bytes | None
    ending: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of a person.

    Attributes:
        messages: how many entries were stripped.
        identifiers: everything the log knows the person by.
    """

    messages: int
    identifiers: frozenset[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that was done with the log as a whole; it names no person.

    Attributes:
        action: export, forget, purge or resolve.
        store: None = all of them.
        reason: why, in the words of who did it.
        entries: how many entries it concerned.
    """

    at: datetime
    action: str
    store: str | None = None
    reason: str = ""
    entries: int


def by_price(rows: Iterable[Sequence[Any]]) -> list[Tally]:
    """Add up rows of the fields of a tally that differ by the price of one message.

    Prices are decimals, which a database file cannot add.
    """
    messages: Counter[tuple[Any, ...]] = Counter()
    costs: dict[tuple[Any, ...], Decimal] = {}
    for *kind, price, count in rows:
        messages[*kind] += count
        if price is not None:
            costs[*kind] = costs.get((*kind,), Decimal(0)) + Decimal(price) * count
    names = ("store", "campaign", "step", "variant", "channel", "currency")
    return [
        Tally(
            **dict(zip(names, kind, strict=True)),
            state=State(state),
            messages=count,
            cost=costs.get((*kind, state)),
        )
        for (*kind, state), count in messages.items()
    ]


def parts_of(name: str) -> tuple[bytes, bytes, int] | None:
    """Return key, the beginning of the person's hash and leg of a message's name for ever.

    None = it is no such name.
    """
    match = _NAME.fullmatch(name)
    return match and (bytes.fromhex(match[1]), bytes.fromhex(match[2]), int(match[3]))
