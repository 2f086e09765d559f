"""Costs of whole processes, taken in turns so that a slow moment of the machine hits all alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks.compare import Comparison

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Contestant = TypeVar("Contestant")

ROOT = Path(__file__).parents[1]
_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took.

    Attributes:
        cpu_seconds: user and system time of all its threads.
        peak_bytes: the most memory it held at once (``ru_maxrss``), pages of mapped files included.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def peak_mib(self) -> float:
        """``peak_bytes`` in MiB."""
        return self.peak_bytes / 2**20


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure, run from the root of the repository.

    Attributes:
        arguments: of the interpreter, for example ``("-m", "remindctl")``.
        python: the interpreter; this one imports the remindctl of this checkout, others nothing of
            the checkout.
        memory_bytes: with more of its own in use (without mapped files) it is killed; 0 = no limit.
            Linux alone keeps it.
        environment: what it sees beside this process's own environment.
    """

    arguments: Sequence[str]
    python: str = sys.executable
    memory_bytes: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, output: Path) -> Cost:
        """Run it, its stdout into ``output``, which is overwritten.

        Raises:
            RuntimeError: it failed.
        """
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        python = shutil.which(self.python)
        if python is None:
            raise RuntimeError(f"there is no {self.python}")
        if self.python == sys.executable:
            inherited["PYTHONPATH"] = os.pathsep.join(
                filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
            )
        launched = subprocess.run(
            [sys.executable, "-I", "-S", _LAUNCH, output, str(self.memory_bytes), python,
             *self.arguments],
            cwd=ROOT,
            env={**inherited, **self.environment},
            stdout=subprocess.PIPE,
            check=True,
        )  # fmt: skip
        told = json.loads(launched.stdout)
        if told["exit_code"]:
            raise RuntimeError(f"exit code {told['exit_code']}: {' '.join(self.arguments)}")
        return Cost(**told["cost"])


def run(arguments: Sequence[str], output: Path) -> Cost:
    """Run this interpreter with these arguments, see :class:`Command`."""
    return Command(arguments).run(output)


def in_turns(
    contestants: Mapping[Contestant, Command], repeat: int, output: Path
) -> dict[Contestant, list[Cost]]:
    """Run every contestant ``repeat`` times, one after the other in each round."""
    costs: dict[Contestant, list[Cost]] = {name: [] for name in contestants}
    for _ in range(repeat):
        for name, command in contestants.items():
            costs[name].append(command.run(output))
    return costs


def compared(
    measure: str,
    against: str,
    base: Sequence[Cost],
    values: Sequence[Cost],
    *,
    target: float | None = None,
    speed_target: float | None = None,
) -> Iterator[Comparison]:
    """Compare wall time, which the target is of, CPU time and peak memory."""
    for what, unit, of in (
        ("wall time", "s", attrgetter("wall_seconds")),
        ("CPU time", "s", attrgetter("cpu_seconds")),
        ("peak memory", "MiB", attrgetter("peak_mib")),
    ):
        of_wall = what == "wall time"
        yield Comparison(
            measure=f"{measure}: {what}",
            unit=unit,
            against=against,
            base=tuple(map(of, base)),
            values=tuple(map(of, values)),
            target=target if of_wall else None,
            speed_target=speed_target if of_wall else None,
        )
