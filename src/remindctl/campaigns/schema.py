"""What may stand in a campaign file: its keys, their defaults, and what each value must be."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from remindctl.campaigns.fields import ConditionText, FixedText, SomeText
from remindctl.campaigns.order import step_findings
from remindctl.campaigns.steps import StepEntry, legs_of
from remindctl.documents import (
    Finding,
    NameField,
    OneOrMore,
    PercentField,
    PositiveSpanField,
    Strict,
    VersionField,
    each,
    pick,
)
from remindctl.model import Channel, Purpose

# What a channel may not carry, and the way out.
_MISPLACED: Mapping[tuple[str, str], tuple[str, str]] = {
    (Purpose.ADVERTISING, Channel.ALIMTALK): (
        "alimtalk may not carry advertising",
        "use brand_message, lms or email; Alimtalk takes informational campaigns only",
    ),
    (Purpose.INFORMATIONAL, Channel.BRAND_MESSAGE): (
        "a brand message is always advertising",
        "use alimtalk or lms, or make the campaign purpose: advertising",
    ),
}


class AudienceEntry(Strict):
    """Who a campaign is for; without anything: everyone with an occasion.

    Attributes:
        segments: customers in any of these.
        where: an SQL condition over the columns of Profiles, such as `orders >= 2 AND spent > 50`.
        exclude: but nobody in one of these segments.
    """

    segments: OneOrMore = ()
    where: ConditionText | None = None
    exclude: OneOrMore = ()


class BasisEntry(Strict):
    """The ground a campaign stands on besides consent.

    Attributes:
        text: why the customer gets it, in your own words.
        ground: where points or a coupon are told of: earned by a purchase, or by an action of the
            customer.
        reason: the line of the message that tells the customer so.
    """

    text: SomeText
    ground: Literal["purchase", "customer_action"] | None = None
    reason: FixedText | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that ground and reason come together."""
        del context
        if given.get("ground") is not None and given.get("reason") is None:
            hint = "the line of the message that says why, word for word"
            yield Finding("is missing", hint, ("reason",))
        if given.get("reason") is not None and given.get("ground") is None:
            yield Finding("is missing", "purchase or customer_action", ("ground",))


def _as_basis(given: object) -> object:
    return {"text": given} if isinstance(given, str) else given


class CampaignFile(Strict):
    """A campaign of remindctl: a purpose, an audience, and one or more steps.

    Attributes:
        version: of this format; 1.
        campaign: its name in the log; another name starts a new history.
        purpose: advertising (whatever invites to buy), or informational.
        basis: of an informational campaign its ground; with points or coupons in an Alimtalk also
            `ground` and `reason`.
        stores: the stores it is for; all of the configuration by default.
        tags: names for frequency caps.
        priority: the higher one goes first where several campaigns compete.
        counts_for_caps: whether its messages count for frequency caps.
        audience: who it is for.
        control: share of customers held out for comparison, for the campaign's whole life.
        reentry: pause before the same customer may start this campaign again.
        data_age: how far the orders may end before an occasion that an order would end.
        steps: the messages.
    """

    version: VersionField = 1
    campaign: NameField
    purpose: Purpose
    basis: Annotated[
        BasisEntry | None, BeforeValidator(_as_basis, json_schema_input_type=str | BasisEntry)
    ] = None
    stores: OneOrMore = ()
    tags: tuple[NameField, ...] = ()
    priority: int = 50
    counts_for_caps: bool = True
    audience: AudienceEntry = AudienceEntry()
    control: PercentField = 0.0
    reentry: PositiveSpanField | None = None
    data_age: PositiveSpanField | None = None
    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1)]

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check the purpose against basis and channels, and the steps against each other."""
        del context
        purpose = given.get("purpose")
        if purpose == Purpose.INFORMATIONAL and given.get("basis") is None:
            hint = "why the customer gets it: an order, a delivery, points earned by a purchase"
            what = "is missing: an informational campaign states its ground"
            yield Finding(what, hint, ("basis",))
        for number, step in each(given, "steps"):
            for keys in legs_of(step):
                channel = pick(step, *keys, "channel")
                if found := _MISPLACED.get((str(purpose), str(channel))):
                    yield Finding(*found, ("steps", number, *keys, "channel"))
        yield from step_findings(given)
