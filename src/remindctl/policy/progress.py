"""What the send log says of an occasion: how far it has come, and what became of earlier steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.hours import exactly
from remindctl.model import State

if TYPE_CHECKING:
    from datetime import datetime

    from remindctl.frames import History
    from remindctl.model import Campaign, Condition, Span

# A claim in one of these states has reached the person, or may have.
REACHED = tuple(map(str, (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED)))
# As above, or it is meant not to.
FINAL = (*REACHED, str(State.CONTROL))


def progress(
    rows: pl.DataFrame,
    history: History,
    legs: int,
    fallback_within: Span | None,
    as_of: datetime,
) -> pl.DataFrame:
    """Say how far each occasion has come: its next leg, or that nothing is left to do.

    The next leg opens only when the one before was surely not delivered: rejected or undelivered. A
    failed attempt, surely not sent, may be repeated on its own leg.

    Args:
        rows: has person and key.
        history: what the log knows of these people.
        legs: how many there are.
        fallback_within: how long after a leg the next one may follow.
        as_of: the instant of the run.

    Returns:
        from_leg, already and variant (as recorded first for the key, null = nothing recorded), one
        row per row of ``rows``.
    """
    refused = ~pl.col("state").is_in([*FINAL, State.FAILED])
    next_leg = (
        pl.when(pl.col("state") == State.FAILED).then("leg").when(refused).then(pl.col("leg") + 1)
    )
    claimed = (
        history.join(rows, on=["person", "key"], how="semi")
        .sort("claimed_at", "variant")
        .group_by("person", "key")
        .agg(
            pl.col("state").is_in(FINAL).any().alias("done"),
            next_leg.max().alias("from_leg"),
            pl.col("claimed_at").filter(refused).max().alias("refused_at"),
            pl.col("variant").drop_nulls().first(),
        )
    )
    found = rows.select("person", "key").join(
        claimed, on=["person", "key"], how="left", maintain_order="left"
    )
    over = pl.col("from_leg") >= legs
    if fallback_within is not None:
        over |= pl.col("refused_at") + exactly(fallback_within) < as_of
    return found.select(
        pl.col("from_leg").fill_null(0).clip(upper_bound=legs - 1).cast(pl.UInt8),
        pl.any_horizontal("done", over).fill_null(value=False).alias("already"),
        "variant",
    )


def met(
    rows: pl.DataFrame, history: History, condition: Condition, campaign: Campaign
) -> pl.Series:
    """Say of each row whether the earlier step went the way ``if`` asks, on the same occasion.

    Args:
        rows: has person, entry and, for ``ordered_since``, last_at (of the latest order).
        history: what the log knows of these people.
        condition: whoever was held out of the earlier step meets ``control`` only.
        campaign: whose step it was.
    """
    earlier = (
        history.filter(pl.col("campaign") == campaign.name, pl.col("step") == condition.step)
        .group_by("person", "entry")
        .agg(
            pl.col("state").is_in(REACHED).any().alias("sent"),
            (pl.col("state") == State.CONTROL).any().alias("control"),
            pl.col("claimed_at").filter(pl.col("state").is_in(REACHED)).min().alias("sent_at"),
        )
    )
    found = rows.join(earlier, on=["person", "entry"], how="left", maintain_order="left")
    sent, control = (pl.col(name).fill_null(value=False) for name in ("sent", "control"))
    met = {
        "sent": sent & ~control,
        "not_sent": ~sent & ~control,
        "control": control,
    }
    if condition.kind == "ordered_since":
        came = (pl.col("last_at") > pl.col("sent_at")).fill_null(value=False)
        return found.select((came & ~control).alias("met"))["met"]
    return found.select(met[condition.kind].alias("met"))["met"]
