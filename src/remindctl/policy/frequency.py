"""What the send log says about a person: messaged already, too recently in the campaign, enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT
from remindctl.hours import exactly
from remindctl.model import Purpose, State
from remindctl.policy.presets import PRESETS

if TYPE_CHECKING:
    from datetime import datetime

    from remindctl.frames import History
    from remindctl.model import Campaign, Cap, Step, Store

# A claim in one of these states may have reached the person, or is meant not to.
FINAL = tuple(map(str, (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED, State.CONTROL)))
_DISTURBS = tuple(map(str, (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED)))


def progress(rows: pl.DataFrame, history: History, step: Step, as_of: datetime) -> pl.DataFrame:
    """Say how far each occasion has come: its next leg, or that nothing is left to do.

    The next leg opens only when the one before was surely not delivered: rejected or undelivered. A
    failed attempt, surely not sent, may be repeated on its own leg.

    Args:
        rows: has person and key.
        history: what the log knows of these people.
        step: its legs and ``fallback_within``.
        as_of: the instant of the run.

    Returns:
        from_leg and already, one row per row of ``rows``.
    """
    next_leg = (
        pl.when(pl.col("state") == State.FAILED)
        .then("leg")
        .when(~pl.col("state").is_in(FINAL))
        .then(pl.col("leg") + 1)
        .otherwise(0)
    )
    claimed = history.group_by("person", "key").agg(
        pl.col("state").is_in(FINAL).any().alias("done"),
        next_leg.max().alias("from_leg"),
        pl.col("claimed_at").min(),
    )
    found = rows.join(claimed, on=["person", "key"], how="left", maintain_order="left")
    over = pl.col("from_leg") >= len(step.legs)
    if step.fallback_within is not None:
        over |= pl.col("claimed_at") + exactly(step.fallback_within) < as_of
    return found.select(
        pl.col("from_leg").fill_null(0).clip(upper_bound=len(step.legs) - 1).cast(pl.UInt8),
        (pl.col("done") | over).fill_null(value=False).alias("already"),
    )


def in_reentry(
    rows: pl.DataFrame, history: History, campaign: Campaign, as_of: datetime
) -> pl.Series:
    """Say of each row (has person, entry) whether another start of the campaign is too recent."""
    if campaign.reentry is None:
        return _none(rows)
    starts = (
        history.filter(pl.col("campaign") == campaign.name, pl.col("state").is_in(FINAL))
        .group_by("person", "entry")
        .agg(pl.col("claimed_at").min())
        .filter(pl.col("claimed_at") + exactly(campaign.reentry) > as_of)
    )
    found = rows.select("person", "entry").with_row_index("_row").join(
        starts.rename({"entry": "other"}), on="person", how="inner"
    )  # fmt: skip
    held = found.filter(pl.col("other") != pl.col("entry"))["_row"].unique()
    return pl.int_range(len(rows), dtype=pl.UInt32, eager=True).is_in(held.implode())


def over_caps(
    rows: pl.DataFrame, history: History, campaign: Campaign, store: Store, as_of: datetime
) -> pl.Series:
    """Say of each row whether its person has had enough, counting the rows before it that go out.

    One occasion counts once, whatever its legs. Informational messages are never held.

    Args:
        rows: has person, key, channel and held (already held otherwise, so not counted).
        history: what the log knows of these people, and the plans before this one.
        campaign: its tags, and whether it counts.
        store: its caps, beside those of its preset.
        as_of: windows are rolling and end here.
    """
    if campaign.purpose is not Purpose.ADVERTISING:
        return _none(rows)
    own = store.policy.caps
    stated = {cap.channel for cap in own}
    preset = (cap for cap in PRESETS[store.policy.preset].caps if cap.channel not in stated)
    caps = [cap for cap in (*own, *preset) if cap.tag is None or cap.tag in campaign.tags]
    so_far = [_counted(history, cap, as_of) for cap in caps]
    numbered = rows.with_row_index("_row").filter(~pl.col("held"))
    # Each person's first message, then their second, …: each turn counts what went before.
    numbered = numbered.with_columns(pl.int_range(pl.len()).over("person").alias("_turn"))
    held = [pl.Series("_row", [], dtype=pl.UInt32)]
    for _, turn in sorted(numbered.partition_by("_turn", as_dict=True).items()):
        full = _none(turn)
        for cap, counted in zip(caps, so_far, strict=True):
            had = turn.join(counted, on="person", how="left", maintain_order="left")["n"].fill_null(
                0
            )
            full |= (had >= cap.max) & _concerns(turn, cap)
        held.append(turn.filter(full)["_row"])
        if campaign.counts_for_caps:
            so_far = [
                _plus(counted, turn.filter(~full & _concerns(turn, cap)))
                for cap, counted in zip(caps, so_far, strict=True)
            ]
    return pl.int_range(len(rows), dtype=pl.UInt32, eager=True).is_in(pl.concat(held).implode())


def _counted(history: History, cap: Cap, as_of: datetime) -> pl.DataFrame:
    since = pl.lit(as_of, dtype=INSTANT) - exactly(cap.per)
    seen = history.filter(
        pl.col("counts"), pl.col("state").is_in(_DISTURBS), pl.col("claimed_at") > since
    )
    if cap.channel is not None:
        seen = seen.filter(pl.col("channel") == str(cap.channel))
    if cap.tag is not None:
        seen = seen.filter(pl.col("tags").list.contains(cap.tag))
    return seen.group_by("person").agg(pl.col("key").n_unique().cast(pl.UInt32).alias("n"))


def _plus(counted: pl.DataFrame, going: pl.DataFrame) -> pl.DataFrame:
    one = going.select("person", pl.lit(1, dtype=pl.UInt32).alias("n"))
    return pl.concat([counted, one]).group_by("person").agg(pl.col("n").sum())


def _concerns(rows: pl.DataFrame, cap: Cap) -> pl.Series:
    return ~_none(rows) if cap.channel is None else rows["channel"] == str(cap.channel)


def _none(rows: pl.DataFrame) -> pl.Series:
    return pl.repeat(value=False, n=len(rows), eager=True)
