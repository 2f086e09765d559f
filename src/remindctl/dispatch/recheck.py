"""What may have changed since the plan was made, looked at just before messages are claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import Identifiers
from remindctl.model import FAMILY, Channel
from remindctl.policy import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from remindctl.frames import Suppressions
    from remindctl.plan import Plan
    from remindctl.sendlog import OptOuts


@dataclass(frozen=True, slots=True)
class Recheck:
    """What the plan of a run is compared with.

    Attributes:
        identifiers: of everybody in the plan.
        optouts: as they are now.
        suppressions: the opt-outs that the plan has weighed.
        last_word: of the opt-outs, when these were read.
    """

    identifiers: Identifiers
    optouts: OptOuts
    suppressions: Suppressions
    last_word: int

    def reasons(
        self, plan: Plan, rows: pl.DataFrame, ordered: Collection[bytes], now: datetime
    ) -> list[str | None]:
        """Say of each message why it may not go after all; None = it may.

        Args:
            plan: that they are of.
            rows: its messages, with everything their person is known by as ``hmac``.
            ordered: the identifiers of whoever has ordered since.
            now: the present instant.
        """
        refused = self._refused(plan, rows["person"])
        found = dict.fromkeys(_opted_out(rows, refused), "opted_out")
        steps = {one.id for one in plan.campaign.steps if one.due.until == "order"}
        found |= dict.fromkeys(_bought(rows, steps, frozenset(ordered)), "occasion_over")
        found |= dict.fromkeys((rows["closes_at"] <= now).arg_true(), "not_open_now")
        return [found.get(number) for number in range(len(rows))]

    def _refused(self, plan: Plan, people: pl.Series) -> set[tuple[int, str]]:
        """Return person and family of the opt-outs that the plan does not know."""
        if self.optouts.last_word() == self.last_word:
            return set()
        concerned = self.identifiers.filter(pl.col("person").is_in(people.implode()))
        standing = self.optouts.standing(Identifiers(concerned))
        scopes = [EVERYTHING, str(plan.campaign.purpose)]
        new = standing.join(self.suppressions, on=standing.columns, how="anti")
        new = new.filter(pl.col("scope").is_in(scopes)).select("person", "family")
        return set(new.iter_rows())


def _opted_out(rows: pl.DataFrame, refused: Collection[tuple[int, str]]) -> Iterator[int]:
    """Return the positions of those whose person has refused the family of the channel."""
    if refused:
        for number, (person, channel) in enumerate(rows.select("person", "channel").iter_rows()):
            if (person, FAMILY[Channel(channel)]) in refused:
                yield number


def _bought(rows: pl.DataFrame, steps: Collection[str], buyers: frozenset[bytes]) -> Iterator[int]:
    """Return the positions of those of the steps whose person has ordered."""
    if buyers and steps:
        for number, (step, known) in enumerate(rows.select("step", "hmac").iter_rows()):
            if step in steps and not buyers.isdisjoint(known or ()):
                yield number
