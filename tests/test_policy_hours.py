"""Hours of advertising: the law of both ends, the platform and the owner, all together."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remindctl.frames import INSTANT
from remindctl.hours import first_open, is_open
from remindctl.model import Channel, Policy, Purpose, Store, Window
from remindctl.policy import ENDS, clocks_of, openings, wider_than_law

TEXTS = (Channel.SMS, Channel.LMS, Channel.MMS)


def shop(preset: str, country: str, **policy: object) -> Store:
    return Store(
        key="s", name="s", timezone="Asia/Seoul", country=country, currency="KRW",
        policy=Policy(preset=preset, **policy),  # type: ignore[arg-type]
    )  # fmt: skip


KOREA, AMERICA, FRANCE = shop("KR", "KR"), shop("US", "US"), shop("EU", "FR")


def opens(
    store: Store,
    channel: Channel,
    local: datetime,
    zone: str = "Asia/Seoul",
    *,
    purpose: Purpose = Purpose.ADVERTISING,
    night: bool = False,
    zone_known: bool = True,
    country: str | None = None,
) -> bool:
    """Say whether a message may go out when the clock of ``zone`` shows ``local``."""
    found = openings(store, channel, purpose, night=night, zone_known=zone_known, country=country)
    at = pl.lit(local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), dtype=INSTANT)
    return bool(pl.select(is_open(at, found, zone)).item())


def clock(hour: int, minute: int = 0, second: int = 0, day: int = 3) -> datetime:
    """A time of a Tuesday in June 2025, or of another day of that month."""
    return datetime(2025, 6, day, hour, minute, second)  # noqa: DTZ001 (on a wall)


@pytest.mark.parametrize(
    ("store", "channel", "first", "last", "closed"),
    [
        (KOREA, Channel.SMS, clock(8), clock(20, 59, 59), clock(21)),
        (KOREA, Channel.PUSH, clock(8), clock(20, 59, 59), clock(21)),
        (KOREA, Channel.WEBHOOK, clock(8), clock(20, 59, 59), clock(21)),
        (KOREA, Channel.BRAND_MESSAGE, clock(8), clock(20, 49, 59), clock(20, 50)),
        (AMERICA, Channel.SMS, clock(9), clock(19, 59, 59), clock(20)),
        (FRANCE, Channel.LMS, clock(8), clock(21, 59, 59), clock(22)),
        (shop("EU", "DE"), Channel.SMS, clock(8), clock(20, 59, 59), clock(21)),
        (shop("EU", "AU"), Channel.MMS, clock(8), clock(20, 59, 59), clock(21)),
    ],
)
def test_advertising_keeps_the_hours_of_its_country_and_channel(
    store: Store, channel: Channel, first: datetime, last: datetime, closed: datetime
) -> None:
    assert opens(store, channel, first)
    assert not opens(store, channel, first - timedelta(seconds=1))
    assert opens(store, channel, last)
    assert not opens(store, channel, closed)


def test_email_has_no_night_and_pages_no_hours() -> None:
    for store in (KOREA, AMERICA, FRANCE):
        for channel in (Channel.EMAIL, Channel.ONSITE):
            assert opens(store, channel, clock(3))


def test_the_korean_night_needs_its_own_consent_and_no_consent_widens_kakaos_hours() -> None:
    for channel in (*TEXTS, Channel.PUSH):
        assert not opens(KOREA, channel, clock(23))
        assert opens(KOREA, channel, clock(23), night=True)
    assert not opens(KOREA, Channel.BRAND_MESSAGE, clock(20, 55), night=True)
    assert not opens(shop("EU", "DE"), Channel.BRAND_MESSAGE, clock(20, 55), night=True)
    assert not opens(AMERICA, Channel.SMS, clock(21), night=True)


def test_kakaos_hours_are_on_its_own_clock() -> None:
    # Seven in the evening in Auckland is four in the afternoon in Seoul; at ten in the morning
    # there, Seoul sleeps.
    assert opens(KOREA, Channel.BRAND_MESSAGE, clock(19), "Pacific/Auckland")
    assert not opens(KOREA, Channel.BRAND_MESSAGE, clock(10), "Pacific/Auckland")


def test_informational_messages_keep_to_the_platforms_hours_only() -> None:
    info = Purpose.INFORMATIONAL
    store = shop("KR", "KR", hours={Channel.SMS: Window(time(10), time(18))})
    assert opens(store, Channel.SMS, clock(3), purpose=info)
    assert opens(store, Channel.ALIMTALK, clock(3), purpose=info)
    assert not opens(store, Channel.BRAND_MESSAGE, clock(3), purpose=info)


def test_france_has_no_sundays_and_no_days_that_the_owner_calls_holidays() -> None:
    sunday = clock(10, day=8)
    assert not opens(FRANCE, Channel.SMS, sunday, "Europe/Paris")
    assert opens(FRANCE, Channel.EMAIL, sunday, "Europe/Paris")
    assert not opens(KOREA, Channel.SMS, sunday, "Europe/Paris", country="FR")
    closed = shop("EU", "FR", holidays=frozenset({date(2025, 6, 3)}))
    assert not opens(closed, Channel.SMS, clock(10), "Europe/Paris")
    assert not opens(closed, Channel.EMAIL, clock(10), "Europe/Paris")
    assert opens(closed, Channel.SMS, clock(10, day=4), "Europe/Paris")


def test_the_store_and_the_recipient_each_keep_their_own_law() -> None:
    for hour, open_ in ((8, False), (9, True), (19, True), (20, False)):
        assert opens(KOREA, Channel.SMS, clock(hour), "America/New_York", country="US") is open_
    # The other way round: Korean customers of an American store have a night of their own.
    assert not opens(AMERICA, Channel.PUSH, clock(22), country="KR")
    assert opens(AMERICA, Channel.PUSH, clock(22), country="KR", night=True)
    assert not opens(KOREA, Channel.SMS, clock(21, 30), "Europe/Paris", country="FR")


def test_an_unknown_zone_is_open_only_where_it_is_open_on_every_clock_of_the_country() -> None:
    def at(hour: int, **more: object) -> bool:
        return opens(
            AMERICA, Channel.SMS, clock(hour), "America/New_York", zone_known=False, **more  # type: ignore[arg-type]
        )  # fmt: skip

    # Honolulu is six hours behind New York in summer: nine there is three in the afternoon here.
    assert [hour for hour in range(24) if at(hour)] == [15, 16, 17, 18, 19]
    # The row's own zone says nothing then: it is the store's.
    berlin = {"zone_known": False, "country": "DE"}
    assert opens(KOREA, Channel.SMS, clock(15), **berlin)  # type: ignore[arg-type]
    assert not opens(KOREA, Channel.SMS, clock(14), **berlin)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(ENDS)),
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 (as above)
)
def test_the_ends_of_a_country_stand_for_every_clock_between(country: str, at: datetime) -> None:
    between = {
        "US": ["America/Chicago", "America/Phoenix", "America/Anchorage", "America/Adak"],
        "CA": ["America/Halifax", "America/Regina", "America/Edmonton", "America/Whitehorse"],
        "AU": ["Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Australia/Darwin"],
        "BR": ["America/Sao_Paulo", "America/Manaus"],
        "MX": ["America/Mexico_City", "America/Hermosillo", "America/Mazatlan"],
        "RU": ["Europe/Moscow", "Asia/Vladivostok", "Asia/Yekaterinburg"],
        "CL": ["America/Santiago"],
        "ID": ["Asia/Makassar"],
    }.get(country, [])
    instant = at.replace(tzinfo=UTC)
    offsets = [instant.astimezone(ZoneInfo(zone)).utcoffset() for zone in clocks_of(country)]
    known = [offset for offset in offsets if offset is not None]
    for zone in between:
        here = instant.astimezone(ZoneInfo(zone)).utcoffset()
        assert here is not None
        assert min(known) <= here <= max(known), zone


@settings(deadline=None, max_examples=80)
@example(datetime(2025, 3, 9, 6, 30), "America/New_York", "US", Channel.SMS)  # noqa: DTZ001
@example(datetime(2025, 11, 2, 5, 30), "America/New_York", "US", Channel.SMS)  # noqa: DTZ001
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 (as above)
    st.sampled_from(["Asia/Seoul", "America/New_York", "Europe/Paris", "Australia/Lord_Howe"]),
    st.sampled_from([None, "KR", "US", "FR", "JP"]),
    st.sampled_from([*TEXTS, Channel.PUSH, Channel.BRAND_MESSAGE]),
)
def test_quiet_hours_hold_on_the_recipients_clock_across_its_changes(
    at: datetime, zone: str, country: str | None, channel: Channel
) -> None:
    law = openings(
        KOREA, channel, Purpose.ADVERTISING, night=False, zone_known=True, country=country
    )
    wanted = pl.Series("at", [at.replace(tzinfo=UTC)], dtype=INSTANT)
    moved = first_open(wanted, law, zone).item()
    if moved is None:
        return
    assert moved >= wanted.item()
    local = moved.astimezone(ZoneInfo(zone))
    assert time(8) <= local.time() < time(21)
    if country == "US" and channel in TEXTS:
        assert time(9) <= local.time() < time(20)
    if country == "FR" and channel in TEXTS:
        assert local.isoweekday() != 7
    if channel is Channel.BRAND_MESSAGE:
        assert time(8) <= moved.astimezone(ZoneInfo("Asia/Seoul")).time() < time(20, 50)


def test_the_owners_hours_narrow_those_of_the_law_and_never_widen_them() -> None:
    late = shop("KR", "KR", hours={Channel.SMS: Window(time(10), time(23))})
    assert not opens(late, Channel.SMS, clock(9))
    assert opens(late, Channel.SMS, clock(10))
    assert not opens(late, Channel.SMS, clock(21))
    assert not opens(late, Channel.SMS, clock(23), night=True)
    mail = shop("KR", "KR", hours={Channel.EMAIL: Window(time(10), time(18))})
    assert not opens(mail, Channel.EMAIL, clock(9))


@pytest.mark.parametrize(
    ("channel", "own", "preset", "country", "limit"),
    [
        (Channel.SMS, "08:00-21:00", "KR", "KR", None),
        (Channel.SMS, "08:00-21:01", "KR", "KR", "08:00-21:00"),
        (Channel.SMS, "07:59-20:00", "KR", "KR", "08:00-21:00"),
        (Channel.SMS, "20:00-08:00", "KR", "KR", "08:00-21:00"),
        (Channel.BRAND_MESSAGE, "08:00-21:00", "KR", "KR", "08:00-20:50"),
        (Channel.SMS, "08:00-20:00", "US", "US", "09:00-20:00"),
        (Channel.SMS, "08:00-22:00", "EU", "FR", None),
        (Channel.SMS, "08:00-22:00", "EU", "IT", "08:00-21:00"),
        (Channel.EMAIL, "00:00-23:59", "KR", "KR", None),
        (Channel.PUSH, "00:00-23:59", "US", "US", None),
    ],
)
def test_hours_wider_than_the_law_are_found(
    channel: Channel, own: str, preset: str, country: str, limit: str | None
) -> None:
    opening, closing = (time.fromisoformat(part) for part in own.split("-"))
    found = wider_than_law({channel: Window(opening, closing)}, preset, country)
    assert {one: str(window) for one, window in found.items()} == (
        {} if limit is None else {channel: limit}
    )
