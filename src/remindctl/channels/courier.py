"""Sends the requests of HTTP providers: many at once, in time, again where that is safe.

One thread with an event loop serves a whole run. What the network did to a request decides what
may be done next: whatever surely was not accepted is tried again after a pause, whatever may have
been accepted only while the provider promises to know the repetition, and else nobody knows.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import aiohttp

from remindctl.channels.http import (
    Attempt,
    Groups,
    Prepares,
    Request,
    Response,
    Unreadable,
)
from remindctl.channels.provider import MaybeSent, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from concurrent.futures import Future

    from remindctl.channels.http import Facts, HttpProvider, Preparation
    from remindctl.channels.provider import Outgoing, Receipt

MOST_TRIES = 6
LONGEST_PAUSE = 60.0  # seconds; a provider that asks for more is left for the next run
_FIRST_PAUSE = 0.5
_SERVER_ERROR = 500
# Idle connections are closed before servers do so: a request into a closing one is lost.
_KEEP_ALIVE = 4.0

# Raised before any byte of the request has left.
_NOT_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class _Trouble(Exception):  # noqa: N818 (it names what was met)
    """A try that told nothing of the messages; ``maybe``: they may have been accepted."""

    def __init__(self, why: str, *, maybe: bool, pause: float | None = None) -> None:
        super().__init__(why)
        self.why, self.maybe, self.pause = why, maybe, pause


class Loop:
    """An event loop in a thread of its own, with one pool of connections."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="courier", daemon=True)
        self._thread.start()
        self.session = self.run(self._open()).result()

    def run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Start some work in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Close the connections and end the thread."""
        self.run(self.session.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _open() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            # How many requests run at a time is each courier's own to say.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
            # A proxy that the machine prescribes is used; cookies of one answer mean nothing here.
            trust_env=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )


@dataclass(slots=True)
class Courier:
    """Sends for one provider; see ``sender.Sender``.

    Attributes:
        provider: what to send and how to read the answer.
        loop: where.
        now: the clock.
        concurrency, timeout, rate: of the configuration, else of the provider's facts.
    """

    provider: HttpProvider
    loop: Loop
    now: Callable[[], datetime]
    concurrency: int
    timeout: timedelta
    rate: float | None = None
    first_pause: float = _FIRST_PAUSE
    _next_at: float = 0.0
    _ready: dict[str, tuple[asyncio.Future[str], datetime | None]] = field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        """See ``Sender``."""
        return self._facts.batch_size

    @property
    def local(self) -> bool:
        """See ``Sender``."""
        return False

    def group(self, message: Outgoing) -> str:
        """See ``Sender``."""
        return self.provider.group(message) if isinstance(self.provider, Groups) else ""

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        """Send a batch; the result raises NotSent, AccountError or MaybeSent as it happened."""
        return self.loop.run(self._send(batch))

    def ask(self, build: Callable[[Attempt], Request]) -> Response:
        """Put a question that changes nothing, and wait for the answer.

        Raises:
            NotSent: there is none.
        """

        async def asked() -> Response:
            tried = 0
            while True:
                try:
                    return await self._once(build(self._attempt({})))
                except _Trouble as trouble:
                    await self._wait(tried, trouble)
                tried += 1

        response: Response = self.loop.run(asked()).result()
        return response

    @property
    def _facts(self) -> Facts:
        return self.provider.facts

    def _attempt(self, ready: dict[str, str]) -> Attempt:
        return Attempt(at=self.now(), nonce=secrets.token_hex(16), ready=ready)

    async def _send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        first_at, tried, maybe = self.now(), 0, False
        while True:
            try:
                request = self.provider.request(batch, self._attempt(await self._prepared(batch)))
                await self._turn()
                return self.provider.receipts(batch, await self._once(request))
            except Unreadable as error:
                trouble = _Trouble(str(error), maybe=True)
            except _Trouble as met:
                trouble = met
            except NotSent as error:
                # This try was refused; one before it may have been accepted.
                if maybe:
                    raise MaybeSent(str(error)) from None
                raise
            maybe = maybe or trouble.maybe
            if maybe and not self._is_safe(first_at):
                raise MaybeSent(trouble.why)
            try:
                await self._wait(tried, trouble)
            except NotSent:
                if maybe:
                    raise MaybeSent(trouble.why) from None
                raise
            tried += 1

    async def _once(self, request: Request) -> Response:
        """Make one try.

        Raises:
            _Trouble: there is no answer, or one that says nothing of the messages.
        """
        try:
            response = await self._exchange(request)
        except _NOT_CONNECTED as error:
            raise _Trouble(_words(error), maybe=False) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _Trouble(_words(error), maybe=True) from None
        refused = response.status in self._facts.not_accepted
        if refused or response.status >= _SERVER_ERROR:
            pause = _asked_pause(response, self.now())
            raise _Trouble(f"HTTP {response.status}", maybe=not refused, pause=pause)
        return response

    def _is_safe(self, first_at: datetime) -> bool:
        """Say whether a repetition would be recognised by the provider."""
        known_for = self._facts.repeat_safe_for
        longest = timedelta(seconds=LONGEST_PAUSE) + self.timeout
        return known_for is not None and self.now() + longest < first_at + known_for

    async def _wait(self, tried: int, trouble: _Trouble) -> None:
        """Pause before the next try: as long as asked for, else twice as long each time.

        Raises:
            NotSent: it has been tried often enough, or the provider wants too long a pause.
        """
        asked = trouble.pause
        if tried + 1 >= MOST_TRIES or (asked or 0) > LONGEST_PAUSE:
            raise NotSent(trouble.why) from None
        pause = min(self.first_pause * 2**tried, LONGEST_PAUSE) if asked is None else asked
        # So that those who failed together do not come back together.
        await asyncio.sleep(pause * random.uniform(1.0, 1.25))  # noqa: S311 (no secret)

    async def _turn(self) -> None:
        """Wait for this provider's turn, so that no more than ``rate`` requests start a second."""
        if self.rate is None:
            return
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + 1 / self.rate
        await asyncio.sleep(at - now)

    async def _exchange(self, request: Request) -> Response:
        async with self.loop.session.request(
            request.method,
            request.url,
            data=request.content or None,
            headers=request.headers,
            timeout=aiohttp.ClientTimeout(total=self.timeout.total_seconds()),
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(status=answer.status, headers=headers, content=content)

    async def _prepared(self, batch: Sequence[Outgoing]) -> dict[str, str]:
        """Ask for what the batch needs first, each thing once while it is good."""
        if not isinstance(self.provider, Prepares):
            return {}
        wanted = self.provider.needs(batch, self._attempt({}))
        return {one.key: await self._prepare(self.provider, one) for one in wanted}

    async def _prepare(self, provider: Prepares, one: Preparation) -> str:
        known = self._ready.get(one.key)
        if known is not None and (known[1] is None or self.now() < known[1]):
            return await asyncio.shield(known[0])
        pending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ready[one.key] = (pending, None)
        try:
            value, valid_for = provider.prepared(one.key, await self._once(one.request))
        except _Trouble as trouble:
            error: Exception = NotSent(trouble.why)
        except Exception as met:  # noqa: BLE001 (whoever else waits for it must hear of it)
            error = met
        else:
            self._ready[one.key] = (pending, self.now() + valid_for if valid_for else None)
            pending.set_result(value)
            return value
        del self._ready[one.key]
        pending.set_exception(error)
        return await pending


def _asked_pause(response: Response, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or an instant."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    with suppress(ValueError):
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    return None


def _words(error: Exception) -> str:
    """Say what happened without the address that was asked, which may hold a secret."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {error.host}:{error.port}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"the connection broke ({type(error).__name__})"
