"""Which of a plan's messages to look at: a sample, the extremes, one of every kind."""

from __future__ import annotations

import polars as pl

# Examples of messages that cannot be made, of each step.
_HELD_SHOWN = 5


def choose(messages: pl.DataFrame, people: pl.DataFrame, n: int) -> pl.DataFrame:
    """Pick the messages that together show what a campaign sends.

    Of each step: ``n`` evenly spaced among those that go out now, where there are none among those
    that do not but are not expired, else among all; the shortest and the longest of each channel;
    one of each variant, of each segment and of each of several channels, rather one that is picked
    anyway or goes out now.

    Args:
        messages: step, variant, channel, person, units, held_by (null = it goes out now) and any
            further column.
        people: Profiles (person, segment).
        n: how many make the sample of a step.

    Returns:
        rows of ``messages`` in their order, with ``segment`` and ``labels`` (a list of sample,
        shortest, longest, variant …, segment …, channel …).
    """
    far = pl.when(pl.col("held_by").is_null()).then(0).when(pl.col("held_by") != "expired").then(1)
    rows = (
        messages.join(
            people.select("person", "segment"), on="person", how="left", maintain_order="left"
        )
        .with_columns(far.otherwise(2).alias("_far"))
        .with_row_index("_row")
    )
    picked = pl.concat([_sample(rows, n), *_extremes(rows)])
    several = rows.filter(pl.col("channel").n_unique().over("step") > 1)
    for kind, among in (("variant", rows), ("segment", rows), ("channel", several)):
        picked = pl.concat([picked, _one_of_each(among, kind, picked["_row"])])
    labels = picked.group_by("_row", maintain_order=True).agg(pl.col("label").alias("labels"))
    return rows.join(labels, on="_row", how="inner", maintain_order="left").drop("_row", "_far")


def choose_held(held: pl.DataFrame) -> pl.DataFrame:
    """Pick examples of the messages that cannot be made, each of another step or detail.

    Args:
        held: step, reason, detail and any further column.
    """
    different = held.unique(["step", "reason", "detail"], keep="first", maintain_order=True)
    return different.group_by("step", maintain_order=True).head(_HELD_SHOWN)


def _sample(rows: pl.DataFrame, n: int) -> pl.DataFrame:
    """Spread ``n`` picks evenly over each step's rows, the first one included."""
    rows = rows.filter(pl.col("_far") == pl.col("_far").min().over("step"))
    place, size = pl.int_range(pl.len()), pl.len()
    # The whole part of place x n / size grows at n places, and by one where n < size.
    starts = (place * n // size != (place - 1) * n // size).over("step")
    return _labelled(rows.filter(starts)["_row"], "sample")


def _extremes(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Pick the shortest and the longest text of each step and channel, if they differ."""
    units = pl.col("units")
    ends = (
        rows.group_by("step", "channel", maintain_order=True)
        .agg(
            pl.col("_row").get(units.arg_min()).alias("shortest"),
            pl.col("_row").get(units.arg_max()).alias("longest"),
            (units.min() < units.max()).alias("differ"),
        )
        .filter("differ")
    )
    return [_labelled(ends[label], label) for label in ("shortest", "longest")]


def _one_of_each(rows: pl.DataFrame, kind: str, picked: pl.Series) -> pl.DataFrame:
    """Pick a row of each step and ``kind``: one of ``picked``, else one that goes out sooner."""
    new = ~pl.col("_row").is_in(picked.implode())
    found = (
        rows.drop_nulls(kind)
        .sort(new, "_far", "_row")
        .group_by("step", kind, maintain_order=True)
        .agg(pl.col("_row").first())
        .sort("_row")
    )
    return found.select("_row", pl.format(f"{kind} {{}}", kind).alias("label"))


def _labelled(rows: pl.Series, label: str) -> pl.DataFrame:
    return pl.DataFrame({"_row": rows}).with_columns(pl.lit(label).alias("label"))
