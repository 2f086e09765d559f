"""The rows of claims in a SQLite file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from remindctl.sendlog.bulk import in_parts, insert
from remindctl.sendlog.database import micros
from remindctl.sendlog.entries import Claim

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

_AS_IT_IS = (
    "person", "leg", "store", "campaign", "step", "variant", "arm", "store_arm", "channel",
    "provider", "destination", "ground", "counts", "ending", "currency", "state", "coupon_pool",
    "coupon", "template", "text_hash",
)  # fmt: skip


class SqliteClaims:
    """See ``claiming.ClaimTables``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def past(
        self, incoming: Sequence[tuple[bytes, bytes, int]]
    ) -> Iterable[tuple[int, int, int, str, bytes]]:
        """See ``ClaimTables.past``."""
        found: list[tuple[int, int, int, str, bytes]] = []
        for told, values in in_parts(self._connection, incoming):
            found += self._connection.execute(
                "SELECT column3, claims.id, claims.leg, state, person"  # noqa: S608 (made of marks)
                f" FROM {told} CROSS JOIN identifiers ON hmac = column1"
                " AND identifiers.key = column2 JOIN claims ON claims.id = claim",
                values,
            )
        return sorted(found)

    def code_holders(
        self, wanted: Sequence[tuple[int, str, str | None, bytes | None]]
    ) -> Mapping[int, int]:
        """See ``ClaimTables.code_holders``."""
        found: dict[int, int] = {}
        for told, values in in_parts(self._connection, wanted):
            query = (
                f"SELECT column1, claim FROM {told} CROSS JOIN coupons"  # noqa: S608 (made of marks)
                " ON store = column2 AND pool = column3 AND coupon = column4"
            )
            found.update(self._connection.execute(query, values))
        return found

    def numbers(self, count: int) -> Iterable[int]:
        """See ``ClaimTables.numbers``."""
        query = "SELECT coalesce(max(id), 0) FROM claims"
        [last] = self._connection.execute(query).fetchone()
        return range(last + 1, last + 1 + count)

    def write(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """See ``ClaimTables.write``."""
        if not claims:
            return
        count, now = len(claims), micros(at)
        columns: dict[str, Sequence[object]] = {
            "id": [number for number, _ in claims],
            **_values([claim for _, claim in claims]),
            "run": [run] * count,
            "attempts": [1] * count,
            "first_attempt_at": [now] * count,
            "attempted_at": [now] * count,
        }
        insert(self._connection, "INSERT INTO claims", columns)

    def write_again(self, run: str, claims: Sequence[tuple[int, Claim]], at: datetime) -> None:
        """See ``ClaimTables.write_again``."""
        if not claims:
            return
        columns = _values([claim for _, claim in claims])
        changed = ", ".join(f"{column} = ?" for column in columns)
        now = micros(at)
        rows = zip(*columns.values(), strict=True)
        self._connection.executemany(
            f"UPDATE claims SET {changed}, run = ?, attempts = attempts + 1, attempted_at = ?,"  # noqa: S608 (constants)
            " settled_at = NULL, provider_id = NULL, code = NULL, detail = NULL WHERE id = ?",
            [(*row, run, now, number) for row, (number, _) in zip(rows, claims, strict=True)],
        )

    def write_identifiers(self, rows: Sequence[tuple[bytes, bytes, int, int]]) -> None:
        """See ``ClaimTables.write_identifiers``."""
        if rows:
            names = ("hmac", "key", "leg", "claim")
            columns = dict(zip(names, zip(*rows, strict=True), strict=True))
            insert(self._connection, "INSERT OR REPLACE INTO identifiers", columns)

    def write_codes(self, rows: Sequence[tuple[str, str | None, bytes | None, int]]) -> None:
        """See ``ClaimTables.write_codes``."""
        insert = "INSERT OR REPLACE INTO coupons (store, pool, coupon, claim) VALUES (?, ?, ?, ?)"
        self._connection.executemany(insert, rows)

    def write_holders(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """See ``ClaimTables.write_holders``."""
        insert = "INSERT OR IGNORE INTO holders (claim, hmac) VALUES (?, ?)"
        self._connection.executemany(insert, rows)


def _values(claims: Sequence[Claim]) -> dict[str, Sequence[object]]:
    """Return what is stored of claims, by column; of one claim at least."""
    columns = dict(zip(Claim._fields, zip(*claims, strict=True), strict=True))
    tags = {known: json.dumps(known, ensure_ascii=False) for known in set(columns["tags"])}
    instants = {known: micros(known) for known in set(columns["due_at"])}
    return {
        **{name: columns[name] for name in _AS_IT_IS},
        "key": [bytes.fromhex(key) for key in columns["key"]],
        "entry": [bytes.fromhex(entry) for entry in columns["entry"]],
        "tags": [tags[known] for known in columns["tags"]],
        "due_at": [instants[known] for known in columns["due_at"]],
        "cost": [None if cost is None else str(cost) for cost in columns["cost"]],
        "coupon_until": [
            None if until is None else until.isoformat() for until in columns["coupon_until"]
        ],
    }
