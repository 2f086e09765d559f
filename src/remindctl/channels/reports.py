"""What providers tell of messages later, of their own accord: the events that they post.

Each shape is read by the one file of its provider; here it is told whose shape an event has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from remindctl.model import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is told of one message, or of an address alone.

    Attributes:
        names: of the message, ours or the provider's, the more certain one first.
        state: what has become of it; None = nothing is told.
        code: the provider's own word for it.
        detail: the same for a person; no address and no text of the message.
        suppress: as in ``Receipt``.
        to: the address, as the provider writes it.
    """

    names: tuple[str, ...]
    state: State | None
    code: str | None = None
    detail: str | None = None
    suppress: str | None = None
    to: str | None = None


def events_in(document: Any) -> Iterator[Any]:
    """Return the events of a document: it may be one, a list of them, or a wrapped list."""
    if isinstance(document, dict) and isinstance(document.get("data"), list):
        document = document["data"]
    if isinstance(document, list):
        for each in document:
            yield from events_in(each)
    else:
        yield document


def read_event(event: Mapping[str, Any]) -> Report | None:
    """Read an event of SOLAPI, Twilio or Resend; None = it has the shape of none of them.

    Raises:
        Unreadable: it has, but what it tells is not known.
    """
    return next((read(event) for fits, read in _readers() if fits(event)), None)


def _readers() -> Iterator[
    tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], Report]]
]:
    from remindctl.channels.resend import events as resend  # noqa: PLC0415 (imports this module)
    from remindctl.channels.solapi import events as solapi  # noqa: PLC0415 (likewise)
    from remindctl.channels.twilio import events as twilio  # noqa: PLC0415 (likewise)

    for provider in (solapi, twilio, resend):
        yield provider.fits, provider.read
