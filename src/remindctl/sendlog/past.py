"""What the log remembers of people and of codes, read into frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import HISTORY, INSTANT, PERSON, History, conform, empty
from remindctl.sendlog.coupons import ISSUED, Issued
from remindctl.sendlog.database import filled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from remindctl.frames import Identifiers

# Rows that are Python objects at any one time: a frame holds them in a tenth of the memory.
_AT_ONCE = 50_000

# As the log has it; see ``frames.HISTORY``.
_STORED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "claim": pl.Int64,
    "campaign": pl.String,
    "step": pl.String,
    "key": pl.Binary,
    "entry": pl.Binary,
    "leg": pl.UInt8,
    "channel": pl.String,
    "state": pl.String,
    "attempted_at": pl.Int64,
    "tags": pl.String,
    "counts": pl.Int64,
    "arm": pl.String,
    "store_arm": pl.String,
    "variant": pl.String,
}


# A claim that is repeated with another code than before still holds the one before.
_ISSUED = """
SELECT coupon_pool, coupon, key, state, attempted_at, coupon_until, hmac
FROM claims JOIN holders ON claim = id
WHERE store = ? AND coupon IS NOT NULL
UNION ALL
SELECT pool, coupons.coupon, key, state, attempted_at, coupon_until, hmac
FROM coupons JOIN claims ON id = coupons.claim JOIN holders ON holders.claim = id
WHERE coupons.store = ? AND claims.coupon IS NOT coupons.coupon
"""


def read_history(connection: sqlite3.Connection, store: str, identifiers: Identifiers) -> History:
    """Read every entry of these people; see ``SendLog.history``.

    Everything is asked for in the order in which the file has it, so that each of its pages is read
    once, and doubles are taken out by polars: one query with a join and ``DISTINCT`` takes four
    times as long for a million people.
    """
    if connection.execute("SELECT 1 FROM claims LIMIT 1").fetchone() is None:
        return History(empty(HISTORY))
    known = identifiers.select("hmac", "person").sort("hmac")
    asked = zip(known["hmac"].to_list(), known["person"].to_list(), strict=True)
    with filled(connection, "asked (hmac BLOB, person INTEGER)", asked):
        query = "SELECT person, claim FROM asked CROSS JOIN identifiers USING (hmac)"
        found = _frame(connection.execute(query), {"person": PERSON, "claim": pl.Int64}).unique()
    claims = found["claim"].unique().sort().to_list()
    with filled(connection, "found (claim INTEGER)", zip(claims, strict=True)):
        columns = ", ".join(_STORED)
        query = f"SELECT {columns} FROM found CROSS JOIN claims ON id = claim WHERE store = ?"  # noqa: S608 (constants)
        rows = _frame(connection.execute(query, (store,)), _STORED)
    tags = rows.select("tags").unique()
    tags = tags.with_columns(pl.col("tags").str.json_decode(pl.List(pl.String)).alias("told"))
    return History(
        conform(
            rows.with_columns(
                pl.col("key", "entry").bin.encode("hex"),
                pl.col("attempted_at").cast(INSTANT).alias("claimed_at"),
                pl.col("counts").cast(pl.Boolean),
            )
            .join(tags, on="tags", how="left")
            .with_columns(pl.col("told").alias("tags"))
            .join(found, on="claim", how="inner"),
            HISTORY,
        )
    )


def read_issued(connection: sqlite3.Connection, store: str) -> Issued:
    """Read every coupon that was given out; see ``SendLog.issued``."""
    stored = {**ISSUED, "key": pl.Binary, "issued_at": pl.Int64, "until": pl.String}
    rows = _frame(connection.execute(_ISSUED, (store, store)), stored)
    return Issued(
        rows.with_columns(
            pl.col("key").bin.encode("hex"),
            pl.col("issued_at").cast(INSTANT),
            pl.col("until").str.to_date("%Y-%m-%d"),
        )
    )


def _frame(
    cursor: sqlite3.Cursor, schema: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=dict(schema))]
    while rows := cursor.fetchmany(_AT_ONCE):
        parts.append(pl.DataFrame(rows, schema=dict(schema), orient="row"))
    return pl.concat(parts)
