"""Who is due, on which occasion: anchor + wait + window, the one trigger concept.

An occasion is what a person is reminded of, an order for instance; its id goes into the key under
which the send log remembers the message. :func:`occasions` finds them and their *wanted* instant,
anchor + wait. :func:`schedule` moves that instant forward to the first one that is open and says
whether its time is now. What is not due yet, or no longer, is left out: a missed run is caught up
by the next, and a reminder past its window expires instead of firing late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.frames import INSTANT
from remindctl.hours import (
    Opening,
    after,
    by_zone,
    exactly,
    first_open,
    from_the_wall,
    is_open,
    on_the_wall,
    open_until,
)
from remindctl.model import Span
from remindctl.segments import BUILT_IN, is_segment
from remindctl.segments import problems as condition_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from remindctl.frames import Events
    from remindctl.model import Audience, Due
    from remindctl.profiles import Profiles

# Events of this name count as orders where an occasion ends on one.
PURCHASE = "purchase"

# A due instant moved further than this has lost its occasion, whatever the campaign says.
LONGEST_MOVE = Span(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What anchors are found in.

    Attributes:
        profiles: with ``segment`` and ``segments``.
        zone: the store's time zone, for whoever's own is not known.
        as_of: nothing later has happened yet.
    """

    profiles: Profiles
    events: Events
    zone: str
    as_of: datetime


def _order(which: str) -> Callable[[Sources], pl.DataFrame]:
    def find(sources: Sources) -> pl.DataFrame:
        # Orders of one day are one purchase: only the next day's order is a new one. The day is the
        # store's, not the one the shop wrote, so that no order ends its own occasion.
        at = on_the_wall(pl.col(f"{which}_at"), sources.zone)
        next_day = at.dt.truncate("1d") + pl.duration(days=1)
        return sources.profiles.filter(pl.col(f"{which}_order_id").is_not_null()).select(
            "person",
            pl.col(f"{which}_order_id").alias("occasion"),
            pl.col(f"{which}_at").alias("anchor_at"),
            from_the_wall(next_day, sources.zone).alias("ends_from"),
        )

    return find


# An anchor gives one row per occasion: person, occasion (its id), anchor_at, and ends_from, the
# first instant at which an order is a new one and not part of what the person is reminded of.
ANCHORS: Mapping[str, Callable[[Sources], pl.DataFrame]] = {
    "first_order": _order("first"),
    "last_order": _order("last"),
}


def problems(
    audience: Audience, custom: Mapping[str, str], place: Place, extra: Sequence[str] = ()
) -> list[Problem]:
    """Say what is wrong with an audience: segments that do not exist, a ``where`` that fails.

    Args:
        audience: as the campaign states it.
        custom: the store's own segments.
        place: where the audience stands.
        extra: further columns of the store's customer file.
    """
    hint = f"the segments are: {', '.join((*BUILT_IN, *custom))}; and tag:NAME"
    found = [
        Problem(place, f"no segment {name!r}", hint)
        for name in (*audience.segments, *audience.exclude)
        if not is_segment(name, custom)
    ]
    if audience.where is not None:
        found += condition_problems(audience.where, place, extra)
    return found


def members(audience: Audience) -> pl.Expr:
    """Say of each row of Profiles whether it belongs to the audience; unknown = no."""
    chosen = pl.lit(value=True)
    if audience.segments:
        chosen &= _in_any(audience.segments)
    if audience.exclude:
        chosen &= ~_in_any(audience.exclude)
    if audience.where is not None:
        chosen &= pl.sql_expr(audience.where).fill_null(value=False)
    return chosen


def occasions(sources: Sources, audience: Audience, due: Due) -> pl.DataFrame:
    """Find the occasions of the audience whose time may have come and may not be over yet.

    Returns:
        the columns of the anchor, zone and zone_known (whose clock counts), wanted_at (anchor +
        wait) and over (what ends the occasion has happened).
    """
    people = sources.profiles.filter(members(audience)).select(
        "person",
        pl.col("timezone").fill_null(sources.zone).alias("zone"),
        pl.col("timezone").is_not_null().alias("zone_known"),
    )
    found = ANCHORS[due.after](sources).join(people, on="person", maintain_order="left")
    # A day more on both sides: what a calendar day holds differs from zone to zone.
    if not isinstance(due.wait, Span):
        raise TypeError(due.wait)
    span = due.wait
    wait, day = exactly(span), exactly(Span(days=1))
    found = found.filter(pl.col("anchor_at") + wait <= sources.as_of + day)
    if due.within is not None:
        longest = wait + exactly(due.within) + exactly(due.max_delay or LONGEST_MOVE) + day
        found = found.filter(pl.col("anchor_at") + longest >= sources.as_of)
    found = by_zone(
        found,
        lambda part, zone: part.with_columns(
            after(pl.col("anchor_at"), span, zone).alias("wanted_at")
        ),
    ).filter(pl.col("wanted_at") <= sources.as_of)
    return _ended(found, sources, due.until)


def schedule(
    found: pl.DataFrame, due: Due, law: Sequence[Opening], as_of: datetime
) -> pl.DataFrame:
    """Move wanted instants to the first one open for ``at`` and for the hours of the channel.

    Args:
        found: has wanted_at and zone.
        due: the step's rule.
        law: the hours of the channel these rows are to take.
        as_of: now.

    Returns:
        the rows whose time it is, with due_at (moved), open_now, closes_at (until when they may go
        out: the hours close or ``within`` is over; null = no end), skipped (wanted in closed hours
        and ``night: skip``), too_late (moved further than allowed) and never_open (the hours of
        step and channel never meet).
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
                pl.min_horizontal("_expires", open_until(now, openings, zone)).alias("closes_at")
            )
            .filter(
                pl.col("due_at") <= now, pl.col("_expires").is_null() | (pl.col("_expires") >= now)
            )
            .drop("_at", "_expires")
        )

    return by_zone(found, in_zone)


def _ended(found: pl.DataFrame, sources: Sources, until: str) -> pl.DataFrame:
    if until == "never":
        return found.with_columns(pl.lit(value=False).alias("over"))
    happened = sources.events.filter(
        pl.col("occurred_at") <= sources.as_of,
        pl.col("event") == (PURCHASE if until == "order" else until),
    )
    latest = happened.group_by("person").agg(pl.col("occurred_at").max().alias("_ended_at"))
    since = pl.col("anchor_at")
    if until == "order":
        ordered = sources.profiles.select("person", pl.col("last_at").alias("_ended_at"))
        both = pl.concat([latest, ordered])
        latest = both.group_by("person").agg(pl.col("_ended_at").max())
        since = pl.col("ends_from")
    joined = found.join(latest, on="person", how="left", maintain_order="left")
    over = (pl.col("_ended_at") >= since).fill_null(value=False)
    return joined.with_columns(over.alias("over")).drop("_ended_at")


def _in_any(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col("segments").list.contains(name) for name in names)
