"""What people answer to a message, and what a mail server says of one: is it an opt-out?"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

# 47 CFR 64.1200(a)(10) names the first seven; networks know STOPALL too. Whatever the language of
# the campaign, both languages count.
_WORDS = frozenset(
    {"stop", "quit", "end", "revoke", "optout", "cancel", "unsubscribe", "stopall", "수신거부"}
)
# Korean glues its endings to the word: 거부합니다, 수신거부해주세요.
_REFUSES = re.compile(r"(?:무료)?(?:수신)?거부")
_RETURNS = frozenset({"start", "unstop", "yes", "resume", "수신동의"})
_NO_LETTER = re.compile(r"[\W_]+")
_TWO_WORDS = re.compile(r"opt\W*out\b|수신\s*거부")

# What a list calls a bounce, and then what the mail server said: its status, its words.
_HARD = (
    re.compile(r"hard|perm|suppress|영구|하드"),
    re.compile(r"5\.\d+\.\d+|\b55\d\b|invalid|unknown user|no such|없는|존재하지"),
)
_SOFT = (
    re.compile(r"soft|transient|temp|defer|delay|일시|소프트"),
    re.compile(r"4\.\d+\.\d+|\b4[25]\d\b|full|quota|초과"),
)


class Reply(StrEnum):
    """What a person's answer is."""

    STOP = "stop"
    RETURN = "return"
    UNCLEAR = "unclear"


def read_reply(text: str) -> Reply:
    """Tell what an answer is: its only word or its first decides.

    Case, blanks and signs do not count. An answer that asks for messages again lifts nothing; like
    one that is unclear it is for a person to decide.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().strip()
    words = [word for word in _NO_LETTER.split(plain) if word]
    if not words:
        return Reply.UNCLEAR
    first, whole = words[0], "".join(words)
    begins = _TWO_WORDS.match(plain.lstrip("\"'([{<*#!.,- "))
    if {first, whole} & _WORDS or _REFUSES.match(first) or begins:
        return Reply.STOP
    return Reply.RETURN if {first, whole} & _RETURNS else Reply.UNCLEAR


def is_hard_bounce(said: str) -> bool | None:
    """Tell from its kind, status or reason whether a bounce is for good; None = it does not say."""
    plain = unicodedata.normalize("NFKC", said).casefold()
    for hard, soft in zip(_HARD, _SOFT, strict=True):
        if soft.search(plain):
            return False
        if hard.search(plain):
            return True
    return None
