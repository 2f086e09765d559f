"""What a reader of the files must find, counted from the model itself and never from the files."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import date


def repurchases(purchases: Iterable[tuple[Hashable, date]]) -> dict[str, float]:
    """Count buyers, purchase days (person x local date) and the gaps between them, in days."""
    days: defaultdict[Hashable, set[date]] = defaultdict(set)
    for person, day in purchases:
        days[person].add(day)
    gaps = [(b - a).days for found in days.values() for a, b in pairwise(sorted(found))]
    return {
        "buyers": len(days),
        "repeat_buyers": sum(len(found) > 1 for found in days.values()),
        "purchase_days": sum(len(found) for found in days.values()),
        "gaps": len(gaps),
        "gap_days_sum": sum(gaps),
        "gap_days_median": median(gaps),
    }
