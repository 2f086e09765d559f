"""What a provider is: facts about it, and a batch of messages in, one receipt for each out.

A provider sees neither frames nor the log. It says of each message what surely happened. Where it
cannot, it raises :class:`NotSent` (nothing has left) or :class:`MaybeSent` (something may have).
Adding one = one file here and one line in :data:`PROVIDERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.channels.console import Console
from remindctl.channels.feed import Feed
from remindctl.channels.http import AccountError, HttpProvider
from remindctl.channels.outbox import Outbox
from remindctl.channels.provider import (
    Account,
    MaybeSent,
    NotSent,
    Outgoing,
    Provider,
    Receipt,
)
from remindctl.channels.sender import Direct, Sender, Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROVIDERS: Mapping[str, Callable[[Account], Provider | HttpProvider]] = {
    "outbox": Outbox.of,
    "console": Console.of,
    "feed": Feed.of,
}

__all__ = [
    "PROVIDERS",
    "Account",
    "AccountError",
    "Direct",
    "HttpProvider",
    "MaybeSent",
    "NotSent",
    "Outgoing",
    "Provider",
    "Receipt",
    "Sender",
    "Threads",
]
