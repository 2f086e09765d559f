"""Waits that the store's own data tells, instead of a number in a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.products import QUANTILES, cycles
from remindctl.hours import after, by_zone, days_after
from remindctl.intervals import purchase_days, waits
from remindctl.model import Span
from remindctl.profiles import calendar_day
from remindctl.survival import ENOUGH_EVENTS, curve

if TYPE_CHECKING:
    from remindctl.audience.sources import Sources
    from remindctl.model import Statistic
    from remindctl.survival import ReturnCurve


def _return_curve(sources: Sources) -> ReturnCurve:
    """Estimate how all customers come back, whatever their order number and product."""
    today = calendar_day(sources.as_of, sources.store.timezone)
    waiting = waits(purchase_days(sources.orders), today)
    return curve(waiting["wait"].to_numpy(), waiting["returned"].to_numpy())


def cycle(sources: Sources, quantile: str) -> int | None:
    """Return the days by which a share of all waits is over; None: too few returns, or never."""
    found = _return_curve(sources)
    return found.quantile(QUANTILES[quantile]) if found.enough else None


def unreached(sources: Sources, wait: Statistic) -> str | None:
    """Say why the data tell nothing of a statistic; None: they do."""
    if wait.of == "customer_cycle":
        silent = sources.profiles["gap_days_median"].is_null().all()
        return "nobody has bought on two days, so nobody has a cycle" if silent else None
    share = QUANTILES[wait.quantile]
    if wait.of == "product_cycle":
        few = f"{ENOUGH_EVENTS} repeat purchases of the same, and {share:.0%} of its waits over"
        silent = cycles(sources, wait.quantile).is_empty()
        return f"no product has {few}" if silent else None
    found = _return_curve(sources)
    if not found.enough:
        return f"{wait} takes {ENOUGH_EVENTS} returns, and there are {found.returned}"
    if found.quantile(share) is None:
        back = 1 - float(found.survival[-1])
        return f"{wait} is not reached: {back:.0%} of the waits are over at last, not {share:.0%}"
    return None


def with_days(found: pl.DataFrame, sources: Sources, wait: Span | Statistic) -> pl.DataFrame:
    """Add ``wait_days`` where the wait is a statistic; rows of which it tells nothing are left out.

    A product's cycle is told with its anchors, by ``products.bought``.
    """
    if isinstance(wait, Span) or "wait_days" in found.columns:
        return found
    if wait.of == "customer_cycle":
        own = sources.profiles.select(
            "person", pl.col("gap_days_median").round().cast(pl.Int64).alias("wait_days")
        )
        found = found.join(own, on="person", how="left", maintain_order="left")
    else:
        days = pl.lit(cycle(sources, wait.quantile), dtype=pl.Int64)
        found = found.with_columns(days.alias("wait_days"))
    return found.filter(pl.col("wait_days").is_not_null())


def wanted(found: pl.DataFrame, wait: Span | Statistic) -> pl.DataFrame:
    """Add ``wanted_at``, the anchor and the wait after it on the clock of ``zone``."""

    def in_zone(part: pl.DataFrame, zone: str) -> pl.DataFrame:
        at = pl.col("anchor_at")
        moved = (
            after(at, wait, zone)
            if isinstance(wait, Span)
            else days_after(at, pl.col("wait_days"), zone)
        )
        return part.with_columns(moved.alias("wanted_at"))

    return by_zone(found, in_zone)


def length(wait: Span | Statistic) -> pl.Expr:
    """Return the wait as a length of time, its days as 24 hours each."""
    if isinstance(wait, Span):
        return pl.duration(days=wait.days, seconds=wait.seconds)
    return pl.duration(days="wait_days")
