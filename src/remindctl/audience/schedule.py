"""When an occasion is due: its wanted instant, moved into hours that are open.

A missed run is caught up by the next, and a reminder past its window expires instead of firing
late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT
from remindctl.hours import Opening, after, by_zone, first_open, is_open, open_until
from remindctl.model import Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.model import Due

# A due instant moved further than this has lost its occasion, whatever the campaign says.
LONGEST_MOVE = Span(days=31)


def schedule(
    found: pl.DataFrame, due: Due, law: Sequence[Opening], as_of: datetime, *, keep: bool = False
) -> pl.DataFrame:
    """Move wanted instants to the first one open for ``at`` and for the hours of the channel.

    Args:
        found: has wanted_at and zone.
        due: the step's rule.
        law: the hours of the channel these rows are to take.
        as_of: now.
        keep: return every row, with not_yet (the due instant is to come) and expired (its window
            is over), instead of only those whose time it is.

    Returns:
        the rows with due_at (moved), open_now, closes_at (until when they may go out: the hours
        close or ``within`` is over; null = no end), skipped (wanted in closed hours and ``night:
        skip``), too_late (moved further than allowed) and never_open (the hours of step and
        channel never meet).
    """
    openings = (Opening(due.at), *law)

    def in_zone(part: pl.DataFrame, zone: str) -> pl.DataFrame:
        at = first_open(part["wanted_at"], openings[:1], zone)
        moved = first_open(part["wanted_at"], openings, zone)
        now = pl.lit(as_of, dtype=INSTANT)
        furthest = after(pl.col("wanted_at"), due.max_delay or LONGEST_MOVE, zone)
        expires = (
            pl.lit(None, dtype=INSTANT)
            if due.within is None
            else after(pl.col("due_at"), due.within, zone)
        )
        return (
            part.with_columns(
                moved.fill_null(part["wanted_at"]).alias("due_at"),
                moved.is_null().alias("never_open"),
                at.alias("_at"),
            )
            .with_columns(
                is_open(now, openings, zone).alias("open_now"),
                expires.alias("_expires"),
                (pl.col("due_at") > furthest).alias("too_late"),
                (
                    ~is_open(pl.col("_at"), law, zone)
                    if due.night == "skip"
                    else pl.lit(value=False)
                ).alias("skipped"),
            )
            .with_columns(
                pl.min_horizontal("_expires", open_until(now, openings, zone)).alias("closes_at"),
                (pl.col("due_at") > now).alias("not_yet"),
                (pl.col("_expires") < now).fill_null(value=False).alias("expired"),
            )
            .drop("_at", "_expires")
        )

    scheduled = by_zone(found, in_zone)
    if keep:
        return scheduled
    return scheduled.filter(~pl.col("not_yet"), ~pl.col("expired")).drop("not_yet", "expired")
