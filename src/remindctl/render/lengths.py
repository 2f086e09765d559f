"""How long a text is in the units that networks count: CP949 bytes, GSM-7 septets, UCS-2 units.

Korean networks carry 90 bytes in an SMS and 2,000 in an LMS. Elsewhere a text is cut into parts:
160 septets alone or 153 each, and as soon as one character is outside GSM-7, 70 UTF-16 units alone
or 67 each (3GPP TS 23.038 and 23.040).
"""

from __future__ import annotations

from typing import NamedTuple

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("^{}\\[~]|€\f")


class Length(NamedTuple):
    """A text's ``units`` in ``encoding`` (bytes, septets, UTF-16 units) and its ``parts``."""

    encoding: str
    units: int
    parts: int


def sms_bytes(text: str) -> int:
    """Count the bytes of a text in a Korean message; what CP949 lacks counts as its ``?``.

    Python's ``euc_kr`` would write 8,822 of the 11,172 syllables (똠, 뷁) as eight bytes each.
    """
    return len(text.encode("cp949", errors="replace"))


def outside_cp949(text: str) -> str:
    """Return the characters that no Korean text message can carry, each once, as they come."""
    if text.encode("cp949", errors="ignore").decode("cp949") == text:
        return ""
    return "".join(dict.fromkeys(char for char in text if not char.encode("cp949", "ignore")))


def korean(text: str) -> Length:
    """Measure a text for Korean networks."""
    return Length("cp949", sms_bytes(text), 1)


def international(text: str) -> Length:
    """Measure a text for every other network, in parts as it will be billed."""
    if all(char in _GSM or char in _GSM_EXTENSION for char in text):
        sizes = [2 if char in _GSM_EXTENSION else 1 for char in text]
        return Length("gsm-7", sum(sizes), _parts(sizes, 160, 153))
    # A character beyond the basic plane is two units, which stay together.
    sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return Length("ucs-2", sum(sizes), _parts(sizes, 70, 67))


def unlimited(text: str) -> Length:
    """Measure a text that travels over the internet."""
    return Length("utf-8", len(text.encode()), 1)


def cut(text: str, size: int) -> str:
    """Shorten a text to ``size`` CP949 bytes, its end replaced by ``…`` where something is cut."""
    if sms_bytes(text) <= size:
        return text
    left = size - sms_bytes("…")
    kept = []
    for char in text:
        left -= sms_bytes(char)
        if left < 0:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…" if size >= sms_bytes("…") else ""


def _parts(sizes: list[int], alone: int, each: int) -> int:
    if sum(sizes) <= alone:
        return 1
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > each:
            parts, filled = parts + 1, 0
        filled += size
    return parts
