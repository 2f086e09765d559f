"""A checked campaign file → the campaign that the core knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.campaigns.steps import StepEntry
from remindctl.errors import Place
from remindctl.model import (
    Audience,
    Basis,
    Button,
    Campaign,
    Condition,
    Coupon,
    Due,
    KakaoCoupon,
    Leg,
    Step,
    Variant,
)

if TYPE_CHECKING:
    from remindctl.campaigns.legs import LegEntry
    from remindctl.campaigns.schema import CampaignFile
    from remindctl.campaigns.steps import ConditionEntry, CouponEntry, DueEntry, VariantEntry
    from remindctl.documents import Located

    Found = Located[CampaignFile]
    Keys = tuple[str | int, ...]

# What stands in a file of its own → the key of the campaign that then stands for it.
_IN_FILES = {"text_file": "text", "html_file": "html", "layout": "layout"}


def build(found: Found) -> Campaign:
    """Make the campaign of a file."""
    file = found.value
    return Campaign(
        name=file.campaign,
        purpose=file.purpose,
        steps=tuple(
            _step(step, file.steps[number - 1].id if number else None, ("steps", number), found)
            for number, step in enumerate(file.steps)
        ),
        basis=Basis(**file.basis.model_dump()) if file.basis else None,
        stores=file.stores,
        tags=file.tags,
        priority=file.priority,
        counts_for_caps=file.counts_for_caps,
        audience=Audience(**file.audience.model_dump()),
        control=file.control,
        reentry=file.reentry,
        data_age=file.data_age,
        place=found.key_place("campaign"),
        places={key: found.key_place(key) for key in file.model_fields_set},
    )


def _step(step: StepEntry, before: str | None, at: Keys, found: Found) -> Step:
    variants = step.variants or ()
    forms = [
        _variant(variant, (*at, "variants", number), found)
        for number, variant in enumerate(variants)
    ]
    return Step(
        id=step.id,
        due=_due(step.due, before),
        variants=tuple(forms) or (Variant(legs=_legs(step.send or (), (*at, "send"), found)),),
        condition=_condition(step.condition),
        coupon=_coupon(step.coupon),
        facts={name: fact.max_age for name, fact in step.facts.items()},
        fallback_within=step.fallback_within,
        places=_step_places(step, at, found),
    )


def _step_places(step: StepEntry, at: Keys, found: Found) -> dict[str, Place]:
    places = {}
    for name in step.model_fields_set:
        key = StepEntry.model_fields[name].alias or name
        places[key] = found.key_place(*at, key)
    for key in step.due.model_fields_set:
        places[key] = found.place(*at, "due", key)
    for number, variant in enumerate(step.variants or ()):
        if variant.when is not None:
            places[f"when.{variant.id}"] = found.place(*at, "variants", number, "when")
    return places


def _due(due: DueEntry, before: str | None) -> Due:
    return Due(
        after=due.after,
        step=(due.step or before) if due.after == "message" else None,
        per_line=due.per == "line",
        wait=due.wait,
        within=due.within,
        at=due.at,
        until=due.until,
        night=due.night,
        max_delay=due.max_delay,
    )


def _condition(entry: ConditionEntry | None) -> Condition | None:
    if entry is None:
        return None
    ((kind, step),) = entry.model_dump(exclude_none=True).items()
    return Condition(kind, step)


def _coupon(entry: CouponEntry | None) -> Coupon | None:
    if entry is None:
        return None
    return Coupon(
        pool=entry.pool,
        code=entry.code,
        valid_for=entry.valid_for,
        valid_until=entry.valid_until,
    )


def _variant(entry: VariantEntry, at: Keys, found: Found) -> Variant:
    return Variant(
        id=entry.id,
        weight=entry.weight,
        when=entry.when,
        legs=_legs(entry.send, (*at, "send"), found),
    )


def _legs(entries: tuple[LegEntry, ...], at: Keys, found: Found) -> tuple[Leg, ...]:
    return tuple(_leg(entry, (*at, number), found) for number, entry in enumerate(entries))


def _leg(entry: LegEntry, at: Keys, found: Found) -> Leg:
    html = entry.html_file.text if entry.html_file else entry.html
    form = entry.form or ("image" if entry.image else "text")
    return Leg(
        channel=entry.channel,
        text=entry.body,
        subject=entry.title if entry.subject is None else entry.subject,
        html=html,
        layout=entry.layout.text if entry.layout else None,
        image=str(entry.image.path) if entry.image else None,
        buttons=tuple(Button(**button.model_dump()) for button in entry.buttons),
        template=entry.template,
        variables=dict(entry.variables),
        form=form,
        targeting=entry.targeting,
        coupon=KakaoCoupon(**entry.coupon.model_dump()) if entry.coupon else None,
        url=entry.url,
        show_for=entry.show_for,
        places=_places(entry, at, found),
    )


def _places(entry: LegEntry, at: Keys, found: Found) -> dict[str, Place]:
    places = {key: found.place(*at, key) for key in entry.model_fields_set}
    for key, stands_for in _IN_FILES.items():
        if file := getattr(entry, key):
            places[stands_for] = Place(file.shown, 1)
    if "title" in places:
        places["subject"] = places["title"]
    return places
