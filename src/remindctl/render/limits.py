"""What a channel cannot carry, found on the finished messages: too long, no address, no value.

Sources: the limits that the SDKs and documents of senders state for Korean text messages, Alimtalk
(1,300 characters since 2025-10-28) and Brand Message; 4,096 bytes of a push (FCM, RFC 8030 with RFC
8188), of which some are for what goes around it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from remindctl.model import FAMILY, Channel, Family
from remindctl.render.lengths import korean_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remindctl.model import Leg

Finding = tuple[pl.Series, str | pl.Series]

KOREAN_BYTES = {Channel.SMS: 90, Channel.LMS: 2_000, Channel.MMS: 2_000}
KOREAN_SUBJECT_BYTES = 40
# Twilio takes no longer body; ten parts of GSM-7 are not longer either.
INTERNATIONAL_CHARACTERS = 1_600
ALIMTALK_CHARACTERS = 1_300
# Form of a Brand Message → characters and line breaks of its text, characters of its coupon.
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
_APP = r"^(?:[A-Za-z][A-Za-z0-9+.-]*)://[^\s<>\"]+$"
_PROGRAM = r"(?i)^(?:javascript|data|vbscript|file):"


def excess(
    leg: Leg, texts: Mapping[str, pl.Series], lengths: pl.DataFrame, *, korean: bool
) -> Iterator[Finding]:
    """Yield what the channel cannot carry: the rows, and why.

    Args:
        leg: what is sent.
        texts: text, subject and whatever else the leg has templates for, labels included.
        lengths: encoding, units and parts of the text.
        korean: whether it goes over Korean networks.
    """
    units, channel = lengths["units"], leg.channel
    if FAMILY[channel] is Family.TEXT and korean:
        most = KOREAN_BYTES[channel]
        longer = "send it as lms" if channel is Channel.SMS else "send an e-mail"
        what = f"bytes, of {most} that an {channel} holds, label and refusal line included"
        strange = [lengths["strange"]]
        if "subject" in texts:
            subject = korean_column(texts["subject"])
            strange.append(subject["strange"])
            what_subject = f"bytes in the subject, of {KOREAN_SUBJECT_BYTES}: shorten it"
            size = subject["units"]
            yield size > KOREAN_SUBJECT_BYTES, _told(size, what_subject)
        for found in strange:
            yield found.is_not_null(), "Korean text messages cannot carry `" + found + "`"
        yield units > most, _told(units, f"{what}: shorten it or {longer}")
    elif FAMILY[channel] is Family.TEXT:
        yield from _over(texts["text"].str.len_chars(), INTERNATIONAL_CHARACTERS)
    elif channel is Channel.ALIMTALK:
        yield from _over(units, ALIMTALK_CHARACTERS)
    elif channel is Channel.BRAND_MESSAGE:
        yield from _brand_message(leg, texts, units)
    elif channel is Channel.PUSH:
        size = sum(
            (texts[key].str.len_bytes() for key in ("subject", "url") if key in texts), units
        )
        what = f"bytes with title and address, of {PUSH_BYTES} that a push holds"
        yield size > PUSH_BYTES, _told(size, what)
    elif channel is Channel.EMAIL and "subject" in texts:
        size = texts["subject"].str.len_chars()
        what = f"characters in the subject, of {EMAIL_SUBJECT_CHARACTERS}"
        yield size > EMAIL_SUBJECT_CHARACTERS, _told(size, what)


def _brand_message(leg: Leg, texts: Mapping[str, pl.Series], units: pl.Series) -> Iterator[Finding]:
    most, most_breaks, most_coupon = BRAND_FORMS[leg.form]
    yield from _over(units, most)
    breaks = texts["text"].str.count_matches("\n", literal=True)
    yield (
        breaks > most_breaks,
        _told(breaks, f"line breaks, of {most_breaks} in the form {leg.form}"),
    )
    if "coupon.title" in texts:
        title = texts["coupon.title"]
        said = pl.select(pl.format("{} is not a title that Kakao takes for a coupon", title))
        yield ~title.str.contains(f"^(?:{COUPON_TITLE})$"), said.to_series()
        size = texts["coupon.description"].str.len_chars()
        what = f"characters in the coupon's description, of {most_coupon}"
        yield size > most_coupon, _told(size, what)


def addresses(leg: Leg, texts: Mapping[str, pl.Series]) -> Iterator[Finding]:
    """Yield the addresses that lead nowhere, or are longer than the channel carries."""
    most = KAKAO_URL_CHARACTERS if FAMILY[leg.channel] is Family.KAKAO else URL_CHARACTERS
    for key, urls in texts.items():
        if not re.search(r"(?:^|\.)url$", key):
            continue
        good = urls.str.contains(_WEB)
        if leg.channel is Channel.PUSH:
            good |= urls.str.contains(_APP) & ~urls.str.contains(_PROGRAM)
        quoted = urls.str.slice(0, 60).fill_null("")
        yield (
            ~good,
            pl.select(
                pl.format("`{}` is not an address that begins with https://", quoted)
            ).to_series(),
        )
        size = urls.str.len_chars()
        yield size > most, _told(size, f"characters in an address, of {most}")


def _over(size: pl.Series, most: int) -> Iterator[Finding]:
    yield size > most, _told(size, f"characters, of {most}: shorten it")


def _told(size: pl.Series, what: str) -> pl.Series:
    return size.cast(pl.String) + f" {what}"
