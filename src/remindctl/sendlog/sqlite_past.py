"""What the log remembers of people and of codes, read from a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import HISTORY, PERSON, History, empty
from remindctl.sendlog.database import filled, micros
from remindctl.sendlog.past import STORED, STORED_ISSUED, as_history, as_issued, first_per_person

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from remindctl.frames import Identifiers
    from remindctl.sendlog.coupons import Issued

# Rows that are Python objects at any one time: a frame holds them in a tenth of the memory.
_AT_ONCE = 50_000

# As the file has it; polars makes hexadecimal digits faster.
_IN_FILE: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **STORED,
    "key": pl.Binary,
    "entry": pl.Binary,
    "counts": pl.Int64,
}
_NEVER = 2**63 - 1
_ENTRIES = ", ".join("id AS claim" if name == "claim" else name for name in STORED)

# So many identifiers are read in the time in which one is looked for.
_IN_PASSING = 10
# Of campaigns as a whole, of all others late enough, and whatever drew somebody for the holdout.
_MATTER = """
INSERT INTO temp.among
SELECT id FROM claims WHERE store = ? AND campaign IN ({campaigns})
UNION
SELECT id FROM (
  WITH RECURSIVE each (name) AS (
    SELECT min(campaign) FROM claims
    UNION ALL
    SELECT (SELECT min(campaign) FROM claims WHERE campaign > name)
    FROM each WHERE name IS NOT NULL
  )
  SELECT id FROM each CROSS JOIN claims ON campaign = name WHERE store = ? AND attempted_at >= ?
)
UNION
SELECT id FROM claims WHERE store = ? AND store_arm IS NOT NULL
LIMIT ?
"""
_OF_CLAIMS = """
SELECT hmac, claim FROM identifiers CROSS JOIN temp.among USING (claim)
WHERE claim >= (SELECT min(claim) FROM temp.among)
"""

# A claim that is repeated with another code than before still holds the one before.
_ISSUED = """
SELECT coupon_pool, coupon, lower(hex(key)), state, attempted_at, coupon_until, hmac
FROM claims JOIN holders ON claim = id
WHERE store = ? AND coupon IS NOT NULL
UNION ALL
SELECT pool, coupons.coupon, lower(hex(key)), state, attempted_at, coupon_until, hmac
FROM coupons JOIN claims ON id = coupons.claim JOIN holders ON holders.claim = id
WHERE coupons.store = ? AND claims.coupon IS NOT coupons.coupon
"""


def read_history(
    connection: sqlite3.Connection,
    store: str,
    identifiers: Identifiers,
    campaigns: Collection[str] | None,
    since: datetime | None,
) -> History:
    """Read what matters of these people; see ``PastLog.history``.

    Everything is asked for in the order in which the file has it, so that each of its pages is read
    once, and doubles are taken out by polars: one query with a join and ``DISTINCT`` takes four
    times as long for a million people.
    """
    [claims] = connection.execute("SELECT coalesce(max(id), 0) FROM claims").fetchone()
    if not claims:
        return History(empty(HISTORY))
    late_enough = _NEVER if since is None else micros(since)
    known = identifiers.select("hmac", "person")
    found = None
    if campaigns is not None and claims <= len(known) * _IN_PASSING:
        found = _found_in_passing(connection, store, known, campaigns, late_enough)
    if found is None:
        found = _found_one_by_one(connection, known)
    with _among(connection, found["claim"]):
        if campaigns is None:
            return as_history(_entries(connection, "store = ?", store), found)
        marks = ", ".join("?" * len(campaigns))
        matters = f"store = ? AND (campaign IN ({marks}) OR attempted_at >= ?)"
        entries = _entries(connection, matters, store, *campaigns, late_enough)
        query = (
            "SELECT id, attempted_at FROM among CROSS JOIN claims ON id = claim"
            " WHERE store = ? AND store_arm IS NOT NULL"
        )
        schema = {"claim": pl.Int64, "attempted_at": pl.Int64}
        drawn = first_per_person(_frame(connection.execute(query, (store,)), schema), found)
    older = drawn.join(entries, on="claim", how="anti")
    with _among(connection, older["claim"]):
        more = _entries(connection, "store = ?", store)
    found = pl.concat([found.join(older, on="claim", how="anti"), older])
    return as_history(pl.concat([entries, more]), found)


def read_issued(connection: sqlite3.Connection, store: str) -> Issued:
    """Read every coupon that was given out; see ``PastLog.issued``."""
    return as_issued(_frame(connection.execute(_ISSUED, (store, store)), STORED_ISSUED))


def _found_in_passing(
    connection: sqlite3.Connection,
    store: str,
    known: pl.DataFrame,
    campaigns: Collection[str],
    since: int,
) -> pl.DataFrame | None:
    """Return person and claim, each pair once, of what may matter, reading all identifiers.

    Returns:
        None where that is more than there are identifiers to look for.
    """
    marks = ", ".join("?" * len(campaigns))
    with filled(connection, "among (claim INTEGER PRIMARY KEY)", ()):
        matter = _MATTER.format(campaigns=marks)
        given = (store, *campaigns, store, since, store, len(known) + 1)
        if connection.execute(matter, given).rowcount > len(known):
            return None
        schema = {"hmac": pl.Binary, "claim": pl.Int64}
        of_claims = _frame(connection.execute(_OF_CLAIMS), schema)
    return of_claims.join(known, on="hmac", how="inner").select("person", "claim").unique()


def _found_one_by_one(connection: sqlite3.Connection, known: pl.DataFrame) -> pl.DataFrame:
    """Return person and claim, each pair once, looking for each identifier.

    All claims of an identifier come as one text: the identifiers of a person mostly have the same
    ones, so that most doubles go before they are numbers.
    """
    query = (
        "SELECT person, (SELECT group_concat(claim) FROM identifiers WHERE hmac = asked.hmac)"
        " FROM asked"
    )
    asked = known.sort("hmac").iter_rows()
    with filled(connection, "asked (hmac BLOB, person INTEGER)", asked):
        rows = _frame(connection.execute(query), {"person": PERSON, "claim": pl.String})
    claims = pl.col("claim").str.split(",")
    each = rows.drop_nulls().unique().with_columns(claims).explode("claim")
    return each.with_columns(pl.col("claim").cast(pl.Int64)).unique()


def _among(connection: sqlite3.Connection, claims: pl.Series) -> AbstractContextManager[None]:
    numbers = claims.unique().sort().to_list()
    return filled(connection, "among (claim INTEGER)", zip(numbers, strict=True))


def _entries(connection: sqlite3.Connection, condition: str, *values: object) -> pl.DataFrame:
    query = f"SELECT {_ENTRIES} FROM among CROSS JOIN claims ON id = claim WHERE {condition}"  # noqa: S608 (made of constants)
    rows = _frame(connection.execute(query, values), _IN_FILE)
    return rows.with_columns(
        pl.col("key", "entry").bin.encode("hex"), pl.col("counts").cast(pl.Boolean)
    )


def _frame(
    cursor: sqlite3.Cursor, schema: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=dict(schema))]
    while rows := cursor.fetchmany(_AT_ONCE):
        parts.append(pl.DataFrame(rows, schema=dict(schema), orient="row"))
    return pl.concat(parts)
