"""Which coupon each message carries: the one its key already has, else a free one, once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.frames import Coupons
from remindctl.hours import exactly

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.model import Coupon, Store

EMPTY_POOL = "coupon_pool_empty"
_COLUMNS: Mapping[str, type[pl.DataType]] = {
    "coupon_pool": pl.String,
    "coupon_code": pl.String,
    "coupon_until": pl.Date,
    "coupon_hold": pl.String,
}


def no_coupons(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the coupon columns of messages that give none, one row per row of ``rows``."""
    nothing = (pl.repeat(None, pl.len(), dtype=dtype).alias(n) for n, dtype in _COLUMNS.items())
    return rows.select(nothing)


def give(
    rows: pl.DataFrame, offer: Coupon, coupons: Coupons, store: Store, as_of: datetime
) -> pl.DataFrame:
    """Pick a code for each row that wants one, in their order.

    Args:
        rows: has person, key and wants (whether a code is picked at all).
        offer: what the step gives.
        coupons: of all pools, issued and free; a message that had a code gets it back.
        store: its calendar.
        as_of: codes whose last day is over are not given out.

    Returns:
        coupon_pool, coupon_code, coupon_until and coupon_hold (``coupon_pool_empty`` where no code
        was left), one row per row of ``rows``.
    """
    today = as_of.astimezone(ZoneInfo(store.timezone)).date()
    until = pl.lit(None, dtype=pl.Date)
    if offer.valid_for is not None:
        until = pl.lit(today + exactly(offer.valid_for), dtype=pl.Date)
    if offer.pool is None:
        last = pl.min_horizontal(until, pl.lit(offer.valid_until, dtype=pl.Date))
        over = offer.valid_until is not None and offer.valid_until < today
        wants = pl.col("wants")
        return rows.select(
            pl.lit(None, dtype=pl.String).alias("coupon_pool"),
            pl.when(wants & ~pl.lit(over)).then(pl.lit(offer.code)).alias("coupon_code"),
            pl.when(wants & ~pl.lit(over)).then(last).alias("coupon_until"),
            pl.when(wants & pl.lit(over)).then(pl.lit("coupon_over")).alias("coupon_hold"),
        )
    pool = coupons.filter(pl.col("pool") == offer.pool)
    had = (
        pool.filter(pl.col("key").is_not_null(), pl.col("person").is_not_null())
        .select(
            "person", "key", pl.col("code").alias("_had"), pl.col("valid_until").alias("_had_until")
        )
        .unique(["person", "key"], keep="first", maintain_order=True)
    )
    free = pool.filter(
        pl.col("key").is_null(), pl.col("valid_until").is_null() | (pl.col("valid_until") >= today)
    ).select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("_place"),
        pl.col("code").alias("_free"),
        pl.col("valid_until").alias("_free_until"),
    )
    asked = rows.select("person", "key", "wants").join(
        had, on=["person", "key"], how="left", maintain_order="left"
    )
    needs = pl.col("wants") & pl.col("_had").is_null()
    asked = asked.with_columns(
        pl.when(needs).then((needs.cum_sum() - 1).cast(pl.UInt32)).alias("_place")
    ).join(free, on="_place", how="left", maintain_order="left")
    code = pl.when("wants").then(pl.coalesce("_had", "_free"))
    return asked.select(
        pl.when(code.is_not_null()).then(pl.lit(offer.pool)).alias("coupon_pool"),
        code.alias("coupon_code"),
        pl.when(pl.col("_had").is_not_null())
        .then("_had_until")
        .when(code.is_not_null())
        .then(pl.min_horizontal(until, "_free_until"))
        .alias("coupon_until"),
        pl.when(pl.col("wants") & code.is_null()).then(pl.lit(EMPTY_POOL)).alias("coupon_hold"),
    )


def without(coupons: Coupons, given: pl.DataFrame) -> Coupons:
    """Return the codes as they stand once ``given`` (key, person, pool, code, until) are out."""
    out = given.filter(pl.col("coupon_pool").is_not_null()).select(
        pl.col("coupon_pool").alias("pool"),
        pl.col("coupon_code").alias("code"),
        pl.col("coupon_until").alias("_until"),
        pl.col("key").alias("_key"),
        pl.col("person").alias("_person"),
    )
    marked = coupons.join(out, on=["pool", "code"], how="left", maintain_order="left")
    return Coupons(
        marked.with_columns(
            pl.coalesce("_key", "key").alias("key"),
            pl.coalesce("_person", "person").alias("person"),
            pl.coalesce("_until", "valid_until").alias("valid_until"),
        ).drop("_until", "_key", "_person")
    )
