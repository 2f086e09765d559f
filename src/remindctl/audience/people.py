"""Occasions of a person: the sign-up, dates in the customers' file (a birthday), a named day."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.events import first_of
from remindctl.audience.sources import just_after
from remindctl.frames import CUSTOMERS
from remindctl.hours import after, by_zone, exactly, from_the_wall
from remindctl.model import Span
from remindctl.profiles import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remindctl.audience.sources import Sources
    from remindctl.model import Step

# Nobody is born tomorrow: where this share of the full dates lies in the future, the column holds
# deadlines (the end of a contract), each of its own year, and not days that come back every year.
DEADLINES = 0.05

_A_DAY = re.compile(r"\d{4}-\d\d-\d\d")

# 1990-02-09, 1990.2.9, 1990. 2. 9., 02-09, with or without a time of day after it.
_SEPARATED = r"^\s*(?:(\d{4})\s*[-./]\s*)?(\d{1,2})\s*[-./]\s*(\d{1,2})\.?(?:[T\s].*)?$"
_COMPACT = r"^\s*(\d{4})(\d{2})(\d{2})\s*$"


def signed_up(sources: Sources, _step: Step) -> pl.DataFrame:
    """Find each person's sign-up: as the customers' file says, else the first such event."""
    stated = sources.profiles.select("person", pl.col("signed_up_at").alias("stated"))
    first = first_of(sources, "signup")
    at = pl.coalesce("stated", "at")
    found = stated.join(first, on="person", how="left", maintain_order="left")
    return found.filter(at <= sources.as_of).select(
        "person",
        pl.lit("signup").alias("occasion"),
        at.alias("anchor_at"),
        just_after(at).alias("ends_from"),
    )


def named_day(text: str) -> date | None:
    """Read an anchor that is a day of the calendar: ``2026-11-11``."""
    if not _A_DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def on_day(day: date) -> Callable[[Sources, Step], pl.DataFrame]:
    """Give everyone one occasion: a day of the calendar, from midnight on their own clock."""

    def find(sources: Sources, step: Step) -> pl.DataFrame:  # noqa: ARG001 (one shape for all)
        midnight = pl.lit(datetime.combine(day, time()))
        people = sources.profiles.select(
            "person",
            pl.lit(day.isoformat()).alias("occasion"),
            pl.col("timezone").fill_null(sources.store.timezone).alias("zone"),
        )
        return by_zone(
            people,
            lambda part, zone: part.with_columns(from_the_wall(midnight, zone).alias("anchor_at")),
        ).select(
            "person", "occasion", "anchor_at", just_after(pl.col("anchor_at")).alias("ends_from")
        )

    return find


def date_columns(columns: Mapping[str, pl.DataType | type[pl.DataType]]) -> list[str]:
    """Name the columns of the shop's own that may hold dates; of texts only a look can tell."""
    ours = {*COLUMNS, *CUSTOMERS, "segment"}
    return [
        name
        for name, dtype in columns.items()
        if name not in ours and dtype.base_type() in (pl.Date, pl.Datetime, pl.String)
    ]


def dated(column: str) -> Callable[[Sources, Step], pl.DataFrame]:
    """Find the days a column of the customers' file names: the latest that has come, and the next.

    A day begins at midnight on the recipient's clock, and comes back each year from its own year
    on (29 February on the 28th where there is none), unless the column holds deadlines.
    """

    def find(sources: Sources, step: Step) -> pl.DataFrame:
        wait = step.due.wait if isinstance(step.due.wait, Span) else Span()
        zone = pl.col("timezone").fill_null(sources.store.timezone).alias("zone")
        people = sources.profiles.select("person", pl.col(column).alias("value"), zone)
        # A million people share some ten thousand birthdays.
        named = people.group_by("value", "zone").agg(pl.len().alias("people"))
        read = read_dates(named["value"], sources.store.timezone)
        named = named.with_columns(read).filter(pl.col("month").is_not_null())
        today, year = sources.as_of.date(), pl.col("year")
        if _deadlines(named, today):
            # Nobody has a deadline beyond these years; a typing error may.
            near = year.is_between(today.year - 99, today.year + 99)
            days = named.filter(near).with_columns(_day(year).alias("on"))
        else:
            days = _yearly(named, today - exactly(wait))
        days = _nearest(days, wait, sources)
        id_ = pl.concat_str(pl.lit(column), pl.col("on").dt.year(), separator=" ")
        return people.join(days, on=["value", "zone"]).select(
            "person",
            id_.alias("occasion"),
            "anchor_at",
            just_after(pl.col("anchor_at")).alias("ends_from"),
        )

    return find


def read_dates(values: pl.Series, zone: str) -> list[pl.Series]:
    """Read values as year (null where it names none), month and day; all null: it is no date.

    Args:
        values: dates, instants, or texts such as ``1990-02-29``, ``1990.2.29``, ``19900229`` and
            ``02-29``; 29 February is one in any year.
        zone: on whose clock instants are read.
    """
    if values.dtype.base_type() == pl.Datetime:
        aware = values.dt.convert_time_zone(zone) if values.dtype.time_zone else values  # type: ignore[attr-defined]
        values = aware.dt.date()
    if values.dtype == pl.Date:
        values = values.dt.strftime("%Y-%m-%d")
    text = values.cast(pl.String)
    read = pl.DataFrame({"text": text}).select(
        pl.coalesce(
            pl.col("text").str.extract(_SEPARATED, group),
            pl.col("text").str.extract(_COMPACT, group),
        )
        .cast(pl.Int32)
        .alias(name)
        for group, name in enumerate(("year", "month", "day"), 1)
    )
    # 2000 is a leap year; a date without a year is often written with 0000.
    longest = pl.when(pl.col("month").is_between(1, 12)).then(
        pl.date(2000, pl.col("month").clip(1, 12), 1).dt.month_end().dt.day()
    )
    real = pl.col("day").is_between(1, longest)
    year = pl.when(pl.col("year") > 0).then("year")
    return read.select(
        pl.when(real).then(part).alias(name)
        for name, part in (("year", year), ("month", pl.col("month")), ("day", pl.col("day")))
    ).get_columns()


def _deadlines(named: pl.DataFrame, today: date) -> bool:
    full = named.filter(pl.col("year").is_not_null())
    to_come = full.filter(_day(pl.col("year")) > today)
    return len(to_come) > 0 and int(to_come["people"].sum()) >= DEADLINES * int(
        full["people"].sum()
    )


def _day(year: pl.Expr) -> pl.Expr:
    """Make the day of a year, 29 February as the 28th where there is none."""
    last = pl.date(year, "month", 1).dt.month_end().dt.day()
    return pl.date(year, "month", pl.min_horizontal(pl.col("day"), last.cast(pl.Int32)))


def _yearly(named: pl.DataFrame, today: date) -> pl.DataFrame:
    """Give each date its days (``on``) of the year before and after today, from its own on."""
    years = pl.DataFrame({"turn": [today.year - 1, today.year, today.year + 1]})
    days = named.join(years, how="cross").with_columns(_day(pl.col("turn")).alias("on"))
    # Two days more on both sides: it is not the same day everywhere, and a wait may have hours.
    near = (pl.col("on") - pl.lit(today)).dt.total_days().abs() <= 366 + 2
    return days.filter(near, pl.col("turn") >= pl.col("year").fill_null(0))


def _nearest(days: pl.DataFrame, wait: Span, sources: Sources) -> pl.DataFrame:
    """Of the days of each date keep the last whose wanted instant has come, and the next one.

    Returns:
        value, zone, on and anchor_at.
    """

    def in_zone(part: pl.DataFrame, zone: str) -> pl.DataFrame:
        midnight = from_the_wall(pl.col("on").cast(pl.Datetime("us")), zone)
        come = after(midnight, wait, zone) <= sources.as_of
        return part.with_columns(midnight.alias("anchor_at"), come.alias("come"))

    come, date_ = pl.col("come"), ("value", "zone")
    last = pl.col("on") == pl.col("on").filter(come).max().over(date_)
    following = pl.col("on") == pl.col("on").filter(~come).min().over(date_)
    return by_zone(days, in_zone).filter(last | following).select(*date_, "on", "anchor_at")
