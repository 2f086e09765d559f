"""The rows of claims in a SQLite file."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING

from remindctl.sendlog.database import filled, micros

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from remindctl.sendlog.entries import Claim

_AS_IT_IS = (
    "person", "leg", "store", "campaign", "step", "variant", "arm", "store_arm", "channel",
    "provider", "destination", "ground", "counts", "ending", "currency", "state", "coupon_pool",
    "coupon", "template", "text_hash",
)  # fmt: skip
_WRITTEN = (*_AS_IT_IS, "key", "entry", "tags", "due_at", "cost", "coupon_until")
_fields = attrgetter(*_AS_IT_IS)


class SqliteClaims:
    """See ``claiming.ClaimTables``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def past(
        self, incoming: Sequence[tuple[bytes, bytes, int]]
    ) -> Iterable[tuple[int, int, int, str, bytes]]:
        """See ``ClaimTables.past``."""
        table = "incoming (hmac BLOB, key BLOB, position INTEGER)"
        with filled(self._connection, table, incoming):
            return self._connection.execute(
                "SELECT position, claims.id, claims.leg, state, person"
                " FROM incoming CROSS JOIN identifiers USING (hmac, key)"
                " JOIN claims ON claims.id = identifiers.claim ORDER BY position, claims.id"
            ).fetchall()

    def code_holders(
        self, wanted: Sequence[tuple[int, str, str | None, bytes | None]]
    ) -> Mapping[int, int]:
        """See ``ClaimTables.code_holders``."""
        table = "wanted (position INTEGER, store TEXT, pool TEXT, coupon BLOB)"
        with filled(self._connection, table, wanted):
            query = (
                "SELECT position, claim FROM wanted CROSS JOIN coupons USING (store, pool, coupon)"
            )
            return dict(self._connection.execute(query))

    def numbers(self, count: int) -> Iterable[int]:
        """See ``ClaimTables.numbers``."""
        query = "SELECT coalesce(max(id), 0) FROM claims"
        [last] = self._connection.execute(query).fetchone()
        return range(last + 1, last + 1 + count)

    def write(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """See ``ClaimTables.write``."""
        columns = ("id", *_WRITTEN, "run", "attempts", "first_attempt_at", "attempted_at")
        marks = ", ".join("?" * len(columns))
        now = micros(at)
        self._connection.executemany(
            f"INSERT INTO claims ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 (constants)
            [(number, *_values(claim), run, 1, now, now) for number, claim in claims],
        )

    def write_again(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """See ``ClaimTables.write_again``."""
        changed = ", ".join(f"{column} = ?" for column in _WRITTEN)
        now = micros(at)
        self._connection.executemany(
            f"UPDATE claims SET {changed}, run = ?, attempts = attempts + 1, attempted_at = ?,"  # noqa: S608 (constants)
            " settled_at = NULL, provider_id = NULL, code = NULL, detail = NULL WHERE id = ?",
            [(*_values(claim), run, now, number) for number, claim in claims],
        )

    def write_identifiers(self, rows: Sequence[tuple[bytes, bytes, int, int]]) -> None:
        """See ``ClaimTables.write_identifiers``."""
        insert = "INSERT OR REPLACE INTO identifiers (hmac, key, leg, claim) VALUES (?, ?, ?, ?)"
        self._connection.executemany(insert, rows)

    def write_codes(self, rows: Sequence[tuple[str, str | None, bytes | None, int]]) -> None:
        """See ``ClaimTables.write_codes``."""
        insert = "INSERT OR REPLACE INTO coupons (store, pool, coupon, claim) VALUES (?, ?, ?, ?)"
        self._connection.executemany(insert, rows)

    def write_holders(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """See ``ClaimTables.write_holders``."""
        insert = "INSERT OR IGNORE INTO holders (claim, hmac) VALUES (?, ?)"
        self._connection.executemany(insert, rows)


def _values(claim: Claim) -> tuple[object, ...]:
    """Return what is stored of a claim, in the order of ``_WRITTEN``."""
    return (
        *_fields(claim),
        bytes.fromhex(claim.key),
        bytes.fromhex(claim.entry),
        json.dumps(claim.tags, ensure_ascii=False),
        micros(claim.due_at),
        None if claim.cost is None else str(claim.cost),
        None if claim.coupon_until is None else claim.coupon_until.isoformat(),
    )
