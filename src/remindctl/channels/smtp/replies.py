"""What the replies of a mail server say of a message, of its recipient, and of the account.

Sources: RFC 5321 (reply codes), RFC 3463 and its registry at IANA (enhanced status codes), RFC 4954
(login), RFC 7372 and RFC 7505; for bulk senders https://support.google.com/a/answer/3726730 and
https://support.microsoft.com/topic/fix-ndr-error-550-5-7-515-in-outlook-com.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from remindctl.channels.http import AccountError
from remindctl.channels.provider import MaybeSent, NotSent, Receipt
from remindctl.channels.reading import detail
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSING = 421


class Stage(Enum):
    """Whereto a transaction came."""

    SENDER = auto()  # MAIL: nobody has been named yet, so a refusal is about the account
    RECIPIENT = auto()  # RCPT and DATA: nothing of the message has left
    CONTENT = auto()  # the message has left


class Verdict(Enum):
    """What a reply means."""

    TAKEN = auto()
    REFUSED = auto()  # this message, for ever
    DEAD = auto()  # the address, for ever
    LATER = auto()  # this message, for now
    AWAY = auto()  # the server, for now
    ACCOUNT = auto()  # the account, or whoever sends
    UNCLEAR = auto()


BY_STATUS: Mapping[str, Verdict] = {
    "5.1.1": Verdict.DEAD,  # no such mailbox
    "5.1.3": Verdict.DEAD,  # no address
    "5.1.6": Verdict.DEAD,  # has moved, no forwarding
    "5.1.10": Verdict.DEAD,  # the domain takes no mail
    "4.1.8": Verdict.ACCOUNT,
    "5.1.8": Verdict.ACCOUNT,  # the sender's address is bad
    "5.4.5": Verdict.ACCOUNT,  # Gmail: the sender's daily limit
    # SPF, DKIM, DMARC, reverse DNS, TLS, or the rate of a bulk sender.
    **{
        f"{kind}.7.{number}": Verdict.ACCOUNT
        for kind in (4, 5)
        for number in (*range(20, 33), 40, 515)
    },
}
BY_CODE: Mapping[int, Verdict] = {
    CLOSING: Verdict.AWAY,
    454: Verdict.AWAY,  # no login, no TLS or no quota just now
    530: Verdict.ACCOUNT,  # wants a login
    534: Verdict.ACCOUNT,
    535: Verdict.ACCOUNT,  # refused the login
    538: Verdict.ACCOUNT,
}
# Stage and first digit of the code.
OTHERWISE: Mapping[tuple[Stage, int], Verdict] = {
    (Stage.SENDER, 4): Verdict.AWAY,
    (Stage.SENDER, 5): Verdict.ACCOUNT,
    (Stage.RECIPIENT, 4): Verdict.LATER,
    (Stage.RECIPIENT, 5): Verdict.REFUSED,
    (Stage.CONTENT, 2): Verdict.TAKEN,
    (Stage.CONTENT, 4): Verdict.LATER,
    (Stage.CONTENT, 5): Verdict.REFUSED,
}
_STATES = {
    Verdict.TAKEN: State.SENT,
    Verdict.REFUSED: State.REJECTED,
    Verdict.DEAD: State.REJECTED,
    Verdict.LATER: State.FAILED,
}
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply with which a transaction ended; a code that is no number is -1."""

    stage: Stage
    code: int
    text: bytes

    @property
    def said(self) -> str:
        """Its words."""
        return self.text.decode("utf-8", "replace")

    @property
    def status(self) -> str:
        """The enhanced status; empty where the server gives none."""
        found = _STATUS.match(self.said)
        return found[0] if found else ""

    @property
    def verdict(self) -> Verdict:
        """What it means."""
        found = BY_STATUS.get(self.status) if self.code // 100 in {4, 5} else None
        if found is Verdict.DEAD and self.stage is Stage.SENDER:
            found = None
        kind = (self.stage, self.code // 100)
        return found or BY_CODE.get(self.code) or OTHERWISE.get(kind, Verdict.UNCLEAR)


def receipt(id_: str, reply: Reply, name: str, *private: str) -> Receipt:
    """Say what became of a message.

    Args:
        id_: our id of it.
        reply: the last one.
        name: of the e-mail, for what was taken.
        private: addresses that are not to be repeated.

    Raises:
        AccountError: every other message would fare the same.
        NotSent: the server takes nothing just now.
        MaybeSent: nobody can say.
    """
    verdict, said = reply.verdict, detail(reply.said, *private)
    sentence = " ".join(filter(None, (f"the mail server said {reply.code}", said)))
    if verdict is Verdict.ACCOUNT:
        raise AccountError(sentence)
    if verdict is Verdict.UNCLEAR and reply.stage is Stage.CONTENT:
        raise MaybeSent(sentence)
    if verdict in {Verdict.UNCLEAR, Verdict.AWAY}:
        raise NotSent(sentence)
    return Receipt(
        id_,
        _STATES[verdict],
        provider_id=name if verdict is Verdict.TAKEN else None,
        code=f"{reply.code} {reply.status}".strip(),
        detail=said,
        suppress="dead" if verdict is Verdict.DEAD else None,
    )
