"""Who entered and who left which segment between two instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from remindctl.profiles import Profiles


def movement(before: Profiles, now: Profiles) -> pl.DataFrame:
    """Compare the segments of every person of ``now`` with those of an earlier instant.

    Args:
        before: of the same load, with ``segments``.
        now: of the same load, with ``segments``.

    Returns:
        person, entered and left (names in order, empty = none), in the order of ``now``.
    """
    both = now.select("person", "segments").join(
        before.select("person", pl.col("segments").alias("were")),
        on="person",
        how="left",
        maintain_order="left",
    )
    are, were = (pl.col(name).fill_null([]) for name in ("segments", "were"))
    return both.select(
        "person",
        are.list.set_difference(were).list.sort().alias("entered"),
        were.list.set_difference(are).list.sort().alias("left"),
    )


def balance(before: Profiles, now: Profiles) -> pl.DataFrame:
    """Count, for every segment that anyone is or was in: before, entered, left, now.

    Returns:
        segment, before, entered, left, now (customers), sorted by segment; before + entered - left
        = now, where the people are the same.
    """
    moved = movement(before, now)
    parts = {
        "before": before["segments"],
        "entered": moved["entered"],
        "left": moved["left"],
        "now": now["segments"],
    }
    counted = pl.DataFrame({"segment": []}, schema={"segment": pl.String})
    for name, lists in parts.items():
        size = lists.explode().drop_nulls().alias("segment").value_counts(name=name)
        counted = counted.join(size, on="segment", how="full", coalesce=True)
    return counted.with_columns(pl.col(*parts).fill_null(0).cast(pl.Int64)).sort("segment")
