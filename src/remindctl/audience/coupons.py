"""Occasions of coupons that reached someone: issued, or expiring; and how they are used up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.sources import PURCHASE, at_the_latest, just_after
from remindctl.hours import from_the_wall
from remindctl.model import State

if TYPE_CHECKING:
    from remindctl.audience.sources import Sources
    from remindctl.model import Step

COUPON_USED = "coupon_used"

# A claimed or unknown message may not have arrived, and nobody is reminded of a coupon unseen.
_ARRIVED = (str(State.SENT), str(State.DELIVERED))
# Where an order was taken back, its coupon was too.
_UNDONE = ("cancelled", "refunded")


def issued(sources: Sources, _step: Step) -> pl.DataFrame:
    """Find the coupons that reached their person, by the instant they were issued."""
    at = pl.col("issued_at")
    return _arrived(sources).with_columns(at.alias("anchor_at"), just_after(at).alias("ends_from"))


def expiring(sources: Sources, _step: Step) -> pl.DataFrame:
    """Find them by the end of their last day on the store's clock."""
    ends = just_after(pl.col("issued_at")).alias("ends_from")
    found = _arrived(sources).filter(pl.col("until").is_not_null())
    return found.with_columns(end_of(sources).alias("anchor_at"), ends)


def _arrived(sources: Sources) -> pl.DataFrame:
    name = pl.concat_str("pool", "code", separator=" ", ignore_nulls=True)
    return (
        sources.coupons.filter(
            pl.col("person").is_not_null(),
            pl.col("state").is_in(_ARRIVED),
            pl.col("issued_at") <= sources.as_of,
        )
        .sort("issued_at")
        .group_by("person", "pool", "code")
        .agg(pl.col("issued_at").last(), pl.col("valid_until").last().alias("until"))
        .with_columns(name.alias("occasion"))
    )


def end_of(sources: Sources) -> pl.Expr:
    """Return the instant at which the coupons' last day, ``until``, is over."""
    midnight = pl.col("until").cast(pl.Datetime("us")) + pl.duration(days=1)
    return from_the_wall(midnight, sources.store.timezone)


def tells_use(sources: Sources) -> bool:
    """Say whether the store's files tell which coupons were used: in orders, or as events."""
    codes, events = sources.orders["discount_code"], sources.events["event"]
    return codes.null_count() < len(codes) or bool((events == COUPON_USED).any())


def used(sources: Sources, found: pl.DataFrame) -> pl.DataFrame:
    """Find who has used which of the coupons in ``found``: person, occasion.

    A code from a pool is used whoever used it; one for all, only by the person and since its
    issue. Where the files tell no use, any order since the issue is taken for it.
    """
    codes = found.select(
        "person", "occasion", "pool", "issued_at", _folded(pl.col("code")).alias("code")
    )
    uses = _uses(sources) if tells_use(sources) else _orders(sources)
    since = pl.col("used_at") >= pl.col("issued_at")
    if "code" not in uses.columns:
        return codes.join(uses, on="person").filter(since).select("person", "occasion").unique()
    own = codes.join(uses, on="code").filter(
        pl.col("pool").is_not_null() | ((pl.col("person") == pl.col("person_right")) & since)
    )
    return own.select("person", "occasion").unique()


def _uses(sources: Sources) -> pl.DataFrame:
    """Return every use of a code, whoever's: person, code (folded), used_at."""
    in_orders = (
        sources.orders.filter(
            pl.col("discount_code").is_not_null(),
            ~pl.col("status").is_in(_UNDONE),
            pl.col("ordered_at") <= sources.as_of,
        )
        .select(
            "person",
            pl.col("discount_code").str.split(" + ").alias("code"),
            at_the_latest(pl.col("ordered_at"), sources.store.timezone).alias("used_at"),
        )
        .explode("code")
    )
    in_events = sources.events.filter(
        pl.col("event") == COUPON_USED, pl.col("occurred_at") <= sources.as_of
    ).select(
        "person",
        pl.coalesce("code", "event_id").alias("code"),
        pl.col("occurred_at").alias("used_at"),
    )
    both = pl.concat([in_orders, in_events])
    return both.with_columns(_folded(pl.col("code"))).unique()


def _orders(sources: Sources) -> pl.DataFrame:
    """Return the latest order of each person: person, used_at."""
    at = at_the_latest(pl.col("ordered_at"), sources.store.timezone)
    lines = sources.lines().filter(pl.col("status") == "paid")
    bought = sources.happened().filter(pl.col("event") == PURCHASE)
    both = pl.concat(
        [
            lines.select("person", at.alias("used_at")),
            bought.select("person", pl.col("occurred_at").alias("used_at")),
        ]
    )
    return both.group_by("person").agg(pl.col("used_at").max())


def _folded(code: pl.Expr) -> pl.Expr:
    return code.str.strip_chars().str.to_lowercase()
