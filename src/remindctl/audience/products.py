"""Occasions of products that should be used up by now: the last purchase of each, and its cycle.

How long a product lasts is counted per unit, so that whoever bought two is reminded after twice the
days; purchases that nobody has repeated yet are censored, not left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.sources import next_day
from remindctl.frames import PERSON, Orders
from remindctl.intervals import Waits, curves_by, purchase_days, waits
from remindctl.profiles import calendar_day
from remindctl.survival import ENOUGH_EVENTS

if TYPE_CHECKING:
    from remindctl.audience.sources import Sources
    from remindctl.model import Step

QUANTILES = {"p25": 0.25, "median": 0.50, "p75": 0.75, "p90": 0.90}

# The name of a product where the files give it no id.
KEY = pl.coalesce("product_id", "product")

# Curves are made of so many products at once: a table of products × waits must fit in memory.
_BLOCK = 256


def bought(sources: Sources, step: Step) -> pl.DataFrame:
    """Find the last purchase of each person and product that has a cycle, with ``wait_days``."""
    lines = _lines(sources)
    waiting = _waits(lines, sources)
    cycles = _cycles(waiting, getattr(step.due.wait, "quantile", "median"))
    last = lines.group_by("pair").agg(
        pl.col("buyer").first(),
        pl.col("product_id", "product", "ordered_at").sort_by("ordered_at").last(),
    )
    days = (pl.col("days_per_unit") * pl.col("units")).round().clip(lower_bound=1)
    return (
        waiting.filter(~pl.col("returned"))
        .join(cycles, on="key")
        .join(last, on="pair")
        .select(
            pl.col("buyer").alias("person"),
            pl.concat_str("key", pl.col("on").cast(pl.String), separator=" ").alias("occasion"),
            pl.col("ordered_at").alias("anchor_at"),
            next_day(pl.col("ordered_at"), sources.store.timezone).alias("ends_from"),
            days.cast(pl.Int64).alias("wait_days"),
            "key",
            "product_id",
            "product",
            pl.concat_list("product").list.drop_nulls().alias("products"),
            pl.col("units").alias("quantity"),
            pl.col("amount").alias("value"),
        )
    )


def cycles(sources: Sources, quantile: str) -> pl.DataFrame:
    """Return the products whose curve reaches the quantile: key, days_per_unit."""
    return _cycles(_waits(_lines(sources), sources), quantile)


def _lines(sources: Sources) -> pl.DataFrame:
    """Return the paid lines that name a product, the person and it numbered as a ``pair``."""
    lines = sources.lines().filter(pl.col("status") == "paid", KEY.is_not_null())
    code = KEY.cast(pl.Categorical).to_physical().cast(pl.UInt64)
    number = (pl.col("person").cast(pl.UInt64) * 2**32 + code).rank("dense")
    return lines.select(
        pl.col("person").alias("buyer"),
        number.cast(PERSON).alias("pair"),
        KEY.alias("key"),
        "status", "order_id", "ordered_at", "ordered_on", "product_id", "product", "quantity",
        "amount",
    )  # fmt: skip


def _waits(lines: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """Say of each purchase how long its buyer then waited before buying the same again."""
    today = calendar_day(sources.as_of, sources.store.timezone)
    # To the arithmetic of returns every pair of person and product is someone of their own.
    days = purchase_days(Orders(lines.rename({"pair": "person"})))
    keys = lines.select("pair", "key").unique("pair")
    return waits(days, today).rename({"person": "pair"}).join(keys, on="pair")


def _cycles(waiting: pl.DataFrame, quantile: str) -> pl.DataFrame:
    enough = (
        waiting.group_by("key")
        .agg(pl.col("returned").sum())
        .filter(pl.col("returned") >= ENOUGH_EVENTS)
        .sort("key")
        .with_row_index("item")
    )
    waiting = waiting.join(enough.select("key", "item"), on="key").with_columns(
        (pl.col("wait") / pl.col("units")).alias("per_unit")
    )
    days: dict[int, float] = {}
    for first in range(0, len(enough), _BLOCK):
        block = waiting.filter(pl.col("item").is_between(first, first + _BLOCK - 1))
        # Kaplan and Meier need only the order of the times, so ranks serve for parts of days.
        times = block["per_unit"].unique().sort()
        ranked = block.with_columns(
            (pl.col("per_unit").rank("dense").cast(pl.Int64) - 1).alias("wait")
        )
        for item, wait in curves_by(Waits(ranked), ranked["item"] - first).items():
            rank = wait.quantile(QUANTILES[quantile])
            if rank is not None:
                days[first + item] = times[rank]
    known = pl.DataFrame(
        {"item": list(days), "days_per_unit": list(days.values())},
        schema={"item": enough.schema["item"], "days_per_unit": pl.Float64},
    )
    return enough.join(known, on="item").select("key", "days_per_unit")
