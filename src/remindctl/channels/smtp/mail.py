"""A message as an e-mail: UTF-8 text, perhaps with HTML beside it, as bytes for any mail server.

Sources: RFC 5322 (message), RFC 2047 (other than ASCII in headers), RFC 2369 and RFC 8058 (the
headers by which a mailbox unsubscribes with one click). Nothing in it depends on chance: the same
message is the same bytes again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from remindctl.channels.provider import Outgoing

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_MAILBOX = re.compile(r"(?:(?P<name>[^<>]*)<(?P<named>[^<>]+)>|(?P<bare>[^<>]+))")
_UNSAFE_IN_ID = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
# Whatever may stand in a URL as it is, what is percent-encoded already included.
_URL_SIGNS = "%/:?#[]@!$&'()*+,;=~"


class _Policy(EmailPolicy):
    """Leaves on one line what is read as one: folded, long ones turn into encoded words."""

    _whole = frozenset({"to", "message-id", "list-unsubscribe", "list-unsubscribe-post"})

    def fold_binary(self, name: str, value: Any) -> bytes:
        """See ``email.policy.Policy``."""
        if name.lower() in self._whole:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


# 7bit: no server needs an extension for it, and none may rewrite what has been signed.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whom a message is from; ``address`` is in ASCII."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.address.rpartition("@")[2]


def mailbox(text: str) -> Mailbox | None:
    """Read ``Name <address>`` or an address alone, the name with any signs; None = neither."""
    found = _MAILBOX.fullmatch(text.strip())
    address = ascii_address(found["named"] or found["bare"]) if found else None
    if found is None or address is None:
        return None
    sender = Mailbox(_line(found["name"] or "").strip('"'), address)
    try:
        Address(sender.name, addr_spec=sender.address)
    except (ValueError, MessageError):  # such as two dots in a row
        return None
    return sender


def ascii_address(text: str) -> str | None:
    """Return an address as every server takes it, its domain in IDNA; None = there is no such way.

    Letters outside ASCII before the @ need an extension (RFC 6531) that few servers have.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
    return address if _ADDRESS.fullmatch(address) else None


def message_id(message: Outgoing, sender: Mailbox) -> str:
    """Name an e-mail for ever: by our id, which is the same when it is tried again."""
    return f"<{_UNSAFE_IN_ID.sub('-', message.id)}@{sender.domain}>"


def written(message: Outgoing, sender: Mailbox, to: str) -> bytes:
    """Return an e-mail with line ends as SMTP has them, and nothing but ASCII.

    Args:
        message: its subject, text, perhaps html and, for List-Unsubscribe, ``unsubscribe``.
        sender: whom it is from.
        to: the address as :func:`ascii_address` made it.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(sender.name, addr_spec=sender.address)
    mail["To"] = to
    mail["Subject"] = _line(message.subject or "")
    mail["Date"] = message.at
    mail["Message-ID"] = message_id(message, sender)
    if link := message.extras.get("unsubscribe"):
        mail["List-Unsubscribe"] = f"<{_ascii_url(link)}>"
        if link.startswith("https://"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
        mail.set_boundary(f"=_{sha256(message.id.encode()).hexdigest()[:32]}")
    return mail.as_bytes()


def _line(text: str) -> str:
    """Return a text without line ends and control characters, so that it stays in its header."""
    return _CONTROL.sub(" ", text).strip()


def _ascii_url(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return quote(urlunsplit(parts._replace(netloc=host)), safe=_URL_SIGNS)
