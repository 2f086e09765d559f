"""Two contestants side by side: a ratio per round, their median, and whether the target is met."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS = ("measure", "against", "this", "ratio", "lowest and highest", "target", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What one contestant took as a multiple of another's, the only form in which times are told.

    Attributes:
        measure: what was measured, of which size.
        unit: of the values.
        against: what it is compared with.
        base, values: of the other and of this contestant, one per round, in the same order.
        target: the largest ratio that is good enough; None = none is set.
    """

    measure: str
    unit: str
    against: str
    base: tuple[float, ...]
    values: tuple[float, ...]
    target: float | None = None

    def __post_init__(self) -> None:
        if not self.base or len(self.base) != len(self.values):
            raise ValueError("a value without its counterpart of the same round says nothing")

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratio of each round."""
        return tuple(value / base for value, base in zip(self.values, self.base, strict=True))

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def verdict(self) -> str:
        """``met``, ``missed by`` how much, or nothing where no target is set."""
        if self.target is None:
            return ""
        return "met" if self.ratio <= self.target else f"missed by {self.ratio - self.target:.2f}"


def markdown(comparisons: Iterable[Comparison]) -> str:
    """Return a table, one comparison a row."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *map(_row, comparisons)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(one: Comparison) -> tuple[str, ...]:
    return (
        one.measure,
        f"{one.against}: {_rounded(median(one.base))} {one.unit}",
        f"{_rounded(median(one.values))} {one.unit}",
        f"{one.ratio:.2f}×",
        f"{min(one.ratios):.2f}-{max(one.ratios):.2f}",
        "" if one.target is None else f"≤ {one.target}×",
        one.verdict,
    )


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_data(one: Comparison) -> dict[str, object]:
    """Return a comparison in JSON's own types."""
    return {
        "measure": one.measure,
        "unit": one.unit,
        "against": one.against,
        "base": one.base,
        "values": one.values,
        "ratios": one.ratios,
        "ratio": one.ratio,
        "target": one.target,
        "verdict": one.verdict or None,
    }


def machine() -> dict[str, object]:
    """Return what the numbers depend on, in words and units that name no host."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "load_average_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "polars": version("polars"),
    }
