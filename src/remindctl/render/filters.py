"""What templates can do to a value: money, dates, masks, cutting to bytes, addresses."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from jinja2.utils import url_quote

from remindctl.render.lengths import cut
from remindctl.render.particles import josa
from remindctl.render.qr import qr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remindctl.model import Campaign, Channel, Store


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

FILTER_NAMES = ("money", "date", "josa", "mask", "truncate_bytes", "qr", "utm")

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_KOREAN_WEEKDAYS = "월화수목금토일"
_DIRECTIVE = re.compile(r"%(-?[A-Za-z%])")


def filters(store: Store, campaign: Campaign, channel: Channel) -> dict[str, Callable[..., str]]:
    """Return the filters by name, for a store's currency, language and time zone."""
    korean = store.country == "KR"
    zone = ZoneInfo(store.timezone)

    def money(value: object, currency: str = store.currency) -> str:
        return format_money(value, currency)

    def day(value: object, pattern: str = "%Y년 %-m월 %-d일" if korean else "%B %-d, %Y") -> str:
        return format_date(value, pattern, zone, korean=korean)

    def utm(value: object) -> str:
        return tagged(str(value), store.key, str(channel), campaign.name)

    return {
        "money": money,
        "date": day,
        "josa": josa,
        "mask": mask,
        "truncate_bytes": cut_bytes,
        "qr": qr,
        "utm": utm,
    }


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


def tagged(address: str, source: str, medium: str, campaign: str) -> str:
    """Add the parameters by which a shop's statistics tell where a visit comes from.

    A parameter that the address has already stays as it is.
    """
    address, hash_sign, fragment = address.partition("#")
    address, _, query = address.partition("?")
    given = {part.partition("=")[0] for part in query.split("&")}
    ours = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    parts = [query] if query else []
    parts += [
        f"{name}={url_quote(value, for_qs=True)}"
        for name, value in ours.items()
        if name not in given
    ]
    return f"{address}?{'&'.join(parts)}{hash_sign}{fragment}"
