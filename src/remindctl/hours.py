"""Clock arithmetic on columns of instants: calendar days, daily windows and days off, zone by zone.

People mean their own clock when they say "30 days later" or "after eight in the morning". A column
of instants is therefore moved zone by zone, a million rows at once, and always as the clock on the
wall would have it: 30 days after 16:00 is 16:00, a wall time that a change of the clocks skips is
read with the offset before the change, and one that comes twice is the first of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from remindctl.model import Span, Window

# A window opens again within a day; the rest is room for a stretch of days off.
_MOST_MOVES = 64


@dataclass(frozen=True, slots=True)
class Opening:
    """One condition on the hour of a message; several hold together.

    Attributes:
        window: hours of the day, None = the whole day.
        zones: the clocks it is read on, all of them; empty = the recipient's own.
        closed_on: dates without any hour.
        closed_weekdays: days of the week without any hour, 1 = Monday to 7 = Sunday.
    """

    window: Window | None = None
    zones: tuple[str, ...] = ()
    closed_on: frozenset[date] = frozenset()
    closed_weekdays: frozenset[int] = frozenset()


def on_the_wall(instant: pl.Expr, zone: str) -> pl.Expr:
    """Read instants on the clock of ``zone``, as datetimes without a zone."""
    return instant.dt.convert_time_zone(zone).dt.replace_time_zone(None)


def from_the_wall(wall: pl.Expr, zone: str) -> pl.Expr:
    """Find the instants (UTC) at which the clock of ``zone`` shows ``wall``."""

    def read(shown: pl.Expr) -> pl.Expr:
        return shown.dt.replace_time_zone(
            zone, ambiguous="earliest", non_existent="null"
        ).dt.convert_time_zone("UTC")

    # A skipped time does exist the day before; 24 real hours later is the offset before the change.
    day = pl.duration(days=1)
    return pl.coalesce(read(wall), read(wall - day) + day).cast(INSTANT)


def after(instant: pl.Expr, span: Span, zone: str) -> pl.Expr:
    """Add a span: whole days on the calendar of ``zone``, the rest exact."""
    if span.days:
        instant = days_after(instant, span.days, zone)
    return instant + pl.duration(seconds=span.seconds)


def days_after(instant: pl.Expr, days: int | pl.Expr, zone: str) -> pl.Expr:
    """Add whole days on the calendar of ``zone``."""
    return from_the_wall(on_the_wall(instant, zone) + pl.duration(days=days), zone)


def exactly(span: Span) -> timedelta:
    """Return a span as a length of time, its days as 24 hours each."""
    return timedelta(days=span.days, seconds=span.seconds)


def is_open(instant: pl.Expr, openings: Sequence[Opening], zone: str) -> pl.Expr:
    """Say whether every opening is open at the instants, for recipients in ``zone``."""
    return pl.all_horizontal(
        pl.lit(value=True),
        *(
            _open_on(on_the_wall(instant, clock), opening)
            for opening in openings
            for clock in opening.zones or (zone,)
        ),
    )


def first_open(instant: pl.Series, openings: Sequence[Opening], zone: str) -> pl.Series:
    """Move instants forward to the first one at which every opening is open.

    Returns:
        the moved instants; null where the openings never are open together.
    """
    moved = instant.to_frame("at")
    for _ in range(_MOST_MOVES):
        before = moved
        for opening in openings:
            for clock in opening.zones or (zone,):
                moved = moved.select(_next_on(pl.col("at"), opening, clock))
        if moved.equals(before):
            break
    reached = pl.when(is_open(pl.col("at"), openings, zone)).then("at")
    return moved.select(reached.alias(instant.name))[instant.name]


def open_until(instant: pl.Expr, openings: Sequence[Opening], zone: str) -> pl.Expr:
    """Say when the first of the openings closes that are all open at the instants; null = never."""
    return pl.min_horizontal(
        pl.lit(None, dtype=INSTANT),
        *(
            _closing_on(instant, opening, clock)
            for opening in openings
            for clock in opening.zones or (zone,)
        ),
    )


def by_zone(
    frame: pl.DataFrame, change: Callable[[pl.DataFrame, str], pl.DataFrame]
) -> pl.DataFrame:
    """Apply ``change`` to the rows of each distinct value of the column ``zone``; order is kept."""
    if frame.is_empty():
        return change(frame, "UTC")
    numbered = frame.with_row_index("_row")
    parts = [
        change(part, part["zone"][0]) for part in numbered.partition_by("zone", maintain_order=True)
    ]
    return pl.concat(parts).sort("_row").drop("_row")


def _open_on(wall: pl.Expr, opening: Opening) -> pl.Expr:
    return _in_window(wall, opening.window) & ~_day_off(wall, opening)


def _in_window(wall: pl.Expr, window: Window | None) -> pl.Expr:
    if window is None:
        return pl.lit(value=True)
    late, early = wall.dt.time() >= window.opens, wall.dt.time() < window.closes
    return late & early if window.opens <= window.closes else late | early


def _day_off(wall: pl.Expr, opening: Opening) -> pl.Expr:
    return wall.dt.date().is_in(sorted(opening.closed_on)) | wall.dt.weekday().is_in(
        sorted(opening.closed_weekdays)
    )


def _next_on(instant: pl.Expr, opening: Opening, zone: str) -> pl.Expr:
    """Move to the next opening of the window of this one condition, then out of one day off."""
    wall = on_the_wall(instant, zone)
    if opening.window is not None:
        found = from_the_wall(_next_time(wall, opening.window.opens), zone)
        # In the hour that comes twice the first reading may already be past: take the second.
        found = pl.when(found > instant).then(found).otherwise(found + pl.duration(hours=1))
        instant = pl.when(_in_window(wall, opening.window)).then(instant).otherwise(found)
        wall = on_the_wall(instant, zone)
    if opening.closed_on or opening.closed_weekdays:
        midnight = from_the_wall(_next_time(wall, time()), zone)
        instant = pl.when(_day_off(wall, opening)).then(midnight).otherwise(instant)
    return instant


def _closing_on(instant: pl.Expr, opening: Opening, zone: str) -> pl.Expr:
    """Say when this condition next ends, for instants at which it holds."""
    wall = on_the_wall(instant, zone)
    ends = [pl.lit(None, dtype=pl.Datetime("us"))]
    if opening.window is not None:
        ends.append(_next_time(wall, opening.window.closes))
    if opening.closed_on or opening.closed_weekdays:
        # Days off are looked at one midnight at a time; the check before each batch looks again.
        ends.append(_next_time(wall, time()))
    return from_the_wall(pl.min_horizontal(ends), zone)


def _next_time(wall: pl.Expr, hour: time) -> pl.Expr:
    """Find the next time after ``wall`` at which the clock shows ``hour``."""
    today = wall.dt.date().dt.combine(hour)
    tomorrow = (wall.dt.date() + pl.duration(days=1)).dt.combine(hour)
    return pl.when(today > wall).then(today).otherwise(tomorrow)
