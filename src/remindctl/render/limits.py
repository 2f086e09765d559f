"""What a channel cannot carry, found on finished messages: too long, or an address that is none.

Sources: the limits that the SDKs and documents of senders state for Korean text messages, Alimtalk
(1,300 characters since 2025-10-28) and Brand Message; 4,096 bytes of a push (FCM, RFC 8030 with RFC
8188), of which some are for what goes around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.model import FAMILY, Channel, Family

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from remindctl.model import Leg
    from remindctl.render.held import Finding

KOREAN_BYTES = {Channel.SMS: 90, Channel.LMS: 2_000, Channel.MMS: 2_000}
KOREAN_SUBJECT_BYTES = 40
# Twilio takes no longer body; ten parts of GSM-7 are not longer either.
INTERNATIONAL_CHARACTERS = 1_600
ALIMTALK_CHARACTERS = 1_300
# Form of a Brand Message → characters and line breaks of its text, characters of its coupon's line.
BRAND_FORMS = {"text": (1_300, 99, 12), "image": (1_300, 99, 12), "wide": (76, 1, 18)}
PUSH_BYTES = 3_000
EMAIL_SUBJECT_CHARACTERS = 255
KAKAO_URL_CHARACTERS, URL_CHARACTERS = 500, 2_000
# The forms of a coupon's title that Kakao takes.
COUPON_TITLE = (
    r"(?:[1-9]\d{0,2}(?:,\d{3}){0,2}|[1-9]\d{0,7})원 할인 쿠폰|(?:100|[1-9]\d?)% 할인 쿠폰"
    r"|배송비 할인 쿠폰|\S(?:.{0,5}\S)? (?:무료|UP) 쿠폰"
)
_WEB = r"^https?://[^\s/?#<>\"]+(?:[/?#][^\s<>\"]*)?$"
# An app's own addresses too, but none that is a program.
_APP = r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s<>\"]+$"
_PROGRAM = r"^(?i:javascript|data|vbscript|file):"


def most_units(leg: Leg, *, korean: bool) -> int | None:
    """Return how long a text may be, in the unit that it is measured in; None = see elsewhere.

    Args:
        leg: what is sent.
        korean: whether it goes over Korean networks.
    """
    if FAMILY[leg.channel] is Family.TEXT:
        return KOREAN_BYTES[leg.channel] if korean else None
    if leg.channel is Channel.BRAND_MESSAGE:
        return BRAND_FORMS[leg.form][0]
    return ALIMTALK_CHARACTERS if leg.channel is Channel.ALIMTALK else None


def excess(leg: Leg, columns: Collection[str], *, korean: bool) -> Iterator[Finding]:
    """Yield what the channel cannot carry.

    Args:
        leg: what is sent.
        columns: of the finished messages: text, perhaps subject, the keys of further templates,
            units, and over Korean networks subject_units, strange and subject_strange.
        korean: whether they go over Korean networks.
    """
    channel, units = leg.channel, pl.col("units")
    most = most_units(leg, korean=korean)
    if korean:
        longer = "send it as lms" if channel is Channel.SMS else "send an e-mail"
        for name in ("strange", "subject_strange"):
            if name in columns:
                said = pl.format("Korean text messages cannot carry `{}`", name)
                yield pl.col(name).is_not_null(), said
        what = f"bytes, of {most} that an {channel} holds, label and refusal line included"
        yield from _over(units, most, f"{what}: shorten it or {longer}")
        if "subject_units" in columns:
            what = f"bytes in the subject, of {KOREAN_SUBJECT_BYTES}: shorten it"
            yield from _over(pl.col("subject_units"), KOREAN_SUBJECT_BYTES, what)
    elif FAMILY[channel] is Family.TEXT:
        size = pl.col("text").str.len_chars()
        yield from _over(
            size, INTERNATIONAL_CHARACTERS, f"characters, of {INTERNATIONAL_CHARACTERS}"
        )
    elif most is not None:
        yield from _over(units, most, f"characters, of {most}: shorten it")
    elif channel is Channel.PUSH:
        around = (pl.col(key).str.len_bytes() for key in ("subject", "url") if key in columns)
        what = f"bytes with title and address, of {PUSH_BYTES} that a push holds"
        yield from _over(pl.sum_horizontal(units, *around), PUSH_BYTES, what)
    elif channel is Channel.EMAIL and "subject" in columns:
        what = f"characters in the subject, of {EMAIL_SUBJECT_CHARACTERS}"
        yield from _over(pl.col("subject").str.len_chars(), EMAIL_SUBJECT_CHARACTERS, what)
    if channel is Channel.BRAND_MESSAGE:
        yield from _bubble(leg)


def _bubble(leg: Leg) -> Iterator[Finding]:
    _, most_breaks, most_coupon = BRAND_FORMS[leg.form]
    breaks = pl.col("text").str.count_matches("\n", literal=True)
    yield from _over(breaks, most_breaks, f"line breaks, of {most_breaks} in the form {leg.form}")
    if leg.coupon is not None:
        title = pl.col("coupon.title")
        said = pl.format("`{}` is not a title that Kakao takes for a coupon", title)
        yield ~title.str.contains(f"^(?:{COUPON_TITLE})$"), said
        size = pl.col("coupon.description").str.len_chars()
        what = f"characters in the line of the coupon, of {most_coupon}"
        yield from _over(size, most_coupon, what)


def addresses(leg: Leg, columns: Collection[str]) -> Iterator[Finding]:
    """Yield the addresses that lead nowhere, or are longer than the channel carries."""
    most = KAKAO_URL_CHARACTERS if FAMILY[leg.channel] is Family.KAKAO else URL_CHARACTERS
    for key in columns:
        if key.rpartition(".")[2] != "url":
            continue
        url = pl.col(key)
        good = url.str.contains(_WEB)
        if leg.channel is Channel.PUSH:
            good |= url.str.contains(_APP) & ~url.str.contains(_PROGRAM)
        said = "`{}` is not an address that begins with https://"
        yield ~good, pl.format(said, url.str.slice(0, 60))
        yield from _over(url.str.len_chars(), most, f"characters in an address, of {most}")


def _over(size: pl.Expr, most: int | None, what: str) -> Iterator[Finding]:
    if most is not None:
        yield size > most, pl.format(f"{{}} {what}", size)
