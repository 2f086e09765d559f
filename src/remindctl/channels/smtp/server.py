"""A mail server: how it is reached, safely, and how one e-mail is handed to it."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import timedelta

from remindctl.channels.blots import forms
from remindctl.channels.http import AccountError
from remindctl.channels.provider import MaybeSent, NotSent
from remindctl.channels.reading import detail
from remindctl.channels.smtp.replies import Reply, Stage

_DONE, _WILL_FORWARD, _GO_AHEAD = 250, 251, 354
_PERMANENT = 500


class Dropped(Exception):  # noqa: N818 (it names what happened)
    """The connection ended before anything of the message had left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server with one login.

    Attributes:
        security: starttls, tls or none.
        tls: which certificates are good.
        timeout: how long to wait for a connection or a reply.
        patience: the same once a message has left: a reply that comes later is never known.
    """

    host: str
    port: int
    security: str
    tls: ssl.SSLContext
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(minutes=2)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connect(self) -> smtplib.SMTP:
        """Open a connection and log in.

        Raises:
            AccountError: it refuses the login, or offers no safe one.
            NotSent: it cannot be reached, or does not answer as a mail server does.
        """
        try:
            connection = self._opened()
        except OSError as error:
            raise NotSent(f"no connection to {self}: {_words(error)}") from None
        try:
            self._secure(connection)
            self._log_in(connection)
            connection.ehlo_or_helo_if_needed()
        except OSError as error:
            connection.close()
            raise NotSent(f"{self} does not let in: {_words(error)}") from None
        except BaseException:
            connection.close()
            raise
        return connection

    def hand_over(self, connection: smtplib.SMTP, sender: str, to: str, mail: bytes) -> Reply:
        """Hand over an e-mail; the addresses are in ASCII.

        Raises:
            Dropped: nothing of it left.
            MaybeSent: it left, and the reply is lost.
        """
        try:
            reply = Reply(Stage.SENDER, *connection.docmd("MAIL", f"FROM:<{sender}>"))
            if reply.code == _DONE:
                reply = Reply(Stage.RECIPIENT, *connection.docmd("RCPT", f"TO:<{to}>"))
                if reply.code in {_DONE, _WILL_FORWARD}:
                    reply = Reply(Stage.RECIPIENT, *connection.docmd("DATA"))
        except OSError as error:
            raise Dropped(_words(error)) from None
        if reply.code != _GO_AHEAD:
            return reply
        try:
            connection.send(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            self._wait(connection, self.patience)
            reply = Reply(Stage.CONTENT, *connection.getreply())
            self._wait(connection, self.timeout)
        except OSError as error:
            what = f"{self} did not confirm a message that had left: {_words(error)}"
            raise MaybeSent(what) from None
        return reply

    def _opened(self) -> smtplib.SMTP:
        # smtplib would ask DNS for the name of this machine, which nobody needs to know.
        name, seconds = "localhost", self.timeout.total_seconds()
        connection: smtplib.SMTP
        if self.security == "tls":
            connection = smtplib.SMTP_SSL(
                self.host, self.port, name, timeout=seconds, context=self.tls
            )
        else:
            connection = smtplib.SMTP(self.host, self.port, name, timeout=seconds)
        address = connection.sock.getsockname()[0] if connection.sock else "127.0.0.1"
        connection.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        return connection

    def _secure(self, connection: smtplib.SMTP) -> None:
        if self.security != "starttls":
            return
        try:
            connection.starttls(context=self.tls)
        except smtplib.SMTPNotSupportedError:
            what = f"{self} offers no STARTTLS, and nothing is sent in the clear"
            raise AccountError(what) from None

    def _log_in(self, connection: smtplib.SMTP) -> None:
        if self.username is None or self.password is None:
            return
        try:
            connection.login(self.username, self.password)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < _PERMANENT:
                raise
            raise AccountError(f"{self} refuses the login: {self._without_login(error)}") from None
        except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
            raise
        except smtplib.SMTPException:
            raise AccountError(f"{self} offers no login that is known here") from None

    def _without_login(self, error: smtplib.SMTPAuthenticationError) -> str:
        # Some servers repeat the login, in Base64 as it came.
        login = (self.username or "", self.password or "")
        private = forms([*login, "\0".join(("", *login))])
        said = detail(_text(error.smtp_error), *private, *login)
        return f"{error.smtp_code} {said or ''}".strip()

    @staticmethod
    def _wait(connection: smtplib.SMTP, time: timedelta) -> None:
        if connection.sock is not None:
            connection.sock.settimeout(time.total_seconds())


def _words(error: OSError) -> str:
    """Say what went wrong, without anybody's address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {detail(_text(error.smtp_error)) or ''}".strip()
    return detail(error.strerror or error) or type(error).__name__


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
