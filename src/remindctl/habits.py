"""What customers usually do: favourites, hours, codes; one row per person for each.

Every function takes the paid lines of recognised people that count, in the order of time.
"""

from __future__ import annotations

import polars as pl

# How many orders of one's own outweigh the store's hours: with fewer, the store's curve decides.
HOUR_WEIGHT = 5


def median_gaps(seen: pl.DataFrame) -> pl.DataFrame:
    """Return gaps (how many), gap_days_median, gap_days_max: of days between purchase days."""
    days = seen.select("person", "ordered_on").unique().sort("person", "ordered_on")
    previous = pl.when(pl.col("person") == pl.col("person").shift(1)).then(
        pl.col("ordered_on").shift(1)
    )
    gaps = days.select("person", (pl.col("ordered_on") - previous).dt.total_days().alias("gap"))
    return (
        gaps.drop_nulls()
        .group_by("person")
        .agg(
            pl.len().alias("gaps"),
            pl.col("gap").median().cast(pl.Float64).alias("gap_days_median"),
            pl.col("gap").max().alias("gap_days_max"),
        )
    )


def last_products(seen: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """Return last_products: those of the order in ``latest`` (person, order_id), each once."""
    lines = seen.join(latest, on=["person", "order_id"], how="semi", maintain_order="left")
    return lines.group_by("person").agg(
        pl.col("product").drop_nulls().unique(maintain_order=True).alias("last_products")
    )


def favourites(seen: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return favourite_X, its share of the orders that name an X, and X_count (distinct ones)."""
    named = seen.filter(pl.col(column).is_not_null())
    counted = (
        named.group_by("person", column)
        .agg(pl.col("order_id").n_unique().alias("times"), pl.col("ordered_at").max().alias("last"))
        .sort("times", "last", column, descending=[True, True, False])
    )
    chosen = counted.group_by("person").agg(
        pl.col(column).first().alias(f"favourite_{column}"),
        pl.len().cast(pl.Int64).alias(f"{column}_count"),
        pl.col("times").first(),
    )
    orders = named.group_by("person").agg(pl.col("order_id").n_unique().alias("all"))
    share = (pl.col("times") / pl.col("all")).alias(f"favourite_{column}_share")
    return chosen.join(orders, on="person").with_columns(share).drop("times", "all")


def code_shares(seen: pl.DataFrame) -> pl.DataFrame:
    """Return code_share: the share of orders with a discount code; no rows if no file names any."""
    if seen["discount_code"].null_count() == len(seen):
        return pl.DataFrame(schema={"person": seen.schema["person"], "code_share": pl.Float64})
    orders = seen.group_by("person", "order_id").agg(pl.col("discount_code").is_not_null().any())
    return orders.group_by("person").agg(pl.col("discount_code").mean().alias("code_share"))


def habitual_hours(seen: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Take the hour h with the largest n_h + w·π_h, own orders and the store's share of orders."""
    hour = pl.col("ordered_at").dt.convert_time_zone(zone).dt.hour().alias("habitual_hour")
    times = seen.unique(["person", "order_id"], keep="first").select("person", hour)
    store = times.group_by("habitual_hour").agg(pl.len().alias("n"))
    store = store.select("habitual_hour", (pl.col("n") / pl.col("n").sum()).alias("share"))
    own = times.group_by("person", "habitual_hour").agg(pl.len().alias("n"))
    busiest = store.sort("share", "habitual_hour", descending=[True, False]).head(1)
    anyone = own.select("person").unique().join(busiest, how="cross").with_columns(n=pl.lit(0))
    scored = pl.concat(
        [
            own.join(store, on="habitual_hour"),
            anyone.select("person", "habitual_hour", "n", "share"),
        ],
        how="vertical_relaxed",
    ).with_columns((pl.col("n") + HOUR_WEIGHT * pl.col("share")).alias("score"))
    ranked = scored.sort("score", "habitual_hour", descending=[True, False])
    return ranked.group_by("person").agg(pl.col("habitual_hour").first())
