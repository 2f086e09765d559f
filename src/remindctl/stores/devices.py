"""Whose device a push token is: of the person most recently identified on it.

A token joins no two people, since a phone may be sold or shared. A device on which no one was ever
identified is a person of its own, who can be reached on it and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import PERSON

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = "push_token"  # noqa: S105 (the name of a column)


def assign(events: Sequence[pl.DataFrame], people: int) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Give the events that name only a device to a person.

    Args:
        events: each with person (null: no one named) and occurred_at, most with push_token.
        people: how many people there are so far; owners of unknown devices are numbered from there.

    Returns:
        ``events`` with person filled in, and each token once with its person.
    """
    told = [e.select("person", _TOKEN, "occurred_at") for e in events if _TOKEN in e.columns]
    if not told:
        return list(events), pl.DataFrame(schema={_TOKEN: pl.String, "person": PERSON})
    seen = pl.concat(told).drop_nulls(_TOKEN).sort("occurred_at", maintain_order=True)
    owners = seen.group_by(_TOKEN).agg(pl.col("person").drop_nulls().last()).sort(_TOKEN)
    unknown = pl.col("person").is_null()
    newcomers = (unknown.cum_sum() - 1 + people).cast(PERSON)
    owners = owners.with_columns(
        pl.when(unknown).then(newcomers).otherwise("person").alias("person")
    )
    return [_named(event, owners) for event in events], owners


def _named(event: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    if _TOKEN not in event.columns:
        return event
    owner = event.select(_TOKEN).join(owners, on=_TOKEN, how="left", maintain_order="left")
    return event.with_columns(pl.coalesce("person", owner["person"]).alias("person"))
