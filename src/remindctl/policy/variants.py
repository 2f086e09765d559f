"""Which form of a step's message a person gets: by segment, else by hash, and then for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.policy.arms import position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.frames import History
    from remindctl.model import Campaign, Step, Store, Variant


def choose_variants(
    rows: pl.DataFrame, step: Step, history: History, store: Store, campaign: Campaign
) -> pl.Series:
    """Choose each row's variant.

    What the log has for the same message stays. Then the first variant whose segment the person is
    in. Then, of those with a weight, the one that the person had first in this step, so that a
    merge of two people or another weight moves no one; then a draw by hash.

    Args:
        rows: has person, customer_key, key and segments.
        step: its variants.
        history: what the log knows of these people.
        store: with ``campaign`` and ``step`` the salt of the draw.
        campaign: likewise.

    Returns:
        the ``id`` of each row's variant; null for whom there is none, and for everyone where the
        step has one form only.
    """
    if all(one.id is None for one in step.variants):
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True).alias("variant")
    by_segment = [one for one in step.variants if one.when is not None]
    weighted = [one for one in step.variants if one.when is None and one.weight > 0]
    of_step = history.filter(pl.col("campaign") == campaign.name, pl.col("step") == step.id).sort(
        "claimed_at", "variant"
    )
    found = rows.select("person", "customer_key", "key", "segments")
    for on, variants in ((["person", "key"], step.variants), (["person"], weighted)):
        known = pl.col("variant").is_in([one.id for one in variants if one.id is not None])
        first = of_step.filter(known).group_by(on).agg(pl.col("variant").first())
        name = f"recorded_{on[-1]}"
        found = found.join(
            first.rename({"variant": name}), on=on, how="left", maintain_order="left"
        )
    segment = pl.coalesce(
        pl.lit(None, dtype=pl.String),
        *(
            pl.when(pl.col("segments").list.contains(one.when)).then(pl.lit(one.id))
            for one in by_segment
        ),
    )
    found = found.with_columns(
        pl.coalesce("recorded_key", segment, "recorded_person").alias("variant")
    )
    if not weighted:
        return found["variant"]
    if len(weighted) == 1:
        return found["variant"].fill_null(pl.lit(weighted[0].id, dtype=pl.String))
    salt = f"{store.key}\x1f{campaign.name}\x1f{step.id}"
    return _drawn(found, weighted, salt)


def _drawn(found: pl.DataFrame, weighted: Sequence[Variant], salt: str) -> pl.Series:
    """Draw for those who have none yet, each variant by its share of the weights."""
    open_ = found.filter(pl.col("variant").is_null()).select("customer_key").unique()
    at = [position(salt, key) for key in open_["customer_key"]]
    total, reached = sum(one.weight for one in weighted), 0.0
    drawn = pl.lit(weighted[-1].id)
    bounds = []
    for one in weighted[:-1]:
        reached += one.weight / total
        bounds.append(pl.when(pl.col("at") < reached).then(pl.lit(one.id)))
    drawn = pl.coalesce(*bounds, drawn)
    chosen = open_.with_columns(pl.Series("at", at, dtype=pl.Float64)).select(
        "customer_key", drawn.alias("drawn")
    )
    joined = found.join(chosen, on="customer_key", how="left", maintain_order="left")
    return joined.select(pl.coalesce("variant", "drawn").alias("variant"))["variant"]
