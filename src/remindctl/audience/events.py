"""Occasions of events: a cart, a single event, or an episode of several.

An event without an id of its own belongs to an episode: the events of that name and person since
their last order, without a pause of more than a day. An episode is named after its first instant,
so that events to come never rename it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.sources import PURCHASE, at_the_latest, just_after, next_day

if TYPE_CHECKING:
    from remindctl.audience.sources import Sources
    from remindctl.model import Step

# Names that every events file may use; others are anchors too.
WELL_KNOWN = (
    "visit", "product_view", "search", "wishlist", "cart", "checkout", "cancel", "signup",
    "coupon_used", PURCHASE,
)  # fmt: skip

PAUSE = timedelta(hours=24)

_INSTANT = "%Y-%m-%dT%H:%M:%S%.6fZ"


def happened(sources: Sources, step: Step) -> pl.DataFrame:
    """Find the occasions of the events that ``after`` names, told of by the last event of each.

    The wait is counted from that last event. Rows of one instant are one event (a cart of several
    lines), told of by the row of the highest value.
    """
    name = step.due.after
    events = (
        sources.happened()
        .filter(pl.col("event") == name)
        .sort("person", "occurred_at", maintain_order=True)
    )
    own = pl.coalesce("cart_id", "event_id")
    single = events.filter(own.is_not_null()).with_columns(own.alias("occasion"))
    loose = events.filter(own.is_null())
    grouped = _episodes(loose, _orders(sources, loose))
    at = pl.col("anchor_at")
    # A purchase is an order, and its own order may stand in the files a little later.
    ends = next_day(at, sources.store.timezone) if name == PURCHASE else just_after(at)
    return _told(pl.concat([single, grouped])).with_columns(ends.alias("ends_from"))


def first_of(sources: Sources, name: str) -> pl.DataFrame:
    """Return when each person had their first event of a name: person, at."""
    return (
        sources.happened()
        .filter(pl.col("event") == name)
        .group_by("person")
        .agg(pl.col("occurred_at").min().alias("at"))
    )


def _orders(sources: Sources, events: pl.DataFrame) -> pl.DataFrame:
    """Return every instant at which the people of ``events`` ordered: person, at; sorted."""
    whose = events.select("person").unique()
    lines = sources.lines().filter(pl.col("status") == "paid").join(whose, on="person", how="semi")
    bought = sources.happened().filter(pl.col("event") == PURCHASE)
    at = at_the_latest(pl.col("ordered_at"), sources.store.timezone)
    return (
        pl.concat(
            [
                lines.select("person", at.alias("at")),
                bought.join(whose, on="person", how="semi").select(
                    "person", pl.col("occurred_at").alias("at")
                ),
            ]
        )
        .unique()
        .sort("person", "at")
    )


def _episodes(events: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Give events, sorted by person and time, the occasion they belong to."""
    at, before = pl.col("occurred_at"), pl.col("occurred_at").shift(1)
    starts = (
        pl.col("person").ne_missing(pl.col("person").shift(1))
        | (at - before > PAUSE)
        | (pl.col("_ordered") > before)
    ).fill_null(value=False)
    last_order = events.join_asof(
        orders.rename({"at": "_ordered"}),
        left_on="occurred_at",
        right_on="_ordered",
        by="person",
        coalesce=False,
        check_sortedness=False,
    )
    begun = pl.when(starts).then(at).forward_fill()
    return last_order.with_columns(begun.dt.strftime(_INSTANT).alias("occasion")).drop("_ordered")


def _told(events: pl.DataFrame) -> pl.DataFrame:
    """Merge the events of each person and occasion into one row, told of by the last one."""
    found = events.sort(
        "occurred_at", "value", descending=[True, True], nulls_last=True, maintain_order=True
    )
    first = ("product_id", "product", "url", "quantity", "value", "cart_id", "code")
    return found.group_by("person", "occasion").agg(
        pl.col("occurred_at").first().alias("anchor_at"),
        *(pl.col(name).first() for name in first),
        pl.col("product").drop_nulls().unique(maintain_order=True).alias("products"),
    )
