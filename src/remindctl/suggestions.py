"""When to write to whom: waits for campaigns, read off a store's own curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl.intervals import later_orders, thresholds_of
from remindctl.survival import busiest_days, pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.cycles import ItemCycle
    from remindctl.survival import ReturnCurve

# How far ahead to ask "will they still come?", and the chance below which a customer is as good as
# lost: what Klaviyo calls a high risk of churn is a chance of return below one in three.
LOOK_AHEAD_DAYS = 90
LOW_CHANCE = 0.33
# A refill reminder leaves the parcel time to arrive before the old one is used up.
LEAD_DAYS = 3

_ONCE, _AGAIN = "customers with one order", "customers with two or more orders"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A wait to put into a campaign, and why.

    Attributes:
        campaign: second_order, reminder, first_win_back, win_back or refill.
        audience: whom it is for, in words.
        after: the anchor, first_order or last_order.
        wait_days: days from the anchor.
        within_days: for how many days from then on it still makes sense.
        item: what is to be refilled, a product or category by its name; None in other campaigns.
    """

    campaign: str
    audience: str
    after: str
    wait_days: int
    within_days: int
    reason: str
    item: str | None = None


def suggestions(
    by_order: Mapping[int, ReturnCurve], by: str, items: Sequence[ItemCycle]
) -> tuple[Suggestion, ...]:
    """Read campaign timings off the curves; one that too few returns stand behind is absent.

    Args:
        by_order: order number → curve, as :func:`remindctl.intervals.return_curves` gives it.
        by: what the items are; refills are suggested of products and categories.
        items: what is bought most.
    """
    first, later = by_order.get(1, pool([])), later_orders(by_order)
    found = [
        _second_order(first),
        _reminder(later),
        _win_back("first_win_back", _ONCE, first),
        _win_back("win_back", _AGAIN, later),
        *(_refill(one) for one in items if by in ("product", "category")),
    ]
    return tuple(one for one in found if one is not None)


def _second_order(first: ReturnCurve) -> Suggestion | None:
    week = busiest_days(first)
    if week is None:
        return None
    low, high = week.interval
    reason = (
        f"a second order is most likely on days {week.from_day}-{week.to_day}: "
        f"{week.daily_rate:.1%} ({low:.1%} to {high:.1%}) of those who still have none place one "
        "each day"
    )
    width = week.to_day - week.from_day + 1
    return Suggestion("second_order", _ONCE, "first_order", week.from_day, width, reason)


def _reminder(later: ReturnCurve) -> Suggestion | None:
    limits = thresholds_of(later, "later_orders")
    if limits is None or limits.due_days is None:
        return None
    reason = (
        f"by day {limits.due_days}, 40% of the returns that come within {limits.horizon_days} "
        "days have come"
    )
    return Suggestion("reminder", _AGAIN, "last_order", limits.due_days, 7, reason)


def _win_back(campaign: str, audience: str, wait: ReturnCurve) -> Suggestion | None:
    """Find the day from which on the chance of a return stays low.

    The chance is that of a return within the next 90 days, for those who have waited in vain. Some
    curves never get above the level; half of their highest chance takes its place.
    """
    chances = wait.chances(LOOK_AHEAD_DAYS).tolist()
    best = max(chances, default=0.0)
    if not wait.enough or not best:
        return _late_win_back(campaign, audience, wait)
    level, named = LOW_CHANCE, f"{LOW_CHANCE:.0%}"
    if best <= level:
        level, named = best / 2, f"{best / 2:.0%}, half of the {best:.0%} that it is at best"
    low_from = max(day for day, chance in enumerate(chances) if chance > level) + 1
    if low_from == len(chances):
        return _late_win_back(campaign, audience, wait)
    reason = (
        f"from day {low_from} on, the chance that a customer who is still away returns within "
        f"{LOOK_AHEAD_DAYS} days stays at or below {named}"
    )
    return Suggestion(campaign, audience, "last_order", max(1, low_from), 14, reason)


def _late_win_back(campaign: str, audience: str, wait: ReturnCurve) -> Suggestion | None:
    """Take the day by which nearly all are back, where the files are too short for a chance."""
    limits = thresholds_of(wait, campaign)
    if limits is None or limits.lapsed_days is None:
        return None
    reason = (
        f"by day {limits.lapsed_days}, 90% of the returns that come within {limits.horizon_days} "
        f"days have come (too few were observed long enough to say how many return within "
        f"{LOOK_AHEAD_DAYS} days after it)"
    )
    return Suggestion(campaign, audience, "last_order", limits.lapsed_days, 14, reason)


def _refill(one: ItemCycle) -> Suggestion | None:
    if one.p25 is None:
        return None
    wait, reason = one.p25, f"by day {one.p25} a quarter of its buyers have bought it again"
    reason += f" ({one.returned} returns)"
    if wait > LEAD_DAYS:
        wait -= LEAD_DAYS
        reason += f", less {LEAD_DAYS} days for the parcel to arrive"
    per_unit = one.refill.unit_days if one.refill else None
    if per_unit is not None and per_unit.p25 is not None:
        reason += f"; that is {per_unit.p25:.1f} days per unit"
    return Suggestion("refill", f"buyers of {one.name}", "last_order", wait, 7, reason, one.name)
