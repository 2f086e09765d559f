"""Which channel of a step may reach a person: an address, no refusal, and a consent to stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import ADDRESS_KINDS
from remindctl.model import FAMILY, Channel, Family, Purpose
from remindctl.policy.consent import NOTICE_EVERY, granted, refused
from remindctl.policy.presets import PRESETS
from remindctl.policy.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.model import Step, Store
    from remindctl.policy.consent import Permissions

_KIND = pl.Enum(ADDRESS_KINDS)

# Family → the column of its address, and the kind of identifier that is.
_DESTINATION: Mapping[Family, tuple[str, str]] = {
    Family.TEXT: ("phone", "phone"),
    Family.KAKAO: ("phone", "phone"),
    Family.EMAIL: ("email", "email"),
    Family.PUSH: ("push_token", "push_token"),
    Family.WEBHOOK: ("customer_key", "shop_id"),
}


def choose_legs(
    people: pl.DataFrame,
    step: Step,
    purpose: Purpose,
    store: Store,
    given: Permissions,
    as_of: datetime,
) -> pl.DataFrame:
    """Choose each person's leg: the first from ``from_leg`` on that may reach them.

    Closed hours never choose another leg; they only move or hold the one that was chosen.

    Args:
        people: has person, from_leg, last_at and the destinations phone, email, push_token and
            customer_key.
        step: its legs.
        purpose: of the campaign.
        store: its preset and its word on existing customers.
        given: consents and refusals.
        as_of: the instant of the run.

    Returns:
        one row per row of ``people``: leg, to, kind, night, ground (why it may be sent: consent,
        existing_customer or informational) and hold; where every leg is blocked, those of the leg
        that came furthest.
    """  # fmt: skip
    numbered = people.with_row_index("_row")
    rank = {code: index for index, code in enumerate(REASONS)}
    legs = [
        _reach(numbered, leg.channel, purpose, store, given, as_of)
        .with_columns(pl.lit(index, dtype=pl.UInt8).alias("leg"))
        .filter(pl.col("leg") >= numbered["from_leg"])
        for index, leg in enumerate(step.legs)
    ]
    furthest = pl.col("hold").replace_strict(rank, default=len(rank), return_dtype=pl.UInt32)
    return (
        pl.concat(legs)
        .sort("_row", furthest, "leg", descending=[False, True, False])
        .unique("_row", keep="first", maintain_order=True)
        .drop("_row")
    )


def _reach(
    people: pl.DataFrame,
    channel: Channel,
    purpose: Purpose,
    store: Store,
    given: Permissions,
    as_of: datetime,
) -> pl.DataFrame:
    family, preset = FAMILY[channel], PRESETS[store.policy.preset]
    column, kind = _DESTINATION[family]
    to = pl.col(column).replace("", None).alias("to")
    found = people.select("_row", "person", "last_at", to, pl.lit(kind, _KIND).alias("kind"))
    found = found.hstack(granted(found.rename({"to": "value"}), given, family)).with_columns(
        refused(found, given, family, purpose).alias("refused")
    )
    hold = pl.lit(None, dtype=pl.String)
    ground = pl.lit("informational")
    if purpose is Purpose.ADVERTISING:
        notice_due = pl.col("noticed_at").dt.offset_by(NOTICE_EVERY) <= as_of
        rests = pl.col("granted") & notice_due.fill_null(value=False) & preset.notice
        bought = pl.col("last_at").dt.offset_by("6mo") >= as_of
        customer = bought.fill_null(value=False) & (store.policy.existing_customers == "6_months")
        consented = pl.when(pl.col("granted") & ~rests).then(pl.lit("consent"))
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
    night = pl.col("night") & (pl.col("ground") == "consent").fill_null(value=False)
    return found.with_columns(ground.alias("ground")).select(
        "_row", "to", "kind", night.alias("night"), "ground", hold.alias("hold")
    )
