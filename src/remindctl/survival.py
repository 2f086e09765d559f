"""Kaplan-Meier curves of coming back, from counts per whole day.

A customer who is still waiting is right-censored: counted as waiting up to the last day seen, never
left out. Kaplan and Meier 1958 for the curve, Greenwood 1926 with a log-log transform for the band,
Brookmeyer and Crowley 1982 for the interval of a quantile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]
    Shares = npt.NDArray[np.float64]

# Under this many events a quantile of a curve is noise: pool up one level instead.
ENOUGH_EVENTS = 30

_Z95 = 1.959964
# A survival of 0.75 may come out of the product as 0.7500000000000001.
_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class ReturnCurve:
    """One curve; every array is indexed by the day of waiting, from 0 to ``follow_up``.

    Attributes:
        n: everyone who started to wait, also those with no follow-up at all.
        at_risk: who was observed and still waiting just before the day.
        events: who came back on the day; a return comes before a censoring of the same day.
    """

    n: int
    at_risk: Counts
    events: Counts

    @property
    def follow_up(self) -> int:
        """The longest time anyone was observed, in days."""
        return len(self.at_risk) - 1

    @property
    def returned(self) -> int:
        """Everyone who came back."""
        return int(self.events.sum())

    @property
    def enough(self) -> bool:
        """Whether there are ``ENOUGH_EVENTS`` returns or more, so that quantiles mean something."""
        return self.returned >= ENOUGH_EVENTS

    @property
    def horizon(self) -> int:
        """The last day with enough people at risk: 30, or a tenth of a smaller group."""
        enough = max(1, min(ENOUGH_EVENTS, self.n // 10))
        return max(0, int(np.count_nonzero(self.at_risk >= enough)) - 1)

    @cached_property
    def hazard(self) -> Shares:
        """The share of those at risk who came back on the day."""
        return _ratio(self.events, self.at_risk)

    @cached_property
    def survival(self) -> Shares:
        """The share not back by the end of the day."""
        return np.cumprod(1.0 - self.hazard, dtype=np.float64)

    @cached_property
    def survival_se(self) -> Shares:
        """The standard error of ``survival`` after Greenwood; 0 where ``survival`` is."""
        return self.survival * np.sqrt(self._greenwood)

    @cached_property
    def cumulative_hazard(self) -> Shares:
        """The Nelson-Aalen estimate."""
        return np.cumsum(self.hazard)

    @cached_property
    def cumulative_hazard_se(self) -> Shares:
        """The standard error of ``cumulative_hazard``."""
        return np.sqrt(np.cumsum(_ratio(self.events, self.at_risk * self.at_risk)))

    @cached_property
    def low(self) -> Shares:
        """The lower edge of the 95% log-log band of ``survival``; 0 where ``survival`` is."""
        return self._band_edge(+1.0)

    @cached_property
    def high(self) -> Shares:
        """The upper edge; undefined where ``survival`` is 0, so there the last one stands."""
        edge = self._band_edge(-1.0)
        waiting = int(np.count_nonzero(self.survival))
        edge[waiting:] = edge[waiting - 1] if waiting else 1.0
        return edge

    def quantile(self, p: float) -> int | None:
        """Return the first day by which the share ``p`` is back, None if the curve stays below."""
        return _first(self.survival <= 1.0 - p + _TOLERANCE)

    def quantile_interval(self, p: float) -> tuple[int | None, int | None]:
        """Return the 95% interval of ``quantile(p)`` by inverting the band; None: not reached."""
        level = 1.0 - p + _TOLERANCE
        return _first(self.low <= level), _first(self.high <= level)

    def within(self, days: int) -> float | None:
        """Return the share back within ``days``, None when nobody was observed that long."""
        waiting = self._survival_at(days)
        return None if waiting is None else 1.0 - waiting

    def band(self, days: int) -> tuple[float, float] | None:
        """Return the 95% interval of ``within(days)``, None beyond it or when everybody is back."""
        if days > self.follow_up or self.survival[days] == 0:
            return None
        return 1.0 - float(self.high[days]), 1.0 - float(self.low[days])

    def after_waiting(self, waited: int, days: int) -> float | None:
        """Return the share back within ``days`` more of those who have ``waited`` in vain."""
        now, then = self._survival_at(waited), self._survival_at(waited + days)
        return None if not now or then is None else 1.0 - then / now

    def chances(self, days: int) -> Shares:
        """Return, per day waited in vain, the share that is back within ``days`` more.

        From day 0 on, as long as ``days`` more lie within ``horizon`` and anyone is still away.
        """
        seen = self.survival[: self.horizon + 1]
        now, then = seen[: max(0, len(seen) - days)], seen[days:]
        away = int(np.count_nonzero(now))
        return 1.0 - then[:away] / now[:away]

    def rmst(self, tau: int) -> float | None:
        """Return the restricted mean: the area under ``survival`` from 0 to ``tau`` days."""
        if self._survival_at(tau) is None:
            return None
        return float(self.survival[:tau].sum())

    def _survival_at(self, days: int) -> float | None:
        if days <= self.follow_up:
            return float(self.survival[days])
        return 0.0 if self.survival[-1] == 0 else None

    @cached_property
    def _greenwood(self) -> Shares:
        return np.cumsum(_ratio(self.events, self.at_risk * (self.at_risk - self.events)))

    def _band_edge(self, side: float) -> Shares:
        """Give S^exp(side·z·σ) with σ = √Greenwood / |ln S|; S itself where it is 0 or 1."""
        inside = (self.survival > 0) & (self.survival < 1)
        log = np.log(self.survival, where=inside, out=np.full_like(self.survival, -1.0))
        edge = self.survival ** np.exp(side * _Z95 * np.sqrt(self._greenwood) / -log)
        return np.where(inside, edge, self.survival)


def curve(durations: npt.ArrayLike, returned: npt.ArrayLike) -> ReturnCurve:
    """Estimate one curve from waits in days (0 or more) and whether each ended in a return."""
    days, ended = np.asarray(durations, dtype=np.int64), np.asarray(returned, dtype=np.bool_)
    if not len(days):
        return pool([])
    # One count of (day, ended) pairs; a mask over a million waits would take as long again.
    pairs = np.bincount(2 * days + ended, minlength=2 * (int(days.max()) + 1)).reshape(-1, 2)
    return curve_of_counts(pairs.sum(axis=1), pairs[:, 1])


def curve_of_counts(exits: Counts, events: Counts) -> ReturnCurve:
    """Make a curve of how many waits ended on each day, and how many of them in a return."""
    at_risk = np.cumsum(exits[::-1])[::-1]
    observed = int(np.count_nonzero(at_risk))
    return ReturnCurve(int(at_risk[0]), at_risk[:observed].copy(), events[:observed].copy())


def curves(
    groups: Counts, durations: Counts, returned: npt.NDArray[np.bool_]
) -> dict[int, ReturnCurve]:
    """Estimate one curve per group in a single pass.

    Args:
        groups: for each wait, a small whole number, 0 or more.
        durations: the waits in days, 0 or more.
        returned: whether the wait ended in a return, rather than with the last day seen.

    Returns:
        group → curve in ascending order; groups without waits are absent.
    """
    if not len(groups):
        return {}
    present = np.flatnonzero(np.bincount(groups))
    position = np.zeros(present[-1] + 1, dtype=np.int64)
    position[present] = np.arange(len(present))
    shape = (len(present), int(durations.max()) + 1)
    cell = position[groups] * shape[1] + durations
    exits = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    events = np.bincount(cell[returned], minlength=shape[0] * shape[1]).reshape(shape)
    return {
        int(group): curve_of_counts(exits[row], events[row]) for row, group in enumerate(present)
    }


def pool(parts: Iterable[ReturnCurve]) -> ReturnCurve:
    """Combine the waits behind several curves into one curve; of none, the curve of nobody."""
    curves_ = list(parts)
    size = max((len(part.at_risk) for part in curves_), default=1)
    at_risk, events = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for part in curves_:
        at_risk[: len(part.at_risk)] += part.at_risk
        events[: len(part.events)] += part.events
    return ReturnCurve(sum(part.n for part in curves_), at_risk, events)


@dataclass(frozen=True, slots=True)
class LogRank:
    """A log-rank test of two curves (1 degree of freedom), counted for the first one."""

    observed: int
    expected: float
    variance: float
    chi_square: float
    p: float


def log_rank(first: ReturnCurve, second: ReturnCurve) -> LogRank:
    """Test whether two groups come back at the same pace; p is 1 where nothing can be compared."""
    both = pool([first, second])
    share = np.zeros(len(both.at_risk))
    share[: len(first.at_risk)] = _ratio(first.at_risk, both.at_risk[: len(first.at_risk)])
    expected = float((both.events * share).sum())
    spread = _ratio(both.at_risk - both.events, np.maximum(both.at_risk - 1, 1))
    variance = float((both.events * share * (1.0 - share) * spread).sum())
    chi_square = (first.returned - expected) ** 2 / variance if variance > 0 else 0.0
    p = math.erfc(math.sqrt(chi_square / 2.0))
    return LogRank(first.returned, expected, variance, chi_square, p)


@dataclass(frozen=True, slots=True)
class BusiestDays:
    """The days after a purchase on which returns are most frequent, both ends included.

    Attributes:
        daily_rate: returns per waiting customer and day.
        interval: its 95% interval (see :func:`rate_interval`).
    """

    from_day: int
    to_day: int
    daily_rate: float
    interval: tuple[float, float]


def busiest_days(wait: ReturnCurve, *, width: int = 7) -> BusiestDays | None:
    """Find the ``width`` days (a week, to hold every weekday once) with the highest daily rate.

    None while fewer than ``ENOUGH_EVENTS`` have come back or nobody was observed that long.
    """
    last = wait.horizon
    if not wait.enough or last < width:
        return None
    window = np.ones(width)
    returns = np.convolve(wait.events[1 : last + 1], window, mode="valid")
    person_days = np.convolve(wait.at_risk[1 : last + 1], window, mode="valid")
    rates = _ratio(returns, person_days)
    start = int(np.argmax(rates))
    interval = rate_interval(round(returns[start]), round(person_days[start]))
    return BusiestDays(start + 1, start + width, float(rates[start]), interval)


def rate_interval(events: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of the share ``events`` of ``trials`` (1927); all, of none."""
    if not trials:
        return 0.0, 1.0
    share, z2 = events / trials, _Z95 * _Z95
    middle = share + z2 / (2 * trials)
    half = _Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    # At no events (or nothing but events) rounding may step over the edge.
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Shares:
    """Divide, with 0 where nothing is divided by."""
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _first(reached: npt.NDArray[np.bool_]) -> int | None:
    """Return the first index that holds, None if none does."""
    return int(np.argmax(reached)) if reached.any() else None
