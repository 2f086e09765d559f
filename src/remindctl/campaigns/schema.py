"""What may stand in a campaign file: its keys, their defaults, and what each value must be."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from remindctl.audience import ANCHORS
from remindctl.documents import (
    Finding,
    NameField,
    OneOrMore,
    PercentField,
    PositiveSpanField,
    SpanField,
    Strict,
    VersionField,
    WindowField,
    all_wrong,
    did_you_mean,
    wrong,
)
from remindctl.errors import Place
from remindctl.model import Channel, Purpose
from remindctl.render import template_problems
from remindctl.segments import problems as condition_problems

_LATER = "is not supported by this version"
_LATER_ANCHORS = frozenset(
    {
        "ordered", "cancelled", "delivered", "confirmed", "expected_next_order", "signup", "visit",
        "product_view", "search", "wishlist", "cart", "checkout", "coupon_issued",
        "coupon_expires", "message",
    }
)  # fmt: skip
_STATISTICS = ("cycle", "product_cycle", "customer_cycle")
_FRIENDTALK = frozenset({"friendtalk", "friend_talk", "친구톡"})


def _anchor(text: str) -> str:
    if text in ANCHORS:
        return text
    served = f"this version serves {', '.join(ANCHORS)}"
    if text in _LATER_ANCHORS:
        raise wrong(f"the anchor {text!r} {_LATER}", served)
    raise wrong(f"there is no anchor {text!r}", did_you_mean(text, ANCHORS) or served)


def _wait(value: object) -> object:
    if isinstance(value, str) and value.split(".")[0] in _STATISTICS:
        raise wrong(f"a wait taken from a statistic {_LATER}", "write a duration: 30d")
    return value


def _channel(value: object) -> object:
    if isinstance(value, str) and value.casefold() in _FRIENDTALK:
        hint = "use brand_message: Kakao ended Friendtalk (친구톡) on 2025-12-31"
        raise wrong(f"{value!r} no longer exists", hint)
    return value


def _template(text: str, info: ValidationInfo) -> str:
    if not text.strip():
        raise wrong("has no text")
    known = (info.context or {}).get("names")
    found = [Finding(what, hint, line=line) for line, what, hint in template_problems(text, known)]
    if found:
        raise all_wrong(found)
    return text


def _condition(text: str, info: ValidationInfo) -> str:
    extra = (info.context or {}).get("extra", ())
    found = [Finding(each.what, each.hint) for each in condition_problems(text, Place(), extra)]
    if found:
        raise all_wrong(found)
    return text


TemplateText = Annotated[str, AfterValidator(_template)]


class LegEntry(Strict):
    """One channel of a chain, and the templates of its message."""

    refused_keys: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("image", "buttons", "template", "variables", "coupon", "when"), _LATER
    )

    channel: Annotated[Channel, BeforeValidator(_channel)]
    text: TemplateText
    subject: Annotated[TemplateText | None, Field(validate_default=True)] = None
    html: TemplateText | None = None

    @field_validator("subject")
    @classmethod
    def _suits_the_channel(cls, subject: str | None, info: ValidationInfo) -> str | None:
        channel = info.data.get("channel")
        if channel is Channel.EMAIL and subject is None:
            raise wrong("is missing: an e-mail needs one")
        if channel is Channel.SMS and subject is not None:
            raise wrong("an sms has none", "take it out, or send it as lms")
        return subject

    @field_validator("html")
    @classmethod
    def _is_for_email(cls, html: str | None, info: ValidationInfo) -> str | None:
        if html is not None and info.data.get("channel", Channel.EMAIL) is not Channel.EMAIL:
            raise wrong("only e-mail has HTML")
        return html


class DueEntry(Strict):
    """When a step is due: anchor + wait + window."""

    refused_keys: ClassVar[Mapping[str, str]] = {"per": _LATER}

    after: Annotated[str, AfterValidator(_anchor)]
    wait: Annotated[SpanField, BeforeValidator(_wait)]
    within: PositiveSpanField | None = None
    at: WindowField | None = None
    until: Literal["order", "never"] = "order"
    night: Literal["defer", "skip"] = "defer"
    max_delay: PositiveSpanField | None = None


class StepEntry(Strict):
    """One message: when it is due, and through which channels, in order."""

    refused_keys: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("if", "variants", "coupon", "facts"), _LATER
    )

    id: NameField
    due: DueEntry
    send: Annotated[tuple[LegEntry, ...], Field(min_length=1)]
    fallback_within: PositiveSpanField | None = None


class AudienceEntry(Strict):
    """Who a campaign is for; without anything: everyone with an occasion."""

    segments: OneOrMore = ()
    where: Annotated[str, AfterValidator(_condition)] | None = None
    exclude: OneOrMore = ()


class CampaignFile(Strict):
    """The whole file."""

    refused_keys: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("variants", "coupon", "facts", "data_age"), _LATER
    )

    version: VersionField = 1
    campaign: NameField
    purpose: Purpose
    basis: Annotated[str | None, Field(validate_default=True)] = None
    stores: OneOrMore = ()
    tags: tuple[NameField, ...] = ()
    priority: int = 50
    counts_for_caps: bool = True
    audience: AudienceEntry = AudienceEntry()
    control: PercentField = 0.0
    reentry: PositiveSpanField | None = None
    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1)]

    @field_validator("basis")
    @classmethod
    def _informational_states_its_ground(
        cls, basis: str | None, info: ValidationInfo
    ) -> str | None:
        if info.data.get("purpose") is Purpose.INFORMATIONAL and not (basis or "").strip():
            hint = "why the customer gets it: an order, a delivery, points earned by a purchase"
            raise wrong("is missing: an informational campaign states its ground", hint)
        return basis

    @field_validator("steps")
    @classmethod
    def _steps_agree(
        cls, steps: tuple[StepEntry, ...], info: ValidationInfo
    ) -> tuple[StepEntry, ...]:
        found: list[Finding] = []
        ids: list[str] = []
        for number, step in enumerate(steps):
            if step.id in ids:
                what, hint = f"{step.id!r} is there twice", "the log tells steps apart by it"
                found.append(Finding(what, hint, (number, "id")))
            ids.append(step.id)
            if info.data.get("purpose") is Purpose.ADVERTISING:
                found += _advertising_legs(number, step)
        if found:
            raise all_wrong(found)
        return steps


def _advertising_legs(number: int, step: StepEntry) -> list[Finding]:
    """Alimtalk carries information that someone asked for, never advertising."""
    hint = "use brand_message, lms or email; Alimtalk takes informational campaigns only"
    return [
        Finding("alimtalk may not carry advertising", hint, (number, "send", leg, "channel"))
        for leg, entry in enumerate(step.send)
        if entry.channel is Channel.ALIMTALK
    ]


def context(columns: Mapping[str, Any], extra: tuple[str, ...]) -> Mapping[str, object]:
    """Return what the checks of a file need to know besides it.

    Args:
        columns: the names templates may use → the names below them.
        extra: further columns of the stores' customer files.
    """
    return {"names": {**columns, **dict.fromkeys(extra)}, "extra": extra}
