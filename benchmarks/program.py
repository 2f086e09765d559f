"""Commands of remindctl, and what its answers must be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.agreement import require_agreement
from benchmarks.generate import PASSWORD
from benchmarks.measure import Command

if TYPE_CHECKING:
    from pathlib import Path

_PASSWORD_VARIABLE = "ORDERS_PASSWORD"  # noqa: S105 (its name)


def analyze(path: Path, *, cache: Path | None = None, memory_bytes: int = 0) -> Command:
    """Return the command that analyses a file.

    Args:
        path: the file; its password, if it has one, is that of the generated ones.
        cache: where snapshots of files are kept; None = nowhere, so that the file is read.
        memory_bytes: see :class:`Command`.
    """
    words = ("-m", "remindctl", "analyze", str(path), "-o", "json")
    return Command(
        (*words, "--password-env", _PASSWORD_VARIABLE),
        memory_bytes=memory_bytes,
        environment={_PASSWORD_VARIABLE: PASSWORD, "REMINDCTL_CACHE": str(cache or "")},
    )


def customers(path: Path) -> Command:
    """Return the command that lists everyone of a file."""
    words = ("-m", "remindctl", "customers", str(path), "-o", "csv")
    return Command(words, environment={"REMINDCTL_CACHE": ""})


def analysis_in(output: Path) -> dict[str, Any]:
    """Return what ``analyze`` wrote of its only store."""
    [store] = json.loads(output.read_text(encoding="utf-8"))["stores"]
    found: dict[str, Any] = store
    return found


def require_truth(store: dict[str, Any], truth: dict[str, int]) -> None:
    """Compare the counts of an analysis with those that ``history.truth`` and ``expected`` give.

    Raises:
        DisagreementError: names every count that differs.
    """
    require_agreement("the file's own truth", {**store["counts"], **store["excluded"]}, truth)
