"""What a plan is: who gets a message and who does not, as frozen frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import HISTORY, INSTANT, MONEY, PERSON, History, conform
from remindctl.model import State
from remindctl.policy import DRAWN, REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.model import Campaign, Store

# What both frames of a plan say of an occasion; see :class:`Plan`.
_OCCASION: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "campaign": pl.String,
    "step": pl.String,
    "variant": pl.String,
    "occasion": pl.String,
    "store": pl.String,
    "customer_key": pl.String,
    "name": pl.String,
    "channel": pl.String,
    "provider": pl.String,
    "to": pl.String,
    "due_at": INSTANT,
    "reason": pl.String,
    "person": PERSON,
    "entry": pl.String,
    "leg": pl.UInt8,
    "arm": pl.String,
    "store_arm": pl.String,
    "zone": pl.String,
    "zone_source": pl.String,
    "why": pl.String,
}
MESSAGES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **_OCCASION,
    "subject": pl.String,
    "text": pl.String,
    "html": pl.String,
    "extras": pl.String,
    "encoding": pl.String,
    "units": pl.UInt32,
    "parts": pl.UInt32,
    "cost": MONEY,
    "ground": pl.String,
    "kind": pl.String,
    "closes_at": INSTANT,
    "coupon_pool": pl.String,
    "coupon_code": pl.String,
    "coupon_until": pl.Date,
}
HELD: Mapping[str, pl.DataType | type[pl.DataType]] = {**_OCCASION, "detail": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What one campaign does in one store at one instant.

    Attributes:
        customers: how many people the store knows.
        members: how many of them the audience holds.
        messages: who gets one, longest due first. ``key`` names store, campaign, step and occasion,
            ``entry`` one start of the campaign; ``reason`` is why it is due, ``ground`` why it may
            be sent, ``closes_at`` until when (null = no end), ``cost`` in the store's currency,
            ``extras`` what stands around the text (JSON), ``units`` its length in ``encoding``.
        held: who is due and gets none; ``reason`` is a code of ``policy.REASONS``, ``detail`` a
            sentence.
    """

    campaign: Campaign
    store: Store
    as_of: datetime
    customers: int
    members: int
    messages: pl.DataFrame
    held: pl.DataFrame

    @property
    def due(self) -> int:
        """How many messages are due: planned and held."""
        return len(self.messages) + len(self.held)

    @property
    def cost(self) -> Decimal:
        """What the planned messages cost, in the store's currency."""
        return Decimal(self.messages["cost"].sum() or 0)

    @property
    def funnel(self) -> list[tuple[str, int, int]]:
        """What each gate left over: the reason it holds for, how many it held, how many passed."""
        counts = dict(self.held["reason"].value_counts().iter_rows())
        left, found = self.due, []
        for reason in REASONS:
            if count := counts.get(reason, 0):
                left -= count
                found.append((reason, count, left))
        return found

    @property
    def control(self) -> pl.DataFrame:
        """Who of ``held`` was drawn into a control group: to be remembered like the messages."""
        return self.held.filter(pl.col("reason").is_in(DRAWN))

    def hold(self, late: Mapping[tuple[str, int], str]) -> Plan:
        """Return the plan with messages held after all: (key, person) → reason."""
        rows = [(key, person, reason) for (key, person), reason in late.items()]
        schema = {"key": pl.String, "person": PERSON, "_reason": pl.String}
        held = self.messages.join(
            pl.DataFrame(rows, schema=schema, orient="row"), on=["key", "person"], how="inner"
        ).with_columns(
            pl.col("_reason").alias("reason"),
            pl.col("_reason").replace(dict(REASONS)).alias("detail"),
        )
        return replace(
            self,
            messages=self.messages.join(
                held, on=["key", "person"], how="anti", maintain_order="left"
            ),
            held=pl.concat([self.held, conform(held, HELD)]),
        )

    def history(self) -> History:
        """Return the planned messages as if they were in the log, for the plans after this one."""
        return History(
            conform(
                self.messages.with_columns(
                    pl.lit(str(State.CLAIMED)).alias("state"),
                    pl.lit(self.as_of, dtype=INSTANT).alias("claimed_at"),
                    pl.lit(list(self.campaign.tags), dtype=pl.List(pl.String)).alias("tags"),
                    pl.lit(self.campaign.counts_for_caps).alias("counts"),
                ),
                HISTORY,
            )
        )
