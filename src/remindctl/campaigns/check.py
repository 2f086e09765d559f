"""What is wrong with a campaign once the stores are known, and what is only worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.audience import problems as audience_problems
from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem, Refused
from remindctl.render import compile_leg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from remindctl.model import Campaign, Store


def problems(
    campaign: Campaign, stores: Mapping[str, Store], extra: Iterable[str] = ()
) -> list[Problem]:
    """Say what is wrong with a campaign for the stores it is meant for.

    Args:
        campaign: from :func:`load_campaigns`.
        stores: every store of the configuration, by key.
        extra: as for :func:`load_campaigns`.
    """
    start = campaign.place or Place()
    found = [
        Problem(
            campaign.places.get("stores", start),
            f"there is no store `{key}` in the configuration",
            did_you_mean(key, stores),
        )
        for key in campaign.stores
        if key not in stores
    ]
    for store in (stores[key] for key in campaign.stores or stores if key in stores):
        place = campaign.places.get("audience", start)
        found += audience_problems(campaign.audience, store.segments, place, tuple(extra))
        found += _of_legs(campaign, store)
    return sorted(set(found))


def _of_legs(campaign: Campaign, store: Store) -> Iterator[Problem]:
    for leg in (leg for step in campaign.steps for leg in step.legs):
        at = leg.places.get("channel", campaign.place or Place())
        try:
            compile_leg(leg, store, campaign.purpose)
        except Refused as refused:
            for problem in refused.problems:
                place = problem.place if problem.place.path else at
                yield Problem(place, problem.what, problem.hint)
        if leg.targeting != "I" and leg.targeting not in store.brand_targets:
            what = f"Kakao has not approved the target {leg.targeting} for `{store.key}`"
            hint = f"where it has, say so: stores.{store.key}.brand_message_targets"
            yield Problem(leg.places.get("targeting", at), what, hint)
