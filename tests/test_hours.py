"""Clock arithmetic on columns, against Python's own reading of the same zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl import hours
from remindctl.frames import INSTANT
from remindctl.hours import Opening
from remindctl.model import Span, Window

LAW = settings(deadline=None, max_examples=60)
ZONES = [
    "Asia/Seoul",
    "America/New_York",
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Pacific/Honolulu",
]
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
WINDOWS = st.builds(Window, TIMES, TIMES).filter(lambda window: window.opens != window.closes)
OPENINGS = st.lists(
    st.builds(
        Opening,
        st.none() | WINDOWS,
        st.sampled_from([(), ("America/New_York",), ("America/New_York", "Pacific/Honolulu")]),
        st.frozensets(st.dates(date(2025, 3, 1), date(2025, 3, 12)), max_size=4),
        st.frozensets(st.integers(1, 7), max_size=2),
    ),
    max_size=3,
)


def column(*instants: datetime) -> pl.DataFrame:
    return pl.DataFrame({"at": pl.Series(instants, dtype=INSTANT)})


def open_at(instant: datetime, openings: list[Opening], zone: str) -> bool:
    for opening in openings:
        for clock in opening.zones or (zone,):
            wall = instant.astimezone(ZoneInfo(clock))
            window = opening.window
            if window is not None:
                late, early = wall.time() >= window.opens, wall.time() < window.closes
                if not (late and early if window.opens <= window.closes else late or early):
                    return False
            if wall.date() in opening.closed_on or wall.isoweekday() in opening.closed_weekdays:
                return False
    return True


@LAW
@given(INSTANTS, st.integers(-40, 400), st.integers(-90_000, 90_000), st.sampled_from(ZONES))
def test_days_follow_the_calendar_of_the_zone_and_the_rest_is_exact(
    instant: datetime, days: int, seconds: int, zone: str
) -> None:
    moved = column(instant).select(hours.after(pl.col("at"), Span(days, seconds), zone)).item()
    wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=days)
    meant = wall.replace(tzinfo=ZoneInfo(zone)) if days else instant
    assert moved == meant.astimezone(UTC) + timedelta(seconds=seconds)


@LAW
@given(INSTANTS, OPENINGS, st.sampled_from(ZONES))
def test_open_is_what_every_clock_says(
    instant: datetime, openings: list[Opening], zone: str
) -> None:
    asked = column(instant).select(hours.is_open(pl.col("at"), openings, zone)).item()
    assert asked == open_at(instant, openings, zone)


@LAW
@given(INSTANTS, OPENINGS, st.sampled_from(ZONES))
def test_the_first_open_instant_is_open_and_none_before_it_is(
    instant: datetime, openings: list[Opening], zone: str
) -> None:
    instant = instant.replace(second=0, microsecond=0)
    [found] = hours.first_open(column(instant)["at"], openings, zone)
    minutes = timedelta(minutes=10)
    if found is None:
        found = instant + timedelta(days=14)
    else:
        assert found >= instant
        assert open_at(found, openings, zone)
    earlier = instant
    while earlier < min(found, instant + timedelta(days=3)):
        assert not open_at(earlier, openings, zone)
        earlier += minutes


@LAW
@given(INSTANTS, OPENINGS, st.sampled_from(ZONES))
def test_what_is_open_stays_open_until_it_closes(
    instant: datetime, openings: list[Opening], zone: str
) -> None:
    instant = instant.replace(second=0, microsecond=0)
    if not open_at(instant, openings, zone):
        return
    closes = column(instant).select(hours.open_until(pl.col("at"), openings, zone)).item()
    later = instant
    while later < min(closes or instant, instant + timedelta(days=2)):
        assert open_at(later, openings, zone)
        later += timedelta(minutes=10)


def test_a_skipped_hour_is_read_with_the_offset_before_and_a_double_one_is_the_first() -> None:
    before = column(
        datetime(2025, 3, 8, 7, 30, tzinfo=UTC), datetime(2025, 11, 1, 5, 30, tzinfo=UTC)
    )
    moved = before.select(hours.after(pl.col("at"), Span(days=1), "America/New_York"))["at"]
    assert moved.to_list() == [
        datetime(2025, 3, 9, 7, 30, tzinfo=UTC),  # 02:30 does not exist: 03:30
        datetime(2025, 11, 2, 5, 30, tzinfo=UTC),  # 01:30 comes twice
    ]


def test_hours_that_never_meet_are_null() -> None:
    openings = [Opening(Window(time(9), time(10))), Opening(Window(time(11), time(12)))]
    found = hours.first_open(column(datetime(2025, 1, 1, tzinfo=UTC))["at"], openings, "UTC")
    assert found.to_list() == [None]


def test_each_row_is_changed_on_its_own_clock_and_stays_in_its_place() -> None:
    frame = pl.DataFrame({"zone": ["Asia/Seoul", "UTC", "Asia/Seoul"], "n": [1, 2, 3]})
    changed = hours.by_zone(frame, lambda part, zone: part.with_columns(pl.lit(zone).alias("saw")))
    assert changed["saw"].to_list() == frame["zone"].to_list()
    assert changed["n"].to_list() == [1, 2, 3]
    assert hours.by_zone(frame.clear(), lambda part, _: part.with_columns(saw="n")).columns == [
        "zone", "n", "saw",
    ]  # fmt: skip


@pytest.mark.parametrize("span", [Span(days=2), Span(seconds=90), Span(days=1, seconds=-3600)])
def test_a_rolling_span_is_exact(span: Span) -> None:
    assert hours.exactly(span) == timedelta(days=span.days, seconds=span.seconds)
