"""Which channel of a step may reach a person: an address, no refusal, and a consent to stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import ADDRESS_KINDS, INSTANT
from remindctl.hours import on_the_wall
from remindctl.model import FAMILY, Channel, Family, Purpose
from remindctl.policy.consent import NOTICE_EVERY, bought, granted, refused
from remindctl.policy.presets import PRESETS, laws
from remindctl.policy.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from remindctl.model import Campaign, Leg, Store
    from remindctl.policy.consent import Permissions

_KIND = pl.Enum(ADDRESS_KINDS)

# Family → the columns of its addresses, the best first, and the kind of identifier each is.
_DESTINATIONS: Mapping[Family, Mapping[str, str]] = {
    Family.TEXT: {"phone": "phone"},
    Family.KAKAO: {"phone": "phone"},
    Family.EMAIL: {"email": "email"},
    Family.PUSH: {"push_token": "push_token"},
    Family.ONSITE: {"shop_id": "shop_id", "push_token": "push_token"},
    Family.WEBHOOK: {"customer_key": "shop_id"},
}

# Who comes to the shop's own pages is shown what stands there: no one sends anything.
_NO_CONSENT_NEEDED = (Channel.ONSITE,)


def choose_legs(
    people: pl.DataFrame,
    legs: Sequence[Leg],
    campaign: Campaign,
    store: Store,
    given: Permissions,
    as_of: datetime,
) -> pl.DataFrame:
    """Choose each person's leg: the first from ``from_leg`` on that may reach them.

    Closed hours never choose another leg; they only move or hold the one that was chosen.

    Args:
        people: has person, from_leg, last_at (of the latest order), country and the destinations
            phone, email, push_token, shop_id and customer_key.
        legs: of the people's variant.
        campaign: its purpose and basis.
        store: its preset and its word on existing customers.
        given: consents and refusals.
        as_of: the instant of the run.

    Returns:
        one row per row of ``people``: leg, to, kind, night, ground (why it may be sent: consent,
        existing_customers, onsite or informational) and hold; where every leg is blocked, those of
        the leg that came furthest.
    """
    numbered = people.with_row_index("_row")
    rank = {code: index for index, code in enumerate(REASONS)}
    found = [
        _reach(numbered, leg, campaign, store, given, as_of)
        .with_columns(pl.lit(index, dtype=pl.UInt8).alias("leg"))
        .filter(pl.col("leg") >= numbered["from_leg"])
        for index, leg in enumerate(legs)
    ]
    furthest = pl.col("hold").replace_strict(rank, default=len(rank), return_dtype=pl.UInt32)
    return (
        pl.concat(found)
        .sort("_row", furthest, "leg", descending=[False, True, False])
        .unique("_row", keep="first", maintain_order=True)
        .drop("_row")
    )


def _reach(
    people: pl.DataFrame,
    leg: Leg,
    campaign: Campaign,
    store: Store,
    given: Permissions,
    as_of: datetime,
) -> pl.DataFrame:
    family = FAMILY[leg.channel]
    found = people.select("_row", "person", "last_at", "country", *_destination(family))
    there = found.rename({"to": "value"})
    found = found.hstack(granted(there, given, family)).with_columns(
        refused(found, given, family, campaign.purpose).alias("refused"),
        bought(there, given).alias("bought"),
    )
    ground, hold = pl.lit("informational"), pl.lit(None, dtype=pl.String)
    if campaign.purpose is Purpose.ADVERTISING and leg.channel in _NO_CONSENT_NEEDED:
        ground = pl.lit("onsite")
    elif campaign.purpose is Purpose.ADVERTISING:
        rests = pl.col("granted") & _notice_overdue(store, as_of)
        consented = pl.when(pl.col("granted") & ~rests).then(pl.lit("consent"))
        customer = _may_be_told(found, leg, campaign, store, as_of)
        ground = consented.when(customer).then(pl.lit("existing_customer"))
        missing = pl.when(rests).then(pl.lit("consent_notice_overdue"))
        hold = pl.when(ground.is_null()).then(missing.otherwise(pl.lit("no_consent")))
    hold = (
        pl.when(pl.col("to").is_null())
        .then(pl.lit("unreachable"))
        .when("refused")
        .then(pl.lit("opted_out"))
        .otherwise(hold)
    )
    # The exception for existing customers never covers the night (Korea, Decree 61(2)).
    night = pl.col("night") & (pl.col("ground") == "consent").fill_null(value=False)
    return found.with_columns(ground.alias("ground")).select(
        "_row", "to", "kind", night.alias("night"), "ground", hold.alias("hold")
    )


def _destination(family: Family) -> tuple[pl.Expr, pl.Expr]:
    """Name the best address there is, ``to``, and its ``kind``."""
    columns = _DESTINATIONS[family]
    given = {name: pl.col(name).replace("", None) for name in columns}
    kinds = [
        pl.when(given[name].is_not_null()).then(pl.lit(kind, _KIND))
        for name, kind in columns.items()
    ]
    # Who has none still gets a kind: that of the address they would need.
    needed = pl.lit(next(iter(columns.values())), _KIND)
    return pl.coalesce(*given.values()).alias("to"), pl.coalesce(*kinds, needed).alias("kind")


def _notice_overdue(store: Store, as_of: datetime) -> pl.Expr:
    """Say whether the same date two years on has come without a notice (Korea, Decree 62-3)."""
    if not PRESETS[store.policy.preset].notice:
        return pl.lit(value=False)
    since, now = pl.col("noticed_at"), pl.lit(as_of, dtype=INSTANT)
    due_on = on_the_wall(since, store.timezone).dt.date().dt.offset_by(NOTICE_EVERY)
    return (due_on <= on_the_wall(now, store.timezone).dt.date()).fill_null(value=False)


def _may_be_told(
    people: pl.DataFrame, leg: Leg, campaign: Campaign, store: Store, as_of: datetime
) -> pl.Expr:
    """Say who may be told of the same kind of goods without having consented.

    Korea, Network Act 50(1)1 and Decree 61(1): the address was given in a sale, the goods are of
    the same kind (``basis``, in the owner's words) and at most six months have passed since.
    European Union, Directive 2002/58/EC, Article 13(2): the same without that term.
    """
    chosen = store.policy.existing_customers == "6_months" and campaign.basis is not None
    # To others than its channel's friends, Kakao delivers to whoever consented only.
    if not chosen or leg.targeting != "I":
        return pl.lit(value=False)
    family = FAMILY[leg.channel]
    lawful = [
        country
        for country in people["country"].unique()
        if all(family in law.sold_to for law in laws(store.policy.preset, store.country, country))
    ]
    recent = (pl.col("last_at").dt.offset_by("6mo") >= as_of).fill_null(value=False)
    return recent & pl.col("bought") & pl.col("country").is_in(lawful, nulls_equal=True)
