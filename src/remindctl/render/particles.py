"""Korean particles: the form that the last sound of a word asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    last = text[-1:]
    # Most words end in a syllable; nothing of the rest is for them.
    final = _coda(last) if "가" <= last <= "힣" else _final_sound(_ASIDE.sub("", text) or text)
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
        return _coda(last)
    if last.isascii() and last.isdigit():
        return _DIGITS[int(last)]
    if not (last.isascii() and last.isalpha()):
        return None
    word = re.findall("[A-Za-z]+", spoken)[-1]
    if word.isupper() or len(word) == 1:
        return _LETTERS.get(last.lower(), 0)
    return next((final for end, final in _ENDINGS.items() if word.lower().endswith(end)), 0)


def _coda(syllable: str) -> int:
    return (ord(syllable) - ord("가")) % 28
