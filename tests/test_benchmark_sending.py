from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.sending import FAR_ABOVE_HTTPX, MEMORY_TARGET, NEARLY_BARE, benchmark

if TYPE_CHECKING:
    from pathlib import Path


def test_every_contestant_sends_everything(tmp_path: Path) -> None:
    said: list[str] = []
    found = benchmark([20, 40], 1, tmp_path, said.append)
    told = [(one.measure, one.against, one.target or one.speed_target) for one in found]
    each = [
        ("one a request: time a message", "bare aiohttp", NEARLY_BARE),
        ("one a request: time a message", "httpx.AsyncClient", FAR_ABOVE_HTTPX),
        ("1,000 a request: time a message", "a loop", NEARLY_BARE),
        ("1,000 a request: time a message", "10 loops at once", None),
    ]
    expected = [(f"{n} messages, {what}", *more) for n in (20, 40) for what, *more in each]
    memory = ("40 messages: peak memory beyond the plan", "20 messages", MEMORY_TARGET)
    assert told[: len(expected)] == expected
    assert told[len(expected) :] in ([], [memory])
    assert len(said) == 4
