"""A planned row as the claim that is made for it, and as the message that leaves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import starmap
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from remindctl.channels import Outgoing
from remindctl.model import Channel, Purpose, State
from remindctl.sendlog import Claim, code_hash, ending, text_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_OCCASION = ("key", "entry", "leg", "step", "variant", "arm", "store_arm", "channel", "due_at")
_LEAVES = (
    "key", "step", "customer_key", "to", "kind", "subject", "text", "html", "closes_at",
)  # fmt: skip
_CHANNELS = {str(channel): channel for channel in Channel}


# Rows as they are read: a list for each column, as long as there are rows.
Columns: TypeAlias = "Mapping[str, list[Any]]"


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes the claims of one plan, for many rows at once: one by one would take longer."""

    plan: Plan
    hasher: Hasher

    def claims(
        self, rows: Columns, extras: Sequence[Mapping[str, Any]], *, local: bool
    ) -> list[Claim]:
        """Claim planned messages; what stays on this machine proves no template's wording."""
        store = self.plan.store
        destinations = [
            known or self.hasher.hash(kind, to, store.key)
            for known, kind, to in _each(rows, "destination", "kind", "to")
        ]
        wordings = [None if local else one.get("approved_text") for one in extras]
        return _claims(
            len(destinations),
            **self._occasions(rows),
            identifiers=[
                frozenset((destination, *(known or ())))
                for destination, known in zip(destinations, rows["hmac"], strict=True)
            ],
            provider=rows["provider"],
            destination=destinations,
            ground=rows["ground"],
            coupon_pool=rows["coupon_pool"],
            coupon=[
                None if code is None else code_hash(self.hasher, pool, code, store.key)
                for pool, code in _each(rows, "coupon_pool", "coupon_code")
            ],
            coupon_until=rows["coupon_until"],
            template=[one.get("template") for one in extras],
            text_hash=[None if wording is None else text_hash(wording) for wording in wordings],
            counts=self.plan.campaign.counts_for_caps,
            cost=rows["cost"],
            currency=store.currency,
            state=State.CLAIMED,
        )

    def held_out(self, rows: Columns) -> list[Claim]:
        """Remember that people were held out."""
        known = [frozenset(hmacs or ()) for hmacs in rows["hmac"]]
        occasions = self._occasions(rows)
        return _claims(
            len(known), **occasions, identifiers=known, counts=False, state=State.CONTROL
        )

    def messages(
        self,
        rows: Columns,
        extras: Sequence[Mapping[str, Any]],
        claims: Sequence[Claim],
        now: datetime,
    ) -> list[Outgoing]:
        """Return what leaves."""
        names = [message_id(one.key, one.person, one.leg) for one in claims]
        return _outgoing(self.plan.campaign, self.plan.store, rows, extras, now, names)

    def _occasions(self, rows: Columns) -> dict[str, Any]:
        campaign, store = self.plan.campaign, self.plan.store
        return {
            **{name: rows[name] for name in _OCCASION},
            "person": [
                known or self.hasher.hash("person", customer_key, store.key)
                for known, customer_key in _each(rows, "named", "customer_key")
            ],
            "store": store.key,
            "campaign": campaign.name,
            "tags": campaign.tags,
            "ending": [ending(to or "") for to in rows["to"]],
        }


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
    rows = {column: [row[column]] for column in ("channel", *_LEAVES)}
    [message] = _outgoing(campaign, store, rows, [extras], now, [name])
    return message


def _outgoing(
    campaign: Campaign,
    store: Store,
    rows: Columns,
    extras: Sequence[Mapping[str, Any]],
    now: datetime,
    names: list[str],
) -> list[Outgoing]:
    senders = {channel: _sender(store, channel) for channel in set(rows["channel"])}
    told = {
        **{column: rows[column] for column in _LEAVES},
        "channel": [_CHANNELS[channel] for channel in rows["channel"]],
        "id": names,
        "store": store.key,
        "campaign": campaign.name,
        "advertising": campaign.purpose is Purpose.ADVERTISING,
        "extras": [
            {**senders[channel], **more}
            for channel, more in zip(rows["channel"], extras, strict=True)
        ],
        "at": now,
    }
    order = [field.name for field in fields(Outgoing)]
    return list(starmap(Outgoing, _tuples(order, told, len(names))))


def _claims(count: int, **told: Any) -> list[Claim]:
    order = Claim._fields
    return list(map(Claim._make, _tuples(order, {**Claim._field_defaults, **told}, count)))


def _tuples(order: Iterable[str], told: Mapping[str, Any], count: int) -> Iterator[tuple[Any, ...]]:
    """Turn columns into rows: of a list each has its value, anything else is the same for all."""
    columns = (told[name] for name in order)
    lists = (one if isinstance(one, list) else [one] * count for one in columns)
    return zip(*lists, strict=True)


def _each(rows: Columns, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(rows[column] for column in columns), strict=True)


def _sender(store: Store, channel: str) -> Mapping[str, str]:
    """Name the store as the sender of an e-mail, for providers that are told no other."""
    address = store.sender.get("email")
    if channel != Channel.EMAIL or not address:
        return {}
    return {"from": f"{store.name} <{address}>"}


def message_id(key: str, person: bytes, leg: int) -> str:
    """Name a message for ever, also when its claim is repeated."""
    return f"{key}-{person.hex()[:16]}-{leg}"
