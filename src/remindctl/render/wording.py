"""Words that oblige: what may only be said with a fact, and what a person should look at.

A claim that something runs short, or that others have bought it, must be true when the customer
reads it. So it is taken from a field of the data with an age limit (``facts.stock``), and a text
that makes such a claim without one is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remindctl.errors import Problem
from remindctl.model import FAMILY, Channel, Family, Purpose
from remindctl.render.check import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remindctl.errors import Place
    from remindctl.model import Campaign, Leg


_SCARCE = re.compile(
    r"(?:품절|매진|완판|소진)\s*(?:임박|직전)|곧\s*(?:품절|매진|완판|소진)"
    r"|\d+\s*(?:개|점|장|병|벌|켤레|봉|박스|자리|석)\s*(?:만|밖에)?\s*(?:안\s*)?남|남은\s*(?:수량|재고)"
    r"|\bonly\s+(?:\d+|a\s+few)\s+(?:\w+\s+)?left|\b(?:almost|nearly)\s+(?:gone|sold\s+out)"
    r"|\bselling\s+(?:out\s+)?fast|\blow\s+(?:in\s+|on\s+)?stock",
    re.IGNORECASE,
)
_OTHERS_DID = re.compile(
    r"\d+\s*(?:명|분|사람)(?:이|께서|도)?\s*(?:[^\s.!?]+\s+){0,4}?"
    r"(?:구매|구입|주문|골라|고르|선택|담아|담았|보고\s*있|보는\s*중)"
    r"|\d+\s+(?:people|customers|shoppers|others)\s+(?:have\s+|are\s+)?(?:just\s+)?"
    r"(?:bought|purchased|ordered|chose|chosen|viewing|looking)",
    re.IGNORECASE,
)
_ENDING = re.compile(r"마감\s*(?:임박|직전)|곧\s*마감|\bending\s+soon", re.IGNORECASE)
_FACT = re.compile(r"\bfacts\b")
# A last day that the data tells is as good as a fact.
_LAST_DAY = re.compile(r"\bfacts\b|\bcoupon\s*\.\s*(?:until|days_left)|\banchor\s*\.\s*until")

_PROMOTION = re.compile(
    r"할인|세일|특가|무료\s*배송|혜택|이벤트|프로모션|증정|사은품|1\s*\+\s*1|최저가|신상품"
    r"|\bsale\b|\bdiscount|\bpromo|%\s*off\b|\bfree\s+(?:shipping|gift)|\bspecial\s+offer",
    re.IGNORECASE,
)
_BENEFIT = re.compile(r"쿠폰|적립|포인트|\bcoupon|\bpoints?\b|\bvoucher", re.IGNORECASE)
_APP = re.compile(
    r"(?:앱|어플|어플리케이션|애플리케이션)(?:을|를)?\s*(?:\S+\s+)?(?:설치|다운|받으)"
    r"|\b(?:install|download|get)\s+(?:our|the)\s+app\b",
    re.IGNORECASE,
)
_SHORTENER = re.compile(
    r"(?<![\w.-])(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|is\.gd|ow\.ly|buff\.ly|rb\.gy|cutt\.ly"
    r"|rebrand\.ly|shorturl\.at|me2\.do|han\.gl|vo\.la|url\.kr|c11\.kr|buly\.kr|zrr\.kr|abit\.ly)/",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"\{\{.*?\}\}|#\{[^{}]*\}", re.DOTALL)
_STATEMENT = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


def unfounded(sources: Mapping[str, tuple[str, Place]]) -> Iterator[Problem]:
    """Yield the claims that no fact of the data stands behind.

    Args:
        sources: the templates of one leg.
    """
    everything = "\n".join(source for source, _ in sources.values())
    claims = [
        (pattern, "a fact", "declare it (facts: {stock: {max_age: 1h}}) and write facts.stock")
        for pattern in (_SCARCE, _OTHERS_DID)
        if not _FACT.search(everything)
    ]
    if not _LAST_DAY.search(everything):
        claims.append((_ENDING, "a date", "write the last day: coupon.until or anchor.until"))
    for source, place in sources.values():
        for pattern, what, hint in claims:
            for line, words in _found(pattern, source):
                yield Problem(line_of(place, line), f"`{words}` is said without {what}", hint)


def doubtful(
    leg: Leg, campaign: Campaign, sources: Mapping[str, tuple[str, Place]]
) -> Iterator[Problem]:
    """Yield warnings of words that a person should look at: see ``compilation.warnings``."""
    watched: list[tuple[re.Pattern[str], str, str]] = []
    if campaign.purpose is Purpose.INFORMATIONAL:
        advertises = "one word of advertising makes the whole message advertising"
        watched.append((_PROMOTION, "in an informational message", advertises))
        if campaign.basis is None or campaign.basis.ground is None:
            watched.append((_BENEFIT, "in an informational message", advertises))
    if leg.channel is Channel.ALIMTALK:
        watched.append((_APP, "in an Alimtalk", "Kakao forbids to push an app in one"))
    if FAMILY[leg.channel] in (Family.TEXT, Family.KAKAO):
        hint = "carriers block public link shorteners: write the shop's own address"
        watched.append((_SHORTENER, "in a link", hint))
    for source, place in sources.values():
        for pattern, where, hint in watched:
            for line, words in _found(pattern, source):
                yield Problem(line_of(place, line), f"`{words}` {where}", hint, warning=True)


def _found(pattern: re.Pattern[str], source: str) -> Iterator[tuple[int, str]]:
    """Yield where the words of a template match, its expressions read as numbers."""
    said = _STATEMENT.sub(lambda match: "\n" * match[0].count("\n"), source)
    said = _EXPRESSION.sub(lambda match: "0" + "\n" * match[0].count("\n"), said)
    for match in pattern.finditer(said):
        yield said.count("\n", 0, match.start()) + 1, " ".join(match[0].split())
