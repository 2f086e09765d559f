"""The first days after an order: on which of them returns are most frequent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl.survival import BusiestDays, busiest_days, rate_interval

if TYPE_CHECKING:
    from remindctl.survival import ReturnCurve

_LAST_DAY = 14


@dataclass(frozen=True, slots=True)
class GoldenWindow:
    """When after an order customers come back most: after the first one, and after later ones.

    Attributes:
        same_day_orders: orders merged into another one of the same customer and day.
    """

    first_to_second: FirstDays
    later: FirstDays
    same_day_orders: int


@dataclass(frozen=True, slots=True)
class DayRate:
    """Who was still waiting before a day after the purchase, and who came back on it.

    Attributes:
        interval: the 95% interval of ``rate``, after Wilson.
    """

    day: int
    at_risk: int
    returned: int
    rate: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The first days after a purchase; day 0 is always empty, as same-day orders are one purchase.

    Attributes:
        waits: purchases that another one can follow, one per customer for first orders.
        daily: days 0 to 14, as far as anyone was observed.
        returned_within_3_days: returns seen on days 1 to 3.
        share_within_3_days: the share of the waits that is over by then (Kaplan-Meier), and its
            95% interval.
        share_of_returns_within_3_days: of all returns seen, those on days 1 to 3.
        busiest: the week with the highest daily rate, None while too few came back.
    """

    waits: int
    returned: int
    daily: tuple[DayRate, ...]
    returned_within_3_days: int
    share_within_3_days: float | None
    share_within_3_days_ci: tuple[float, float] | None
    share_of_returns_within_3_days: float | None
    busiest: BusiestDays | None


def first_days(wait: ReturnCurve) -> FirstDays:
    """Look closely at the start of a curve."""
    soon = int(wait.events[:4].sum())
    return FirstDays(
        wait.n,
        wait.returned,
        tuple(_day_rate(wait, day) for day in range(min(_LAST_DAY, wait.follow_up) + 1)),
        soon,
        wait.within(3),
        wait.band(3),
        soon / wait.returned if wait.returned else None,
        busiest_days(wait),
    )


def _day_rate(wait: ReturnCurve, day: int) -> DayRate:
    at_risk, returned = int(wait.at_risk[day]), int(wait.events[day])
    interval = rate_interval(returned, at_risk)
    return DayRate(day, at_risk, returned, float(wait.hazard[day]), interval)
