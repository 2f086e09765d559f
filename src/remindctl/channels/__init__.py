"""What a provider is: facts about it, and a batch of messages in, one receipt for each out.

A provider sees neither frames nor the log. It says of each message what surely happened. Where it
cannot, it raises :class:`NotSent` (nothing has left) or :class:`MaybeSent` (something may have).
Adding one = one file here and one line in :data:`PROVIDERS`; in another package, one entry point
(see ``registry``). What such a package needs is here.
"""

from remindctl.channels.http import (
    AccountError,
    Attempt,
    Facts,
    HasBalance,
    HttpProvider,
    LooksUp,
    Question,
    Request,
    Response,
    Unreadable,
)
from remindctl.channels.provider import (
    Account,
    Connects,
    MaybeSent,
    NotSent,
    Outgoing,
    Provider,
    Receipt,
)
from remindctl.channels.registry import PROVIDERS, known_types, open_account
from remindctl.channels.sender import Direct, Sender, Threads
from remindctl.channels.settings import Settings

__all__ = [
    "PROVIDERS",
    "Account",
    "AccountError",
    "Attempt",
    "Connects",
    "Direct",
    "Facts",
    "HasBalance",
    "HttpProvider",
    "LooksUp",
    "MaybeSent",
    "NotSent",
    "Outgoing",
    "Provider",
    "Question",
    "Receipt",
    "Request",
    "Response",
    "Sender",
    "Settings",
    "Threads",
    "Unreadable",
    "known_types",
    "open_account",
]
