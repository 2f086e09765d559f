"""Cells as shops write them: what is read, what is not guessed, and that both ways agree."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.stores import values

LAW = settings(deadline=None, max_examples=60)
DATES = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M")


def column(*cells: str | None) -> pl.Series:
    return pl.Series("cell", cells, dtype=pl.String)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("39.90", "39.9"),
        ("12900", "12900"),
        ("12900.00", "12900"),
        ("₩12,900", "12900"),
        ("￦ 1,234,500", "1234500"),
        ("39,900원", "39900"),
        ("$1,234.50", "1234.5"),
        ("-₩500", "-500"),
        ("(5.00)", "-5"),
        ("'39.90", "39.9"),
        (" 12.5 ", "12.5"),
        ("22.200000000000003", "22.2"),
        ("0", "0"),
        # A comma before anything but three digits may be a decimal sign: never a guess.
        ("12,50", None),
        ("1.234,56", None),
        ("1,2345", None),
        ("1.2E+05", None),
        ("1e5", None),
        ("123456789012345678", None),
        ("NaN", None),
        ("-", None),
        ("무료", None),
        (None, None),
    ],
)
def test_amounts(cell: str | None, amount: str | None) -> None:
    expected = None if amount is None else Decimal(amount)
    assert values.careful_money(column(cell)).to_list() == [expected]


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("2", 2),
        ("2.0", 2),
        (" 2", 2),
        ("1,000", 1000),
        ("3개", 3),
        ("3 EA", 3),
        ("-2", -2),
        ("0", 0),
        ("2.5", None),
        ("1,5", None),
        ("1E+03", None),
        ("두 개", None),
        (None, None),
    ],
)
def test_quantities(cell: str | None, count: int | None) -> None:
    assert values.careful_quantities(column(cell)).to_list() == [count]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("2025-08-30 09:05:00", "2025-08-30T09:05"),
        ("2025/08/30 09:05", "2025-08-30T09:05"),
        ("2025/8/3 9:05", "2025-08-03T09:05"),
        ("2025. 8. 30. 오후 9:05", "2025-08-30T21:05"),
        ("2025-08-30 오전 12:05:07", "2025-08-30T00:05:07"),
        ("2025-08-30 오후 12:05", "2025-08-30T12:05"),
        ("2025년 8월 30일", "2025-08-30T00:00"),
        ("2025.08.30", "2025-08-30T00:00"),
        ("2025-08-30T09:05:00+09:00", "2025-08-30T09:05"),
        ("2025-08-30 09:05:00 -0400", "2025-08-30T09:05"),
        ("2025-08-30T09:05:00.250Z", "2025-08-30T09:05:00.250"),
        # Excel's serial numbers hold a time of day to about a second, no better.
        ("45899", "2025-08-30T00:00"),
        ("45899.378472222", "2025-08-30T09:05"),
        ("'2025-08-30", "2025-08-30T00:00"),
        ("99999", None),
        ("2025-13-01", None),
        ("2025-02-29", None),
        ("0000-00-00 00:00:00", None),
        ("1899-12-30", None),
        ("08/30/2025", None),
        ("어제", None),
        (None, None),
    ],
)
def test_dates_keep_the_clock_on_the_wall(cell: str | None, read: str | None) -> None:
    expected = None if read is None else moment(read)
    assert values.careful_times(column(cell), DATES).to_list() == [expected]


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("2025-10-07 09:50:26 +0200", 120),
        ("2025-10-07 09:50:26 -0430 ", -270),
        ("2025-10-07T09:50:26+09:00", 540),
        ("2025-10-07T09:50:26.5Z", 0),
        ("2025-10-07 09:50 UTC", 0),
        ("2025-10-07 09:50:26", None),
        # No offset of minus twenty hours.
        ("30-08-2025", None),
        ("2025-08-30", None),
        (None, None),
    ],
)
def test_offsets_belong_to_a_time_of_day(cell: str | None, minutes: int | None) -> None:
    assert values.offsets(column(cell)).to_list() == [minutes]


@pytest.mark.parametrize(
    ("region", "cell", "number"),
    [
        ("KR", "010-9000-1234", "+821090001234"),
        ("KR", "1090001234", "+821090001234"),
        ("KR", "1090001234.0", "+821090001234"),
        ("KR", "111234567.0", "+82111234567"),
        ("KR", "+82 10-9000-1234", "+821090001234"),
        ("KR", "'+82-010-9000-1234", "+821090001234"),
        ("KR", "821090001234", "+821090001234"),
        ("KR", '="01090001234"', "+821090001234"),
        ("KR", "０１０-9000-1234", "+821090001234"),
        ("KR", "02-1234-5678", "+82212345678"),
        ("KR", "070-1234-5678", "+827012345678"),
        ("KR", "'+1 202-555-0123", "+12025550123"),
        ("KR", "0044 20 7946 0018", "+442079460018"),
        ("US", "(202) 555-0123", "+12025550123"),
        ("US", "202.555.0123", "+12025550123"),
        ("US", "12025550123", "+12025550123"),
        ("US", "'+1 202-555-0123", "+12025550123"),
        ("US", "+1 202 555 0123 ext. 4", "+12025550123"),
        ("US", "+44 20 7946 0018", "+442079460018"),
        (None, "+82 10 9000 1234", "+821090001234"),
        # Masked, relay, placeholder, a company's, a piece of a number: nobody's.
        ("KR", "010-****-1234", None),
        ("KR", "0502-1234-5678", None),
        ("KR", "050-1234-5678", None),
        ("KR", "+82 507 1234 5678", None),
        (None, "+82 507 1234 5678", None),
        ("KR", "010-0000-0000", None),
        ("KR", "1000000000", None),
        ("KR", "010-1234-5678", None),
        ("KR", "000-0000-0000", None),
        ("KR", "123-456-7890", None),
        ("KR", "1588-1234", None),
        ("KR", "+82 1588 1234", None),
        ("KR", "080-123-4567", None),
        ("KR", "9000-1234", None),
        ("KR", "0101234", None),
        ("KR", "12025550123", None),
        ("KR", "010-9000-1234 / 010-9000-9999", None),
        ("US", "999-999-9999", None),
        ("US", "555-0123", None),
        ("US", "123-456-7890", None),
        ("US", "010-1234-567", None),
        ("KR", "4.41E+11", None),
        ("KR", "없음", None),
        ("KR", "-", None),
        (None, "01090001234", None),
        ("KR", None, None),
    ],
)
def test_phones(region: str | None, cell: str | None, number: str | None) -> None:
    assert values.careful_phones(column(cell), region).to_list() == [number]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("17850.0", "17850"),
        ("'6123456789012", "6123456789012"),
        ('="0123"', "0123"),
        ("abcd*****", None),
        ("NA", None),
        ("nan", None),
        ("0", None),
        (" ", None),
    ],
)
def test_customer_ids(cell: str, found: str | None) -> None:
    assert values.whole(values.person_code)(column(cell)).to_list() == [found]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (" Mina.Kim@Example.COM ", "mina.kim@example.com"),
        ("'mina@example.com", "mina@example.com"),
        ("mi***@example.com", None),
        ("a@example.com, b@example.com", None),
        ("@", None),
        ("mina@", None),
        ("@example.com", None),
        ("없음", None),
    ],
)
def test_email_addresses(cell: str, found: str | None) -> None:
    assert values.whole(values.email)(column(cell)).to_list() == [found]


digits = st.text("0123456789", min_size=1, max_size=4)
phone_cells = st.lists(digits, min_size=1, max_size=5).flatmap(
    lambda parts: st.builds(
        lambda sign, lead, between: sign + between.join([lead, *parts]),
        st.sampled_from(["", "+", "'", "'+"]),
        st.sampled_from(["010", "10", "82", "820", "1", "050", "02", "44"]),
        st.sampled_from(["", "-", " ", "."]),
    )
)
amount_cells = st.from_regex(r"\A[-+(₩$ ]{0,2}[0-9]{1,6}[,.' eE]{0,1}[0-9]{0,4}[)원 ]{0,1}\Z")
date_cells = st.builds(
    lambda form, when: when.strftime(form),
    st.sampled_from([*DATES, "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%Y.%m.%d", "%Y-%m-%dT%H:%M:%S"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 (a wall clock)
)


@LAW
@given(st.lists(phone_cells, min_size=1, max_size=20), st.sampled_from(["KR", "US", None]))
def test_a_phone_read_quickly_is_read_carefully_alike(cells: list[str], region: str | None) -> None:
    quick = values.whole(partial(values.phone, region=region))(column(*cells))
    careful = values.careful_phones(column(*cells), region)
    assert [c for q, c in zip(quick, careful, strict=True) if q is not None] == [
        q for q in quick if q is not None
    ]
    international = values.whole(values.international_phone)(column(*cells))
    assert [c for i, c in zip(international, careful, strict=True) if i is not None] == [
        i for i in international if i is not None
    ]


@pytest.mark.parametrize(
    ("region", "read", "left"),
    [
        (
            "US",
            ["2025550143", "(202) 555-0143", "+1 202 555 0143", "'+12025550143", "12025550143"],
            ["+2025550143", "02025550143", "1125550143", "2222222222", "+12222222222", "n/a", "",
             "2025550143.0", "2025550143 x2", "012025550143", "2-0-2", "1" * 40],
        ),
        (
            "KR",
            ["010-9000-0143", "1090000143", "+82 10-9000-0143", "821090000143"],
            ["+1090000143", "0010-9000-0143", "02-900-0143", "050-7123-4567", "010-1234-5678",
             "+0821090000143", "010-9***-0143"],
        ),
    ],
)  # fmt: skip
def test_a_plain_phone_is_told_by_its_size(region: str, read: list[str], left: list[str]) -> None:
    found = plain_phones(column(*read, *left), region).to_list()
    assert found[: len(read)] == [int(values.careful_phones(column(read[0]), region)[0])] * len(
        read
    )
    assert found[len(read) :] == [None] * len(left)


@LAW
@given(st.lists(phone_cells, min_size=1, max_size=20), st.sampled_from(["KR", "US"]))
def test_a_plain_phone_is_what_the_pattern_reads(cells: list[str], region: str) -> None:
    pattern = values.whole(partial(values.phone, region=region))(column(*cells))
    for plain, phone in zip(plain_phones(column(*cells), region), pattern, strict=True):
        assert plain is None or f"+{plain}" == phone


def plain_phones(cells: pl.Series, region: str) -> pl.Series:
    bare = cells.to_frame().select(bare=values.bare_phone(pl.col("cell")))
    number = values.quantity(pl.col("bare"))
    return bare.select(values.plain_phone(pl.col("bare"), number, region)).to_series()


@LAW
@given(st.lists(st.text("aZé@.- '*ßÖß1", max_size=9), min_size=1, max_size=20))
def test_a_plain_email_stays_as_it_is(cells: list[str]) -> None:
    cells += [f"{cell}@b.example" for cell in cells]
    plain = values.whole(values.plain_email)(column(*cells))
    read = values.whole(values.email)(column(*cells))
    for cell, quick, careful in zip(cells, plain, read, strict=True):
        assert quick is None or (quick, careful) == (cell, cell)
    assert values.whole(values.plain_email)(column("zoé-1@b.example"))[0] == "zoé-1@b.example"


@LAW
@given(st.lists(amount_cells, min_size=1, max_size=20))
def test_an_amount_read_quickly_is_read_carefully_alike(cells: list[str]) -> None:
    plain = [cell for cell in cells if not any(sign in cell for sign in "+eE")]
    quick = values.whole(values.money)(column(*plain))
    careful = values.careful_money(column(*plain))
    assert [c for q, c in zip(quick, careful, strict=True) if q is not None] == [
        q for q in quick if q is not None
    ]


@LAW
@given(st.lists(date_cells, min_size=1, max_size=20), st.sampled_from([*DATES, "%d/%m/%Y %H:%M"]))
def test_a_date_read_quickly_is_read_carefully_alike(cells: list[str], form: str) -> None:
    quick = values.whole(partial(values.local_time, form=form))(column(*cells))
    careful = values.careful_times(column(*cells), (form, "%m/%d/%Y %H:%M", *DATES))
    assert [c for q, c in zip(quick, careful, strict=True) if q is not None] == [
        q for q in quick if q is not None
    ]


def test_the_format_is_the_first_that_reads_the_whole_sample() -> None:
    forms = ("%d/%m/%Y", "%m/%d/%Y")
    assert values.best_format(["03/04/2025", "", "04/30/2025"], forms) == "%m/%d/%Y"
    assert values.best_format(["2025-04-30"], forms) == "%Y-%m-%d"
    assert values.best_format(["soon"], forms) == "%d/%m/%Y"
    assert values.best_format([], forms) == "%d/%m/%Y"
