"""Which claims may be made, and their rows: everything here is part of one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from remindctl.model import State
from remindctl.sendlog.database import filled, micros
from remindctl.sendlog.entries import Lost

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

    from remindctl.sendlog.entries import Claim

_AS_IT_IS = (
    "person", "leg", "store", "campaign", "step", "variant", "arm", "store_arm", "channel",
    "provider", "ground", "counts", "ending", "currency", "state", "coupon_pool", "coupon",
    "template", "text_hash",
)  # fmt: skip
_WRITTEN = (*_AS_IT_IS, "key", "entry", "tags", "due_at", "cost", "coupon_until")
_fields = attrgetter(*_AS_IT_IS)

# What makes another claim of the same key impossible, whatever its leg.
_STANDS = frozenset(
    map(str, (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED, State.CONTROL))
)


def make_claims(
    connection: sqlite3.Connection, run: str, claims: Sequence[Claim], now: int
) -> list[int | Lost]:
    """Write the claims that may be made; see ``SendLog.claim``."""
    lost, repeated = _decide(connection, claims)
    [last] = connection.execute("SELECT coalesce(max(id), 0) FROM claims").fetchone()
    numbers: list[int | Lost] = []
    fresh, again = [], []
    for index, claim in enumerate(claims):
        if index in lost:
            numbers.append(lost[index])
        elif index in repeated:
            numbers.append(repeated[index])
            again.append((repeated[index], claim))
        else:
            last += 1
            numbers.append(last)
            fresh.append((last, claim))
    _write(connection, run, fresh, now)
    _write_again(connection, run, again, now)
    _write_identifiers(connection, [*fresh, *again])
    _write_coupons(connection, [*fresh, *again])
    return numbers


def _decide(
    connection: sqlite3.Connection, claims: Sequence[Claim]
) -> tuple[dict[int, Lost], dict[int, int]]:
    """Find the claims that are lost, and those that repeat a failed one (index → its number)."""
    lost: dict[int, Lost] = {}
    first: dict[tuple[bytes, str], int] = {}
    for index, claim in enumerate(claims):
        for hmac in _known_by(claim):
            if first.setdefault((hmac, claim.key), index) != index:
                lost[index] = Lost.ALREADY
    incoming = sorted((hmac, bytes.fromhex(key), index) for (hmac, key), index in first.items())
    with filled(connection, "incoming (hmac BLOB, key BLOB, position INTEGER)", incoming):
        found = connection.execute(
            "SELECT position, claims.id, claims.leg, state, person"
            " FROM incoming CROSS JOIN identifiers USING (hmac, key)"
            " JOIN claims ON claims.id = identifiers.claim ORDER BY position"
        ).fetchall()
    repeated: dict[int, int] = {}
    by: dict[int, int] = {}
    past: defaultdict[int, set[int]] = defaultdict(set)
    for index, number, leg, state, person in found:
        claim = claims[index]
        past[index].add(number)
        if leg < claim.leg and state not in _STANDS:
            continue
        # A failed claim of someone who is two people by now is repeated by one of them only.
        if leg != claim.leg or state != State.FAILED or by.setdefault(number, index) != index:
            lost[index] = Lost.ALREADY
        elif person == claim.person or index not in repeated:
            repeated[index] = number
    _keep_codes_apart(connection, claims, lost, past)
    return lost, repeated


def _keep_codes_apart(
    connection: sqlite3.Connection,
    claims: Sequence[Claim],
    lost: dict[int, Lost],
    past: Mapping[int, Collection[int]],
) -> None:
    """Add the claims whose code is another's to ``lost``.

    Args:
        connection: in the transaction.
        claims: all of them.
        lost: index → why, of those that are lost anyway.
        past: index → the claims of the same key and person so far. Only where the code's holder is
            among them may it be had again.
    """
    codes = {
        index: _code(claim)
        for index, claim in enumerate(claims)
        if claim.coupon_pool is not None and index not in lost
    }
    wanted = [(index, *code) for index, code in codes.items()]
    with filled(
        connection, "wanted (position INTEGER, store TEXT, pool TEXT, coupon BLOB)", wanted
    ):
        query = "SELECT position, claim FROM wanted CROSS JOIN coupons USING (store, pool, coupon)"
        holders = dict(connection.execute(query))
    given = set()
    for index, code in codes.items():
        mine = index not in holders or holders[index] in past.get(index, ())
        if mine and code not in given:
            given.add(code)
        else:
            lost[index] = Lost.COUPON_TAKEN


def _known_by(claim: Claim) -> frozenset[bytes]:
    return claim.identifiers | {claim.person}


def _code(claim: Claim) -> tuple[str, str | None, bytes | None]:
    return claim.store, claim.coupon_pool, claim.coupon


def _write(
    connection: sqlite3.Connection, run: str, claims: Sequence[tuple[int, Claim]], now: int
) -> None:
    columns = ("id", *_WRITTEN, "run", "attempts", "first_attempt_at", "attempted_at")
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO claims ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 (constants)
        [(number, *_values(claim), run, 1, now, now) for number, claim in claims],
    )


def _write_again(
    connection: sqlite3.Connection, run: str, claims: Sequence[tuple[int, Claim]], now: int
) -> None:
    """Claim failed ones again, counting the attempt; the first attempt's time stays."""
    changed = ", ".join(f"{column} = ?" for column in _WRITTEN)
    connection.executemany(
        f"UPDATE claims SET {changed}, run = ?, attempts = attempts + 1, attempted_at = ?,"  # noqa: S608 (constants)
        " settled_at = NULL, provider_id = NULL, code = NULL, detail = NULL WHERE id = ?",
        [(*_values(claim), run, now, number) for number, claim in claims],
    )


def _write_identifiers(connection: sqlite3.Connection, claims: Sequence[tuple[int, Claim]]) -> None:
    hashes = [
        (hmac, bytes.fromhex(claim.key), claim.leg, number)
        for number, claim in claims
        for hmac in _known_by(claim)
    ]
    # Sorted, neighbours share a page of the index: three times faster in a large log.
    hashes.sort()
    connection.executemany("INSERT OR REPLACE INTO identifiers VALUES (?, ?, ?, ?)", hashes)


def _write_coupons(connection: sqlite3.Connection, claims: Sequence[tuple[int, Claim]]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO coupons (store, pool, coupon, claim) VALUES (?, ?, ?, ?)",
        [(*_code(claim), number) for number, claim in claims if claim.coupon_pool is not None],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO holders VALUES (?, ?)",
        [
            (number, hmac)
            for number, claim in claims
            if claim.coupon is not None
            for hmac in _known_by(claim)
        ],
    )


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
