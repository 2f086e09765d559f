"""Runs that are killed, that meet each other, or that are asked to end: real processes and sockets.

``REMINDCTL_KILLS`` says how often a run is killed at each provider; a release is tried with 200.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING

import pytest
from tests import delivering
from tests.delivering import Ledger
from tests.loopback import CLOSED, Server
from tests.shop import Shop

from remindctl.sendlog import Filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.installation import Files
    from tests.loopback import Answer, Seen

KILLS = int(os.environ.get("REMINDCTL_KILLS", "4"))
PEOPLE = 40
ENDS = ("sent", "rejected", "failed", "unknown")
LONG = 120  # seconds, for a process to end


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def states(files: Files) -> Counter[str]:
    with files.open(datetime.now(UTC)) as logs:
        return Counter(entry.state for entry in logs.log.entries(Filter()))


def ended(process: subprocess.Popen[str]) -> int:
    _, err = process.communicate(timeout=LONG)
    assert "Traceback" not in err, err
    return process.returncode


class Killer:
    """Kills whoever sends the n-th request: before it is taken, after, or once it is answered."""

    def __init__(self, dice: random.Random) -> None:
        self.ledger = Ledger()
        self.kills = 0
        self._dice = dice
        self._victim: subprocess.Popen[str] | None = None
        self._left = 0

    def aim(self, victim: subprocess.Popen[str]) -> None:
        self._victim, self._left = victim, self._dice.randint(1, 6)

    async def rule(self, seen: Seen) -> Answer:
        self._left -= 1
        if self._victim is None or self._left != 0:
            return self.ledger.answer(seen)
        moment = self._dice.choice(("before", "taken", "answered"))
        if moment == "before":
            self._kill(self._victim)
            return CLOSED
        told = self.ledger.answer(seen)
        if moment == "taken":
            self._kill(self._victim)
        else:
            # While the outcome is written, or the next chunk is claimed.
            delay = self._dice.uniform(0, 0.03)
            asyncio.get_running_loop().call_later(delay, self._kill, self._victim)
        return told

    def _kill(self, victim: subprocess.Popen[str]) -> None:
        if victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            self.kills += 1


@pytest.mark.parametrize("provider", ["solapi", "twilio", "webhook"])
def test_a_run_that_is_killed_at_any_moment_messages_nobody_twice(
    tmp_path: Path, log_backend: Callable[[Path], Files], provider: str
) -> None:
    dice = random.Random(20260630)  # noqa: S311 (moments, no secrets)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        killer = Killer(dice)
        folder = tmp_path / str(rounds)
        folder.mkdir()
        files = log_backend(folder)
        with Server(killer.rule) as server:
            code = -signal.SIGKILL
            while code == -signal.SIGKILL:
                process = delivering.start(files, provider, server.url, PEOPLE)
                if kills + killer.kills < KILLS:
                    killer.aim(process)
                code = ended(process)
            assert code == 0
        kills += killer.kills
        ends = states(files)
        taken = killer.ledger.taken
        assert set(taken.values()) == {1}
        assert sum(ends.values()) == PEOPLE
        assert ends["claimed"] == ends["failed"] == 0
        # Nobody is forgotten: whoever was not reached is known as maybe reached.
        assert len(taken) + ends["unknown"] >= PEOPLE
        assert ends["sent"] + ends["delivered"] <= len(taken)
        if provider == "solapi":
            # It can be asked, so that everybody is reached in the end.
            assert len(taken) == PEOPLE
            assert ends["unknown"] == 0


@pytest.mark.parametrize("runs", [2, 4])
def test_runs_at_once_message_everybody_once(
    tmp_path: Path, log_backend: Callable[[Path], Files], runs: int
) -> None:
    ledger = Ledger()

    async def rule(seen: Seen) -> Answer:
        return ledger.answer(seen)

    files = log_backend(tmp_path)
    states(files)  # makes the log: who comes first is another test's concern
    with Server(rule) as server:
        started = [delivering.start(files, "twilio", server.url, PEOPLE) for _ in range(runs)]
        codes = [ended(process) for process in started]
    assert set(codes) <= {0, 2}
    assert 0 in codes
    assert len(ledger.taken) == PEOPLE
    assert set(ledger.taken.values()) == {1}
    assert states(files) == {"sent": PEOPLE}


WEBHOOK = """
    channels: {{email: hook}}
providers:
  hook: {{type: webhook, url: "{url}", secret: "${{HOOK}}", concurrency: 2}}
"""


class Held:
    """Answers nobody until it is told to, and says when so many wait."""

    def __init__(self, count: int) -> None:
        self.ledger = Ledger()
        self.waiting = Semaphore(0)
        self.count = count
        self.released = asyncio.Event()

    async def rule(self, seen: Seen) -> Answer:
        self.waiting.release()
        await self.released.wait()
        return self.ledger.answer(seen)

    def wait(self) -> None:
        for _ in range(self.count):
            assert self.waiting.acquire(timeout=LONG)


def _hearing(limited: Callable[[], None] | None) -> None:
    """Let a program hear SIGINT, also where these tests were started to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if limited is not None:
        limited()


class Sending:
    """``remindctl run`` in a shop with six customers who are due, through a webhook."""

    def __init__(self, shop: Shop, server: Server, *more: str) -> None:
        self.shop, self.server = shop, server
        shop.configure(extra=WEBHOOK.format(url=server.url))
        shop.export(*(("김민수", f"kim{n}@example.com", 30 + n / 24, "yes") for n in range(6)))
        self.started = self.start(*more)

    def start(self, *more: str, limited: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        source = str(Path(__file__).parents[1] / "src")
        words = ["run", str(self.shop.folder / "winback.yaml"), "-o", "json", *more]
        return subprocess.Popen(
            [sys.executable, "-m", "remindctl", *words],
            env={
                **os.environ,
                "PYTHONPATH": source,
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOOK": delivering.SECRET,
            },
            preexec_fn=partial(_hearing, limited),  # noqa: PLW1509 (no thread of ours holds a lock)
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, word: str) -> None:
        """Wait until the run says something on stderr."""
        assert self.started.stderr is not None
        for line in self.started.stderr:
            assert "Traceback" not in line
            if word in line:
                return
        pytest.fail(f"it never said {word}")

    def end(self, process: subprocess.Popen[str]) -> tuple[int, dict[str, int], str]:
        out, err = process.communicate(timeout=LONG)
        assert "Traceback" not in err
        assert "bug" not in err
        [run] = json.loads(out)["runs"]
        return process.returncode, {end: run[end] for end in ENDS if run[end]}, err


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_settles_what_is_on_its_way(shop: Shop, number: int) -> None:
    held = Held(2)
    with Server(held.rule) as server:
        run = Sending(shop, server)
        held.wait()
        run.started.send_signal(number)
        run.told("ending:")
        server.loop.call_soon_threadsafe(held.released.set)
        code, ends, err = run.end(run.started)
        # What had started may still leave: the two that were held, and the two right behind them.
        first = ends.pop("sent")
        assert code == 130
        assert 2 <= first <= 4
        assert ends.keys() <= {"failed"}
        assert ends.get("failed", 0) + first <= 4
        assert err.endswith("0 held; stopped: it was interrupted\n")
        assert len(held.ledger.taken) == len(server.seen) == first
        code, ends, err = run.end(run.start())
        assert (code, ends) == (0, {"sent": 6 - first})
        assert f"remindctl run: {6 - first} sent; {first} held" in err
        assert len(server.seen) == 6
        assert run.server.at_once == 2


def test_a_run_that_is_asked_twice_waits_for_no_answer(shop: Shop) -> None:
    held = Held(2)
    with Server(held.rule) as server:
        run = Sending(shop, server)
        held.wait()
        run.started.send_signal(signal.SIGTERM)
        run.told("once more")
        run.started.send_signal(signal.SIGTERM)
        code, ends, _ = run.end(run.started)
        assert (code, ends.pop("unknown")) == (130, 2)
        assert ends in ({}, {"failed": 2})
        server.loop.call_soon_threadsafe(held.released.set)
        code, ends, _ = run.end(run.start())
        assert (code, ends) == (0, {"sent": 4})


@pytest.mark.parametrize("room", [36_000, 60_000, 100_000])
def test_a_disk_that_is_full_loses_nothing_and_messages_nobody_twice(shop: Shop, room: int) -> None:
    ledger = Ledger()

    async def rule(seen: Seen) -> Answer:
        return ledger.answer(seen)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    with Server(rule) as server:
        run = Sending(shop, server, "--limit", "1")
        assert run.end(run.started)[:2] == (0, {"sent": 1})
        full = run.start(limited=limited)
        _, err = full.communicate(timeout=LONG)
        assert full.returncode in {0, 1, 2}, err
        assert "Traceback" not in err
        assert "bug" not in err
        reached = len(ledger.taken)
        code, ends, _ = run.end(run.start())
        assert code == 0
        assert len(ledger.taken) - reached == ends.get("sent", 0)
        assert len(server.seen) == len(ledger.taken)
        # Whoever it did not reach now is known as reached before, or as maybe reached.
        told = shop.call("log", "show", "--config", shop.folder / "remindctl.yaml", "-o", "json")[1]
        states = Counter(entry["state"] for entry in json.loads(told)["entries"])
        assert states["sent"] + states["unknown"] == states.total() == 6
        assert states["sent"] <= len(ledger.taken)
