"""Which customers may have bought before the files begin: their first order is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.intervals import thresholds_of

if TYPE_CHECKING:
    from datetime import date

    from remindctl.intervals import Waits
    from remindctl.survival import ReturnCurve

# Where too few return to say how long a wait may be.
_ASSUMED_DAYS = 90


@dataclass(frozen=True, slots=True)
class LeftTruncation:
    """From when on a customer who is new to the files is taken for a new customer.

    Attributes:
        days: how long a wait may well be: by then 90% of the returns that come have come; 90 days
            where too few have.
        known_from: so many days after the first one of the files; None without any order.
        customers: those first seen before it.
    """

    days: int
    known_from: date | None
    customers: int


def left_truncation(waiting: Waits, first: date | None, store: ReturnCurve) -> LeftTruncation:
    """Mark the beginning of the files.

    Args:
        waiting: the waits of all orders.
        first: the first day with an order.
        store: the curve of all orders to the next.
    """
    thresholds = thresholds_of(store, "store")
    known = thresholds.lapsed_days if thresholds else None
    days = _ASSUMED_DAYS if known is None else known
    if first is None:
        return LeftTruncation(days, None, 0)
    known_from = first + timedelta(days)
    early = waiting.filter(pl.col("number") == 1, pl.col("on") < known_from)
    return LeftTruncation(days, known_from, len(early))
