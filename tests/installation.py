"""The files of an installation in a test's own folder, and claims to make in them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import IDENTIFIERS, Identifiers, conform
from remindctl.sendlog import Claim, Logs, SendingLogs, look, open_logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)


def named(key: str) -> str:
    """Return the key of a message as the log takes it: hexadecimal digits."""
    return key.encode().hex()


def claim(key: str, *who: str, leg: int = 0, **more: object) -> Claim:
    """Claim for a person who is known by these identifiers; the first one names them."""
    values: dict[str, object] = {
        "key": named(key),
        "entry": named(f"entry of {key}"),
        "person": b"person " + who[0].encode(),
        "identifiers": frozenset(name.encode() for name in who),
        "leg": leg,
        "store": "green",
        "campaign": "winback",
        "step": "day30",
        "channel": "sms",
        "tags": ("win", "재구매"),
        "due_at": NOW,
        **more,
    }
    return Claim(**values)  # type: ignore[arg-type]


class Files:
    """Where an installation keeps its files, and its log if that is in a database."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.folder = folder / ".remindctl"
        self.file = self.folder / "log.db"
        self.log = database or self.file
        self.key = self.folder / "key"
        self.optouts = self.folder / "optouts.db"

    def open(self, now: datetime = NOW, *, new_log: bool = False) -> SendingLogs:
        return open_logs(self.log, self.key, [self.optouts], now=now, new_log=new_log)

    def look(self) -> Logs:
        return look(self.log, self.key, [self.optouts])


def run_killed(files: Files, program: str) -> None:
    """Run a program that uses ``files`` and kills itself by ``die()``."""
    beginning = """
import os, signal, sys
from pathlib import Path
from tests.installation import NOW, Files, claim
folder, database = sys.argv[1:]
files = Files(Path(folder), database or None)
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[1]
    database = "" if isinstance(files.log, Path) else files.log
    done = subprocess.run(
        [sys.executable, "-c", beginning + program, str(files.folder.parent), database],
        check=False,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
    )
    assert done.returncode == -signal.SIGKILL


def identifiers(people: Mapping[int, Iterable[str]]) -> Identifiers:
    rows = [{"person": n, "hmac": name.encode()} for n, names in people.items() for name in names]
    return Identifiers(conform(pl.DataFrame(rows), IDENTIFIERS))
