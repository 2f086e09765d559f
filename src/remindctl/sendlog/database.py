"""SQLite files for their owner's eyes only, with a schema number and the fingerprint of a key."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from remindctl.errors import refuse
from remindctl.sendlog.entries import LogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FINGERPRINT = "key_fingerprint"

_WAIT_SECONDS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


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
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
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


def create(path: Path, kind: int, schema: int, tables: str, meta: dict[str, str]) -> None:
    """Make the tables of a database file; one that another process has just made stays as it is.

    Args:
        path: of the file; its folder is made if need be.
        kind: the application id that tells this kind of file from any other.
        schema: the number of this form of the tables.
        tables: SQL that makes them.
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
            for statement in f"{_META}{tables}".split(";"):
                connection.execute(statement)
            for name, value in {**meta, "schema": str(schema)}.items():
                set_meta(connection, name, value)
            connection.execute(f"PRAGMA application_id = {kind}")
    database.close()


def open_existing(
    path: Path, kind: int, schema: int, fingerprint: str, *, read_only: bool
) -> Database:
    """Open a database file and make sure that this program and this key may use it.

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
        version = int(database.meta("schema") or 0)
    except (sqlite3.Error, LogError, ValueError) as error:
        raise refuse(f"is damaged: {error}", whole, path=str(path)) from None
    if version > schema:
        database.close()
        hint = "update this program: pip install -U remindctl"
        raise refuse(f"was written by a newer version (schema {version})", hint, path=str(path))
    if database.meta(FINGERPRINT) != fingerprint:
        database.close()
        hint = "put back the key file that belongs to it; with another key nobody is recognised"
        raise refuse("was written with another key", hint, path=str(path))
    return database


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
    # Keys are hashes, so a batch touches pages all over the file: keep them at hand (64 MiB).
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    return connection


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
