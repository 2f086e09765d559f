from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.render import international, korean, outside_cp949, sms_bytes
from remindctl.render.filters import cut_bytes, format_date, format_money, mask
from remindctl.render.lengths import (
    are_unusual,
    characters,
    characters_column,
    international_column,
    is_usual,
    korean_column,
    unlimited,
    unlimited_column,
)
from remindctl.render.particles import josa
from remindctl.render.values import clean


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("a" * 160, "gsm-7", 160, 1),
        ("a" * 161, "gsm-7", 161, 2),
        ("a" * 306, "gsm-7", 306, 2),
        ("a" * 307, "gsm-7", 307, 3),
        ("€" * 80, "gsm-7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "gsm-7", 306, 3),  # € is not split: 152 + 154 is one too many
        ("가" * 70, "ucs-2", 70, 1),
        ("가" * 71, "ucs-2", 71, 2),
        ("가" * 134, "ucs-2", 134, 2),
        ("가" * 135, "ucs-2", 135, 3),
        ("가" * 66 + "😀" + "가" * 66, "ucs-2", 134, 3),
        ("ç", "ucs-2", 1, 1),
        ("\t", "ucs-2", 1, 1),
    ],
)
def test_the_parts_of_international_messages(
    text: str, encoding: str, units: int, parts: int
) -> None:
    assert international(text) == (encoding, units, parts)
    assert international_column(pl.Series([text])).row(0) == (encoding, units, parts)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("사과", "사과가 사과는 사과를 사과와 사과로"),
        ("귤", "귤이 귤은 귤을 귤과 귤로"),
        ("콜라겐", "콜라겐이 콜라겐은 콜라겐을 콜라겐과 콜라겐으로"),
        (
            "콜라겐 (30포)",
            "콜라겐 (30포)이 콜라겐 (30포)은 콜라겐 (30포)을 콜라겐 (30포)과 콜라겐 (30포)으로",
        ),
        ("‘비누’", "‘비누’가 ‘비누’는 ‘비누’를 ‘비누’와 ‘비누’로"),
        ("7", "7이 7은 7을 7과 7로"),
        ("2", "2가 2는 2를 2와 2로"),
        ("10", "10이 10은 10을 10과 10으로"),
        ("500ml", "500ml가 500ml는 500ml를 500ml와 500ml로"),
        ("30g", "30g이 30g은 30g을 30g과 30g으로"),
        ("SPF", "SPF가 SPF는 SPF를 SPF와 SPF로"),
        ("XL", "XL이 XL은 XL을 XL과 XL로"),
        ("Cream", "Cream이 Cream은 Cream을 Cream과 Cream으로"),
        ("Coffee", "Coffee가 Coffee는 Coffee를 Coffee와 Coffee로"),
        ("東京", "東京이(가) 東京은(는) 東京을(를) 東京과(와) 東京(으)로"),
    ],
)
def test_particles_follow_the_last_sound(word: str, expected: str) -> None:
    pairs = ("이/가", "는/은", "을/를", "와/과", "으로/로")
    assert " ".join(josa(word, pair) for pair in pairs) == expected


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        (Decimal("12900.0000"), "KRW", "12,900원"),
        (Decimal("0.5"), "KRW", "1원"),
        (Decimal("39.9"), "USD", "$39.90"),
        (-1234.5, "USD", "-$1,234.50"),
        ("1290", "JPY", "¥1,290"),
        (7, "CHF", "7.00 CHF"),
    ],
)
def test_money_is_written_by_currency(value: object, currency: str, expected: str) -> None:
    assert format_money(value, currency) == expected


def test_dates_are_written_in_the_stores_language_and_zone() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    late = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
    assert format_date(late, "%Y-%m-%d %H:%M %A", seoul, korean=True) == "2026-03-05 01:00 목요일"
    assert format_date(date(2026, 3, 5), "%a, %b %-d %%", seoul, korean=False) == "Thu, Mar 5 %"
    assert format_date("2026-03-05", "%-m월", seoul, korean=True) == "3월"


def test_masks_hide_names_phones_and_addresses() -> None:
    values = (
        "김수민",
        "김수",
        "남궁수민",
        "John Smith",
        "+821090001234",
        "02-1234-5678",
        "k@x.example",
    )
    assert [mask(value) for value in values] == [
        "김*민",
        "김*",
        "남**민",
        "J*** S****",
        "010-****-1234",
        "02-****-5678",
        "k***@x.example",
    ]


@given(st.text("가a😀 ", max_size=60), st.integers(0, 60))
def test_cutting_never_exceeds_its_bytes_and_leaves_short_texts_alone(text: str, size: int) -> None:
    cut = cut_bytes(text, size)
    assert sms_bytes(cut) <= size
    assert cut == text or sms_bytes(text) > size


# Characters of every kind that some network counts in its own way.
_counted = st.lists(st.sampled_from("aé가·…😀€^ç\n£똠 "), max_size=6).map("".join)


@settings(deadline=None)
@given(st.lists(st.tuples(_counted, st.integers(0, 60)).map(lambda pair: pair[0] * pair[1])))
def test_columns_are_counted_as_their_texts_are(texts: list[str]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    for measure, measured in (
        (korean, korean_column(column, are_unusual(column))),
        (international, international_column(column)),
        (characters, characters_column(column)),
        (unlimited, unlimited_column(column)),
    ):
        assert measured.select("encoding", "units", "parts").rows() == list(map(measure, texts))
    strange = korean_column(column, are_unusual(column))["strange"].to_list()
    assert strange == [outside_cp949(text) or None for text in texts]
    usual = [text for text in texts if is_usual(text)]
    assert [korean(text).units for text in usual] == (
        korean_column(pl.Series(usual, dtype=pl.String), None)["units"].to_list()
    )


def test_values_are_cleaned_to_one_line_of_visible_text_in_one_form() -> None:
    assert clean("\u1100\u1161\u200b\r\n e\u0301\ufeff ") == "가 é"
    assert clean("👩\u200d👧") == "👩\u200d👧"
    assert clean(["", "a\tb", None]) == ["a b"]
    assert clean({"a": " ", "b": ["\x00"], "c": 0}) == {"c": 0}
