"""The words between dispatch and a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import TextIO

    from remindctl.model import Channel, State


class NotSent(Exception):  # noqa: N818 (it names the outcome)
    """Surely nothing of the batch was sent; the message is for the owner of the store."""


class MaybeSent(Exception):  # noqa: N818 (it names the outcome)
    """Something of the batch may have been sent, and nobody can say what."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready to leave.

    Attributes:
        id: of this one message for ever; a provider that knows repeated keys is given it.
        to: the address; ``kind`` says what it is: phone, email, shop_id or push_token.
        extras: what the channel carries beside the text, if it does: image (a path), buttons (each
            name, kind and url), url, template, variables and approved_text, form, targeting and
            coupon (title, description, url) of a Brand Message, unsubscribe (the address for
            List-Unsubscribe of an e-mail), from (the store as the sender of an e-mail), fallback
            (subject and text that the provider sends where an Alimtalk does not arrive), show_for
            (seconds, of an on-site message).
        at: when it leaves.
        closes_at: from when on it may not leave any more; None = it always may.
    """

    id: str
    key: str
    store: str
    campaign: str
    step: str
    customer_key: str
    channel: Channel
    to: str
    kind: str
    subject: str | None
    text: str
    html: str | None
    advertising: bool
    at: datetime
    extras: Mapping[str, Any] = field(default_factory=dict)
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message: sent, rejected (for ever), failed (not sent) or unknown.

    Attributes:
        provider_id: the provider's own name of the message.
        code: the provider's own word for what became of it.
        detail: the same for a person; no address and no text of the message.
        suppress: ``refused`` where the recipient wants no more of this family, ``dead`` where there
            is nobody at the address.
    """

    id: str
    state: State
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None
    suppress: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What the configuration says of one provider.

    Attributes:
        settings: its further keys, secrets read.
        folder: what its paths are relative to.
        talk: where it may speak to a person.
    """

    name: str
    settings: Mapping[str, str]
    folder: Path
    talk: TextIO


@runtime_checkable
class Provider(Protocol):
    """One way to send.

    Attributes:
        batch_size: how many messages it takes at once.
        local: what it is given stays on this machine, so nobody has approved its template.
    """

    @property
    def batch_size(self) -> int:
        """See the class."""

    @property
    def local(self) -> bool:
        """See the class."""

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        """Send a batch of at most ``batch_size`` messages.

        Raises:
            NotSent: nothing of it left.
            MaybeSent: something of it may have.
        """


@runtime_checkable
class Connects(Protocol):
    """A provider that keeps connections to a server; several threads may send through it.

    Attributes:
        concurrency: how many, unless the configuration says otherwise.
    """

    @property
    def concurrency(self) -> int:
        """See the class."""

    def check(self) -> str:
        """Connect without sending, and say in one line how that went.

        Raises:
            NotSent: it cannot send now.
        """

    def close(self) -> None:
        """Close what is open."""
