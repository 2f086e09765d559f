"""Sending against loops that only send, to a provider on this machine that answers after 50 ms.

The loops build the same JSON and post it; they know no log, no receipts, no retries. What is timed
of remindctl is the whole of ``Dispatcher.dispatch``: claims on disk before a request leaves, and
outcomes after it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.compare import Comparison
from benchmarks.measure import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

NEARLY_BARE, FAR_ABOVE_HTTPX = 0.8, 6.0  # multiples of the other's rate
MEMORY_TARGET = 1.3
# One request a message beyond this would only repeat what it says; httpx is slower by far.
MOST_SINGLE, HTTPX_SHARE = 100_000, 20
SINGLE, BATCH = (1, 100), (1_000, 10)  # messages in a request, requests at a time
_MICRO = 1e6


class Sent(NamedTuple):
    """What a contestant took: microseconds a message, and memory beyond what it began with."""

    micros: float
    bytes: int | None


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> list[Comparison]:
    """Compare sending with bare loops.

    Args:
        sizes: numbers of messages.
        repeat: rounds.
        folder: for what the contestants write.
        say: told what is being done.

    Raises:
        RuntimeError: a contestant failed, or not everything was taken.
    """
    output = folder / "sending.json"
    found: list[Comparison] = []
    memory: dict[int, list[int]] = {}
    with _provider() as url:
        for size in sizes:
            if size <= MOST_SINGLE:
                found += _single(size, repeat, url, output, say)
            say(f"{size:,} messages in batches: {repeat} rounds")
            rounds = [
                (
                    _sent("aiohttp", url, size, (BATCH[0], 1), output),
                    _sent("aiohttp", url, size, BATCH, output),
                    _sent("remindctl", url, size, BATCH, output),
                )
                for _ in range(repeat)
            ]
            one, several, ours = zip(*rounds, strict=True)
            what = f"{size:,} messages, {BATCH[0]:,} a request"
            found += [
                _compared(what, "a loop", one, ours, NEARLY_BARE),
                _compared(what, f"{BATCH[1]} loops at once", several, ours),
            ]
            memory[size] = [sent.bytes for sent in ours if sent.bytes is not None]
    small, large = min(memory), max(memory)
    if small < large and memory[small] and memory[large]:
        found.append(
            Comparison(
                measure=f"{large:,} messages: peak memory beyond the plan",
                unit="MiB",
                against=f"{small:,} messages",
                base=tuple(value / 2**20 for value in memory[small]),
                values=tuple(value / 2**20 for value in memory[large]),
                target=MEMORY_TARGET,
            )
        )
    return found


def _single(
    size: int, repeat: int, url: str, output: Path, say: Callable[[str], None]
) -> list[Comparison]:
    fewer = max(1, size // HTTPX_SHARE)
    say(f"{size:,} messages, one a request (httpx: {fewer:,}): {repeat} rounds")
    rounds = [
        (
            _sent("aiohttp", url, size, SINGLE, output),
            _sent("httpx", url, fewer, SINGLE, output),
            _sent("remindctl", url, size, SINGLE, output),
        )
        for _ in range(repeat)
    ]
    bare, httpx, ours = zip(*rounds, strict=True)
    what = f"{size:,} messages, one a request"
    return [
        _compared(what, "bare aiohttp", bare, ours, NEARLY_BARE),
        _compared(what, "httpx.AsyncClient", httpx, ours, FAR_ABOVE_HTTPX),
    ]


def _compared(
    what: str,
    against: str,
    base: Sequence[Sent],
    values: Sequence[Sent],
    speed_target: float | None = None,
) -> Comparison:
    return Comparison(
        measure=f"{what}: time a message",
        unit="µs",
        against=against,
        base=tuple(sent.micros for sent in base),
        values=tuple(sent.micros for sent in values),
        speed_target=speed_target,
    )


def _sent(name: str, url: str, size: int, shape: tuple[int, int], output: Path) -> Sent:
    words = ["-m", "benchmarks.senders", name, url, str(size), *map(str, shape)]
    run(words, output)
    told = json.loads(output.read_text("utf-8"))
    return Sent(told["seconds"] / size * _MICRO, told["bytes"])


@contextmanager
def _provider() -> Iterator[str]:
    """Run the loopback provider in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.loopback"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        port = process.stdout.readline().strip() if process.stdout else ""
        yield f"http://127.0.0.1:{port}/"
        process.communicate()
