"""Costs of whole processes, taken in turns so that a slow moment of the machine hits all alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def run(command: Sequence[str], output: Path) -> Cost:
    """Run a command from the root of the repository, its stdout into ``output``.

    Args:
        command: the arguments of a Python interpreter, for example ``("-m", "remindctl")``; it
            imports the remindctl of this checkout.
        output: overwritten.

    Raises:
        RuntimeError: the command failed.
    """
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    launched = subprocess.run(
        [sys.executable, "-I", "-S", _LAUNCH, output, sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(launched.stdout)
    if told["exit_code"]:
        raise RuntimeError(f"exit code {told['exit_code']}: python {' '.join(command)}")
    return Cost(**told["cost"])


def in_turns(
    contestants: Mapping[Contestant, Sequence[str]], repeat: int, output: Path
) -> dict[Contestant, list[Cost]]:
    """Run every contestant ``repeat`` times, one after the other in each round."""
    costs: dict[Contestant, list[Cost]] = {name: [] for name in contestants}
    for _ in range(repeat):
        for name, command in contestants.items():
            costs[name].append(run(command, output))
    return costs
