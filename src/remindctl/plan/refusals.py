"""What refuses a whole run before its first message: old data, a ceiling, too few coupons."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.hours import exactly
from remindctl.plan.coupons import EMPTY_POOL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.frames import Snapshot
    from remindctl.model import Store
    from remindctl.plan.value import Plan


def too_old(snapshot: Snapshot, store: Store, as_of: datetime) -> Problem | None:
    """Say that the order files are too old to run on, if they are."""
    until = snapshot.known_until["orders"]
    if as_of - until <= exactly(store.max_data_age):
        return None
    shown = until.astimezone(ZoneInfo(store.timezone))
    return Problem(
        Place(f"store {store.key}"),
        f"the orders are known until {shown:%Y-%m-%d %H:%M}, more than {store.max_data_age} ago",
        "download them again, or look back with --dry-run --as-of",
    )


def over_ceiling(plans: Sequence[Plan]) -> list[Problem]:
    """Say which ceilings the plans of one store's run exceed together."""
    if not plans:
        return []
    store = plans[0].store
    ceiling, place = store.policy.ceiling, Place(f"store {store.key}")
    hint = "look with --dry-run; take less with --limit, or raise policy.ceiling"
    people = pl.concat([plan.messages["person"] for plan in plans]).n_unique()
    cost = sum((plan.cost for plan in plans), Decimal(0))
    found = []
    if ceiling.recipients is not None and people > ceiling.recipients:
        what = f"{people} recipients are more than the ceiling of {ceiling.recipients}"
        found.append(Problem(place, what, hint))
    if ceiling.cost is not None and cost > ceiling.cost:
        what = f"{cost.normalize():f} {store.currency} is more than the ceiling of {ceiling.cost}"
        found.append(Problem(place, what, hint))
    return found


def empty_pools(plans: Sequence[Plan]) -> list[Problem]:
    """Say which coupon pools are too small for the plans of one store's run."""
    found = []
    for plan in plans:
        short = plan.held.filter(pl.col("reason") == EMPTY_POOL)
        for step in plan.campaign.steps:
            if missing := short.filter(pl.col("step") == step.id).height:
                pool = step.coupon.pool if step.coupon else None
                place = step.places.get("coupon") or plan.campaign.place or Place()
                what = f"the coupon pool `{pool}` of {plan.store.key} is {missing:,} codes short"
                hint = "add codes to its file, or take less with --limit"
                found.append(Problem(place, what, hint))
    return found
