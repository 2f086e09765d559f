"""What may have changed since the plan was made, looked at just before messages are claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.frames import Identifiers
from remindctl.model import FAMILY, Channel
from remindctl.policy import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
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
        self,
        plan: Plan,
        rows: Sequence[Mapping[str, Any]],
        ordered: Collection[bytes],
        now: datetime,
    ) -> list[str | None]:
        """Say of each message why it may not go after all; None = it may.

        Args:
            plan: that they are of.
            rows: its messages, with everything their person is known by as ``hmac``.
            ordered: the identifiers of whoever has ordered since.
            now: the present instant.
        """
        steps = {one.id for one in plan.campaign.steps if one.due.until == "order"}
        buyers = frozenset(ordered)
        refused = self._refused(plan, [row["person"] for row in rows])

        def reason(row: Mapping[str, Any]) -> str | None:
            if row["closes_at"] is not None and row["closes_at"] <= now:
                return "not_open_now"
            if buyers and row["step"] in steps and not buyers.isdisjoint(row["hmac"] or ()):
                return "occasion_over"
            if refused and (row["person"], FAMILY[Channel(row["channel"])]) in refused:
                return "opted_out"
            return None

        return [reason(row) for row in rows]

    def _refused(self, plan: Plan, people: Iterable[int]) -> set[tuple[int, str]]:
        """Return person and family of the opt-outs that the plan does not know."""
        if self.optouts.last_word() == self.last_word:
            return set()
        some = pl.Series(list(people), dtype=self.identifiers.schema["person"])
        concerned = self.identifiers.filter(pl.col("person").is_in(some.implode()))
        standing = self.optouts.standing(Identifiers(concerned))
        scopes = [EVERYTHING, str(plan.campaign.purpose)]
        new = standing.join(self.suppressions, on=standing.columns, how="anti")
        new = new.filter(pl.col("scope").is_in(scopes)).select("person", "family")
        return set(new.iter_rows())
