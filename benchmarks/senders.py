"""One way to send many messages to the loopback provider, in a process of its own.

Run as ``python -m benchmarks.senders NAME URL MESSAGES PER_REQUEST CONCURRENCY``. It writes, as
JSON, how long the sending took and how much memory it needed beyond what it began with.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from remindctl.channels import Outgoing, Receipt
    from remindctl.channels.http import Attempt, Request, Response

TEXT = """\
(광고)초록상점
다시 만나요. 지난번에 고르신 콜라겐 12호 잘 쓰고 계신가요?
무료수신거부 0808880000"""
NOW = datetime(2026, 6, 30, 3, tzinfo=UTC)


class Job(NamedTuple):
    """What every contestant is to send."""

    url: str
    messages: int
    per_request: int
    concurrency: int


def entry(number: str, phone: str) -> dict[str, Any]:
    """Write one message as the provider takes it."""
    return {"id": number, "to": phone, "from": "0212345678", "text": TEXT, "type": "LMS"}


def body(entries: Sequence[dict[str, Any]]) -> bytes:
    """Write one request."""
    content = json.dumps({"messages": entries}, ensure_ascii=False, separators=(",", ":"))
    return content.encode()


def bodies(job: Job) -> Iterator[bytes]:
    """Write the requests, each when it is asked for."""
    for start in range(0, job.messages, job.per_request):
        ends = min(start + job.per_request, job.messages)
        yield body([entry(f"{n:032x}-{n:016x}-0", f"+8210{n:08}") for n in range(start, ends)])


async def _all(job: Job, post: Callable[[bytes], Awaitable[None]]) -> None:
    left = bodies(job)

    async def work() -> None:
        for one in left:
            await post(one)

    await asyncio.gather(*(work() for _ in range(job.concurrency)))


def bare_aiohttp(job: Job) -> float:
    """Post with aiohttp, from as many tasks as may be at it at once, and do nothing else."""
    import aiohttp  # noqa: PLC0415 (a contestant loads what it needs)

    async def run() -> float:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def post(content: bytes) -> None:
                async with session.post(job.url, data=content) as answer:
                    if (await answer.json())["taken"] < 1:
                        raise RuntimeError("not taken")

            started = time.perf_counter()
            await _all(job, post)
            return time.perf_counter() - started

    return asyncio.run(run())


def plain_httpx(job: Job) -> float:
    """Post with one ``httpx.AsyncClient``; only its timeouts are taken off, as it would give up."""
    import httpx  # noqa: PLC0415 (as above)

    async def run() -> float:
        async with httpx.AsyncClient(timeout=None) as client:  # noqa: S113 (see above)

            async def post(content: bytes) -> None:
                answer = await client.post(job.url, content=content)
                if answer.json()["taken"] < 1:
                    raise RuntimeError("not taken")

            started = time.perf_counter()
            await _all(job, post)
            return time.perf_counter() - started

    return asyncio.run(run())


class Loopback:
    """The provider, as remindctl is told of it."""

    def __init__(self, job: Job) -> None:
        from remindctl.channels.http import Facts  # noqa: PLC0415 (as above)

        self._url = job.url
        self.facts = Facts(batch_size=job.per_request, concurrency=job.concurrency)

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider``."""
        from remindctl.channels.http import Request  # noqa: PLC0415 (as above)

        del attempt
        return Request(url=self._url, content=body([entry(one.id, one.to) for one in batch]))

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider``."""
        from remindctl.channels import Receipt  # noqa: PLC0415 (as above)
        from remindctl.model import State  # noqa: PLC0415 (as above)

        if response.json()["taken"] != len(batch):
            raise RuntimeError("not taken")
        return [Receipt(one.id, State.SENT) for one in batch]


def remindctl(job: Job) -> tuple[float, int | None]:
    """Dispatch a plan: claims, requests, outcomes, in a send log on disk."""
    from remindctl.channels.courier import Courier  # noqa: PLC0415 (as above)
    from remindctl.channels.exchange import Loop  # noqa: PLC0415 (as above)
    from remindctl.dispatch import Dispatcher  # noqa: PLC0415 (as above)
    from remindctl.frames import SUPPRESSIONS, Suppressions, empty  # noqa: PLC0415 (as above)
    from remindctl.model import State  # noqa: PLC0415 (as above)
    from remindctl.sendlog import open_logs  # noqa: PLC0415 (as above)

    with tempfile.TemporaryDirectory() as folder:
        optouts = Path(folder) / "optouts.db"
        opened = open_logs(Path(folder) / "log.db", Path(folder) / "key", [optouts], now=NOW)
        loop = Loop()
        with opened as logs, logs.log.lock("green") as lock:
            plan, identifiers = planned(job.messages, logs.hasher)
            provider = Loopback(job)
            courier = Courier(
                provider,
                loop,
                lambda: datetime.now(UTC),
                concurrency=job.concurrency,
                timeout=timedelta(seconds=30),
            )
            dispatcher = Dispatcher(
                run="r1",
                log=logs.log,
                lock=lock,
                hasher=logs.hasher,
                optouts=logs.optouts[optouts],
                identifiers=identifiers,
                suppressions=Suppressions(empty(SUPPRESSIONS)),
                last_word=logs.optouts[optouts].last_word(),
                senders={"loopback": courier},
                now=lambda: datetime.now(UTC),
                progress=lambda _: None,
            )
            before = _memory_from_here()
            started = time.perf_counter()
            done = dispatcher.dispatch(plan)
            seconds = time.perf_counter() - started
            needed = None if before is None else _memory("VmHWM") - before
        loop.close()
    if done.states != {State.SENT: job.messages}:
        raise RuntimeError(f"not all were sent: {done.states}")
    return seconds, needed


def planned(messages: int, hasher: Any) -> tuple[Any, Any]:
    """Plan a message to each of so many people; ``hasher`` is that of the log."""
    import polars as pl  # noqa: PLC0415 (as above)

    from remindctl.frames import ADDRESSES, Addresses, conform  # noqa: PLC0415 (as above)
    from remindctl.model import Campaign, Policy, Purpose, Store  # noqa: PLC0415 (as above)
    from remindctl.plan import HELD, MESSAGES, Plan  # noqa: PLC0415 (as above)
    from remindctl.profiles import Profiles  # noqa: PLC0415 (as above)

    who = pl.DataFrame({"person": pl.int_range(messages, dtype=pl.UInt32, eager=True)})
    number = pl.col("person").cast(pl.String)
    who = who.with_columns(
        number.str.pad_start(32, "0").alias("key"),
        ("c" + number).alias("customer_key"),
        ("+8210" + number.str.pad_start(8, "0")).alias("to"),
    )
    fixed = {
        "campaign": "winback", "step": "day30", "store": "green", "kind": "phone",
        "channel": "lms", "provider": "loopback", "due_at": NOW, "text": TEXT, "reason": "due",
    }  # fmt: skip
    rows = who.with_columns(
        pl.col("key").alias("entry"),
        pl.lit(0).alias("leg"),
        *(pl.lit(value).alias(name) for name, value in fixed.items()),
    )
    made = Plan(
        campaign=Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=()),
        store=Store(
            key="green", name="초록상점", timezone="Asia/Seoul", country="KR", currency="KRW",
            policy=Policy(preset="KR"),
        ),
        as_of=NOW,
        customers=messages,
        members=messages,
        messages=conform(rows, MESSAGES),
        held=conform(rows.clear(), HELD),
    )  # fmt: skip
    addresses = who.select("person", pl.lit("phone").alias("kind"), pl.col("to").alias("value"))
    names = Profiles(who.select("person", "customer_key"))
    known = hasher.identifiers(names, Addresses(conform(addresses, ADDRESSES)), "green")
    return made, known


def _memory_from_here() -> int | None:
    """Forget the highest use of memory so far; return the present one, where Linux tells it."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return _memory("VmRSS")
    except OSError:
        return None


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [value] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(value) * 1024


if __name__ == "__main__":
    name, url, *numbers = sys.argv[1:]
    wanted = Job(url, *map(int, numbers))
    needed: int | None = None
    if name == "remindctl":
        seconds, needed = remindctl(wanted)
    else:
        seconds = {"aiohttp": bare_aiohttp, "httpx": plain_httpx}[name](wanted)
    print(json.dumps({"seconds": seconds, "bytes": needed}))
