"""What a preview shows, as plain values: the messages, for whom, when, why and at what cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from decimal import Decimal

    from remindctl.errors import Problem
    from remindctl.model import Channel, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message as it would be sent, or why it cannot be made.

    Attributes:
        segment: of the customer.
        leg: which channel of the step's chain it is, from 0.
        to, customer: address and name, masked.
        extras: what else the channel carries, by the names of ``Plan.messages``: image (path),
            buttons, coupon, template, variables, form, targeting, url, until, unsubscribe, …
        units: length of the text in ``encoding``: cp949 (bytes), gsm-7 (septets), ucs-2 (UTF-16
            units), utf-8 (bytes) or characters.
        most: as many of these as the channel holds; None = no limit.
        parts: as how many messages it is billed.
        cost: in the store's currency.
        due_at: when it goes out at the earliest; None = its hours never come.
        zone: the recipient's; ``zone_source`` is how it is known.
        why: the reason it is due.
        held_by: the reason that holds it now, a code of ``policy.REASONS``; None = it would go out.
        ground: why it may be sent: consent, existing_customer, onsite or informational.
        code, code_until: the coupon of the step, and its last day.
        labels: what it was chosen for: sample, shortest, longest, variant …, segment ….
        problem: why it is held because of its content; texts may be missing then.
    """

    campaign: str
    step: str
    channel: Channel
    store: Store
    customer_key: str
    due_at: datetime | None
    zone: str
    why: str
    variant: str | None = None
    segment: str | None = None
    leg: int = 0
    to: str = ""
    customer: str = ""
    subject: str | None = None
    text: str = ""
    html: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    units: int | None = None
    most: int | None = None
    parts: int = 1
    encoding: str = "utf-8"
    cost: Decimal | None = None
    zone_source: str | None = None
    held_by: str | None = None
    ground: str | None = None
    code: str | None = None
    code_until: date | None = None
    labels: tuple[str, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The chosen messages of one campaign in one store.

    Attributes:
        planned: how many would be sent now; ``held``: how many are due and would not.
        notes: what a reader must know first, such as that nobody is due now.
    """

    campaign: str
    purpose: str
    store: Store
    as_of: datetime
    planned: int
    held: int
    notes: tuple[str, ...] = ()
    messages: tuple[Shown, ...] = ()

    @property
    def made(self) -> tuple[Shown, ...]:
        """The messages that can be sent."""
        return tuple(one for one in self.messages if one.problem is None)

    @property
    def unmade(self) -> tuple[Shown, ...]:
        """The messages that are held because of their content."""
        return tuple(one for one in self.messages if one.problem is not None)
