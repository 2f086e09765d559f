"""What will become due in the days to come, as far as today's files tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import INSTANT
from remindctl.hours import exactly

if TYPE_CHECKING:
    from remindctl.model import Span
    from remindctl.plan.desk import Desk


def calendar(desk: Desk, horizon: Span) -> pl.DataFrame:
    """Count the occasions that become due on each day to come.

    Nobody's next order is foreseen here: whoever buys before the day drops out then, and whatever
    is not in the files yet (an order of tomorrow, a cart of tonight) is missing.

    Args:
        desk: the campaign, store and instant.
        horizon: how far to look.

    Returns:
        step, on (date on the store's calendar), due, and reachable: how many of them have an
        address, no refusal and a consent today. Days without any are left out.
    """
    until = pl.lit(desk.as_of, dtype=INSTANT) + exactly(horizon)
    parts = []
    for step in desk.campaign.steps:
        rows = desk.any_time(step)
        on = pl.col("due_at").dt.convert_time_zone(desk.store.timezone).dt.date()
        parts.append(
            rows.filter(
                pl.col("due_at") > desk.as_of,
                pl.col("due_at") <= until,
                ~pl.col("over"),
                ~pl.col("never_open"),
                ~pl.col("too_late"),
                ~pl.col("skipped"),
            )
            .group_by(pl.lit(step.id).alias("step"), on.alias("on"))
            .agg(pl.len().alias("due"), pl.col("hold").is_null().sum().alias("reachable"))
            .sort("on")
        )
    return pl.concat(parts)
