"""What a provider's code for a message comes to, whatever the provider's words for it."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(Enum):
    """What a code says of the message it stands for."""

    WAITING = auto()
    """Taken in, and on its way."""
    DELIVERED = auto()
    UNCLEAR = auto()
    LATER = auto()
    """Not sent or not delivered now; another try may be."""
    REFUSED = auto()
    """This message will never arrive on this channel as it is."""
    DEAD = auto()
    """There is nobody at the address."""
    OPTED_OUT = auto()
    """The recipient wants none."""
    ACCOUNT = auto()
    """The account: its keys, sender, balance or quota; the next message would fare the same."""


# Where the answer to a request says it: nothing but what was taken in has been sent.
ON_SENDING: Mapping[Verdict, State] = {
    Verdict.WAITING: State.SENT,
    Verdict.DELIVERED: State.SENT,
    Verdict.UNCLEAR: State.UNKNOWN,
    Verdict.LATER: State.FAILED,
    Verdict.REFUSED: State.REJECTED,
    Verdict.DEAD: State.REJECTED,
    Verdict.OPTED_OUT: State.REJECTED,
    Verdict.ACCOUNT: State.FAILED,
}
SUPPRESS: Mapping[Verdict, str] = {Verdict.DEAD: "dead", Verdict.OPTED_OUT: "refused"}
