"""What a message says, against what it may say: benefits in an Alimtalk, offers in information.

Kakao's rules for information (Alimtalk) since 2026-04-01: points only where a purchase earned them,
coupons only where an act of the customer did, and a line in the message that says so. Whatever else
invites to buy is advertising, and one such element makes the whole message an advertisement.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remindctl.campaigns.names import COUPON_ANCHORS
from remindctl.errors import Place, Problem
from remindctl.model import FAMILY, Channel, Family, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.model import Campaign, Leg, Step, Store

# A coupon, points, or a price taken off.
_BENEFIT = re.compile(
    r"쿠폰|포인트|적립|마일리지|캐시백|할인|사은품|상품권"
    r"|\b(?:coupons?|vouchers?|points|cash ?back|discounts?|gift cards?)\b",
    re.IGNORECASE,
)
# Anything else that invites to buy, or that counts as advertising whatever it says.
_PROMOTION = re.compile(
    r"특가|세일|이벤트|혜택|프로모션|증정|무료\s?배송|최저가|타임딜|신상품|기획전|구매하세요|감사제"
    r"|\b(?:sale|promo(?:tion)?|special offer|free shipping|deals?|new arrivals?)\b|\d+ ?% ?off",
    re.IGNORECASE,
)
_APP_INSTALL = re.compile(
    r"앱\S{0,2}\s*(?:을|를)?\s*(?:다운|설치|받)|어플\S*\s*(?:다운|설치)|play\.google\.com|apps\.apple\.com"
    r"|\b(?:install|download|get) (?:the|our) app\b",
    re.IGNORECASE,
)
_SHORTENER = re.compile(
    r"(?<![\w.-])(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly"
    r"|shorturl\.at)/",
    re.IGNORECASE,
)


def wording_problems(campaign: Campaign) -> Iterator[Problem]:
    """Say what the messages of an informational campaign may not say, or had better not."""
    if campaign.purpose is not Purpose.INFORMATIONAL:
        return
    for step in campaign.steps:
        for leg in step.legs:
            if leg.channel is Channel.ALIMTALK:
                yield from _alimtalk(campaign, step, leg)
            elif found := _BENEFIT.search(said := _said(leg)) or _PROMOTION.search(said):
                yield _like_advertising(leg, found[0])


def link_problems(campaign: Campaign, store: Store) -> Iterator[Problem]:
    """Warn of public link shorteners in texts of a US store, which networks there filter out."""
    if store.policy.preset != "US":
        return
    for leg in (leg for step in campaign.steps for leg in step.legs):
        found = _SHORTENER.search(leg.text)
        if found and FAMILY[leg.channel] is Family.TEXT:
            what = f"US networks distrust the public link shortener {found[0]}"
            yield Problem(_text(leg), what, "write the shop's own address", warning=True)


def _alimtalk(campaign: Campaign, step: Step, leg: Leg) -> Iterator[Problem]:
    said, basis = _said(leg), campaign.basis
    benefit = _BENEFIT.search(said)
    coupon = step.coupon is not None or step.due.after in COUPON_ANCHORS
    if benefit or coupon:
        told = f"`{benefit[0]}`" if benefit else "a coupon"
        if basis is None or basis.ground is None or basis.reason is None:
            what = f"an Alimtalk tells of {told} without saying how the customer earned it"
            hint = (
                "basis: {text: …, ground: purchase | customer_action, reason: its line in the text}"
            )
            yield Problem(_text(leg), what, f"{hint}; else send it as advertising")
        elif _plain(basis.reason) not in _plain(leg.text):
            what = "the reason line of `basis` does not stand in the text"
            yield Problem(_text(leg), what, f"the approved wording needs the line: {basis.reason}")
    if promotion := _PROMOTION.search(said):
        yield _like_advertising(leg, promotion[0])
    if install := _APP_INSTALL.search(said):
        what = f"`{install[0]}`: Kakao forbids Alimtalk to ask for the installation of an app"
        yield Problem(_text(leg), what, "take it out of the approved wording", warning=True)


def _like_advertising(leg: Leg, word: str) -> Problem:
    what = f"`{word}` sounds like advertising in an informational message"
    hint = "one such word can make it an advertisement: take it out, or purpose: advertising"
    return Problem(_text(leg), what, hint, warning=True)


def _said(leg: Leg) -> str:
    parts = (leg.subject or "", leg.text, *(button.name for button in leg.buttons))
    return "\n".join(parts)


def _text(leg: Leg) -> Place:
    return leg.places.get("text", leg.places.get("channel", Place()))


def _plain(text: str) -> str:
    return " ".join(text.split())
