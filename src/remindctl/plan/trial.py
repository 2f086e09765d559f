"""One message of a campaign as it would be, to be sent to its owner and to nobody else.

It is made for a customer of the audience, but nothing in it is theirs to lose: the coupon's code is
none of the pool, and the link to refuse leads to no customer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.frames import INSTANT, Coupons
from remindctl.hours import is_open
from remindctl.model import FAMILY, Channel, Family
from remindctl.plan.sample import sample
from remindctl.policy import REASONS, openings
from remindctl.profiles import Profiles
from remindctl.render.lengths import characters, korean
from remindctl.render.limits import most_units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.model import Campaign, Coupon, Leg, Step, Store, Variant
    from remindctl.plan.desk import Desk

CODE, CUSTOMER, MARK = "TEST-CODE", "TEST", "[TEST] "

# Family → what kind of address a message of it goes to.
KINDS: Mapping[Family, str] = {
    Family.TEXT: "phone",
    Family.KAKAO: "phone",
    Family.EMAIL: "email",
    Family.PUSH: "push_token",
    Family.ONSITE: "shop_id",
    Family.WEBHOOK: "shop_id",
}
# Where the subject is what is seen first.
_TITLED = (Channel.EMAIL, Channel.PUSH, Channel.ONSITE)


@dataclass(frozen=True, slots=True)
class Trial:
    """A message to try, or why there is none.

    Attributes:
        row: the columns of ``sample`` of the one message; None where none can be made.
        why: none can be made, in words.
    """

    campaign: Campaign
    store: Store
    step: Step
    variant: Variant
    leg: Leg
    row: Mapping[str, Any] | None
    why: str = ""

    def is_open(self, now: datetime) -> bool:
        """Say whether it may go out at an instant, to somebody where the store is."""
        hours = openings(
            self.store, self.leg.channel, self.campaign.purpose, night=False, zone_known=True
        )
        at = pl.lit(now, dtype=INSTANT)
        return bool(pl.select(is_open(at, hours, self.store.timezone)).item())


def trial(desk: Desk, step: Step, variant: Variant, index: int, to: str) -> Trial:
    """Make the message of one leg for the first of the audience that it can be made for.

    Args:
        desk: the campaign, store and instant.
        step: of the campaign.
        variant: of the step.
        index: of the leg.
        to: whom it really goes to.
    """
    people = desk.people.with_columns(pl.lit(CUSTOMER).alias("customer_key"))
    coupons = desk.coupons.with_columns(pl.lit(CODE).alias("code"))
    nobodys = replace(desk, people=Profiles(people), coupons=Coupons(coupons))
    only = replace(step, variants=(variant,), coupon=_coupon(step.coupon, desk))
    rows = sample(nobodys, only).filter(pl.col("leg") == index)
    leg = variant.legs[index]
    for row in rows.filter(pl.col("reason").is_null()).head(1).to_dicts():
        mine = _marked({**row, "to": to, "kind": KINDS[FAMILY[leg.channel]]}, leg)
        return Trial(desk.campaign, desk.store, step, variant, leg, mine)
    why = "nobody is there to make it for"
    for row in rows.head(1).to_dicts():
        words = REASONS.get(row["reason"], row["reason"])
        why = f"{words}: {row['detail']}" if row["detail"] else words
    return Trial(desk.campaign, desk.store, step, variant, leg, None, why)


def _coupon(offer: Coupon | None, desk: Desk) -> Coupon | None:
    """Offer the test code as the next code of the pool would be."""
    if offer is None or offer.pool is None:
        return offer
    today = desk.as_of.astimezone(ZoneInfo(desk.store.timezone)).date()
    free = desk.coupons.filter(
        pl.col("pool") == offer.pool, pl.col("key").is_null(), pl.col("valid_until") >= today
    )
    until = None if free.is_empty() else free["valid_until"][0]
    return replace(offer, pool=None, code=CODE, valid_until=until)


def _marked(row: Mapping[str, Any], leg: Leg) -> Mapping[str, Any]:
    """Say that it is a test, unless its wording is approved or it would become too long."""
    if leg.template is not None:
        return row
    if leg.channel in _TITLED and row["subject"]:
        return {**row, "subject": MARK + row["subject"]}
    text = MARK + row["text"]
    over_korea = row["encoding"] == "cp949"
    most = most_units(leg, korean=over_korea)
    size = (korean if over_korea else characters)(text).units
    return row if most is not None and size > most else {**row, "text": text}
