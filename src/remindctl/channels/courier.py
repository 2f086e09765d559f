"""Sends the requests of HTTP providers: many at once, in time, again where that is safe.

What the network did to a request decides what may be done next: whatever surely was not accepted is
tried again after a pause, whatever may have been accepted only while the provider promises to know
the repetition, and else nobody knows. Once any try may have been accepted, no later one can turn
that into "not sent".
"""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from remindctl.channels.exchange import Trouble, asked_pause
from remindctl.channels.http import Attempt, Groups, Prepares, Request, Response, Unreadable
from remindctl.channels.provider import MaybeSent, NotSent
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from concurrent.futures import Future

    from remindctl.channels.exchange import Loop
    from remindctl.channels.http import Facts, HttpProvider, Preparation
    from remindctl.channels.provider import Outgoing, Receipt

MOST_TRIES = 6
LONGEST_PAUSE = 60.0  # seconds; a provider that asks for more is left for the next run
_FIRST_PAUSE = 0.5
# So that those who failed together do not come back together, a pause is longer by up to this.
_JITTER = 0.25
_CLOSED = "its hours ended before it could be sent"

_T = TypeVar("_T")


@dataclass(slots=True)
class Courier:
    """Sends for one provider; see ``sender.Sender``.

    Attributes:
        provider: what to send and how to read the answer.
        loop: where.
        now: the clock.
        concurrency, timeout: of the configuration, else of the provider's facts.
        rate: messages a second at most; beside it, the facts' requests a second hold.
        first_pause: seconds before the second try; it doubles with each further one.
    """

    provider: HttpProvider
    loop: Loop
    now: Callable[[], datetime]
    concurrency: int
    timeout: timedelta
    rate: float | None = None
    first_pause: float = _FIRST_PAUSE
    _groups: Groups | None = field(init=False)
    _prepares: Prepares | None = field(init=False)
    # To ask the system for every attempt costs as much as a small request.
    _origin: str = field(default_factory=partial(secrets.token_hex, 8))
    _attempts: count[int] = field(default_factory=count)
    _next_at: float = 0.0
    _paused_until: float = 0.0
    _why_stopped: str = ""
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _ready: dict[str, tuple[asyncio.Future[str], datetime | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Asked once: such a question goes through every method of the protocol.
        self._groups = self.provider if isinstance(self.provider, Groups) else None
        self._prepares = self.provider if isinstance(self.provider, Prepares) else None

    @property
    def batch_size(self) -> int:
        """See ``Sender``; no more than leave in a second, as what waits long is out of date."""
        most = self._facts.batch_size
        return most if self.rate is None else max(1, min(most, int(self.rate)))

    @property
    def local(self) -> bool:
        """See ``Sender``."""
        return False

    def group(self, message: Outgoing) -> str:
        """See ``Sender``."""
        return "" if self._groups is None else self._groups.group(message)

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        """Send a batch; the result raises NotSent, AccountError or MaybeSent as it happened."""
        return self.loop.run(self._send(batch))

    def stop(self, why: str) -> None:
        """See ``Sender``: requests on their way are waited for, and nothing else."""
        self._why_stopped = why
        self.loop.call(self._stopped.set)

    def ask(self, build: Callable[[Attempt], Request]) -> Response:
        """Put a question that changes nothing, and wait for the answer.

        Raises:
            NotSent: there is none.
        """
        asked = self._patiently(lambda: self._once(build(self._attempt({}))))
        response: Response = self.loop.run(asked).result()
        return response

    @property
    def _facts(self) -> Facts:
        return self.provider.facts

    def _attempt(self, ready: dict[str, str]) -> Attempt:
        nonce = f"{self._origin}{next(self._attempts):016x}"
        return Attempt(at=self.now(), nonce=nonce, ready=ready)

    async def _send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        doubt = _Doubt(self.now, self._facts.repeat_safe_for, self.timeout)
        try:
            return await self._delivered(batch, doubt)
        except NotSent:
            if doubt.why is None:
                raise
            raise MaybeSent(doubt.why) from None

    async def _delivered(self, batch: Sequence[Outgoing], doubt: _Doubt) -> Sequence[Receipt]:
        """Try until there is an answer or no further try may be made."""
        tried = 0
        while True:
            try:
                request = await self._built(batch, doubt)
                receipts = self._read(batch, await self._once(request))
            except Trouble as trouble:
                if trouble.maybe:
                    doubt.why = doubt.why or trouble.why
                await self._wait(tried, trouble, doubt)
                tried += 1
            else:
                return receipts if doubt.why is None else list(map(_doubtful, receipts))

    async def _built(self, batch: Sequence[Outgoing], doubt: _Doubt) -> Request:
        """Wait for the batch's turn and build its request: until it is sent, nothing has left."""
        try:
            ready = await self._prepared(batch)
            await self._turn(len(batch))
            # Asked last: whatever was waited for may have taken long.
            doubt.check()
            self._still_open(batch)
            return self.provider.request(batch, self._attempt(ready))
        except NotSent:
            raise
        except Exception as error:
            raise NotSent(f"a bug in the provider ({type(error).__name__})") from error

    def _still_open(self, batch: Sequence[Outgoing]) -> None:
        now = self.now()
        if any(one.closes_at is not None and one.closes_at <= now for one in batch):
            raise NotSent(_CLOSED)

    def _read(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        try:
            return self.provider.receipts(batch, response)
        except NotSent:
            raise
        except Unreadable as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 (an answer of a shape that nobody foresaw)
            why = f"HTTP {response.status}, which cannot be read ({type(error).__name__})"
        raise Trouble(why, maybe=True) from None

    async def _once(self, request: Request) -> Response:
        """Make one try.

        Raises:
            Trouble: there is no answer, or one that says nothing of the messages.
        """
        response = await self.loop.exchange(request, self.timeout)
        refused = response.status in self._facts.not_accepted
        if refused or not (200 <= response.status < 300 or 400 <= response.status < 500):
            pause = asked_pause(response, self.now())
            raise Trouble(f"HTTP {response.status}", maybe=not refused, pause=pause)
        return response

    async def _patiently(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Do what may be done any number of times, until there is an answer."""
        tried = 0
        while True:
            try:
                return await ask()
            except Trouble as trouble:
                await self._wait(tried, trouble)
                tried += 1

    async def _wait(self, tried: int, trouble: Trouble, doubt: _Doubt | None = None) -> None:
        """Pause before the next try: as long as asked for, else twice as long each time.

        Raises:
            NotSent: it has been tried often enough, or the provider wants too long a pause.
        """
        asked = trouble.pause
        if tried + 1 >= MOST_TRIES or (asked or 0) > LONGEST_PAUSE:
            raise NotSent(trouble.why) from None
        pause = min(self.first_pause * 2**tried, LONGEST_PAUSE) if asked is None else asked
        if asked is not None:
            # Whoever has not asked yet would only be told the same.
            until = asyncio.get_running_loop().time() + asked
            self._paused_until = max(self._paused_until, until)
        pause *= random.uniform(1.0, 1.0 + _JITTER)  # noqa: S311 (no secret)
        if doubt is not None:
            doubt.check(pause)
        await self._sleep(pause)

    async def _turn(self, messages: int) -> None:
        """Wait until so many messages may leave: by the pauses asked for, and by the rates."""
        clock = asyncio.get_running_loop().time
        while (left := self._paused_until - clock()) > 0:
            await self._sleep(left)
        gap = max(messages / self.rate if self.rate else 0, 1 / (self._facts.rate or float("inf")))
        at = max(clock(), self._next_at)
        self._next_at = at + gap if gap else 0.0
        await self._sleep(at - clock())

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless the run stops.

        Raises:
            NotSent: it does.
        """
        if seconds > 0 and not self._stopped.is_set():
            try:
                await asyncio.wait_for(self._stopped.wait(), seconds)
            except TimeoutError:
                return
        if self._stopped.is_set():
            raise NotSent(self._why_stopped)

    async def _prepared(self, batch: Sequence[Outgoing]) -> dict[str, str]:
        """Ask for what the batch needs first, each thing once while it is good."""
        provider = self._prepares
        if provider is None:
            return {}

        async def asked() -> dict[str, str]:
            wanted = provider.needs(batch, self._attempt({}))
            return {one.key: await self._prepare(provider, one) for one in wanted}

        return await self._patiently(asked)

    async def _prepare(self, provider: Prepares, one: Preparation) -> str:
        known = self._ready.get(one.key)
        if known is not None and (known[1] is None or self.now() < known[1]):
            return await asyncio.shield(known[0])
        pending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ready[one.key] = (pending, None)
        try:
            value, valid_for = provider.prepared(one.key, await self._once(one.request))
        except Unreadable as unread:
            error: Exception = Trouble(str(unread), maybe=False)
        except Exception as met:  # noqa: BLE001 (whoever else waits for it must hear of it)
            error = met
        else:
            self._ready[one.key] = (pending, self.now() + valid_for if valid_for else None)
            pending.set_result(value)
            return value
        del self._ready[one.key]
        pending.set_exception(error)
        return await pending


class _Doubt:
    """Whether a batch may have been accepted already, and how long it may be repeated then.

    Attributes:
        why: what happened to the first try that may have been accepted.
    """

    def __init__(
        self, now: Callable[[], datetime], safe_for: timedelta | None, answer_in: timedelta
    ) -> None:
        self.why: str | None = None
        self._now = now
        # The last moment for a repetition to leave, if its answer is to come in time.
        self._safe_for = None if safe_for is None else safe_for - answer_in
        self._began = now()
        self._began_by_loop = asyncio.get_running_loop().time()

    def check(self, pause: float = 0.0) -> None:
        """Make sure that a try after a pause (in seconds) cannot be accepted a second time.

        Raises:
            NotSent: it could be.
        """
        if self.why is None:
            return
        # The clock may be set back, and the loop's own stands still while the machine sleeps.
        by_loop = timedelta(seconds=asyncio.get_running_loop().time() - self._began_by_loop)
        passed = max(self._now() - self._began, by_loop) + timedelta(seconds=pause)
        if self._safe_for is None or passed >= self._safe_for:
            raise NotSent(self.why)


def _doubtful(receipt: Receipt) -> Receipt:
    """Turn what a repetition says: that it was not sent says nothing of the try before."""
    failed = receipt.state is State.FAILED
    return replace(receipt, state=State.UNKNOWN) if failed else receipt
