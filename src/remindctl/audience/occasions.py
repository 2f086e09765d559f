"""Who has an occasion: the anchors of an audience, their wanted instants, and what ended them.

An occasion is what a person is reminded of, an order for instance; its id goes into the key under
which the send log remembers the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.anchors import MESSAGE, anchor_of, earlier_step, of_products
from remindctl.audience.coupons import end_of, used
from remindctl.audience.members import members
from remindctl.audience.products import KEY
from remindctl.audience.schedule import LONGEST_MOVE
from remindctl.audience.sources import ANCHORED, DETAILS, PURCHASE, at_the_latest
from remindctl.audience.waits import length, wanted, with_days
from remindctl.hours import exactly
from remindctl.model import Span

if TYPE_CHECKING:
    from remindctl.audience.sources import Sources
    from remindctl.model import Step

COUPONS = ("coupon_issued", "coupon_expires")

# What a calendar day holds differs from zone to zone.
_A_DAY = exactly(Span(days=1))


def occasions(sources: Sources, step: Step, *, details: bool = True) -> pl.DataFrame:
    """Find the occasions of the audience whose time may have come and may not be over yet.

    Args:
        sources: what they are found in.
        step: its due rule.
        details: tell what was ordered, too; leaving it out saves time where no text names it.

    Returns:
        one row per person and occasion, sorted by both: person, occasion (its id), anchor_at,
        ends_from, wanted_at (anchor + wait, on the recipient's clock), over (what ends the occasion
        has happened), zone (whose clock counts), zone_known, zone_source (stated, address, phone;
        store = not known) and what :data:`~remindctl.audience.sources.DETAILS` names.
    """
    found = _timely(_anchored(sources, step), sources, step)
    return _told(found, sources, step, details=details)


def all_occasions(sources: Sources, step: Step, *, details: bool = True) -> pl.DataFrame:
    """Find every occasion there is, past and to come, with the columns of :func:`occasions`."""
    found = wanted(_anchored(sources, step), step.due.wait)
    return _told(found, sources, step, details=details)


def concerned(sources: Sources, step: Step) -> pl.Series:
    """Return the persons whose history must be known to find and to plan a step's occasions.

    ``sources`` needs no history or coupons for this.
    """
    first = step
    while first.due.after == MESSAGE:
        first = earlier_step(sources.campaign, first)
    if first.due.after in COUPONS:
        # Who holds a coupon is known from the log only.
        return sources.profiles.filter(members(sources.campaign.audience))["person"]
    found = _anchored(sources, first)
    # The message that a step follows may be as old as it likes.
    return (found if first is not step else _timely(found, sources, step))["person"].unique()


def _anchored(sources: Sources, step: Step) -> pl.DataFrame:
    """Find the anchors of the audience, whose clock they are read on, and the waits from them."""
    known = pl.col("timezone").is_not_null()
    source = pl.when(known).then(pl.col("timezone_source").fill_null("stated"))
    people = sources.profiles.filter(members(sources.campaign.audience))
    if sources.only is not None:
        people = people.filter(pl.col("person") == sources.only)
    people = people.select(
        "person",
        pl.col("timezone").fill_null(sources.store.timezone).alias("zone"),
        known.alias("zone_known"),
        source.otherwise(pl.lit("store")).alias("zone_source"),
    )
    found = anchor_of(sources, step).find(sources, step)
    found = found.join(people, on="person", maintain_order="left")
    return with_days(found, sources, step.due.wait)


def _timely(found: pl.DataFrame, sources: Sources, step: Step) -> pl.DataFrame:
    """Keep what is wanted by now, and what its window may not have closed on."""
    due, as_of = step.due, sources.as_of
    roughly = pl.col("anchor_at") + length(due.wait)
    found = found.filter(roughly <= as_of + _A_DAY)
    if due.within is not None:
        longest = exactly(due.within) + exactly(due.max_delay or LONGEST_MOVE) + _A_DAY
        found = found.filter(roughly >= as_of - longest)
    return wanted(found, due.wait).filter(pl.col("wanted_at") <= as_of)


def _told(found: pl.DataFrame, sources: Sources, step: Step, *, details: bool) -> pl.DataFrame:
    found = _ended(found.sort("person", "occasion"), sources, step)
    tell = anchor_of(sources, step).tell
    if details and tell is not None:
        found = tell(sources, step, found)
    zone = ("zone", "zone_known", "zone_source")
    missing = [
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in DETAILS.items()
        if name not in found.columns
    ]
    return found.with_columns(missing).select(*ANCHORED, "wanted_at", "over", *zone, *DETAILS)


def _ended(found: pl.DataFrame, sources: Sources, step: Step) -> pl.DataFrame:
    """Add ``over``: what ends the occasion has happened."""
    until = step.due.until
    over = pl.lit(value=False)
    if step.due.after in COUPONS:
        # A coupon that is used or has run out needs no reminder, whatever else ends one.
        gone = used(sources, found).with_columns(pl.lit(value=True).alias("_used"))
        found = found.join(gone, on=["person", "occasion"], how="left", maintain_order="left")
        over |= pl.col("_used").is_not_null()
        if step.due.after == "coupon_issued":
            over |= (end_of(sources) <= sources.as_of).fill_null(value=False)
        until = "never" if until == "order" else until
    if until == "order":
        found = _last_order(found, sources, step)
        over |= (pl.col("_ended_at") >= pl.col("ends_from")).fill_null(value=False)
    elif until != "never":
        found = _latest(found, _events(sources, until))
        over |= (pl.col("_ended_at") > pl.col("anchor_at")).fill_null(value=False)
    return found.with_columns(over.alias("over"))


def _events(sources: Sources, name: str) -> pl.DataFrame:
    """Return who had an event of a name, and when; a sign-up may stand in the customers' file."""
    found = sources.happened().filter(pl.col("event") == name).select("person", "occurred_at")
    if name != "signup":
        return found
    stated = sources.profiles.select("person", pl.col("signed_up_at").alias("occurred_at"))
    return pl.concat([found, stated.filter(pl.col("occurred_at") <= sources.as_of)])


def _last_order(found: pl.DataFrame, sources: Sources, step: Step) -> pl.DataFrame:
    """Add when the person last ordered; where the occasion is of a product, last ordered that."""
    purchases = sources.happened().filter(pl.col("event") == PURCHASE)
    if of_products(step):
        # Its order is the anchor itself; only an event may be newer, and one may name no product.
        named = purchases.with_columns(KEY.alias("key"))
        same = _latest(found, named.filter(pl.col("key").is_not_null()), "key")
        any_of_them = _latest(found, named.filter(pl.col("key").is_null()))
        return found.with_columns(
            pl.max_horizontal(same["_ended_at"], any_of_them["_ended_at"]).alias("_ended_at")
        )
    ordered = sources.profiles.select("person", pl.col("last_at").alias("_last_at"))
    found = _latest(found, purchases).join(ordered, on="person", how="left", maintain_order="left")
    at_last = at_the_latest(pl.col("_last_at"), sources.store.timezone)
    return found.with_columns(pl.max_horizontal("_ended_at", at_last).alias("_ended_at"))


def _latest(found: pl.DataFrame, happened: pl.DataFrame, *also: str) -> pl.DataFrame:
    """Add as ``_ended_at`` the person's latest event of those that happened."""
    latest = happened.group_by("person", *also).agg(pl.col("occurred_at").max().alias("_ended_at"))
    return found.join(latest, on=["person", *also], how="left", maintain_order="left")
