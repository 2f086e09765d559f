"""The rows of claims in PostgreSQL: a few statements for a batch, however large."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from remindctl.sendlog.entries import Claim

# Column → its type; what a claim is written with, when it is new and when it is repeated.
_WRITTEN = {
    "person": "bytea", "leg": "smallint", "store": "text", "campaign": "text", "step": "text",
    "variant": "text", "arm": "text", "store_arm": "text", "channel": "text", "provider": "text",
    "destination": "bytea", "ground": "text", "counts": "boolean", "ending": "text",
    "currency": "text", "state": "text", "coupon_pool": "text", "coupon": "bytea",
    "coupon_until": "date", "template": "text", "text_hash": "bytea", "due_at": "timestamptz",
    "cost": "numeric", "tags": "text[]", "key": "bytea", "entry": "bytea",
}  # fmt: skip
_NEW = {
    "id": "bigint", **_WRITTEN, "run": "text", "attempts": "integer",
    "first_attempt_at": "timestamptz", "attempted_at": "timestamptz",
}  # fmt: skip


class PostgresClaims:
    """See ``claiming.ClaimTables``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def past(
        self, incoming: Sequence[tuple[bytes, bytes, int]]
    ) -> Iterable[tuple[int, int, int, str, bytes]]:
        """See ``ClaimTables.past``."""
        return self._connection.execute(
            "SELECT position, claims.id, claims.leg, state, person"
            " FROM unnest(%b::bytea[], %b::bytea[], %b::bigint[]) AS incoming (hmac, key, position)"
            " JOIN identifiers USING (hmac, key) JOIN claims ON claims.id = identifiers.claim"
            " ORDER BY position, claims.id",
            _columns(incoming, 3),
        )

    def code_holders(
        self, wanted: Sequence[tuple[int, str, str | None, bytes | None]]
    ) -> Mapping[int, int]:
        """See ``ClaimTables.code_holders``."""
        if not wanted:
            return {}
        rows = self._connection.execute(
            "SELECT position, claim"
            " FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::bytea[])"
            " AS wanted (position, store, pool, coupon) JOIN coupons USING (store, pool, coupon)",
            _columns(wanted, 4),
        )
        return dict(rows)

    def numbers(self, count: int) -> Iterable[int]:
        """See ``ClaimTables.numbers``."""
        query = "SELECT nextval('claim_numbers') FROM generate_series(1, %s)"
        return sorted(number for [number] in self._connection.execute(query, (count,)))

    def write(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """See ``ClaimTables.write``."""
        if not claims:
            return
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY claims ({', '.join(_NEW)}) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types(list(_NEW.values()))
            for number, claim in claims:
                copy.write_row((number, *_values(claim), run, 1, at, at))

    def write_again(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """See ``ClaimTables.write_again``."""
        if not claims:
            return
        changed = ", ".join(f"{column} = %s" for column in _WRITTEN)
        with self._connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE claims SET {changed}, run = %s, attempts = attempts + 1,"  # noqa: S608 (constants)
                " attempted_at = %s, settled_at = NULL, provider_id = NULL, code = NULL,"
                " detail = NULL WHERE id = %s",
                [(*_values(claim), run, at, number) for number, claim in claims],
            )

    def write_identifiers(self, rows: Sequence[tuple[bytes, bytes, int, int]]) -> None:
        """See ``ClaimTables.write_identifiers``."""
        self._connection.execute(
            "INSERT INTO identifiers (hmac, key, leg, claim)"
            " SELECT * FROM unnest(%b::bytea[], %b::bytea[], %b::smallint[], %b::bigint[])"
            " ON CONFLICT (hmac, key, leg) DO UPDATE SET claim = excluded.claim",
            _columns(rows, 4),
        )

    def write_codes(self, rows: Sequence[tuple[str, str | None, bytes | None, int]]) -> None:
        """See ``ClaimTables.write_codes``."""
        if rows:
            self._connection.execute(
                "INSERT INTO coupons (store, pool, coupon, claim)"
                " SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::bigint[])"
                " ON CONFLICT (store, pool, coupon) DO UPDATE SET claim = excluded.claim",
                _columns(rows, 4),
            )

    def write_holders(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """See ``ClaimTables.write_holders``."""
        if rows:
            self._connection.execute(
                "INSERT INTO holders (claim, hmac)"
                " SELECT * FROM unnest(%b::bigint[], %b::bytea[]) ON CONFLICT DO NOTHING",
                _columns(rows, 2),
            )


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Turn rows into one array per column, which is how PostgreSQL takes many at once."""
    return [[row[column] for row in rows] for column in range(width)]


def _values(claim: Claim) -> tuple[object, ...]:
    """Return what is stored of a claim, in the order of ``_WRITTEN``."""
    stored = {
        "key": bytes.fromhex(claim.key),
        "entry": bytes.fromhex(claim.entry),
        "tags": list(claim.tags),
        "state": str(claim.state),
    }
    return tuple(
        stored[column] if column in stored else getattr(claim, column) for column in _WRITTEN
    )
