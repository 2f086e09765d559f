"""A provider on this machine: takes every message of a request, and answers after 50 ms.

Run as ``python -m benchmarks.loopback``; it says its port in a line, and ends with its stdin.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import cast

ANSWERS_AFTER = 0.05


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with a Content-Length, as every contestant writes it, and nothing else."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        fields = bytes(self._buffer[:head]).lower()
        length = int(fields.split(b"content-length:")[1].split(b"\r\n")[0])
        end = head + 4 + length
        if len(self._buffer) < end:
            return
        taken = self._buffer.count(b'"id":', head, end)
        del self._buffer[:end]
        asyncio.get_running_loop().call_later(ANSWERS_AFTER, self._answer, taken)

    def _answer(self, taken: int) -> None:
        body = b'{"taken": %d}' % taken
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(_serve())
