"""A web server on this machine that treats each request as a test wants it to."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

RESET, CLOSED, STALLED, DRIPPING = "reset", "closed", "stalled", "dripping"


@dataclass(frozen=True)
class Seen:
    """A request as it came in; ``at`` is seconds of a clock that only goes forward."""

    line: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


def answer(status: int = 200, body: Any = None, **headers: str) -> bytes:
    """Write an answer; a body that is no bytes becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-length": str(len(content)), "content-type": "application/json", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content


Answer = bytes | str
Rule = Callable[[Seen], Awaitable[Answer]]


class Server:
    """Listens while it is entered, in a thread of its own.

    Attributes:
        rule: what to do with a request: an answer, or one of the accidents above.
        seen: every request so far.
        at_once: the most requests that were open at the same time.
    """

    def __init__(self, rule: Rule, certificate: Path | None = None) -> None:
        self.rule = rule
        self._certificate = certificate
        self.seen: list[Seen] = []
        self.at_once = 0
        self._open = 0
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self._certificate else ''}://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _listen(self) -> asyncio.Server:
        tls = None
        if self._certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self._certificate)
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.strip().split("\r\n")
        headers = {k.lower(): v for k, _, v in (one.partition(": ") for one in fields)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        seen = Seen(line, headers, body)
        self.seen.append(seen)
        self._open += 1
        self.at_once = max(self.at_once, self._open)
        try:
            told = await self.rule(seen)
        finally:
            self._open -= 1
        if told == RESET:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if told in (RESET, CLOSED):
            return False
        if told == STALLED:
            await asyncio.Event().wait()
        if told == DRIPPING:
            writer.write(b"HTTP/1.1 200 OK\r\nx: ")
            while True:
                writer.write(b"y")
                await writer.drain()
                await asyncio.sleep(0.02)
        assert isinstance(told, bytes)
        writer.write(told)
        await writer.drain()
        return True


def in_turn(*answers: Answer) -> Rule:
    """Give these answers one after the other, the last one for ever."""
    left = list(answers)

    async def rule(_: Seen) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return rule
