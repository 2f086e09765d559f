"""What a new store folder is made from: the facts that only the shop's owner knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Country → time zone of most of its people, currency. Others are asked for.
DEFAULTS: Mapping[str, tuple[str, str]] = {
    "AT": ("Europe/Vienna", "EUR"),
    "AU": ("Australia/Sydney", "AUD"),
    "BE": ("Europe/Brussels", "EUR"),
    "CA": ("America/Toronto", "CAD"),
    "CH": ("Europe/Zurich", "CHF"),
    "DE": ("Europe/Berlin", "EUR"),
    "DK": ("Europe/Copenhagen", "DKK"),
    "ES": ("Europe/Madrid", "EUR"),
    "FI": ("Europe/Helsinki", "EUR"),
    "FR": ("Europe/Paris", "EUR"),
    "GB": ("Europe/London", "GBP"),
    "IE": ("Europe/Dublin", "EUR"),
    "IT": ("Europe/Rome", "EUR"),
    "JP": ("Asia/Tokyo", "JPY"),
    "KR": ("Asia/Seoul", "KRW"),
    "NL": ("Europe/Amsterdam", "EUR"),
    "NO": ("Europe/Oslo", "NOK"),
    "PL": ("Europe/Warsaw", "PLN"),
    "PT": ("Europe/Lisbon", "EUR"),
    "SE": ("Europe/Stockholm", "SEK"),
    "SG": ("Asia/Singapore", "SGD"),
    "US": ("America/New_York", "USD"),
}
PROVIDERS = ("solapi", "twilio", "smtp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The shop, as its owner tells it; an empty text is a fact that was not told.

    Attributes:
        key: the store's name in the log and on the command line.
        preset: the policy preset: KR, US or EU.
        phone: the number that text messages come from.
        contact: the number by which customers reach the shop.
        address: postal.
        providers: of ``PROVIDERS``, those the shop has an account with.
    """

    name: str
    key: str
    country: str
    timezone: str
    currency: str
    preset: str
    url: str = ""
    phone: str = ""
    email: str = ""
    contact: str = ""
    address: str = ""
    optout_phone: str = ""
    optout_url: str = ""
    providers: tuple[str, ...] = ()


def key_for(name: str) -> str:
    """Propose a store's key: the Latin letters and digits of its name, else ``shop``."""
    return "-".join(re.findall("[a-z0-9]+", name.lower())) or "shop"
