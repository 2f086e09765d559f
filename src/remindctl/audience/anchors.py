"""Every anchor by its name: what a step's wait counts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience import coupons, events, orders, people, products
from remindctl.audience.people import date_columns
from remindctl.audience.sources import just_after
from remindctl.model import State, Statistic, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remindctl.audience.sources import Sources
    from remindctl.model import Campaign, Step

    Find = Callable[[Sources, Step], pl.DataFrame]
    Tell = Callable[[Sources, Step, pl.DataFrame], pl.DataFrame]

MESSAGE = "message"

_ARRIVED = (str(State.SENT), str(State.DELIVERED))


@dataclass(frozen=True, slots=True)
class Anchor:
    """One kind of anchor.

    Attributes:
        find: gives one row per occasion: the columns of ``sources.ANCHORED`` and any others.
        tell: adds columns of ``sources.DETAILS`` to the occasions that are left at last.
    """

    find: Find
    tell: Tell | None = None


ANCHORS: Mapping[str, Anchor] = {
    "first_order": Anchor(orders.profiled("first"), orders.with_products),
    "last_order": Anchor(orders.profiled("last"), orders.with_products),
    "ordered": Anchor(orders.ordered, orders.with_products),
    "cancelled": Anchor(orders.cancelled, orders.with_products),
    "delivered": Anchor(orders.received("delivered_at"), orders.with_products),
    "confirmed": Anchor(orders.received("confirmed_at"), orders.with_products),
    "expected_next_order": Anchor(orders.expected_next, orders.with_products),
    "signup": Anchor(people.signed_up),
    "coupon_issued": Anchor(coupons.issued),
    "coupon_expires": Anchor(coupons.expiring),
}

# Whoever ordered again has another latest order, but was messaged about the one before.
_OF_ANY_TIME = {"last_order": ANCHORS["ordered"], "expected_next_order": ANCHORS["ordered"]}


def anchor_of(sources: Sources, step: Step) -> Anchor:
    """Return what a step's wait counts from; a name that is nothing else is an event's."""
    due = step.due
    if of_products(step):
        return Anchor(products.bought)
    if due.after == MESSAGE:
        return _message(sources, step)
    if due.after in ANCHORS:
        return ANCHORS[due.after]
    if (day := people.named_day(due.after)) is not None:
        return Anchor(people.on_day(day))
    if due.after not in events.WELL_KNOWN and due.after in date_columns(sources.profiles.schema):
        return Anchor(people.dated(due.after))
    return Anchor(events.happened)


def of_products(step: Step) -> bool:
    """Say whether each product is an occasion of its own."""
    return isinstance(step.due.wait, Statistic) and step.due.wait.of == "product_cycle"


def earlier_step(campaign: Campaign, step: Step) -> Step:
    """Return the step whose message is the anchor of ``step``: the one named, or the one before."""
    ids = [each.id for each in campaign.steps]
    name = step.due.step
    return campaign.steps[ids.index(step.id) - 1 if name is None else ids.index(name)]


def _message(sources: Sources, step: Step) -> Anchor:
    earlier = earlier_step(sources.campaign, step)
    root = anchor_of(sources, earlier)
    root = _OF_ANY_TIME.get(earlier.due.after, root) if not of_products(earlier) else root

    def find(sources: Sources, _step: Step) -> pl.DataFrame:
        sent = (
            sources.history.filter(
                pl.col("campaign") == sources.campaign.name,
                pl.col("step") == earlier.id,
                pl.col("state").is_in(_ARRIVED),
            )
            .group_by("person", "key")
            .agg(pl.col("claimed_at").min())
        )
        found = root.find(sources, earlier).join(sent, on="person", how="semi")
        parts = sources.store.key, sources.campaign.name, earlier.id
        keys = keys_of(parts, found["occasion"])
        at = pl.col("claimed_at")
        return (
            found.with_columns(pl.Series("key", keys, dtype=pl.String))
            .join(sent, on=["person", "key"])
            .with_columns(at.alias("anchor_at"), just_after(at).alias("ends_from"))
            .drop("key", "claimed_at")
        )

    def tell(sources: Sources, _step: Step, found: pl.DataFrame) -> pl.DataFrame:
        return found if root.tell is None else root.tell(sources, earlier, found)

    return Anchor(find, tell)
