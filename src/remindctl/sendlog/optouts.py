"""Who opted out: a file apart from the log, so that it outlives it. Hashes only, every word kept.

An opt-out is for a family of channels. Of scope ``advertising`` it is a person's refusal, of scope
``all`` an address that nothing more may go to, because it is dead or its network said stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import SUPPRESSIONS, Suppressions, conform, empty
from remindctl.sendlog.database import instant, micros, rewrite, set_meta

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from remindctl.frames import Identifiers
    from remindctl.model import Family
    from remindctl.sendlog.database import Database

KIND = 0x72656D6F  # "remo"
SCHEMA = 1

# Append-only: the latest word on an address, family and scope is the one that counts.
TABLES = """
CREATE TABLE words (
  id INTEGER PRIMARY KEY, hmac BLOB NOT NULL, family TEXT NOT NULL, scope TEXT NOT NULL,
  stands INTEGER NOT NULL, at INTEGER NOT NULL, source TEXT NOT NULL, evidence TEXT NOT NULL,
  ending TEXT NOT NULL, recorded_at INTEGER NOT NULL
);
CREATE INDEX words_of ON words (hmac, family, scope)
"""

_LAST_LIST = "last list: "
_LATEST = "SELECT max(id) FROM words GROUP BY hmac, family, scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """One word on one address and family.

    Attributes:
        hmac: keyed hash of the address.
        scope: advertising or all.
        stands: True = opted out; False = lifted again, with ``evidence``.
        at: when the person said so.
        undated: nobody knows when; ``at`` is when it came in, and says nothing new of one that
            stands.
        source: how it came in (080, STOP, bounce, manual, …).
        ending: what may be shown of the address.
    """

    hmac: bytes
    family: Family
    scope: str
    at: datetime
    stands: bool = True
    source: str = "manual"
    evidence: str = ""
    ending: str = ""
    undated: bool = False


class OptOuts:
    """The file of opt-outs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, identifiers: Identifiers) -> Suppressions:
        """Return the opt-outs that stand for any address of these people."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT hmac, family, scope, at FROM words WHERE stands AND id IN ({_LATEST})"  # noqa: S608 (a constant)
            ).fetchall()
        if not rows:
            return Suppressions(empty(SUPPRESSIONS))
        schema = {"hmac": pl.Binary, "family": pl.String, "scope": pl.String, "at": pl.Int64}
        known = pl.DataFrame(rows, schema=schema, orient="row")
        found = identifiers.filter(pl.col("kind").is_not_null()).join(known, on="hmac", how="inner")
        at = pl.from_epoch("at", time_unit="us").dt.replace_time_zone("UTC")
        return Suppressions(conform(found.with_columns(at), SUPPRESSIONS))

    def forget(self, identifiers: Iterable[bytes]) -> int:
        """Strip the endings of these addresses, and rewrite the file; their opt-outs stand.

        Returns:
            how many words were stripped.

        Raises:
            LogError: the file failed, or could not be rewritten.
        """
        with self._database.transaction() as connection:
            done = connection.executemany(
                "UPDATE words SET ending = '' WHERE hmac = ? AND ending <> ''",
                [(one,) for one in identifiers],
            ).rowcount
        with self._database.reading() as connection:
            rewrite(connection)
        return done

    def last_word(self) -> int:
        """Return a number that grows with every word, to see that something has changed."""
        with self._database.reading() as connection:
            [number] = connection.execute("SELECT coalesce(max(id), 0) FROM words").fetchone()
        return int(number)

    def record(self, words: Iterable[OptOut], now: datetime) -> int:
        """Add words; one that only says again what stands is left out.

        Returns:
            how many were new.
        """
        with self._database.transaction() as connection:
            return sum([_add(connection, word, now) for word in words])

    def record_list(self, words: Iterable[OptOut], source: str, now: datetime) -> list[bool]:
        """Add the words of a whole list, and remember that one of this source has come in.

        Returns:
            of each word, whether it was new.
        """
        with self._database.transaction() as connection:
            set_meta(connection, f"{_LAST_LIST}{source}", str(micros(now)))
            return [_add(connection, word, now) for word in words]

    def last_list(self) -> datetime | None:
        """Return when a list of opt-outs last came in, of whatever source."""
        with self._database.reading() as connection:
            [latest] = connection.execute(
                "SELECT max(CAST(value AS INTEGER)) FROM meta WHERE substr(name, 1, ?) = ?",
                (len(_LAST_LIST), _LAST_LIST),
            ).fetchone()
        return None if latest is None else instant(latest)

    def all_standing(self) -> Iterator[OptOut]:
        """Return every opt-out that stands, the oldest first."""
        with self._database.reading() as connection:
            for hmac, family, scope, at, source, evidence, ending in connection.execute(
                "SELECT hmac, family, scope, at, source, evidence, ending FROM words"  # noqa: S608 (a constant)
                f" WHERE stands AND id IN ({_LATEST}) ORDER BY id"
            ):
                yield OptOut(
                    hmac=hmac, family=family, scope=scope, at=instant(at),
                    source=source, evidence=evidence, ending=ending,
                )  # fmt: skip

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _add(connection: sqlite3.Connection, word: OptOut, now: datetime) -> bool:
    """Add a word; say whether it was new."""
    said = connection.execute(
        "SELECT stands, at FROM words WHERE hmac = ? AND family = ? AND scope = ?"
        " ORDER BY id DESC LIMIT 1",
        (word.hmac, word.family, word.scope),
    ).fetchone()
    stands, at = said or (0, 0)
    # A newer refusal counts anew: a consent in between may have lifted the older one.
    newer = micros(word.at) > at and not word.undated
    if bool(stands) == word.stands and not (word.stands and newer):
        return False
    connection.execute(
        "INSERT INTO words (hmac, family, scope, stands, at, source, evidence, ending,"
        " recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            word.hmac, word.family, word.scope, word.stands, micros(word.at),
            word.source, word.evidence, word.ending, micros(now),
        ),
    )  # fmt: skip
    return True
