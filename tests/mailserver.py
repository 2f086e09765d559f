"""A real mail server on loopback (aiosmtpd) that does as a test tells it at each stage."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from threading import Thread
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

USER, PASSWORD = "shop", "open sesame"
Says = Mapping[str, str | Callable[[int], str | None]]
# In place of a reply: the connection ends.
HANG_UP = "hang up"
# In place of a reply: none ever comes.
SILENCE = "silence"


@dataclass
class Box:
    """What has come in, and what is answered.

    Attributes:
        says: at connect, mail, rcpt, data (before the message) or content (after it) → the reply,
            or a function of how often the stage was reached before; absent = all is well.
        mails: what was taken: the address of the envelope and the message.
        connections, logins: how many there were.
        seen: how often each stage was reached.
    """

    says: Says = field(default_factory=dict)
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    host: str = "localhost"
    port: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    logins: int = 0

    def parsed(self) -> list[EmailMessage]:
        """The messages as a mailbox reads them."""
        return [message_from_bytes(raw, policy=policy.default) for _, raw in self.mails]

    def reply(self, stage: str) -> str | None:
        said = self.says.get(stage)
        number = self.seen.get(stage, 0)
        self.seen[stage] = number + 1
        return said(number) if callable(said) else said


class _Talk(SMTP):
    """A session; it keeps the bytes of a message as they came."""

    box: Box

    async def _handle_client(self) -> None:
        said = self.box.reply("connect")
        if said is None or self.session is None or self.session.ssl is not None:
            await super()._handle_client()
            return
        await self._as_told(said)

    async def _as_told(self, said: str) -> None:
        if said == SILENCE:
            await asyncio.Event().wait()
        if said != HANG_UP:
            await self.push(said)
        if self.transport is not None:
            self.transport.close()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 (the library's name)
        said = self.box.reply("data")
        if said in {HANG_UP, SILENCE}:
            await self._as_told(str(said))
        elif said is not None:
            await self.push(said)
        else:
            await super().smtp_DATA(arg)


@dataclass
class _Handler:
    box: Box

    async def handle_MAIL(  # noqa: N802 (the library's name)
        self, server: _Talk, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = await self._said(server, "mail")
        if said is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return said or "250 OK"

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, server: _Talk, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        said = await self._said(server, "rcpt")
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 (the library's name)
        self, server: _Talk, _: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        said = await self._said(server, "content")
        if said is None or said.startswith("2"):
            self.box.mails.append((envelope.rcpt_tos[0], envelope.content))
        return said or "250 2.0.0 Ok: queued as 4F3"

    async def _said(self, server: _Talk, stage: str) -> str | None:
        said = self.box.reply(stage)
        if said in {HANG_UP, SILENCE}:
            await server._as_told(str(said))
        return said


@contextmanager
def mail_server(
    certificate: Path | None = None, security: str = "none", says: Says | None = None
) -> Iterator[Box]:
    """Serve until the end of the block; over STARTTLS, only whoever logs in may send."""
    box = Box(says or {})
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    starttls = context if security == "starttls" else None

    def login(*given: Any) -> AuthResult:
        good = given[-1] == LoginPassword(USER.encode(), PASSWORD.encode())
        box.logins += good
        return AuthResult(success=good, handled=False)

    def talk() -> SMTP:
        box.connections += 1
        session = _Talk(
            _Handler(box),
            hostname="localhost",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=login,
            auth_required=starttls is not None,
            auth_require_tls=starttls is not None,
            loop=loop,
        )
        session.box = box
        return session

    async def started() -> asyncio.Server:
        tls = context if security == "tls" else None
        return await loop.create_server(talk, "127.0.0.1", 0, ssl=tls)

    async def ended() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(started(), loop).result()
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        asyncio.run_coroutine_threadsafe(ended(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def self_signed(path: Path) -> Path:
    """Write a key and its own certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    kind = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path
