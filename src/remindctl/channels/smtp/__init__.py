"""SMTP: e-mail through a mail server of the shop's own choice.

The protocol knows no keys against repeats and no look-up. A message whose confirmation was lost may
have been sent, and stays unknown until a person has looked.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from remindctl.channels.http import AccountError
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.settings import Settings
from remindctl.channels.smtp.mail import Mailbox, ascii_address, mailbox, message_id, written
from remindctl.channels.smtp.replies import CLOSING, Reply, Stage, Verdict, receipt
from remindctl.channels.smtp.server import Dropped, Server
from remindctl.model import Channel, State

if TYPE_CHECKING:
    import smtplib
    from collections.abc import Sequence

    from remindctl.channels.provider import Account, Outgoing

__all__ = ["Smtp"]

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LAST_PORT = 65_535
_NO_REPLY = -1


class Smtp:
    """Sends one message at a time over connections that stay open; threads may share it.

    Attributes:
        batch_size: one, so that each message has its own end.
        concurrency: how many connections mail servers mostly allow a client.
    """

    batch_size = 1
    local = False
    concurrency = 4

    def __init__(self, server: Server, sender: Mailbox | None = None) -> None:
        """Nothing is connected yet; ``sender`` stands instead of the store's own."""
        self._server = server
        self._sender = sender
        self._idle: deque[smtplib.SMTP] = deque()

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from host, port, security, username, password, from and ca_file.

        ``security`` is starttls (the default), tls or, to this machine only, none; ``from`` reads
        ``Name <address>`` and is by default the store's; ``ca_file`` holds the certificates (PEM)
        to trust instead of the system's.

        Raises:
            Refused: a setting is missing or wrong.
        """
        read = Settings(account)
        host = read.text("host", "host: smtp.example", r"[^\s/@]+")
        hint = "starttls, tls or, to this machine only, none"
        security = read.optional("security", hint, "|".join(_PORTS)) or "starttls"
        if security == "none" and not _is_loopback(host):
            read.wrong("security", "would send everything in the clear", hint)
        port = int(read.optional("port", "port: 587", r"\d{1,5}") or _PORTS[security])
        if not 0 < port <= _LAST_PORT:
            read.wrong("port", "is no port", "port: 587")
        username = read.optional("username", "username: ${SMTP_USER}", "[ -~]+")
        password = read.optional("password", "password: ${SMTP_PASSWORD}", "[ -~]+")
        if (username is None) != (password is None):
            missing = "username" if username is None else "password"
            read.wrong(missing, "is missing", "a login has both: username and password")
        named = read.optional("from", "from: Shop <hello@shop.example>")
        sender = mailbox(named) if named else None
        if named and sender is None:
            read.wrong("from", "is no address", "from: Shop <hello@shop.example>")
        trusted = read.optional("ca_file", "ca_file: certificates.pem")
        tls = ssl.create_default_context()
        if trusted:
            try:
                tls = ssl.create_default_context(cafile=account.folder / trusted)
            except OSError:
                read.wrong("ca_file", "is no file of certificates", "ca_file: certificates.pem")
        read.checked()
        server = Server(
            host=host, port=port, security=security, tls=tls, username=username, password=password
        )
        return cls(server, sender)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        """See ``Provider.send``; the batch is one message.

        Raises:
            AccountError: the login, the sender or its reputation is at fault.
            NotSent: the server cannot be reached, or takes nothing just now.
            MaybeSent: the connection was lost between the message and its confirmation.
        """
        [message] = batch
        if message.channel is not Channel.EMAIL:
            raise AccountError(f"a mail server carries e-mail, and no {message.channel}")
        sender = self._sender or mailbox(message.extras.get("from") or "")
        if sender is None:
            raise AccountError("it has no sender: add from to the provider, or sender.email")
        to = ascii_address(message.to)
        if to is None:
            said = "not an address that mail servers take"
            return [Receipt(message.id, State.REJECTED, detail=said)]
        reply = self._handed_over(sender.address, to, written(message, sender, to))
        name = message_id(message, sender)
        return [receipt(message.id, reply, name.strip("<>"), message.to, to)]

    def check(self) -> str:
        """Log in without sending, and say in one line how that went.

        Raises:
            AccountError: the login is refused.
            NotSent: the server cannot be reached.
        """
        connection = self._server.connect()
        _quit(connection)
        how = "with" if self._server.username else "without"
        return f"{self._server} answers, {how} a login"

    def close(self) -> None:
        """Say goodbye on the connections that are open."""
        with suppress(IndexError):
            while True:
                _quit(self._idle.pop())

    def _handed_over(self, sender: str, to: str, mail: bytes) -> Reply:
        """Hand over an e-mail; what became of an idle connection costs a new one, no message."""
        while True:
            connection, is_new = self._connection()
            try:
                reply = self._server.hand_over(connection, sender, to, mail)
            except Dropped as error:
                connection.close()
                if is_new:
                    raise NotSent(f"{self._server} hung up: {error}") from None
                continue
            except BaseException:
                connection.close()
                raise
            if reply.code in {CLOSING, _NO_REPLY}:
                connection.close()
                if not is_new and reply.stage is not Stage.CONTENT:
                    continue
            else:
                self._keep(connection, reply)
            return reply

    def _connection(self) -> tuple[smtplib.SMTP, bool]:
        with suppress(IndexError):
            return self._idle.pop(), False
        return self._server.connect(), True

    def _keep(self, connection: smtplib.SMTP, reply: Reply) -> None:
        if reply.verdict is not Verdict.TAKEN:
            try:
                connection.rset()
            except OSError:
                connection.close()
                return
        self._idle.append(connection)


def _quit(connection: smtplib.SMTP) -> None:
    with suppress(OSError):
        connection.quit()
    connection.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
