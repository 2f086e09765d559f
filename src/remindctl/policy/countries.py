"""What the law of a recipient's country says about advertising hours and about consent.

Sources: Korea, Network Act 50(1)1, 50(3), Decree 61. United States, 47 CFR 64.1200(c)(1), which
several states narrow. France, and the others of the table: the hours senders keep to there. As of
2026, the stricter side where sources differ; none of this is legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

from remindctl.model import Channel, Family, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS = (Channel.SMS, Channel.LMS, Channel.MMS)

_EIGHT_TO_NINE = Window(time(8), time(21))
_SOLD_TO = frozenset({Family.TEXT, Family.KAKAO, Family.EMAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What a country asks of advertising.

    Attributes:
        hours: when it may go out, on the recipient's clock; a channel not named has no hours.
        closed_weekdays: days on which those channels are closed, 1 = Monday to 7 = Sunday.
        night_consent: whether a consent to the night opens the rest of the day.
        sold_to: families in which a recent customer may be told of the same kind of goods without
            having consented, where the store chooses so.
    """

    hours: Mapping[Channel, Window]
    closed_weekdays: frozenset[int] = frozenset()
    night_consent: bool = False
    sold_to: frozenset[Family] = _SOLD_TO


# Everywhere without an entry of its own; Canada, the United Kingdom, Ireland, Germany, the
# Netherlands, Australia and New Zealand are known to keep to the same hours.
ELSEWHERE = Law(hours=dict.fromkeys(TEXTS, _EIGHT_TO_NINE))
# E-mail is the one medium without a night; what goes through a webhook is not known, so it has one.
_KOREA = Law(
    hours=dict.fromkeys(
        (*TEXTS, Channel.BRAND_MESSAGE, Channel.PUSH, Channel.WEBHOOK), _EIGHT_TO_NINE
    ),
    night_consent=True,
)
# 47 CFR 64.1200 knows no text to a customer without consent; 15 U.S.C. 7704 does know the e-mail.
_UNITED_STATES = Law(
    hours=dict.fromkeys(TEXTS, Window(time(9), time(20))), sold_to=_SOLD_TO - {Family.TEXT}
)
_FRANCE = Law(hours=dict.fromkeys(TEXTS, Window(time(8), time(22))), closed_weekdays=frozenset({7}))

# ISO 3166 → law.
LAWS: Mapping[str, Law] = {
    "KR": _KOREA,
    **dict.fromkeys(("US", "PR", "VI", "GU", "AS", "MP"), _UNITED_STATES),
    "FR": _FRANCE,
}

# Where the clocks of a country differ: those of its two ends. Hours that are open at both ends are
# open everywhere between, since none of them spans midnight.
ENDS: Mapping[str, tuple[str, str]] = {
    "AU": ("Australia/Lord_Howe", "Australia/Perth"),
    "BR": ("America/Noronha", "America/Rio_Branco"),
    "CA": ("America/St_Johns", "America/Vancouver"),
    "CD": ("Africa/Lubumbashi", "Africa/Kinshasa"),
    "CL": ("America/Punta_Arenas", "Pacific/Easter"),
    "EC": ("America/Guayaquil", "Pacific/Galapagos"),
    "ES": ("Europe/Madrid", "Atlantic/Canary"),
    "FM": ("Pacific/Pohnpei", "Pacific/Chuuk"),
    "ID": ("Asia/Jayapura", "Asia/Jakarta"),
    "MN": ("Asia/Ulaanbaatar", "Asia/Hovd"),
    "MX": ("America/Cancun", "America/Tijuana"),
    "NZ": ("Pacific/Chatham", "Pacific/Auckland"),
    "PG": ("Pacific/Bougainville", "Pacific/Port_Moresby"),
    "PT": ("Europe/Lisbon", "Atlantic/Azores"),
    "RU": ("Asia/Kamchatka", "Europe/Kaliningrad"),
    "US": ("America/New_York", "Pacific/Honolulu"),
}

# The one clock of a country that stores sell to from abroad.
_CLOCKS: Mapping[str, str] = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "CH": "Europe/Zurich",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "HK": "Asia/Hong_Kong",
    "IE": "Europe/Dublin",
    "IT": "Europe/Rome",
    "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "SE": "Europe/Stockholm",
    "SG": "Asia/Singapore",
    "TH": "Asia/Bangkok",
    "TW": "Asia/Taipei",
    "VN": "Asia/Ho_Chi_Minh",
}


def law_of(country: str) -> Law:
    """Return what a country asks for."""
    return LAWS.get(country, ELSEWHERE)


def clocks_of(country: str) -> tuple[str, ...]:
    """Return the clocks that must all agree for someone there; empty = none is known."""
    if country in ENDS:
        return ENDS[country]
    return (_CLOCKS[country],) if country in _CLOCKS else ()
