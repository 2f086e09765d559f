"""Waits, hours and days, as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time


@dataclass(frozen=True, slots=True)
class Span:
    """A wait as people write it: whole days follow the calendar of the zone, the rest is exact.

    Attributes:
        days: calendar days; ``30d`` after 16:00 is 16:00, also across a change of the clocks.
        seconds: exact seconds on top.
    """

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        parts = [f"{self.days}d"] if self.days or not self.seconds else []
        rest = self.seconds
        for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
            count, rest = (abs(rest) // size, abs(rest) % size)
            if count:
                parts.append(f"{'-' if self.seconds < 0 else ''}{count}{unit}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of a day, ``opens`` included and ``closes`` not; ``opens > closes`` spans midnight."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


class Calendar(StrEnum):
    """A stretch of the recipient's calendar; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A wait that the store's own data tells.

    Attributes:
        of: ``cycle`` (the store's return curve), ``product_cycle`` (the product's own) or
            ``customer_cycle`` (the person's median gap).
        quantile: ``p25``, ``median``, ``p75`` or ``p90`` of the curve; a person has a median only.
    """

    of: str
    quantile: str = "median"

    def __str__(self) -> str:
        return self.of if self.of == "customer_cycle" else f"{self.of}.{self.quantile}"
