"""Two contestants side by side: a ratio per round, their median, and whether the target is met."""

from __future__ import annotations

from dataclasses import dataclass
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
        speed_target: the smallest multiple of the other's speed that is, in place of ``target``;
            the speed is 1 / ratio.
    """

    measure: str
    unit: str
    against: str
    base: tuple[float, ...]
    values: tuple[float, ...]
    target: float | None = None
    speed_target: float | None = None

    def __post_init__(self) -> None:
        if not self.base or len(self.base) != len(self.values):
            raise ValueError("a value without its counterpart of the same round says nothing")
        if self.target is not None and self.speed_target is not None:
            raise ValueError("a target is either a ratio or a speed")

    @property
    def has_target(self) -> bool:
        """Whether there is anything to meet."""
        return self.target is not None or self.speed_target is not None

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
        missed = 0.0
        if self.target is not None:
            missed = self.ratio - self.target
        elif self.speed_target is not None:
            missed = self.speed_target - 1 / self.ratio
        else:
            return ""
        return "met" if missed <= 0 else f"missed by {missed:.2f}×"


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
        _target(one),
        one.verdict,
    )


def _target(one: Comparison) -> str:
    if one.speed_target is not None:
        return f"≥ {one.speed_target:g}× its speed, that is ≤ {1 / one.speed_target:.3g}×"
    return "" if one.target is None else f"≤ {one.target:g}×"


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
        "speed_target": one.speed_target,
        "verdict": one.verdict or None,
    }
