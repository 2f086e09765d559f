"""What the log remembers of people, whichever database kept it, as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import HISTORY, INSTANT, History, conform
from remindctl.sendlog.coupons import ISSUED, Issued

if TYPE_CHECKING:
    from collections.abc import Mapping

# Entries as they are read; see ``frames.HISTORY``.
STORED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "claim": pl.Int64,
    "campaign": pl.String,
    "step": pl.String,
    "key": pl.String,
    "entry": pl.String,
    "leg": pl.UInt8,
    "channel": pl.String,
    "state": pl.String,
    "attempted_at": pl.Int64,  # microseconds since 1970 (UTC)
    "tags": pl.String,  # JSON
    "counts": pl.Boolean,
    "arm": pl.String,
    "store_arm": pl.String,
    "variant": pl.String,
}

# Coupons likewise.
STORED_ISSUED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **ISSUED,
    "issued_at": pl.Int64,
    "until": pl.String,
}


def as_history(entries: pl.DataFrame, found: pl.DataFrame) -> History:
    """Give each person the entries they were found by.

    Args:
        entries: as ``STORED``.
        found: person and claim, each pair once.
    """
    tags = entries.select("tags").unique()
    tags = tags.with_columns(pl.col("tags").str.json_decode(pl.List(pl.String)).alias("told"))
    return History(
        conform(
            entries.with_columns(pl.col("attempted_at").cast(INSTANT).alias("claimed_at"))
            .join(tags, on="tags", how="left")
            .with_columns(pl.col("told").alias("tags"))
            .join(found, on="claim", how="inner"),
            HISTORY,
        )
    )


def as_issued(rows: pl.DataFrame) -> Issued:
    """Read times and days of rows as ``STORED_ISSUED``."""
    return Issued(
        rows.with_columns(
            pl.col("issued_at").cast(INSTANT), pl.col("until").str.to_date("%Y-%m-%d")
        )
    )


def first_per_person(entries: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return each person's earliest entry: person and claim.

    Args:
        entries: claim and attempted_at.
        found: person and claim.
    """
    return (
        found.join(entries, on="claim", how="inner")
        .sort("attempted_at", "claim")
        .unique("person", keep="first")
        .select("person", "claim")
    )
