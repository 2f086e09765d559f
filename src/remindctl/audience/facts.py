"""Facts that a message states of its product, each with the age it may have.

What is not known, too old or nothing to boast of (none left, nobody bought) is missing: a message
that needs it is not sent, because what it says must be true when it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.products import KEY
from remindctl.audience.sources import PURCHASE
from remindctl.hours import exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from remindctl.frames import Events, Orders
    from remindctl.model import Span

    # Order lines and events within the age of the fact → key, fact.
    Fact = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]


def _stock(_orders: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Tell the stock as the latest event of the product said it, anyone's."""
    told = events.filter(pl.col("stock").is_not_null()).sort("occurred_at", maintain_order=True)
    return told.group_by(KEY.alias("key")).agg(pl.col("stock").last().alias("fact"))


def _buyers(orders: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Count the different people who bought the product, in orders or purchase events."""
    paid = orders.filter(pl.col("status") == "paid")
    bought = events.filter(pl.col("event") == PURCHASE)
    of_product = "person", KEY.alias("key")
    return _people(pl.concat([paid.select(of_product), bought.select(of_product)]))


def _viewers(_orders: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Count the different people who looked at the product."""
    seen = events.filter(pl.col("event") == "product_view")
    return _people(seen.select("person", KEY.alias("key")))


# Name → the fact of every product, by its id (or, without one, its name).
FACTS: Mapping[str, Fact] = {"stock": _stock, "buyers": _buyers, "viewers": _viewers}


def facts(
    rows: pl.DataFrame,
    wanted: Mapping[str, Span],
    orders: Orders,
    events: Events,
    as_of: datetime,
    known_until: Mapping[str, datetime],
) -> pl.DataFrame:
    """Tell the facts of each row's product.

    Args:
        rows: has product_id and product.
        wanted: name of a fact (see :data:`FACTS`) → how old it may be; for a count, also the time
            that is counted.
        orders: order lines of any time.
        events: events of any time.
        as_of: now; nothing later counts.
        known_until: source name (orders, events) → the instant up to which it is known.

    Returns:
        one row per row: a column (Int64) for each fact, and ``stale``, the name of the first one
        that is missing, unknown or too old; null = all are there.
    """

    def within(rows: pl.DataFrame, source: str, at: str, since: datetime) -> pl.DataFrame:
        """Return what is known of the time since; nothing, where the source ends before it."""
        if source not in known_until or known_until[source] < since:
            return rows.clear()
        return rows.filter(pl.col(at).is_between(since, as_of))

    told = rows.select(KEY.alias("key"))
    for name, age in wanted.items():
        since = as_of - exactly(age)
        found = FACTS[name](
            within(orders, "orders", "ordered_at", since),
            within(events, "events", "occurred_at", since),
        )
        enough = found.filter(pl.col("key").is_not_null(), pl.col("fact") >= 1)
        fact = enough.select("key", pl.col("fact").cast(pl.Int64).alias(name))
        told = told.join(fact, on="key", how="left", maintain_order="left")
    stale = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in wanted]
    first = pl.coalesce(pl.lit(None, dtype=pl.String), *stale)
    return told.with_columns(first.alias("stale")).select(*wanted, "stale")


def _people(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("key").agg(pl.col("person").drop_nulls().n_unique().alias("fact"))
