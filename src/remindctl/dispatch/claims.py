"""A planned row as the claim that is made for it, and as the message that leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.channels import Outgoing
from remindctl.model import Channel, Purpose, State
from remindctl.sendlog import Claim, code_hash, ending, text_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.frames import Identifiers
    from remindctl.model import Campaign, Store
    from remindctl.plan import Plan
    from remindctl.sendlog import Hasher

_READ = (
    "key", "entry", "person", "customer_key", "hmac", "named", "destination", "leg", "step",
    "variant", "arm", "store_arm", "channel", "provider", "ground", "coupon_pool", "coupon_code",
    "coupon_until", "cost", "to", "kind", "due_at", "closes_at", "subject", "text", "html",
    "extras",
)  # fmt: skip
_CHANNELS = {str(channel): channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes the claims of one plan."""

    plan: Plan
    hasher: Hasher

    def claim(self, row: Mapping[str, Any], extras: Mapping[str, Any], *, local: bool) -> Claim:
        """Claim a planned message; what stays on this machine proves no template's wording."""
        store = self.plan.store
        pool, code = row["coupon_pool"], row["coupon_code"]
        wording = None if local else extras.get("approved_text")
        destination = row["destination"] or self.hasher.hash(row["kind"], row["to"], store.key)
        return Claim(
            **self._occasion(row),
            identifiers=frozenset((destination, *(row["hmac"] or ()))),
            provider=row["provider"],
            destination=destination,
            ground=row["ground"],
            coupon_pool=pool,
            coupon=None if code is None else code_hash(self.hasher, pool, code, store.key),
            coupon_until=row["coupon_until"],
            template=extras.get("template"),
            text_hash=None if wording is None else text_hash(wording),
            counts=self.plan.campaign.counts_for_caps,
            cost=row["cost"],
            currency=store.currency,
            state=State.CLAIMED,
        )

    def held_out(self, row: Mapping[str, Any]) -> Claim:
        """Remember that a person was held out."""
        identifiers = frozenset(row["hmac"] or ())
        return Claim(
            **self._occasion(row), identifiers=identifiers, counts=False, state=State.CONTROL
        )

    def _occasion(self, row: Mapping[str, Any]) -> dict[str, Any]:
        campaign, store = self.plan.campaign, self.plan.store
        return {
            "key": row["key"],
            "entry": row["entry"],
            "person": row["named"] or self.hasher.hash("person", row["customer_key"], store.key),
            "leg": row["leg"],
            "store": store.key,
            "campaign": campaign.name,
            "step": row["step"],
            "variant": row["variant"],
            "arm": row["arm"],
            "store_arm": row["store_arm"],
            "channel": row["channel"],
            "tags": campaign.tags,
            "ending": ending(row["to"] or ""),
            "due_at": row["due_at"],
        }

    def message(
        self, claim: Claim, row: Mapping[str, Any], extras: Mapping[str, Any], now: datetime
    ) -> Outgoing:
        """Return what leaves."""
        name = message_id(claim.key, claim.person, claim.leg)
        return outgoing(self.plan.campaign, self.plan.store, row, extras, now, name)


def with_hashes(rows: pl.DataFrame, identifiers: Identifiers) -> pl.DataFrame:
    """Return what is read of planned rows, with what the log knows their people by.

    To look a hash up beats to compute it again, message by message.

    Args:
        rows: planned, or held.
        identifiers: of everybody in them.

    Returns:
        also ``hmac`` (everything the person is known by), ``named`` (the customer key's) and, of
        messages, ``destination``; null where the identifiers have none.
    """
    concerned = identifiers.filter(pl.col("person").is_in(rows["person"].implode()))
    known = rows.join(
        concerned.group_by("person").agg("hmac"), on="person", how="left", maintain_order="left"
    )
    each = concerned.unique(["person", "kind", "value"])
    names = each.filter(pl.col("kind").is_null()).select(
        "person", pl.col("value").alias("customer_key"), pl.col("hmac").alias("named")
    )
    known = known.join(names, on=["person", "customer_key"], how="left", maintain_order="left")
    if "kind" in rows.columns:
        addresses = each.select(
            "person",
            pl.col("kind").cast(pl.String),
            pl.col("value").alias("to"),
            pl.col("hmac").alias("destination"),
        )
        one = ["person", "kind", "to"]
        known = known.join(addresses, on=one, how="left", maintain_order="left")
    return known.select(column for column in _READ if column in known.columns)


def outgoing(
    campaign: Campaign,
    store: Store,
    row: Mapping[str, Any],
    extras: Mapping[str, Any],
    now: datetime,
    name: str,
) -> Outgoing:
    """Return a planned message as providers take it."""
    return Outgoing(
        id=name,
        key=row["key"],
        store=store.key,
        campaign=campaign.name,
        step=row["step"],
        customer_key=row["customer_key"],
        channel=_CHANNELS[row["channel"]],
        to=row["to"],
        kind=row["kind"],
        subject=row["subject"],
        text=row["text"],
        html=row["html"],
        advertising=campaign.purpose is Purpose.ADVERTISING,
        extras={**_sender(store, row["channel"]), **extras},
        at=now,
        closes_at=row["closes_at"],
    )


def _sender(store: Store, channel: str) -> Mapping[str, str]:
    """Name the store as the sender of an e-mail, for providers that are told no other."""
    address = store.sender.get("email")
    if channel != Channel.EMAIL or not address:
        return {}
    return {"from": f"{store.name} <{address}>"}


def message_id(key: str, person: bytes, leg: int) -> str:
    """Name a message for ever, also when its claim is repeated."""
    return f"{key}-{person.hex()[:16]}-{leg}"
