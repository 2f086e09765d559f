"""What is wrong with a campaign once the stores are known, and what is only worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.audience import due_problems
from remindctl.audience import problems as audience_problems
from remindctl.campaigns.basis import basis_problems
from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem, Refused
from remindctl.model import Channel
from remindctl.render import compile_leg, warnings
from remindctl.segments import BUILT_IN, is_segment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import polars as pl

    from remindctl.model import Campaign, Leg, Step, Store


def problems(
    campaign: Campaign,
    stores: Mapping[str, Store],
    extra: Iterable[str] = (),
    *,
    columns: Mapping[str, pl.DataType | type[pl.DataType]] | None = None,
    events: Collection[str] | None = None,
) -> list[Problem]:
    """Say what is wrong with a campaign for the stores it is meant for, warnings included.

    Args:
        campaign: from :func:`load_campaigns`.
        stores: every store of the configuration, by key.
        extra: as for :func:`load_campaigns`.
        columns: of the stores' Profiles, extra ones included; without them, or without ``events``,
            anchors may have any name.
        events: every name in the stores' events files.

    Returns:
        in the order of their places; those with ``warning`` stop nothing.
    """
    start = campaign.place or Place()
    found = _unknown_stores(campaign, stores)
    found += basis_problems(campaign)
    for step in campaign.steps:
        found += _of_step(step)
        if columns is not None and events is not None:
            found += due_problems(step, columns, events)
    for store in (stores[key] for key in campaign.stores or stores if key in stores):
        place = campaign.places.get("audience", start)
        found += audience_problems(campaign.audience, store.segments, place, tuple(extra))
        for step in campaign.steps:
            found += _of_variants(step, store)
            for leg in step.legs:
                found += _of_leg(leg, campaign, store)
    return sorted(set(found))


def _unknown_stores(campaign: Campaign, stores: Mapping[str, Store]) -> list[Problem]:
    """Say which stores are not configured; a whole campaign for others than these is no mistake."""
    place = campaign.places.get("stores") or campaign.place or Place()
    meant = {key: did_you_mean(key, stores) for key in campaign.stores if key not in stores}
    for_others = len(meant) == len(campaign.stores) and not any(meant.values())
    return [
        Problem(place, f"there is no store `{key}` in the configuration", hint, warning=for_others)
        for key, hint in meant.items()
    ]


def _of_step(step: Step) -> Iterator[Problem]:
    start = step.places.get("id", Place())
    if step.variants and all(variant.when is not None for variant in step.variants):
        what = "every variant is for a segment, so whoever is in none of them gets nothing"
        hint = "leave `when` out of the last one, and it is for everyone else"
        yield Problem(step.places.get("variants", start), what, hint, warning=True)
    if step.fallback_within and all(len(variant.legs) == 1 for variant in step.variants):
        what = "there is no second channel that could follow within this time"
        place = step.places.get("fallback_within", start)
        yield Problem(place, what, "add one, or take it out", warning=True)


def _of_variants(step: Step, store: Store) -> Iterator[Problem]:
    for variant in step.variants:
        if variant.when is not None and not is_segment(variant.when, store.segments):
            place = step.places.get(f"when.{variant.id}", step.places.get("id", Place()))
            hint = did_you_mean(variant.when, (*BUILT_IN, *store.segments))
            yield Problem(place, f"no segment {variant.when!r}", hint)


def _of_leg(leg: Leg, campaign: Campaign, store: Store) -> Iterator[Problem]:
    at = leg.places.get("channel", campaign.place or Place())
    try:
        compile_leg(leg, store, campaign)
    except Refused as refused:
        for problem in refused.problems:
            # What the store lacks is told once, not for each of its campaigns.
            place = problem.place if problem.place.path else Place(f"store {store.key}")
            yield Problem(place, problem.what, problem.hint)
    yield from warnings(leg, store, campaign)
    if leg.targeting != "I" and leg.targeting not in store.brand_targets:
        what = f"Kakao has not approved target {leg.targeting} for `{store.key}`"
        hint = f"where it has, say so: stores.{store.key}.brand_message_targets: [{leg.targeting}]"
        yield Problem(leg.places.get("targeting", at), what, hint)
    image = leg.image or ""
    if leg.channel is Channel.MMS and store.country == "KR" and image.endswith(".png"):
        what = "Korean networks carry JPEG images only"
        yield Problem(leg.places.get("image", at), what, "save it again as .jpg")
