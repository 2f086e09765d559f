"""What the log remembers of people and of codes, read from PostgreSQL as whole columns."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import PERSON, History
from remindctl.sendlog.past import STORED, STORED_ISSUED, as_history, as_issued

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from typing import LiteralString

    from psycopg import Connection

    from remindctl.frames import Identifiers
    from remindctl.sendlog.coupons import Issued

# Rows that are sent as one text.
_AT_ONCE = 200_000

_MICROS: LiteralString = "(extract(epoch FROM attempted_at) * 1000000)::bigint"

# The rows that matter, and of each person the earliest of the others that was drawn for the
# holdout, if no earlier one is among those already.
_PAST: LiteralString = f"""
COPY (
  WITH found AS MATERIALIZED (
    SELECT DISTINCT person AS who, claim FROM asked JOIN identifiers USING (hmac)
  ), past AS (
    SELECT *, %(campaigns)s::text[] IS NULL OR campaign = ANY (%(campaigns)s::text[])
      OR coalesce(attempted_at >= %(since)s::timestamptz, false) AS matters
    FROM found JOIN claims ON id = claim
    WHERE store = %(store)s
  ), drawn AS (
    SELECT DISTINCT ON (who) * FROM past
    WHERE store_arm IS NOT NULL AND %(campaigns)s::text[] IS NOT NULL
    ORDER BY who, attempted_at, id
  ), wanted AS (
    SELECT * FROM past WHERE matters UNION ALL SELECT * FROM drawn WHERE NOT matters
  )
  SELECT who, id, campaign, step, encode(key, 'hex'), encode(entry, 'hex'), leg, channel, state,
    {_MICROS}, to_json(tags), counts::int, arm, store_arm, variant
  FROM wanted
) TO STDOUT (FORMAT csv)
"""  # noqa: S608 (made of constants)

# As in a file: a claim that is repeated with another code still holds the one before.
_ISSUED: LiteralString = f"""
COPY (
  SELECT coupon_pool, encode(coupon, 'hex'), encode(key, 'hex'), state, {_MICROS}, coupon_until,
    encode(hmac, 'hex')
  FROM claims JOIN holders ON claim = id
  WHERE store = %(store)s AND coupon IS NOT NULL
  UNION ALL
  SELECT pool, encode(coupons.coupon, 'hex'), encode(key, 'hex'), state, {_MICROS}, coupon_until,
    encode(hmac, 'hex')
  FROM coupons JOIN claims ON id = coupons.claim JOIN holders ON holders.claim = id
  WHERE coupons.store = %(store)s AND claims.coupon IS DISTINCT FROM coupons.coupon
) TO STDOUT (FORMAT csv)
"""  # noqa: S608 (made of constants)


def read_history(
    connection: Connection,
    store: str,
    identifiers: Identifiers,
    campaigns: Collection[str] | None,
    since: datetime | None,
) -> History:
    """Read what matters of these people, inside a transaction; see ``PastLog.history``."""
    asked = identifiers.select(
        pl.lit("\\x") + pl.col("hmac").bin.encode("hex"), pl.col("person").cast(pl.Int64)
    )
    with connection.cursor() as cursor:
        with cursor.copy("COPY asked FROM STDIN (FORMAT csv)") as copy:
            for part in asked.iter_slices(_AT_ONCE):
                copy.write(part.write_csv(include_header=False))
        cursor.execute("ANALYZE asked")
    given = {
        "store": store,
        "campaigns": None if campaigns is None else list(campaigns),
        "since": since,
    }
    schema = {"person": pl.Int64, **STORED, "counts": pl.Int64}
    rows = _read(connection, _PAST, given, schema).with_columns(
        pl.col("person").cast(PERSON), pl.col("counts").cast(pl.Boolean)
    )
    return as_history(rows.drop("person").unique("claim"), rows.select("person", "claim"))


def read_issued(connection: Connection, store: str) -> Issued:
    """Read every coupon that was given out; see ``PastLog.issued``."""
    schema = {**STORED_ISSUED, "coupon": pl.String, "hmac": pl.String}
    rows = _read(connection, _ISSUED, {"store": store}, schema)
    return as_issued(rows.with_columns(pl.col("coupon", "hmac").str.decode("hex")))


def _read(
    connection: Connection,
    query: LiteralString,
    given: Mapping[str, object],
    schema: Mapping[str, pl.DataType | type[pl.DataType]],
) -> pl.DataFrame:
    text = BytesIO()
    with connection.cursor() as cursor, cursor.copy(query, given) as copy:
        for part in copy:
            text.write(part)
    if not text.tell():
        return pl.DataFrame(schema=dict(schema))
    text.seek(0)
    # An empty text is quoted, nothing at all is null.
    return pl.read_csv(text, has_header=False, schema=dict(schema))
