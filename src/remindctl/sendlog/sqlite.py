"""The send log in a SQLite file: one writer at a time, every claim durable before it is used."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.frames import HISTORY, History, conform, empty
from remindctl.model import State
from remindctl.sendlog.database import instant, micros, set_meta
from remindctl.sendlog.entries import Entry
from remindctl.sendlog.lock import hold

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from remindctl.frames import Identifiers
    from remindctl.sendlog.database import Database
    from remindctl.sendlog.entries import Claim, Filter, Outcome
    from remindctl.sendlog.lock import FileLock

KIND = 0x72656D6C  # "reml"
SCHEMA = 1
NEWEST = "newest_at"

# The order of the identifiers' key makes one index serve both: no two claims of a key and leg may
# share an identifier (the person's own hash is one of them), and each finds all of its past.
TABLES = """
CREATE TABLE claims (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL, person BLOB NOT NULL, leg INTEGER NOT NULL, entry BLOB NOT NULL,
  store TEXT NOT NULL, campaign TEXT NOT NULL, step TEXT NOT NULL,
  variant TEXT, arm TEXT, store_arm TEXT, channel TEXT, provider TEXT, ground TEXT,
  tags TEXT NOT NULL, counts INTEGER NOT NULL, ending TEXT NOT NULL,
  due_at INTEGER NOT NULL, cost TEXT, currency TEXT,
  state TEXT NOT NULL, run TEXT NOT NULL, attempts INTEGER NOT NULL,
  first_attempt_at INTEGER NOT NULL, attempted_at INTEGER NOT NULL, settled_at INTEGER,
  provider_id TEXT, code TEXT, detail TEXT
);
CREATE INDEX open_claims ON claims (store) WHERE state = 'claimed';
CREATE TABLE identifiers (
  hmac BLOB NOT NULL, key BLOB NOT NULL, leg INTEGER NOT NULL, claim INTEGER NOT NULL,
  PRIMARY KEY (hmac, key, leg)
) WITHOUT ROWID
"""

_AS_IT_IS = (
    "person", "leg", "store", "campaign", "step", "variant", "arm", "store_arm", "channel",
    "provider", "ground", "counts", "ending", "currency", "state",
)  # fmt: skip
_WRITTEN = (*_AS_IT_IS, "key", "entry", "tags", "due_at", "cost")
_fields = attrgetter(*_AS_IT_IS)

_SHOWN = (
    "id", "key", "store", "campaign", "step", "leg", "channel", "provider", "ending", "state",
    "run", "attempts", "attempted_at", "settled_at", "cost", "currency", "provider_id", "code",
    "detail",
)  # fmt: skip

_ABANDONED = "the run ended before the answer was recorded"

# What makes another claim of the same key impossible, whatever its leg.
_STANDS = frozenset(
    map(str, (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERED, State.CONTROL))
)


class SqliteLog:
    """See ``entries.SendLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lock(self, store: str) -> AbstractContextManager[FileLock]:
        """See ``SendLog.lock``."""
        path = self._database.path
        return hold(path.with_name(f"{path.name}.{store}.lock"), store)

    def newest(self) -> datetime | None:
        """Return the instant of the latest claim or outcome."""
        value = self._database.meta(NEWEST)
        return instant(int(value)) if value else None

    def give_up_dead_claims(self, store: str, run: str, at: datetime) -> int:
        """See ``SendLog.give_up_dead_claims``."""
        with self._database.transaction() as connection:
            return connection.execute(
                "UPDATE claims SET state = ?, settled_at = ?, detail = ?"
                " WHERE store = ? AND state = 'claimed' AND run <> ?",
                (State.UNKNOWN, micros(at), _ABANDONED, store, run),
            ).rowcount

    def history(self, store: str, identifiers: Identifiers) -> History:
        """See ``SendLog.history``."""
        with self._database.reading() as connection:
            if connection.execute("SELECT 1 FROM claims LIMIT 1").fetchone() is None:
                return History(empty(HISTORY))
            _fill(
                connection,
                "CREATE TEMP TABLE asked (hmac BLOB, person INTEGER)",
                identifiers.sort("hmac").select("hmac", "person").iter_rows(),
            )
            rows = connection.execute(
                "SELECT found.person, campaign, step, hex(key), hex(entry), leg, channel, state,"
                " attempted_at, tags, counts, arm, store_arm, variant FROM ("
                "  SELECT DISTINCT asked.person, claim"
                "  FROM asked CROSS JOIN identifiers USING (hmac)"
                " ) AS found JOIN claims ON claims.id = claim WHERE store = ?",
                (store,),
            ).fetchall()
        return _history(rows)

    def claim(self, run: str, claims: Sequence[Claim], at: datetime) -> list[int | None]:
        """See ``SendLog.claim``."""
        now = micros(at)
        with self._database.transaction() as connection:
            lost, repeated = _collisions(connection, claims)
            [last] = connection.execute("SELECT coalesce(max(id), 0) FROM claims").fetchone()
            fresh = count(last + 1)
            numbers = [
                None if index in lost else repeated.get(index) or next(fresh)
                for index in range(len(claims))
            ]
            won = [
                (number, claim)
                for number, claim in zip(numbers, claims, strict=True)
                if number is not None
            ]
            _write(connection, run, [one for one in won if one[0] > last], now)
            _write_again(connection, run, [one for one in won if one[0] <= last], now)
            hashes = [
                (hmac, bytes.fromhex(claim.key), claim.leg, number)
                for number, claim in won
                for hmac in _known_by(claim)
            ]
            # Sorted, neighbours share a page of the index: three times faster in a large log.
            hashes.sort()
            connection.executemany("INSERT OR REPLACE INTO identifiers VALUES (?, ?, ?, ?)", hashes)
            set_meta(connection, NEWEST, str(now))
        return numbers

    def settle(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """See ``SendLog.settle``."""
        now = micros(at)
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE claims SET state = ?, settled_at = ?, provider_id = ?, code = ?, detail = ?"
                " WHERE id = ? AND state = 'claimed'",
                [
                    (one.state, now, one.provider_id, one.code, one.detail, one.claim)
                    for one in outcomes
                ],
            )
            set_meta(connection, NEWEST, str(now))

    def entries(self, wanted: Filter) -> Iterator[Entry]:
        """See ``SendLog.entries``."""
        asked = {
            "store = ?": wanted.store,
            "campaign = ?": wanted.campaign,
            "state = ?": wanted.state,
            "attempted_at >= ?": micros(wanted.since) if wanted.since else None,
            "person = ?": wanted.person,
        }
        given = {condition: value for condition, value in asked.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        query = f"SELECT {', '.join(_SHOWN)} FROM claims{where} ORDER BY id DESC LIMIT ?"  # noqa: S608 (made of constants)
        with self._database.reading() as connection:
            for row in connection.execute(query, (*given.values(), wanted.limit or -1)):
                yield _entry(row)

    def close(self) -> None:
        """See ``SendLog.close``."""
        self._database.close()


class NoLog:
    """The log of an installation that has none yet, for looking only: nothing was ever sent."""

    def history(self, store: str, identifiers: Identifiers) -> History:  # noqa: ARG002 (the interface's)
        """See ``SendLog.history``."""
        return History(empty(HISTORY))

    def entries(self, wanted: Filter) -> Iterator[Entry]:  # noqa: ARG002 (the interface's)
        """See ``SendLog.entries``."""
        return iter(())

    def close(self) -> None:
        """See ``SendLog.close``."""


def _known_by(claim: Claim) -> frozenset[bytes]:
    return claim.identifiers | {claim.person}


def _collisions(
    connection: sqlite3.Connection, claims: Sequence[Claim]
) -> tuple[set[int], dict[int, int]]:
    """Find the claims that may not be made, and those that repeat a failed one (index → its id)."""
    lost: set[int] = set()
    first: dict[tuple[bytes, str], int] = {}
    for index, claim in enumerate(claims):
        for hmac in _known_by(claim):
            if first.setdefault((hmac, claim.key), index) != index:
                lost.add(index)
    _fill(
        connection,
        "CREATE TEMP TABLE incoming (hmac BLOB, key BLOB, position INTEGER)",
        sorted((hmac, bytes.fromhex(key), index) for (hmac, key), index in first.items()),
    )
    repeated: dict[int, int] = {}
    taken: dict[int, int] = {}
    for index, number, leg, state, person in connection.execute(
        "SELECT position, claims.id, claims.leg, state, person"
        " FROM incoming CROSS JOIN identifiers USING (hmac, key)"
        " JOIN claims ON claims.id = identifiers.claim ORDER BY position"
    ):
        claim = claims[index]
        if leg < claim.leg and state not in _STANDS:
            continue
        # A failed claim of someone who is two people by now is repeated by one of them only.
        if leg != claim.leg or state != State.FAILED or taken.setdefault(number, index) != index:
            lost.add(index)
        elif person == claim.person or index not in repeated:
            repeated[index] = number
    return lost, repeated


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


def _values(claim: Claim) -> tuple[object, ...]:
    """Return what is stored of a claim, in the order of ``_WRITTEN``."""
    return (
        *_fields(claim),
        bytes.fromhex(claim.key),
        bytes.fromhex(claim.entry),
        json.dumps(claim.tags, ensure_ascii=False),
        micros(claim.due_at),
        None if claim.cost is None else str(claim.cost),
    )


def _fill(
    connection: sqlite3.Connection,
    table: str,
    rows: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]],
) -> None:
    name, columns = table.split()[3], table.count(",") + 1
    connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
    connection.execute(table)
    marks = ", ".join("?" * columns)
    connection.executemany(f"INSERT INTO temp.{name} VALUES ({marks})", rows)  # noqa: S608 (ours)


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


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(_SHOWN, row, strict=True))
    values["number"] = values.pop("id")
    values["key"] = values["key"].hex()
    values["attempted_at"] = instant(values["attempted_at"])
    values["settled_at"] = instant(values["settled_at"]) if values["settled_at"] else None
    values["cost"] = Decimal(values["cost"]) if values["cost"] else None
    return Entry(**values)
