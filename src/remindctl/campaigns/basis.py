"""Benefits in an Alimtalk: points and coupons only where the customer earned them, and it says so.

Kakao's rules since 2026-04-01: points of a purchase, coupons of an act of the customer, and a line
in the message that says which. What a shop gives of its own accord is advertising.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remindctl.campaigns.names import COUPON_ANCHORS
from remindctl.errors import Place, Problem
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.model import Campaign, Leg, Step

_BENEFIT = re.compile(
    r"쿠폰|포인트|적립|마일리지|캐시백|할인|사은품|상품권"
    r"|\b(?:coupons?|vouchers?|points|cash ?back|discounts?|gift cards?)\b",
    re.IGNORECASE,
)


def basis_problems(campaign: Campaign) -> Iterator[Problem]:
    """Yield the Alimtalk messages that tell of a benefit without the ground it stands on."""
    for step in campaign.steps:
        for leg in step.legs:
            benefit = _benefit(step, leg)
            if leg.channel is Channel.ALIMTALK and benefit:
                yield from _unfounded(campaign, leg, benefit)


def _benefit(step: Step, leg: Leg) -> str:
    said = "\n".join((leg.text, *(button.name for button in leg.buttons)))
    if found := _BENEFIT.search(said):
        return f"`{found[0]}`"
    coupon = step.coupon is not None or step.due.after in COUPON_ANCHORS
    return "a coupon" if coupon else ""


def _unfounded(campaign: Campaign, leg: Leg, benefit: str) -> Iterator[Problem]:
    place = leg.places.get("text", leg.places.get("channel", Place()))
    basis = campaign.basis
    if basis is None or basis.ground is None or basis.reason is None:
        what = f"an Alimtalk tells of {benefit} without saying how the customer earned it"
        hint = "`basis` needs `ground` and `reason`; a gift of the shop is advertising"
        yield Problem(place, what, hint)
    elif _plain(basis.reason) not in _plain(leg.text):
        what = "the reason line of `basis` does not stand in the text"
        yield Problem(place, what, f"the approved wording needs the line: {basis.reason}")


def _plain(text: str) -> str:
    return " ".join(text.split())
