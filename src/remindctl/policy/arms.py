"""Who is held out, to know later what the messages did: by hash, so that it stays as it is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import History

if TYPE_CHECKING:
    from remindctl.model import Campaign, Store


def draw_arms(
    rows: pl.DataFrame, history: History, campaign: Campaign, store: Store
) -> pl.DataFrame:
    """Draw who is held out, by hash, for ever; a recorded arm outlives a merge, the earliest wins.

    Args:
        rows: has person and customer_key.
        history: what the log knows of these people.
        campaign: its ``control`` share.
        store: its ``holdout`` share.

    Returns:
        arm (treated or control), store_arm (treated or holdout), each null where no one is held
        out, and hold, one row per row of ``rows``.
    """
    of_campaign = History(history.filter(pl.col("campaign") == campaign.name))
    salt = f"{store.key}\x1f{campaign.name}"
    return pl.DataFrame(
        [
            _arm(rows, of_campaign, "arm", "control", campaign.control, salt),
            _arm(rows, history, "store_arm", "holdout", store.policy.holdout, store.key),
        ]
    ).with_columns(
        pl.when(pl.col("arm") == "control")
        .then(pl.lit("control"))
        .when(pl.col("store_arm") == "holdout")
        .then(pl.lit("holdout"))
        .alias("hold")
    )


def is_drawn(salt: str, customer_key: str, share: float) -> bool:
    """Say whether a salt holds a person out, as it does a ``share`` of all people."""
    return position(salt, customer_key) < share


def position(salt: str, customer_key: str) -> float:
    """Return where a salt puts a person between 0 and 1: evenly spread, and for ever the same."""
    digest = hashlib.sha256(f"{salt}\x1f{customer_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _arm(
    rows: pl.DataFrame, history: History, column: str, held_out: str, share: float, salt: str
) -> pl.Series:
    if not share:
        return pl.Series(column, [None], dtype=pl.String).new_from_index(0, len(rows))
    recorded = (
        history.filter(pl.col(column).is_not_null())
        .sort("claimed_at")
        .group_by("person")
        .agg(pl.col(column).first())
    )
    drawn = pl.Series(
        "_drawn",
        [held_out if is_drawn(salt, key, share) else "treated" for key in rows["customer_key"]],
        dtype=pl.String,
    )
    found = rows.select("person").join(recorded, on="person", how="left", maintain_order="left")
    return found.select(pl.coalesce(column, drawn).alias(column))[column]
