"""What the log remembers of people and of codes, read into frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.frames import HISTORY, History, conform, empty
from remindctl.sendlog.coupons import ISSUED, Issued
from remindctl.sendlog.database import fill

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from remindctl.frames import Identifiers


def read_history(connection: sqlite3.Connection, store: str, identifiers: Identifiers) -> History:
    """Read every entry of these people; see ``SendLog.history``."""
    if connection.execute("SELECT 1 FROM claims LIMIT 1").fetchone() is None:
        return History(empty(HISTORY))
    asked = identifiers.sort("hmac").select("hmac", "person").iter_rows()
    fill(connection, "asked (hmac BLOB, person INTEGER)", asked)
    rows = connection.execute(
        "SELECT found.person, campaign, step, hex(key), hex(entry), leg, channel, state,"
        " attempted_at, tags, counts, arm, store_arm, variant FROM ("
        "  SELECT DISTINCT asked.person, claim"
        "  FROM asked CROSS JOIN identifiers USING (hmac)"
        " ) AS found JOIN claims ON claims.id = claim WHERE store = ?",
        (store,),
    ).fetchall()
    return _history(rows)


def read_issued(connection: sqlite3.Connection, store: str) -> Issued:
    """Read every coupon that was given out; see ``SendLog.issued``."""
    rows = connection.execute(
        "SELECT coupon_pool, coupon, lower(hex(key)), state, attempted_at, coupon_until, hmac"
        " FROM claims JOIN holders ON claim = claims.id"
        " WHERE store = ? AND coupon IS NOT NULL ORDER BY claims.id",
        (store,),
    ).fetchall()
    written = {**ISSUED, "issued_at": pl.Int64, "until": pl.String}
    frame = pl.DataFrame(rows, schema=written, orient="row")
    return Issued(
        frame.with_columns(
            pl.from_epoch("issued_at", time_unit="us").dt.replace_time_zone("UTC"),
            pl.col("until").str.to_date("%Y-%m-%d"),
        )
    )


def _history(rows: Sequence[tuple[Any, ...]]) -> History:
    names = ("person", "campaign", "step", "key", "entry", "leg", "channel", "state", "claimed_at",
             "tags", "counts", "arm", "store_arm", "variant")  # fmt: skip
    if not rows:
        return History(empty(HISTORY))
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    return History(
        conform(
            frame.with_columns(
                pl.col("key", "entry").str.to_lowercase(),
                pl.col("tags").str.json_decode(pl.List(pl.String)),
                pl.from_epoch("claimed_at", time_unit="us").dt.replace_time_zone("UTC"),
                pl.col("counts").cast(pl.Boolean),
            ),
            HISTORY,
        )
    )
