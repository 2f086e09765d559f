"""How often: the pause before a campaign starts again, and how many messages are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT
from remindctl.hours import by_zone, exactly, from_the_wall, on_the_wall
from remindctl.model import Calendar, Purpose
from remindctl.policy.presets import caps_of
from remindctl.policy.progress import FINAL, REACHED

if TYPE_CHECKING:
    from datetime import datetime

    from remindctl.frames import History
    from remindctl.model import Campaign, Cap, Store

# Stretch of the calendar → how polars truncates to its beginning; weeks begin on Monday.
_BEGINNING = {Calendar.DAY: "1d", Calendar.WEEK: "1w", Calendar.MONTH: "1mo"}


def in_reentry(
    rows: pl.DataFrame, history: History, campaign: Campaign, as_of: datetime
) -> pl.Series:
    """Say of each row whether another start of the campaign is too recent, in the log or here.

    A start that was made already may go on. Of several starts of one person here the first counts.

    Args:
        rows: has person, entry and held (held otherwise already, so it starts nothing).
        history: what the log knows of these people.
        campaign: its pause.
        as_of: the instant of the run.
    """
    if campaign.reentry is None:
        return _none(rows)
    starts = (
        history.filter(pl.col("campaign") == campaign.name, pl.col("state").is_in(FINAL))
        .group_by("person", "entry")
        .agg(pl.col("claimed_at").min())
    )
    recent = pl.col("claimed_at") + exactly(campaign.reentry) > as_of
    found = (
        rows.select("person", "entry", "held")
        .join(
            starts.select("person", "entry", pl.lit(value=True).alias("started")),
            on=["person", "entry"],
            how="left",
            maintain_order="left",
        )
        .join(
            starts.filter(recent).select("person", pl.lit(value=True).alias("recent")).unique(),
            on="person",
            how="left",
            maintain_order="left",
        )
    )
    fresh = pl.col("started").is_null()
    starting = fresh & pl.col("recent").is_null() & ~pl.col("held")
    first = pl.when(starting).then("entry").drop_nulls().first().over("person")
    later = (first != pl.col("entry")).fill_null(value=False)
    return found.select(
        (fresh & (pl.col("recent").is_not_null() | later)).fill_null(value=False).alias("reentry")
    )["reentry"]


def over_caps(
    rows: pl.DataFrame, history: History, campaign: Campaign, store: Store, as_of: datetime
) -> pl.Series:
    """Say of each row whether its person has had enough, counting the rows before it that go out.

    One occasion counts once, whatever its legs. Informational messages are never held.

    Args:
        rows: has person, key, channel, zone and held (already held otherwise, so not counted).
        history: what the log knows of these people, and the plans before this one.
        campaign: its tags, and whether it counts.
        store: its caps, beside those of its preset.
        as_of: rolling windows end here, and so does the day, week or month of the recipient.
    """
    caps = caps_of(store, campaign)
    if campaign.purpose is not Purpose.ADVERTISING or not caps:
        return _none(rows)
    numbered = (
        rows.select("person", "channel", "zone", "held")
        .with_row_index("_row")
        .filter(~pl.col("held"))
    )
    people = numbered.select("person", "zone").unique("person", keep="first")
    seen = _seen(history, people)
    so_far = [_counted(seen, cap, as_of) for cap in caps]
    # Each person's first message, then their second, …: each turn counts what went before.
    numbered = numbered.with_columns(pl.int_range(pl.len()).over("person").alias("_turn"))
    held = [pl.Series("_row", [], dtype=pl.UInt32)]
    for _, turn in sorted(numbered.partition_by("_turn", as_dict=True).items()):
        # Whoever has no further message need not be counted any more.
        so_far = [counted.join(turn, on="person", how="semi") for counted in so_far]
        full = _none(turn)
        for cap, counted in zip(caps, so_far, strict=True):
            had = turn.join(counted, on="person", how="left", maintain_order="left")["n"]
            full |= (had.fill_null(0) >= cap.max) & _concerns(turn, cap)
        held.append(turn.filter(full)["_row"])
        if campaign.counts_for_caps:
            so_far = [
                _plus(counted, turn.filter(~full & _concerns(turn, cap)))
                for cap, counted in zip(caps, so_far, strict=True)
            ]
    return pl.int_range(len(rows), dtype=pl.UInt32, eager=True).is_in(pl.concat(held).implode())


def cap_counts(
    rows: pl.DataFrame, history: History, campaign: Campaign, store: Store, as_of: datetime
) -> list[tuple[Cap, int]]:
    """Tell of one person how many messages each cap counts already.

    Args:
        rows: the one row of the person: person, channel, zone.
        history: as for :func:`over_caps`.
        campaign: likewise.
        store: likewise.
        as_of: likewise.
    """
    if campaign.purpose is not Purpose.ADVERTISING:
        return []
    seen = _seen(history, rows.select("person", "zone"))
    return [
        (cap, int(_counted(seen, cap, as_of)["n"].sum()))
        for cap in caps_of(store, campaign)
        if _concerns(rows, cap).all()
    ]


def _seen(history: History, people: pl.DataFrame) -> pl.DataFrame:
    """Return the messages to these people (person, zone) that caps count."""
    counted = history.filter(pl.col("counts"), pl.col("state").is_in(REACHED))
    return counted.join(people, on="person", how="inner")


def _counted(seen: pl.DataFrame, cap: Cap, as_of: datetime) -> pl.DataFrame:
    """Count each person's messages that a cap looks at: person, n."""
    now = pl.lit(as_of, dtype=INSTANT)
    if cap.channel is not None:
        seen = seen.filter(pl.col("channel") == str(cap.channel))
    if cap.tag is not None:
        seen = seen.filter(pl.col("tags").list.contains(cap.tag))
    if isinstance(cap.per, Calendar):
        every = _BEGINNING[cap.per]
        zones = by_zone(
            seen.select("zone").unique(),
            lambda part, zone: part.with_columns(
                from_the_wall(on_the_wall(now, zone).dt.truncate(every), zone).alias("_since")
            ),
        )
        seen = seen.join(zones, on="zone").filter(pl.col("claimed_at") >= pl.col("_since"))
    else:
        seen = seen.filter(pl.col("claimed_at") > now - exactly(cap.per))
    messages = seen.select("person", "key").unique()
    return messages.group_by("person").agg(pl.len().cast(pl.UInt32).alias("n"))


def _plus(counted: pl.DataFrame, going: pl.DataFrame) -> pl.DataFrame:
    one = going.select("person", pl.lit(1, dtype=pl.UInt32).alias("n"))
    return pl.concat([counted, one]).group_by("person").agg(pl.col("n").sum())


def _concerns(rows: pl.DataFrame, cap: Cap) -> pl.Series:
    return ~_none(rows) if cap.channel is None else rows["channel"] == str(cap.channel)


def _none(rows: pl.DataFrame) -> pl.Series:
    return pl.repeat(value=False, n=len(rows), eager=True)
