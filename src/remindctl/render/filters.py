"""What templates can do to a value: money, dates, Korean particles, masks, cutting to bytes."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from remindctl.render.lengths import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remindctl.model import Store


class Money(NamedTuple):
    """How amounts of a currency are written."""

    before: str
    after: str
    decimals: int


# The sign ₩ is outside CP949, so won are written as people speak them.
MONEY: Mapping[str, Money] = {
    "KRW": Money("", "원", 0),
    "USD": Money("$", "", 2),
    "EUR": Money("€", "", 2),
    "GBP": Money("£", "", 2),
    "JPY": Money("¥", "", 0),
    "CAD": Money("CA$", "", 2),
    "AUD": Money("A$", "", 2),
    "SGD": Money("S$", "", 2),
    "HKD": Money("HK$", "", 2),
    "TWD": Money("NT$", "", 0),
    "VND": Money("", "₫", 0),
}

FILTER_NAMES = ("money", "date", "josa", "mask", "truncate_bytes")

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_KOREAN_WEEKDAYS = "월화수목금토일"
_DIRECTIVE = re.compile(r"%(-?[A-Za-z%])")


def filters(store: Store) -> dict[str, Callable[..., str]]:
    """Return the filters by name, for a store's currency, language and time zone."""
    korean = store.country == "KR"
    zone = ZoneInfo(store.timezone)

    def money(value: object, currency: str = store.currency) -> str:
        return format_money(value, currency)

    def day(value: object, pattern: str = "%Y년 %-m월 %-d일" if korean else "%B %-d, %Y") -> str:
        return format_date(value, pattern, zone, korean=korean)

    return {"money": money, "date": day, "josa": josa, "mask": mask, "truncate_bytes": cut_bytes}


def format_money(value: object, currency: str) -> str:
    """Write an amount as customers read it: ``12,900원``, ``$39.90``.

    Raises:
        ValueError: it is no number.
    """
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"money: {value!r} is not a number") from None
    form = MONEY.get(currency, Money("", f" {currency}", 2))
    rounded = amount.quantize(Decimal(1).scaleb(-form.decimals), ROUND_HALF_UP)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{form.before}{abs(rounded):,}{form.after}"


def format_date(value: object, pattern: str, zone: ZoneInfo, *, korean: bool) -> str:
    """Write a date with the usual ``%`` directives, the same on every machine.

    Args:
        value: a date, an instant (shown in ``zone``), or a text in ISO 8601.
        pattern: of %Y %y %m %-m %d %-d %H %-H %M %B %b %A %a %%.
        zone: the store's.
        korean: the language of months and weekdays.

    Raises:
        ValueError: it is no date, or the pattern has another directive.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(zone) if value.tzinfo else value
    elif isinstance(value, date):
        value = datetime(value.year, value.month, value.day, tzinfo=zone)
    else:
        raise ValueError(f"date: {value!r} is not a date")  # noqa: TRY004 (a wrong value, as above)
    month = f"{value.month}월" if korean else _MONTHS[value.month - 1]
    weekday = _KOREAN_WEEKDAYS[value.weekday()] if korean else _WEEKDAYS[value.weekday()]
    shown = {
        "Y": f"{value.year:04}",
        "y": f"{value.year % 100:02}",
        "m": f"{value.month:02}",
        "-m": str(value.month),
        "d": f"{value.day:02}",
        "-d": str(value.day),
        "H": f"{value.hour:02}",
        "-H": str(value.hour),
        "M": f"{value.minute:02}",
        "B": month,
        "b": month if korean else month[:3],
        "A": f"{weekday}요일" if korean else weekday,
        "a": weekday if korean else weekday[:3],
        "%": "%",
    }
    unknown = [found for found in _DIRECTIVE.findall(pattern) if found not in shown]
    if unknown:
        raise ValueError(f"date: %{unknown[0]} is not supported; there are %{' %'.join(shown)}")
    return _DIRECTIVE.sub(lambda found: shown[found[1]], pattern)


# After a consonant, after a vowel; 으로 is followed by 로 after ㄹ too.
_PARTICLES = (
    ("이", "가"),
    ("은", "는"),
    ("을", "를"),
    ("과", "와"),
    ("으로", "로"),
    ("아", "야"),
    ("이나", "나"),
    ("이랑", "랑"),
    ("이에요", "예요"),
)
_PAIRS: Mapping[str, tuple[str, str]] = {
    "/".join(order): pair for pair in _PARTICLES for order in (pair, pair[::-1])
}
_RIEUL = 8  # the index of ㄹ among the final consonants
# The final consonant of a digit's Korean reading: 영 일 이 삼 사 오 육 칠 팔 구.
_DIGITS = (21, 8, 0, 16, 0, 0, 1, 8, 8, 0)
# Of a letter's Korean name: 엘 엠 엔 알; all others end in a vowel.
_LETTERS = {"l": 8, "m": 16, "n": 4, "r": 8}
# English words as Koreans read them: 애플, 크림, 라인, 링, 팩, 컵; anything else takes a vowel.
_ENDINGS: Mapping[str, int] = {
    "le": 8,
    "l": 8,
    "me": 16,
    "m": 16,
    "ne": 4,
    "n": 4,
    "ng": 21,
    "ck": 1,
    "p": 17,
}
# Behind a number: 그램, but 미터, 리터, 퍼센트, 도.
_UNIT = re.compile(r"\d\s*(kg|mg|g|ml|l|cm|mm|m|%|℃)$", re.IGNORECASE)
_SILENT = " .,!?~·'\"’”」』>)]}™®©★☆♥"
_ASIDE = re.compile(r"\s*[(\[{<（［〈《][^()\[\]{}]*[)\]}>）］〉》]\s*$")


def josa(word: object, pair: str) -> str:
    """Put the particle behind a word that its last sound asks for.

    Args:
        word: Hangul, digits and Latin letters are read as Koreans do; a bracket at the end is
            passed over. After anything else both forms are written, as in ``東京을(를)``.
        pair: 이/가, 은/는, 을/를, 과/와, 으로/로 and so on, in either order.

    Raises:
        ValueError: the pair is unknown.
    """
    text = str(word)
    if pair not in _PAIRS:
        raise ValueError(f"josa: {pair!r} is unknown; there are {', '.join(list(_PAIRS)[::2])}")
    consonant, vowel = _PAIRS[pair]
    final = _final_sound(_ASIDE.sub("", text) or text)
    if final is None:
        both = f"({consonant[0]}){vowel}" if consonant.endswith(vowel) else f"{consonant}({vowel})"
        return text + both
    if final == 0 or (final == _RIEUL and consonant == "으로"):
        return text + vowel
    return text + consonant


def _final_sound(text: str) -> int | None:
    """Return the index of the last final consonant, 0 for none, None if nobody can say."""
    if unit := _UNIT.search(text):
        return 16 if unit[1].lower().endswith("g") else 0
    spoken = text.rstrip(_SILENT)
    last = spoken[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28
    if last.isascii() and last.isdigit():
        return _DIGITS[int(last)]
    if not (last.isascii() and last.isalpha()):
        return None
    word = re.findall("[A-Za-z]+", spoken)[-1]
    if word.isupper() or len(word) == 1:
        return _LETTERS.get(last.lower(), 0)
    return next((final for end, final in _ENDINGS.items() if word.lower().endswith(end)), 0)


def mask(value: object) -> str:
    """Hide most of a name, phone number or e-mail address: ``김*수``, ``010-****-1234``."""
    text = str(value).strip()
    if "@" in text:
        user, _, host = text.partition("@")
        return f"{user[:1]}***@{host}"
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 7 and not re.search(r"[^\d+() .-]", text):
        if text.startswith("+") and not text.startswith("+82"):
            # A number alone does not tell where its country code ends: show only its own end.
            return f"+***-****-{digits[-4:]}"
        local = f"0{digits[2:]}" if text.startswith("+82") else digits
        area = 2 if local.startswith("02") else 3
        return f"{local[:area]}-****-{local[-4:]}"
    return " ".join(_mask_word(word) for word in text.split())


def _mask_word(word: str) -> str:
    if len(word) <= 2 or word.isascii():
        return word[:1] + "*" * (len(word) - 1)
    return word[0] + "*" * (len(word) - 2) + word[-1]


def cut_bytes(value: object, size: int) -> str:
    """Shorten a text to ``size`` CP949 bytes, the unit of Korean text messages."""
    return cut(str(value), size)
