"""Who agreed to, refused or opted out of what, and since when: one answer per person and family.

Consent belongs to an address, refusal to the person: a refusal of any address of a person blocks
the family for advertising on all of them, whatever else was granted. Only a later, dated grant for
the same address, from a source the owner trusts for that, lifts it; an undated one never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT, PERSON
from remindctl.model import FAMILY, Family, Purpose

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from remindctl.frames import Addresses, Consents, Suppressions

# A suppression of this scope also stops informational messages: the address is dead, or said STOP.
EVERYTHING = "all"

# Korea, Decree 62-3: every two years the recipient is told of the consent; else it rests. Decree
# 62-2: within so many days they are told what came of it, which is no such notice.
NOTICE_EVERY = "2y"
ANSWER_WITHIN = timedelta(days=14)

FAMILIES = {str(channel): str(family) for channel, family in FAMILY.items()} | {
    str(family): str(family) for family in Family
}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the people of one load allow.

    Attributes:
        refusals: person, family, purpose (advertising, informational or all), each once: standing.
        grants: person, kind, value (the address), family, night (for the night too) and noticed_at
            (consent or the last notice of it; null = undated): advertising only.
        bought_with: person, kind, value: addresses that the buyer gave in an order, each once.
    """

    refusals: pl.DataFrame
    grants: pl.DataFrame
    bought_with: pl.DataFrame


def permissions(
    consents: Consents,
    addresses: Addresses,
    suppressions: Suppressions,
    *,
    explicit_sources: Collection[str],
    as_of: datetime,
) -> Permissions:
    """Weigh statements of consent against refusals and opt-outs.

    Args:
        consents: as the shop recorded them, grants after ``as_of`` left aside. A refusal counts
            whatever its date, and for every family where it names none that is known.
        addresses: who they belong to, and which of them stand in an order.
        suppressions: standing opt-outs from the suppression list.
        explicit_sources: sources whose later, dated grant lifts a refusal.
        as_of: the instant of the run.
    """
    said = (
        consents.join(addresses, on=["kind", "value"], how="inner")
        .with_columns(
            pl.col("channel").replace_strict(FAMILIES, default=None).alias("family"),
            pl.col("purpose").fill_null(str(Purpose.ADVERTISING)),
        )
        .select(
            "person", "kind", "value", "family", "purpose", "granted", "at", "night", "source",
            "notice_sent_at",
        )
    )  # fmt: skip
    grants = said.filter(
        pl.col("granted"),
        pl.col("family").is_not_null(),
        pl.col("at").is_null() | (pl.col("at") <= as_of),
    )
    against = ["person", "kind", "value", "family", "purpose", "at"]
    every = pl.lit([str(family) for family in Family])
    one = pl.concat_list("family")
    refusals = said.filter(~pl.col("granted")).with_columns(
        pl.when(pl.col("family").is_null()).then(every).otherwise(one).alias("family")
    )
    refusals = pl.concat(
        [
            refusals.explode("family").select(against),
            suppressions.rename({"scope": "purpose"}).select(against),
        ]
    )
    return Permissions(
        _standing(refusals, grants.filter(pl.col("source").is_in(sorted(explicit_sources)))),
        _per_address(grants.filter(pl.col("purpose") == Purpose.ADVERTISING)),
        addresses.filter("in_order").select("person", "kind", "value").unique(),
    )


def refused(
    people: pl.DataFrame, given: Permissions, family: Family, purpose: Purpose
) -> pl.Series:
    """Say of each row of ``people`` (has person) whether a refusal stands for it."""
    blocked = given.refusals.filter(
        pl.col("family") == str(family), pl.col("purpose").is_in([str(purpose), EVERYTHING])
    )
    return people["person"].is_in(blocked["person"].unique().implode())


def bought(people: pl.DataFrame, given: Permissions) -> pl.Series:
    """Say of each destination (person, kind, value) whether the buyer gave it in an order."""
    known = given.bought_with.with_columns(pl.lit(value=True).alias("bought"))
    found = people.select("person", "kind", "value").join(
        known, on=["person", "kind", "value"], how="left", maintain_order="left"
    )
    return found["bought"].fill_null(value=False)


def granted(people: pl.DataFrame, given: Permissions, family: Family) -> pl.DataFrame:
    """Find the advertising consent of each destination: its own, or that of the person's account.

    Args:
        people: has person, kind and value of the destination.
        given: as :func:`permissions` gives it.
        family: of the channel.

    Returns:
        one row per row of ``people``: granted, night, noticed_at.
    """
    grants = given.grants.filter(pl.col("family") == str(family)).drop("family")
    account = (
        grants.filter(pl.col("kind") == "shop_id")
        .group_by("person")
        .agg(pl.col("night").any(), pl.col("noticed_at").max())
    )
    found = people.select("person", "kind", "value").join(
        grants.with_columns(pl.lit(value=True).alias("own")),
        on=["person", "kind", "value"],
        how="left",
        maintain_order="left",
    )
    found = found.join(
        account.with_columns(pl.lit(value=True).alias("of_account")),
        on="person",
        how="left",
        maintain_order="left",
        suffix="_account",
    )
    own = pl.col("own").fill_null(value=False)
    chosen = pl.when(own)
    return found.select(
        (own | pl.col("of_account").fill_null(value=False)).alias("granted"),
        chosen.then("night").otherwise("night_account").fill_null(value=False).alias("night"),
        chosen.then("noticed_at").otherwise("noticed_at_account").alias("noticed_at"),
    )


def _standing(refusals: pl.DataFrame, lifting: pl.DataFrame) -> pl.DataFrame:
    about = ["person", "kind", "value", "family", "purpose"]
    latest = lifting.group_by(about).agg(pl.col("at").max().alias("lifted_at"))
    asked = refusals.group_by(about).agg(
        pl.col("at").max().alias("refused_at"), pl.col("at").is_null().any().alias("undated")
    )
    lifted = (pl.col("lifted_at") > pl.col("refused_at")).fill_null(value=False)
    return (
        asked.join(latest, on=about, how="left")
        .filter(pl.col("undated") | ~lifted)
        .select("person", "family", "purpose")
        .unique()
    )


def _per_address(grants: pl.DataFrame) -> pl.DataFrame:
    # Undated first, so that the latest dated word on the night is the last one.
    dated = grants.sort("at", nulls_last=False)
    return dated.group_by("person", "kind", "value", "family").agg(
        pl.col("night").drop_nulls().last().fill_null(value=False),
        pl.col("at").max(),
        pl.col("notice_sent_at").max(),
    ).select(
        pl.col("person").cast(PERSON), "kind", "value", "family", "night",
        noticed_at(pl.col("at"), pl.col("notice_sent_at")).alias("noticed_at"),
    )  # fmt: skip


def noticed_at(consented: pl.Expr, told: pl.Expr) -> pl.Expr:
    """Say from when the two years of a consent count: given, or told of it since."""
    renewed = pl.when((told > consented + ANSWER_WITHIN) | consented.is_null()).then(told)
    return pl.coalesce(renewed, consented).cast(INSTANT)
