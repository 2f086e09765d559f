"""Buyers who look like businesses, or as if they bought for many people.

Their cycles are not those of a household. They are counted and shown, and left out only when asked:
a rule of thumb must not take the best customers out of an answer behind its reader's back. Whether
parcels went to other people is not known here: canonical orders hold no recipients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from remindctl.intervals import Waits

# One day with ten times the usual units, and ten at least, is no household's shopping.
BULK_TIMES, BULK_UNITS = 10, 10
# Nor are this many orders on one day,
DAY_ORDERS = 5
# nor this many purchase days that lie so few days apart on average.
FREQUENT_DAYS, FREQUENT_GAP = 10, 3


@dataclass(frozen=True, slots=True)
class Outliers:
    """How many customers look like business or gift buyers, and by which sign; some show several.

    Attributes:
        customers: those with at least one of the signs.
        bulk: had a day with ``bulk_units`` units or more; None: the file has no quantities.
        many_orders: had a day with 5 orders or more.
        frequent: bought on 10 days or more that lie 3 days apart or less on average.
        left_out: whether the numbers of the analysis are without them.
    """

    customers: int
    bulk: int | None
    bulk_units: int | None
    many_orders: int
    frequent: int
    left_out: bool


def find(waiting: Waits, *, left_out: bool) -> tuple[Outliers, pl.Series]:
    """Find them among the purchase days known so far.

    Returns:
        the counts, and the persons.
    """
    bulk_units = None
    bulk = waiting["person"].clear()
    if "units" in waiting.columns:
        usual = waiting["units"].median()
        bulk_units = max(BULK_UNITS, BULK_TIMES * int(usual)) if isinstance(usual, float) else None
    if bulk_units is not None:
        bulk = waiting.filter(pl.col("units") >= bulk_units)["person"].unique()
    many = waiting.filter(pl.col("orders") >= DAY_ORDERS)["person"].unique()
    frequent = _frequent(waiting)
    persons = pl.concat([bulk, many, frequent]).unique().sort()
    counted = None if bulk_units is None else len(bulk)
    return Outliers(len(persons), counted, bulk_units, len(many), len(frequent), left_out), persons


def _frequent(waiting: Waits) -> pl.Series:
    often = waiting.filter(pl.col("number") == FREQUENT_DAYS)["person"]
    theirs = waiting.filter(pl.col("returned"), pl.col("person").is_in(often.implode()))
    mean = theirs.group_by("person").agg(pl.col("wait").mean())
    return mean.filter(pl.col("wait") <= FREQUENT_GAP)["person"]
