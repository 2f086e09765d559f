"""What occasions are found in, and the columns in which they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT, MONEY, PERSON
from remindctl.hours import from_the_wall, on_the_wall

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.frames import Coupons, Events, History, Orders
    from remindctl.model import Campaign, Store
    from remindctl.profiles import Profiles

# Events of this name count as orders where an occasion ends on one.
PURCHASE = "purchase"

ANCHORED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "occasion": pl.String,  # its id: with person and step, a message once and for all
    "anchor_at": INSTANT,
    "ends_from": INSTANT,  # the first instant at which an order is a new one, and ends it
}

# What templates may tell of an anchor; null where a kind of anchor has none.
DETAILS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "product_id": pl.String,
    "product": pl.String,
    "products": pl.List(pl.String),
    "url": pl.String,
    "quantity": pl.Int64,
    "value": MONEY,
    "cart_id": pl.String,
    "code": pl.String,
    "pool": pl.String,
    "until": pl.Date,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What occasions are found in.

    Attributes:
        profiles: everyone, with ``segment`` and ``segments``.
        orders, events, coupons: everything the store's files and log say, of any time.
        history: what the log knows of at least the people of :func:`concerned`.
        campaign: the steps of which an anchor may be another's message.
        as_of: nothing later has happened yet.
        known_until: source name (orders, events) → the instant up to which it is known.
        only: the one person whose occasions are asked for; what a store's data say of a wait or a
            column is still everyone's.
    """

    profiles: Profiles
    orders: Orders
    events: Events
    coupons: Coupons
    history: History
    store: Store
    campaign: Campaign
    as_of: datetime
    known_until: Mapping[str, datetime]
    only: int | None = None

    def happened(self) -> pl.DataFrame:
        """Return the events up to now whose person is known."""
        return self.events.filter(
            pl.col("occurred_at") <= self.as_of, pl.col("person").is_not_null()
        )

    def lines(self) -> pl.DataFrame:
        """Return the order lines up to now whose person is known, of any status."""
        return self.orders.filter(
            pl.col("ordered_at") <= self.as_of, pl.col("person").is_not_null()
        )


def just_after(instant: pl.Expr) -> pl.Expr:
    """Return the first instant after ``instant``."""
    return instant + pl.duration(microseconds=1)


def next_day(instant: pl.Expr, zone: str) -> pl.Expr:
    """Return the midnight after ``instant`` on the clock of ``zone``."""
    day = on_the_wall(instant, zone).dt.truncate("1d")
    return from_the_wall(day + pl.duration(days=1), zone)


def at_the_latest(instant: pl.Expr, zone: str) -> pl.Expr:
    """Return when an order came at the latest: files without hours put it at midnight."""
    midnight = on_the_wall(instant, zone).dt.time() == pl.time(0)
    return (
        pl.when(midnight)
        .then(next_day(instant, zone) - pl.duration(microseconds=1))
        .otherwise(instant)
    )
