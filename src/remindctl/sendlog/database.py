"""SQLite files for their owner's eyes only, with a schema number and the fingerprint of a key."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from remindctl.errors import refuse
from remindctl.sendlog.entries import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

FINGERPRINT = "key_fingerprint"

_WAIT_SECONDS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
_SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a file's tables; the steps so far, counted from 1, are its schema number.

    Attributes:
        change: SQL that makes it, on top of the steps before.
        look: SQL that only makes a file without it look as if it had it, in temporary views and
            tables: who looks at a file does not change it.
    """

    change: str
    look: str = ""


class Database:
    """One open file: transactions and its ``meta`` table.

    Attributes:
        connection: in autocommit; writing happens inside :meth:`transaction`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write everything of the block, durably, or nothing.

        Raises:
            LogError: the database failed.
        """
        with self._between("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the file, however often it is asked; only temporary tables are filled.

        Raises:
            LogError: the database failed.
        """
        with self._between("BEGIN DEFERRED") as connection:
            yield connection

    @contextmanager
    def _between(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.reading() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Turn what SQLite says into words about this file.

        Raises:
            LogError: the database failed.
        """
        try:
            yield self.connection
        except sqlite3.Error as error:
            raise LogError(f"{self.path}: {error}") from error

    def meta(self, name: str) -> str | None:
        """Return one value of the meta table."""
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def set_meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Set one value of the meta table, inside a transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def create(path: Path, kind: int, steps: Sequence[Step], meta: Mapping[str, str]) -> None:
    """Make the tables of a database file; one that another process has just made stays as it is.

    Args:
        path: of the file; its folder is made if need be.
        kind: the application id that tells this kind of file from any other.
        steps: all of this kind of file.
        meta: first values of the meta table.

    Raises:
        Refused: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made beforehand, so that SQLite gives the same mode to the files it keeps beside it.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        database = Database(path, _connect(path, read_only=False))
    except (OSError, sqlite3.Error) as error:
        raise refuse(f"cannot be written: {error}", path=str(path)) from None
    with database.transaction() as connection:
        if not _kind(connection):
            connection.execute(_META)
            _execute(connection, [step.change for step in steps])
            for name, value in {**meta, _SCHEMA: str(len(steps))}.items():
                set_meta(connection, name, value)
            connection.execute(f"PRAGMA application_id = {kind}")
    database.close()


def open_existing(
    path: Path, kind: int, steps: Sequence[Step], fingerprint: str, *, read_only: bool
) -> Database:
    """Open a database file and make sure that this program and this key may use it.

    One of an earlier version is brought up to date first, or, read-only, only looks like it.

    Raises:
        Refused: it is damaged, of another program, of a newer version, or of another key; it is
            left as it is.
    """
    whole = "restore it from a backup; it was left as it is"
    try:
        database = Database(path, _connect(path, read_only=read_only))
        if _kind(database.connection) != kind:
            database.close()
            raise refuse("is not a file of this program", whole, path=str(path))
        version = _version(database)
    except (sqlite3.Error, LogError, ValueError) as error:
        raise refuse(f"is damaged: {error}", whole, path=str(path)) from None
    if version > len(steps):
        database.close()
        hint = "update this program: pip install -U remindctl"
        raise refuse(f"was written by a newer version (schema {version})", hint, path=str(path))
    if database.meta(FINGERPRINT) != fingerprint:
        database.close()
        hint = "put back the key file that belongs to it; with another key nobody is recognised"
        raise refuse("was written with another key", hint, path=str(path))
    if version < len(steps):
        try:
            _bring_up_to_date(database, steps, read_only=read_only)
        except LogError as error:
            database.close()
            hint = "it was left as it is; if the disk is not full, restore it from a backup"
            raise refuse(f"cannot be brought up to date: {error}", hint, path=str(path)) from error
    return database


def _bring_up_to_date(database: Database, steps: Sequence[Step], *, read_only: bool) -> None:
    if read_only:
        with database.reading() as connection:
            _execute(connection, [step.look for step in steps[_version(database) :]])
        return
    with database.transaction() as connection:
        # Asked again: another process may have done it just now.
        _execute(connection, [step.change for step in steps[_version(database) :]])
        set_meta(connection, _SCHEMA, str(len(steps)))


def _version(database: Database) -> int:
    return int(database.meta(_SCHEMA) or 0)


def _execute(connection: sqlite3.Connection, scripts: Iterable[str]) -> None:
    # One by one: sqlite3's own executescript would commit first.
    for script in scripts:
        for statement in script.split(";"):
            connection.execute(statement)


@contextmanager
def filled(
    connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]
) -> Iterator[None]:
    """Have a temporary table to join with, inside a transaction: ``name (column, …)``."""
    name, columns = table.split(maxsplit=1)[0], table.count(",") + 1
    connection.execute(f"CREATE TEMP TABLE {table}")
    marks = ", ".join("?" * columns)
    connection.executemany(f"INSERT INTO temp.{name} VALUES ({marks})", rows)  # noqa: S608 (ours)
    yield
    connection.execute(f"DROP TABLE temp.{name}")


def _kind(connection: sqlite3.Connection) -> int:
    [found] = connection.execute("PRAGMA application_id").fetchone()
    return int(found)


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_WAIT_SECONDS,
        isolation_level=None,
    )
    # Batches are sorted, and come back to a page soon: more (than 32 MiB) would only be kept.
    connection.execute("PRAGMA cache_size = -32768")
    connection.execute("PRAGMA temp_store = MEMORY")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # A page that several batches change is copied into the file once (64 MiB of 4 KiB pages).
        connection.execute("PRAGMA wal_autocheckpoint = 16384")
    return connection


def rewrite(connection: sqlite3.Connection) -> None:
    """Rewrite a file and empty what SQLite keeps beside it; outside of a transaction."""
    # Temporary copies may be as large as the file: not in memory.
    connection.execute("PRAGMA temp_store = FILE")
    try:
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")
    [busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise LogError("another program is using it")


def is_there(path: Path) -> bool:
    """Say whether a database file exists; a file that never got its tables does not count.

    Raises:
        Refused: the place cannot be looked at.
    """
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", path=str(path)) from None


def micros(instant: datetime) -> int:
    """Return an instant as whole microseconds since 1970 (UTC)."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    """Return the instant of :func:`micros`."""
    return _EPOCH + timedelta(microseconds=value)
