"""The steps of a campaign file: when each is due, in which forms, with which coupon and facts."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationInfo, model_validator

from remindctl.campaigns.fields import AnchorField, FactName, FixedText, WaitField
from remindctl.campaigns.legs import LegEntry
from remindctl.documents import (
    Finding,
    NameField,
    PositiveSpanField,
    Strict,
    WindowField,
    each,
    one_of,
)


class DueEntry(Strict):
    """When a step is due: an anchor, a wait, and a window in which it still makes sense.

    Attributes:
        after: what is waited from: first_order, last_order, ordered, cancelled, delivered,
            confirmed, expected_next_order, signup, coupon_issued, coupon_expires, message (an
            earlier step), the name of an event, or a date column such as birthday.
        wait: a duration (30d, 1h30m, -3d for before it), or a statistic of the store's own data
            (cycle.median, product_cycle.p75, customer_cycle).
        within: how long after the due time it may still go out; without it, for ever.
        at: hours of the customer's day, such as 16:00-17:00.
        until: what ends the occasion: order (the default), never, or the name of an event.
        night: what happens to a due time in closed hours: defer moves it, skip drops it.
        max_delay: the furthest that a due time may be moved.
        per: for delivered and confirmed: a reminder for each order line instead of each order.
        step: for after: message: the earlier step; the step before this one by default.
    """

    after: AnchorField
    wait: WaitField
    within: PositiveSpanField | None = None
    at: WindowField | None = None
    until: AnchorField = "order"
    night: Literal["defer", "skip"] = "defer"
    max_delay: PositiveSpanField | None = None
    per: Literal["line"] | None = None
    step: NameField | None = None


class ConditionEntry(Strict):
    """What must have become of an earlier step, on the same occasion; exactly one of these.

    Attributes:
        sent: the step's message was sent.
        not_sent: it was not.
        control: the customer was held out of it.
        ordered_since: it was sent, and an order came after it.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    sent: NameField | None = None
    not_sent: NameField | None = None
    control: NameField | None = None
    ordered_since: NameField | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that one thing is asked."""
        del context
        asked = [key for key in given if key in cls.model_fields]
        if not asked:
            yield Finding("is missing: the earlier step", "if: {sent: STEP}", ("sent",))
        for key in asked[1:]:
            yield Finding(f"stands beside `{asked[0]}`", "one condition at a time", (key,))


class CouponEntry(Strict):
    """The coupon of a step: a code of its own for each customer, or one code for all.

    Attributes:
        pool: name of a pool of single-use codes in the store's coupon files.
        code: one code for all.
        valid_for: how long a customer may use it, counted from the day it is given out.
        valid_until: the last day of the code for all.
    """

    model_config = ConfigDict(json_schema_extra=one_of("pool", "code"))

    pool: FixedText | None = None
    code: FixedText | None = None
    valid_for: PositiveSpanField | None = None
    valid_until: date | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that there is one source of codes, and that it ends."""
        del context
        there = {key for key, value in given.items() if value is not None}
        if {"pool", "code"} <= there:
            yield Finding("stands beside `pool`", "a pool, or one code for all", ("code",))
        elif not there & {"pool", "code"}:
            hint = "pool: NAME for codes of their own, or code: CODE for all"
            yield Finding("is missing", hint, ("pool",))
        elif "pool" in there and "valid_until" in there:
            hint = "the last day of each code stands in the pool's file"
            yield Finding("is for one code for all", hint, ("valid_until",))
        elif "code" in there and not there & {"valid_for", "valid_until"}:
            hint = "the last day on which the shop takes it: valid_until: 2026-12-31"
            yield Finding("is missing", hint, ("valid_until",))


class FactEntry(Strict):
    """How old a fact may be when the message says it.

    Attributes:
        max_age: older than this, the customer gets no message.
    """

    max_age: PositiveSpanField


class VariantEntry(Strict):
    """One form of a step's message.

    Attributes:
        id: its name in the log.
        weight: its share among the variants without `when`.
        when: the segment it is for; the first variant whose segment a customer is in is theirs.
        send: the channels, in order.
    """

    id: NameField
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1
    when: FixedText | None = None
    send: Annotated[tuple[LegEntry, ...], Field(min_length=1)]

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that it is drawn or chosen, not both."""
        del context
        if given.get("when") is not None and given.get("weight") is not None:
            hint = "by its segment (when) or by chance (weight), not both"
            yield Finding("stands beside `when`", hint, ("weight",))


class StepEntry(Strict):
    """One message: when it is due, and through which channels, in order.

    Attributes:
        id: its name in the log; another name is another history.
        due: when it is due.
        if: what must have become of an earlier step, on the same occasion.
        send: the channels, in order; the next is tried where one finally fails.
        variants: instead of send: several forms of the message.
        coupon: a coupon that comes with it; templates then know coupon.code and coupon.until.
        facts: stock, buyers or viewers, with an age limit; templates then know facts.stock.
        fallback_within: how long after a channel the next one may follow.
    """

    model_config = ConfigDict(json_schema_extra=one_of("send", "variants"))

    id: NameField
    due: DueEntry
    condition: ConditionEntry | None = Field(None, alias="if")
    send: Annotated[tuple[LegEntry, ...], Field(min_length=1)] | None = None
    variants: Annotated[tuple[VariantEntry, ...], Field(min_length=1)] | None = None
    coupon: CouponEntry | None = None
    facts: Mapping[FactName, FactEntry] = Field(default={})
    fallback_within: PositiveSpanField | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that there is one message, or variants that can be told apart."""
        del context
        if given.get("send") is not None and given.get("variants") is not None:
            hint = "put the channels under one of the variants"
            yield Finding("stands beside `variants`", hint, ("send",))
        elif given.get("send") is None and given.get("variants") is None:
            yield Finding("is missing: the channels, in order", "send: [{channel: …}]", ("send",))
        ids: list[object] = []
        for number, variant in each(given, "variants"):
            if (name := variant.get("id")) in ids:
                what, hint = f"{name!r} is there twice", "the log tells variants apart by it"
                yield Finding(what, hint, ("variants", number, "id"))
            ids.append(name)

    @model_validator(mode="wrap")
    @classmethod
    def _with_its_own_names(
        cls, given: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if info.context and "scope" in info.context:
            info.context["scope"].enter(given)
        return handler(given)


def legs_of(step: object) -> Iterator[tuple[str | int, ...]]:
    """Yield the way from a step, as the user wrote it, to each of its legs."""
    for leg, _ in each(step, "send"):
        yield "send", leg
    for number, variant in each(step, "variants"):
        for leg, _ in each(variant, "send"):
            yield "variants", number, "send", leg
