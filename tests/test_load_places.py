"""Which clock a person lives by: stated, else of the address, else of the phone number."""

from __future__ import annotations

from itertools import permutations
from zoneinfo import ZoneInfo

import phonenumbers
import polars as pl
import pytest

from remindctl.stores.places import _table, located

NO_TWO_CLOCKS = ("US", "CA", "AU", "BR", "RU", "MX", "ES", "PT", "NZ", "ID", "CL")


def of(**said: str | None) -> tuple[str | None, str | None, str | None]:
    people = pl.DataFrame([said], schema=dict.fromkeys(said, pl.String))
    (found,) = located(people).select("timezone", "timezone_source", "country").iter_rows()
    return found


def test_what_was_stated_goes_before_the_address_and_that_before_the_phone() -> None:
    said = {"timezone": "Asia/Tokyo", "country": "US", "province": "CA", "phone": "+12125550100"}
    assert of(**said) == ("Asia/Tokyo", "stated", "US")
    assert of(**said | {"timezone": "Pacific"}) == ("America/Los_Angeles", "address", "US")
    assert of(**said | {"timezone": None, "province": None}) == ("America/New_York", "phone", "US")
    assert of(phone="+821090000001") == ("Asia/Seoul", "phone", "KR")
    assert of(name="someone") == (None, None, None)


@pytest.mark.parametrize(
    ("country", "province", "zone"),
    [
        ("KR", None, "Asia/Seoul"),
        (" kr ", "서울", "Asia/Seoul"),  # the whole country keeps one time, whatever the province
        ("DE", None, "Europe/Berlin"),  # two zones of one clock
        ("US", "ny", "America/New_York"),
        ("US", "TX", None),  # El Paso keeps another time
        ("US", None, None),
        ("CA", "AB", "America/Edmonton"),
        ("CA", "ON", None),
        ("AU", "QLD", "Australia/Brisbane"),
        ("AU", "NSW", None),
        ("Korea", None, None),  # no code
    ],
)
def test_an_address_tells_a_zone_only_where_one_clock_rules(
    country: str, province: str | None, zone: str | None
) -> None:
    found = of(country=country, province=province)
    assert found[:2] == (zone, zone and "address")


@pytest.mark.parametrize(
    ("phone", "zone", "country"),
    [
        ("+12065550100", "America/Los_Angeles", "US"),
        ("+19155550100", "America/Denver", "US"),  # El Paso
        ("+12085550100", None, "US"),  # half of Idaho
        ("+14165550100", "America/Toronto", "CA"),
        ("+17875550100", "America/Puerto_Rico", "PR"),
        ("+18005550100", None, None),
        ("+447700900000", "Europe/London", "GB"),
        ("+77012345678", "Asia/Almaty", "KZ"),
        ("+79012345678", None, "RU"),
        ("+61491570006", None, "AU"),
    ],
)
def test_a_phone_number_tells_a_zone_only_where_its_area_has_one_clock(
    phone: str, zone: str | None, country: str | None
) -> None:
    assert of(phone=phone) == (zone, zone and "phone", country)


def test_a_phone_of_another_country_tells_nothing_of_the_clock_at_the_address() -> None:
    assert of(country="ES", province=None, phone="+447700900000") == (None, None, "ES")
    assert of(country="US", province="TX", phone="+12145550100")[0] == "America/Chicago"


def test_the_tables_name_real_zones_and_the_countries_that_the_phone_library_knows() -> None:
    addresses, phones = _table("addresses"), _table("phones")
    for zone in pl.concat([addresses["zone"], phones["zone"]]).drop_nulls().unique():
        ZoneInfo(zone)
    assert not addresses.select("country", "province").is_duplicated().any()
    prefixes = phones["prefix"].to_list()
    assert not any(b.startswith(a) for a, b in permutations(prefixes, 2))
    whole = addresses.filter(pl.col("province").is_null(), pl.col("zone").is_null())
    assert set(NO_TWO_CLOCKS) <= set(whole["country"])
    for prefix, country in phones.select("prefix", "country").iter_rows():
        codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        code = next(int(prefix[:n]) for n in (1, 2, 3) if int(prefix[:n]) in codes)
        assert country in codes[code], prefix
