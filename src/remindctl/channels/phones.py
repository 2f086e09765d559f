"""Telephone numbers as the senders of Korean text messages want them.

Source of the calling codes: ITU-T E.164, list of assigned country codes; for zone 1 the numbering
plan's areas outside the United States and Canada (NANPA).
"""

from __future__ import annotations

import re

KOREA = "82"
# What may be written for a number by hand.
WRITTEN = r"\+?[\d ()-]*\d[\d ()-]*"

# Countries of zone 1 that are told apart by their area code, zones 1 and 7, and the codes of two
# digits; every other one has three.
_CALLING_CODE = re.compile(
    r"1(?:242|246|264|268|284|340|345|441|473|649|658|664|67[01]|684|721|758|767|78[47]|8[024]9"
    r"|868|869|876|939)"
    r"|1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}"
)


def split(phone: str) -> tuple[str, str]:
    """Split an E.164 number into its calling code and the number as it is dialled at home.

    Korean numbers get their leading 0 back. A country of zone 1 other than the United States and
    Canada is its whole code (``1441``).
    """
    digits = digits_of(phone)
    found = _CALLING_CODE.match(digits)
    code = found[0] if found else ""
    rest = digits[len(code) :]
    return code, f"0{rest}" if code == KOREA else rest


def dialled(phone: str) -> str:
    """Return a sender's number, given in either way, as it is dialled at home."""
    return split(phone)[1] if phone.startswith("+") else digits_of(phone)


def digits_of(phone: str) -> str:
    """Return a number without ``+`` and hyphens."""
    bare = phone.removeprefix("+")
    return bare if bare.isdecimal() else re.sub(r"\D", "", bare)
