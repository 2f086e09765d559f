"""One HTTP exchange: what the network did to a request, in the words of the retry rules."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from email.utils import parsedate_to_datetime
from threading import Thread, current_thread
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from remindctl.channels.blots import blotted, forms
from remindctl.channels.http import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from datetime import datetime, timedelta

    from remindctl.channels.http import Request

# Idle connections are closed before servers do so: a request into a closing one is lost.
_KEEP_ALIVE = 4.0
# Seconds to get connected, half of the whole time at most: whoever is slower got no request.
_CONNECTING = 10.0

# Raised before any byte of the request has left.
_NOT_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


_T = TypeVar("_T")


class Trouble(Exception):  # noqa: N818 (it names what was met)
    """A try that told nothing of the messages.

    Attributes:
        maybe: they may have been accepted.
        pause: seconds to wait, if the provider asked for it.
    """

    def __init__(self, why: str, *, maybe: bool, pause: float | None = None) -> None:
        super().__init__(why)
        self.why, self.maybe, self.pause = why, maybe, pause


class Loop:
    """An event loop in a thread of its own, with one pool of connections."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Start it; no answer that it reads holds one of the secrets."""
        self._private = [one.encode() for one in forms(secrets)]
        self._loop = asyncio.new_event_loop()
        # The loop itself would forget them half-way.
        self._tasks: set[asyncio.Task[None]] = set()
        self._proxies: dict[str, str | None] = {}
        self._thread = Thread(target=self._loop.run_forever, name="courier", daemon=True)
        self._thread.start()
        self._session: aiohttp.ClientSession = self.run(self._open()).result()

    def run(self, work: Coroutine[object, object, _T]) -> Future[_T]:
        """Start some work in the loop, from any thread."""
        promised: Future[_T] = Future()

        def start() -> None:
            task = self._loop.create_task(_kept(work, promised))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        # To wake the loop costs as much as a small request does.
        if current_thread() is self._thread:
            start()
        else:
            self._loop.call_soon_threadsafe(start)
        return promised

    def call(self, what: Callable[[], object]) -> None:
        """Call something in the loop, soon."""
        self._loop.call_soon_threadsafe(what)

    def close(self) -> None:
        """Give up what still runs, close the connections and end the thread."""
        self.run(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def exchange(self, request: Request, timeout: timedelta) -> Response:  # noqa: ASYNC109 (of the configuration, for aiohttp)
        """Send a request in the loop and read the whole answer, whatever its status.

        Raises:
            Trouble: there is none.
        """
        seconds = timeout.total_seconds()
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=request.content or None,
                headers=request.headers,
                proxy=self._proxy(request.url),
                timeout=aiohttp.ClientTimeout(seconds, connect=min(_CONNECTING, seconds / 2)),
                allow_redirects=False,
            ) as answer:
                content = blotted(await answer.read(), self._private, request.headers)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(status=answer.status, headers=headers, content=content)
        except _NOT_CONNECTED as error:
            raise Trouble(_words(error), maybe=False) from None
        except Exception as error:  # noqa: BLE001 (whatever an answer does to its reader)
            raise Trouble(_words(error), maybe=True) from None

    def _proxy(self, url: str) -> str | None:
        """Return the proxy that the machine prescribes, asking it once for each host.

        aiohttp would ask for every request, in a thread, and look for passwords in ``.netrc``.
        """
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._proxies:
            excepted = proxy_bypass(parts.hostname or "")
            self._proxies[host] = None if excepted else getproxies().get(parts.scheme)
        return self._proxies[host]

    @staticmethod
    async def _open() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            # How many requests run at a time is each courier's own to say.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
            # Cookies of one answer mean nothing to the next request.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )

    async def _end(self) -> None:
        given_up = asyncio.all_tasks() - {asyncio.current_task()}
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        await self._session.close()


async def _kept(work: Coroutine[object, object, _T], promised: Future[_T]) -> None:
    """Keep a promise; a cancelled one is told as an error, as the thread that waits is not."""
    try:
        result = await work
    except asyncio.CancelledError:
        promised.set_exception(Trouble("given up", maybe=True))
        raise
    except Exception as error:  # noqa: BLE001 (whoever waits for it raises it)
        promised.set_exception(error)
    else:
        promised.set_result(result)


def asked_pause(response: Response, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or an instant; None = nothing that can be understood."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    with suppress(ValueError, TypeError):  # TypeError: an instant without its zone
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    return None


def _words(error: Exception) -> str:
    """Say what happened without the address that was asked, which may hold a secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {error.host}:{error.port} is not to be trusted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {error.host}:{error.port}"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"the connection broke ({type(error).__name__})"
