"""One row per customer as of an instant: the words that segments, conditions and templates share.

Only paid lines ordered up to the instant count; cancelled, refunded, exchanged and unpaid ones
never do. An order that comes later therefore never changes what was said of an earlier instant.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple, NewType
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.frames import INSTANT, MONEY, PERSON, conform
from remindctl.intervals import timing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.frames import Customers, Orders
    from remindctl.intervals import DueThresholds

Profiles = NewType("Profiles", pl.DataFrame)

DUE_STATES = ("not_due", "due", "late", "lapsed", "one_time")

# How many orders of one's own outweigh the store's hours: with fewer, the store's curve decides.
HOUR_WEIGHT = 5


class Column(NamedTuple):
    """A column of Profiles: its dtype, and what it means in one sentence."""

    dtype: pl.DataType | type[pl.DataType]
    meaning: str


COLUMNS: Mapping[str, Column] = {
    "person": Column(PERSON, "Number of the person within this load; of no meaning outside it."),
    "customer_key": Column(pl.String, "The person's name in output and log."),
    "name": Column(pl.String, "Full name as the shop knows it."),
    "first_name": Column(pl.String, "The name to address the person by."),
    "email": Column(pl.String, "E-mail address, lower case."),
    "phone": Column(pl.String, "Phone number, E.164."),
    "locale": Column(pl.String, "Language tag, as the shop states it."),
    "timezone": Column(pl.String, "The person's own time zone; null = not known."),
    "tags": Column(pl.List(pl.String), "Tags the shop gave the person."),
    "orders": Column(pl.Int64, "Number of paid orders."),
    "purchase_days": Column(pl.Int64, "Number of dates with a paid order."),
    "spent": Column(MONEY, "What was paid for all orders, in the store's currency."),
    "first_at": Column(INSTANT, "Instant of the first order."),
    "last_at": Column(INSTANT, "Instant of the latest order."),
    "first_on": Column(pl.Date, "Date of the first order, on the shop's calendar."),
    "last_on": Column(pl.Date, "Date of the latest order, on the shop's calendar."),
    "first_order_id": Column(pl.String, "The shop's id of the first order."),
    "last_order_id": Column(pl.String, "The shop's id of the latest order."),
    "days_since_last": Column(pl.Int64, "Days since the date of the latest order."),
    "gap_days_median": Column(
        pl.Float64, "Median of the days between two purchase days; null before the second."
    ),
    "last_products": Column(pl.List(pl.String), "Products of the latest order, each once."),
    "favourite_category": Column(
        pl.String, "The category of most orders; of equals, the one bought last."
    ),
    "favourite_product": Column(
        pl.String, "The product of most orders; of equals, the one bought last."
    ),
    "habitual_hour": Column(
        pl.Int8,
        "Hour of the day (0-23, store's zone) at which the person is most likely to order; "
        f"the store's own hours weigh as much as {HOUR_WEIGHT} orders.",
    ),
    "currency": Column(pl.String, "Currency of `spent`."),
    "due_state": Column(
        pl.String,
        "Where the person stands on the store's return curve: not_due, due, late or lapsed; "
        "one_time = bought on one day and the curve cannot say; null = no order, or it cannot say.",
    ),
}


def profiles(
    orders: Orders,
    customers: Customers,
    as_of: datetime,
    *,
    zone: str,
    currency: str,
    thresholds: Mapping[int, DueThresholds] | None = None,
) -> Profiles:
    """Describe every person of ``customers`` as of an instant.

    Args:
        orders: order lines; those without a person are no one's.
        customers: who there is; further columns of the shop's file follow the canonical ones.
        as_of: the instant, with its zone.
        zone: the store's time zone, for dates and hours.
        currency: what ``spent`` adds up; lines in another currency count as orders, not as money.
        thresholds: from ``intervals.due_thresholds``; without them nobody is said to be due.

    Returns:
        the columns of :data:`COLUMNS`, then the further columns of ``customers``; sorted by person.
    """
    as_of = as_of.astimezone(UTC)
    seen = orders.filter(
        pl.col("status") == "paid", pl.col("ordered_at") <= as_of, pl.col("person").is_not_null()
    ).sort("ordered_at", "order_id", "line_id")
    today = as_of.astimezone(ZoneInfo(zone)).date()
    in_currency = pl.col("currency").fill_null(currency) == currency
    bought = seen.group_by("person").agg(
        pl.col("order_id").n_unique().alias("orders"),
        pl.col("ordered_on").n_unique().alias("purchase_days"),
        pl.col("amount").filter(in_currency).sum().alias("spent"),
        pl.col("ordered_at").first().alias("first_at"),
        pl.col("ordered_at").last().alias("last_at"),
        pl.col("ordered_on").min().alias("first_on"),
        pl.col("ordered_on").max().alias("last_on"),
        pl.col("order_id").first().alias("first_order_id"),
        pl.col("order_id").last().alias("last_order_id"),
    )
    parts = [
        bought,
        _median_gaps(seen),
        _last_products(seen, bought),
        _favourites(seen, "category"),
        _favourites(seen, "product"),
        _habitual_hours(seen, zone),
    ]
    people = customers.sort("person")
    for part in parts:
        taken = [name for name in part.columns if name != "person" and name in people.columns]
        people = people.drop(taken).join(part, on="person", how="left", maintain_order="left")
    waited = (pl.lit(today) - pl.col("last_on")).dt.total_days().clip(lower_bound=0)
    people = people.with_columns(
        pl.col("orders", "purchase_days").fill_null(0),
        pl.col("spent").fill_null(0),
        waited.alias("days_since_last"),
        pl.lit(currency).alias("currency"),
        timing(pl.col("purchase_days"), waited, thresholds).alias("due_state")
        if thresholds
        else pl.lit(None, dtype=pl.String).alias("due_state"),
    )
    once = (pl.col("purchase_days") == 1) & pl.col("due_state").is_null()
    people = people.with_columns(
        pl.when(once).then(pl.lit("one_time")).otherwise("due_state").alias("due_state")
    )
    schema = {name: column.dtype for name, column in COLUMNS.items()}
    return Profiles(conform(people, schema, extra=True))


def _median_gaps(seen: pl.DataFrame) -> pl.DataFrame:
    days = seen.select("person", "ordered_on").unique().sort("person", "ordered_on")
    previous = pl.when(pl.col("person") == pl.col("person").shift(1)).then(
        pl.col("ordered_on").shift(1)
    )
    gaps = days.select("person", (pl.col("ordered_on") - previous).dt.total_days().alias("gap"))
    return (
        gaps.drop_nulls()
        .group_by("person")
        .agg(pl.col("gap").median().cast(pl.Float64).alias("gap_days_median"))
    )


def _last_products(seen: pl.DataFrame, bought: pl.DataFrame) -> pl.DataFrame:
    latest = bought.select("person", pl.col("last_order_id").alias("order_id"))
    lines = seen.join(latest, on=["person", "order_id"], how="semi", maintain_order="left")
    return lines.group_by("person").agg(
        pl.col("product").drop_nulls().unique(maintain_order=True).alias("last_products")
    )


def _favourites(seen: pl.DataFrame, column: str) -> pl.DataFrame:
    counted = (
        seen.filter(pl.col(column).is_not_null())
        .group_by("person", column)
        .agg(pl.col("order_id").n_unique().alias("times"), pl.col("ordered_at").max().alias("last"))
        .sort("times", "last", column, descending=[True, True, False])
    )
    return counted.group_by("person").agg(pl.col(column).first().alias(f"favourite_{column}"))


def _habitual_hours(seen: pl.DataFrame, zone: str) -> pl.DataFrame:
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
