"""From counts of waits to the document's sections, in plain Python: some thousand numbers at most.

Both peers end here, so that they differ in what takes time. It is written anew after the papers
that remindctl cites; it shares no code with it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENOUGH = 30
LAST_NUMBER = 20
STATES = ("not_due", "due", "late", "lapsed")


class Waits(NamedTuple):
    """How many waited so many days, and whether they then came back."""

    days: int
    returned: bool
    people: int


class Curve:
    """A Kaplan-Meier estimate by whole days, from 0 on."""

    def __init__(self, waits: Iterable[Waits]) -> None:
        exits: dict[int, int] = defaultdict(int)
        events: dict[int, int] = defaultdict(int)
        for days, returned, count in waits:
            exits[days] += count
            events[days] += count * returned
        self.n, self.returned = sum(exits.values()), sum(events.values())
        last = max(exits, default=0)
        gone = accumulate((exits[day] for day in range(last)), initial=0)
        self.at_risk = [self.n - before for before in gone]
        left = 1.0
        self.survival = [
            left := left * (1.0 - events[day] / at_risk) for day, at_risk in enumerate(self.at_risk)
        ]

    @property
    def is_enough(self) -> bool:
        """Whether so many came back that quantiles mean something."""
        return self.returned >= ENOUGH

    @property
    def horizon(self) -> int:
        """The last day with enough people at risk."""
        enough = max(1, min(ENOUGH, self.n // 10))
        return max(0, sum(at_risk >= enough for at_risk in self.at_risk) - 1)

    def quantile(self, share: float) -> int | None:
        """Return the first day by which so many are back."""
        level = 1.0 - share + 1e-12
        return next((day for day, left in enumerate(self.survival) if left <= level), None)

    def within(self, days: int) -> float | None:
        """Return the share that is back by a day, None where nobody was observed so long."""
        if days < len(self.survival):
            return 1.0 - self.survival[days]
        return 1.0 if self.survival[-1] == 0 else None


def by_order_number(waits: Mapping[int, list[Waits]]) -> list[dict[str, object]]:
    """Describe the way from each order to the next."""
    found: list[dict[str, object]] = []
    for number, own in sorted(waits.items()):
        if number <= LAST_NUMBER:
            curve = Curve(own)
            found.append({
                "from": number, "customers": curve.n, "returned": curve.returned,
                "p25": curve.quantile(0.25), "median": curve.quantile(0.5),
                "p75": curve.quantile(0.75),
                "returned_within": {str(d): curve.within(d) for d in (3, 7, 30, 60, 90, 180, 365)},
            })  # fmt: skip
    return found


def due(waits: Mapping[int, list[Waits]]) -> list[dict[str, object]]:
    """Set each order number's thresholds and count who stands where."""
    pooled = {min(number, LAST_NUMBER + 1): [] for number in waits}  # type: dict[int, list[Waits]]
    for number, own in waits.items():
        pooled[min(number, LAST_NUMBER + 1)] += own
    store = _thresholds(Curve(wait for own in pooled.values() for wait in own))
    later = _thresholds(Curve(wait for n, own in pooled.items() if n > 1 for wait in own)) or store
    found: list[dict[str, object]] = []
    for number, own in sorted(pooled.items()):
        days = _thresholds(Curve(own)) or (store if number == 1 else later)
        states = dict.fromkeys(STATES, 0)
        for waited, returned, count in own:
            if days and not returned:
                due_from, late_from, lapsed_after = days
                state = (
                    "lapsed" if waited > lapsed_after
                    else "late" if waited >= late_from
                    else "due" if waited >= due_from
                    else "not_due"
                )  # fmt: skip
                states[state] += count
        if any(not returned for _, returned, _ in own):
            named = zip(("due_days", "late_days", "lapsed_days"), days or (None,) * 3, strict=True)
            found.append({"from": number, **dict(named), "customers": states if days else {}})
    return found


def _thresholds(curve: Curve) -> tuple[int, int, int] | None:
    if not curve.is_enough:
        return None
    reach = 1.0 - curve.survival[curve.horizon]
    first, second, third = (curve.quantile(share * reach) for share in (0.40, 0.75, 0.90))
    # All lie within the horizon, so each is reached.
    return (first or 0, second or 0, third or 0)


def cohorts(waits: Mapping[str, list[Waits]]) -> list[dict[str, object]]:
    """Describe the second orders of each month's new customers."""
    found: list[dict[str, object]] = []
    for month, own in sorted(waits.items()):
        curve = Curve(own)
        found.append({
            "month": month, "customers": curve.n, "returned": curve.returned,
            "p25": curve.quantile(0.25) if curve.is_enough else None,
            "median": curve.quantile(0.5) if curve.is_enough else None,
            "returned_within": {str(days): curve.within(days) for days in (30, 90, 180)},
        })  # fmt: skip
    return found


def products(waits: Mapping[tuple[str, int, int, int], list[Waits]]) -> list[dict[str, object]]:
    """Describe products by (name, buyers, orders, repeat buyers), most buyers first."""
    found: list[dict[str, object]] = []
    for (name, buyers, orders, repeat), own in sorted(
        waits.items(), key=lambda i: (-i[0][1], i[0])
    ):
        curve = Curve(own)
        p25, median, p75 = (
            curve.quantile(p) if curve.is_enough else None for p in (0.25, 0.5, 0.75)
        )
        found.append({
            "product": name, "buyers": buyers, "orders": orders, "repeat_buyers": repeat,
            "returned": curve.returned, "p25": p25, "median": median, "p75": p75,
        })  # fmt: skip
    return found
