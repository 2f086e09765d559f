"""Which steps a schedule of runs can never send, or may send too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.frames import INSTANT
from remindctl.hours import Opening, exactly, is_open
from remindctl.policy import openings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.model import Campaign, Store


def missed(campaign: Campaign, store: Store, runs: Sequence[datetime]) -> list[Problem]:
    """Say which legs of a campaign the runs of a schedule cannot serve.

    Args:
        campaign: its hours.
        store: its preset and zone; the recipient is taken to live by its clock.
        runs: the instants of the schedule over a week or more, in order.

    Returns:
        a problem for each leg that is closed at every run, a warning where the runs that find it
        open lie further apart than the step is due.
    """
    at = pl.DataFrame({"at": list(runs)}, schema={"at": INSTANT})
    found = []
    for step in campaign.steps:
        place = step.places.get("due") or campaign.place or Place()
        for leg in step.legs:
            law = openings(
                store, leg.channel, campaign.purpose, night=False, zone_known=True, country=None
            )
            hours = (Opening(step.due.at), *law)
            served = at.filter(is_open(pl.col("at"), hours, store.timezone))["at"]
            if served.is_empty():
                what = f"{step.id} by {leg.channel} is closed at every run of this schedule"
                window = f"at {step.due.at}" if step.due.at else "in the channel's hours"
                found.append(Problem(place, what, f"let a run fall {window}"))
                continue
            gap = served.diff().max()
            if step.due.within is not None and gap is not None and gap > exactly(step.due.within):  # type: ignore[operator] # a maximum of durations is one
                what = (
                    f"{step.id} is due for {step.due.within} only, but the runs that find"
                    f" {leg.channel} open are up to {gap!s} apart"
                )
                found.append(
                    Problem(place, what, "run more often, or widen `within`", warning=True)
                )
    return list(dict.fromkeys(found))
