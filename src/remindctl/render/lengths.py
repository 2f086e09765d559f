"""How long a text is in the units that networks count: CP949 bytes, GSM-7 septets, UCS-2 units.

Korean networks carry 90 bytes in an SMS and 2,000 in an LMS. Elsewhere a text is cut into parts:
160 septets alone or 153 each, and as soon as one character is outside GSM-7, 70 UTF-16 units alone
or 67 each (3GPP TS 23.038 and 23.040).

Each unit has a function of one text and one of a column of texts, which gives the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import polars as pl

_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = "^{}\\[~]|€\f"
_ASTRAL = "[\U00010000-\U0010ffff]"
_OUTSIDE_GSM = f"[^{re.escape(_GSM + _GSM_EXTENSION)}]"
_EXTENSION = f"[{re.escape(_GSM_EXTENSION)}]"
# Of these, CP949 has the first kind as one byte and the second, which UTF-8 has as three, as two.
_UNUSUAL = "[^\n -~가-힣]"


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
    kept = set(text.encode("cp949", errors="ignore").decode("cp949"))
    return "".join(char for char in dict.fromkeys(text) if char not in kept)


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


def characters(text: str) -> Length:
    """Measure a text as Kakao's own tools do, to which an emoji is two characters."""
    return Length("characters", len(text) + sum(ord(char) > 0xFFFF for char in text), 1)


def unlimited(text: str) -> Length:
    """Measure a text that travels over the internet."""
    return Length("utf-8", len(text.encode()), 1)


def is_usual(text: str) -> bool:
    """Say whether CP949 has every character, ASCII as one byte and what UTF-8 has as three as two.

    Such texts are counted by the column, all others one by one.
    """
    return all(
        char == "\n" or " " <= char <= "~" or ("\u07ff" < char < "\U00010000") for char in text
    ) and not outside_cp949(text)


def are_unusual(texts: pl.Series) -> pl.Series:
    """Say which texts may have something that is not usual; see :func:`is_usual`."""
    return texts.str.contains(_UNUSUAL)


def korean_column(texts: pl.Series, unusual: pl.Series | None) -> pl.DataFrame:
    """Measure texts for Korean networks.

    Args:
        texts: to be measured.
        unusual: which of them may have something that is not usual; None = none.

    Returns:
        encoding, units and parts of each, and ``strange``: the characters that CP949 lacks, null
        where there are none.
    """
    chars, size = pl.col("text").str.len_chars(), pl.col("text").str.len_bytes()
    lengths = pl.DataFrame({"text": texts}).select(
        pl.lit("cp949").alias("encoding"),
        (chars + (size - chars) // 2).cast(pl.UInt32).alias("units"),
        pl.lit(1, dtype=pl.UInt32).alias("parts"),
        pl.lit(None, dtype=pl.String).alias("strange"),
    )
    if unusual is None or not unusual.any():
        return lengths
    rows = unusual.arg_true()
    units: list[int] = []
    strange: list[str | None] = []
    for text in texts.gather(rows):
        try:
            units.append(len(text.encode("cp949")))
            strange.append(None)
        except UnicodeEncodeError:
            units.append(sms_bytes(text))
            strange.append(outside_cp949(text))
    return lengths.with_columns(
        lengths["units"].scatter(rows, pl.Series(units, dtype=pl.UInt32)),
        lengths["strange"].scatter(rows, pl.Series(strange, dtype=pl.String)),
    )


def international_column(texts: pl.Series) -> pl.DataFrame:
    """Measure texts for every other network."""
    chars = texts.str.len_chars()
    gsm = ~texts.str.contains(_OUTSIDE_GSM)
    extended = texts.str.count_matches(_EXTENSION)
    astral = texts.str.count_matches(_ASTRAL)
    frame = pl.DataFrame(
        {"text": texts, "gsm": gsm, "double": extended.zip_with(gsm, astral), "chars": chars}
    ).with_columns(units=pl.col("chars") + pl.col("double"))
    alone = pl.when("gsm").then(160).otherwise(70)
    each = pl.when("gsm").then(153).otherwise(67)
    split = pl.col("units") > alone
    frame = frame.select(
        "text",
        pl.when("gsm").then(pl.lit("gsm-7")).otherwise(pl.lit("ucs-2")).alias("encoding"),
        pl.col("units").cast(pl.UInt32),
        pl.when(split).then((pl.col("units") / each).ceil()).otherwise(1).cast(pl.UInt32)
        .alias("parts"),
        # Where one part ends, what takes two units may have to wait for the next.
        (split & (pl.col("double") > 0)).alias("careful"),
    )  # fmt: skip
    rows = frame["careful"].arg_true()
    parts = frame["parts"].scatter(
        rows,
        pl.Series(
            (international(text).parts for text in frame["text"].gather(rows)), dtype=pl.UInt32
        ),
    )
    return frame.select("encoding", "units").with_columns(parts)


def characters_column(texts: pl.Series) -> pl.DataFrame:
    """Measure texts as :func:`characters`."""
    return _in_one("characters", texts.str.len_chars() + texts.str.count_matches(_ASTRAL))


def unlimited_column(texts: pl.Series) -> pl.DataFrame:
    """Measure texts as :func:`unlimited`."""
    return _in_one("utf-8", texts.str.len_bytes())


def _in_one(encoding: str, units: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"units": units.cast(pl.UInt32)}).select(
        pl.lit(encoding).alias("encoding"), "units", pl.lit(1, dtype=pl.UInt32).alias("parts")
    )


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
