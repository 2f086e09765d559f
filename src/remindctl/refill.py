"""How long a purchase of one item lasts: days until the same is bought again, and days per unit.

Whoever buys twice as much comes back later without using less. So beside the plain wait stands the
wait divided by the units of the purchase that began it. Those still away are censored in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remindctl.rows import tally
from remindctl.survival import curve_of_counts

if TYPE_CHECKING:
    from remindctl.intervals import Waits
    from remindctl.survival import ReturnCurve


@dataclass(frozen=True, slots=True)
class UnitDays:
    """Days per unit bought.

    Attributes:
        p25, median, p75: days per unit after which that share of all waits is over (Kaplan-Meier),
            None where the curve does not reach it.
        completed_mean: of the completed waits only, so too short (see ``intervals``).
        units_median: the most units that half of the purchases did not exceed.
    """

    p25: float | None
    median: float | None
    p75: float | None
    completed_mean: float
    units_median: int


def unit_days(waiting: Waits) -> UnitDays | None:
    """Estimate the days per unit; None without a quantity or without any return.

    Args:
        waiting: of one item; ``units`` where the file has quantities.
    """
    if "units" not in waiting.columns or not waiting["returned"].any():
        return None
    wait, units, returned = (waiting[name].to_numpy() for name in ("wait", "units", "returned"))
    # Of all purchases few differ in days, units and end.
    longest = int(wait.max()) + 1
    kinds, purchases = tally((units * longest + wait) * 2 + returned)
    (units, wait), returned = divmod(kinds // 2, longest), kinds % 2 == 1
    # Kaplan and Meier need only the order of the times, so ranks serve where days are not whole.
    times, rank = np.unique(wait / units, return_inverse=True)
    exits = np.bincount(rank, purchases, len(times)).astype(np.int64)
    events = np.bincount(rank, purchases * returned, len(times)).astype(np.int64)
    by_rank = curve_of_counts(exits, events)
    ranks = [by_rank.quantile(p) for p in (0.25, 0.50, 0.75)]
    p25, median, p75 = (None if rank is None else float(times[rank]) for rank in ranks)
    completed = math.fsum((wait * purchases / units)[returned])
    return UnitDays(
        p25,
        median,
        p75,
        completed / by_rank.returned,
        # Kinds are in the order of their units.
        int(units[np.searchsorted(purchases.cumsum(), (by_rank.n + 1) // 2)]),
    )


@dataclass(frozen=True, slots=True)
class Refill:
    """When an item is bought again, from the narrowest group with enough returns.

    Attributes:
        level: whose curve: option, sku, product, category (the same one again), or store (anything
            at all again).
        of: the name of that option, product or category; empty for the store.
        returned: the returns behind it.
        p25, median, p75: days by which that share of all waits is over (Kaplan-Meier); None where
            the curve does not reach it.
        unit_days: per unit bought; None for categories and the store, whose units differ in kind.
    """

    level: str
    of: str
    returned: int
    p25: int | None
    median: int | None
    p75: int | None
    unit_days: UnitDays | None


def refill(level: str, of: str, wait: ReturnCurve, per_unit: UnitDays | None = None) -> Refill:
    """Read a refill cycle off the curve of a level."""
    p25, median, p75 = (wait.quantile(p) for p in (0.25, 0.50, 0.75))
    return Refill(level, of, wait.returned, p25, median, p75, per_unit)
