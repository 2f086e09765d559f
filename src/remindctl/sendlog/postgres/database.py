"""A PostgreSQL database that holds, or will hold, a send log."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from remindctl.errors import refuse
from remindctl.sendlog.database import FINGERPRINT
from remindctl.sendlog.entries import LogError
from remindctl.sendlog.postgres.tables import META, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import LiteralString

    from psycopg import Connection

    from remindctl.errors import Refused
    from remindctl.sendlog.database import Step

_VERSION = "schema"
_SECRETS = ("password", "sslpassword")

# A dead machine must not hold a store's lock for longer than a minute or two; a run that waits for
# a provider is not idle; a claim that was committed is on disk, whatever the server's defaults say.
_SETTINGS = """
SELECT set_config(name, wanted.value, false)
FROM (VALUES
  ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
  ('idle_session_timeout', '0'), ('statement_timeout', '0'), ('lock_timeout', '30s'),
  ('TimeZone', 'UTC'), ('search_path', %s),
  ('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
    ELSE current_setting('synchronous_commit') END)
) AS wanted (name, value) JOIN pg_settings USING (name)
"""
# Filled by whoever asks for the past; made beforehand, as who only reads can make nothing.
_ASKED = "CREATE TEMP TABLE asked (hmac bytea, person bigint) ON COMMIT DELETE ROWS"

# What a step only pretends hides what is there.
_LOOKING = f"pg_temp, {SCHEMA}"

# Any number that no other program is likely to lock by: the first to come makes the tables.
_MAKING = 0x72656D6C


class Database:
    """One open session: transactions and the log's ``meta`` table.

    Attributes:
        name: the address as it may be shown.
    """

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Turn what PostgreSQL says into words about this log.

        Raises:
            LogError: the database failed.
        """
        try:
            yield self._connection
        except psycopg.Error as error:
            raise LogError(f"{self.name}: {first_line(error)}") from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write everything of the block, durably, or nothing; each query sees what is committed.

        Raises:
            LogError: the database failed.
        """
        with self.session() as connection, connection.transaction():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Read one state of the log, however often it is asked.

        Raises:
            LogError: the database failed.
        """
        with self.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection

    def meta(self, name: str) -> str | None:
        """Return one value of the meta table."""
        with self.session() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = %s", (name,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """End the session."""
        self._connection.close()


class Address:
    """Where a database is; the password is PostgreSQL's own business (PGPASSWORD, ~/.pgpass).

    Attributes:
        name: the address as it may be shown.

    Raises:
        Refused: it is no address, or holds a secret.
    """

    def __init__(self, url: str) -> None:
        hint = "postgresql://user@host/database"
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # What it says may quote a part of a password.
            raise refuse("the log's address cannot be read", hint, path="log") from None
        if any(name in parts for name in _SECRETS):
            what = "the log's address holds a password"
            raise refuse(what, "leave it out; PostgreSQL reads PGPASSWORD or ~/.pgpass", path="log")
        self._url = url
        user, host, port = (parts.get(name) for name in ("user", "host", "port"))
        where = f"{f'{user}@' if user else ''}{host or ''}{f':{port}' if port else ''}"
        self.name = f"postgresql://{where}/{parts.get('dbname') or ''}"

    def connect(self) -> Database:
        """Open a session.

        Raises:
            Refused: nobody answers, or lets us in.
        """
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                fallback_application_name="remindctl",
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
            )
            connection.execute(_SETTINGS, (f"{SCHEMA}, pg_temp",))
        except psycopg.Error as error:
            hint = "see that it runs and lets you in; a password stands in PGPASSWORD or ~/.pgpass"
            raise self.refusal(f"cannot be reached: {first_line(error)}", hint) from None
        return Database(self.name, connection)

    def refusal(self, what: str, hint: str) -> Refused:
        """Say what is wrong with the database."""
        return refuse(what, hint, path=self.name)


def is_there(database: Database) -> bool:
    """Say whether a log was ever made here."""
    with database.session() as connection:
        row = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.meta",)).fetchone()
    return row is not None and row[0] is not None


def create(
    address: Address, database: Database, steps: Sequence[Step], meta: Mapping[str, str]
) -> None:
    """Make the tables of a log; those that another process has just made stay as they are.

    Args:
        address: for what is said.
        database: open.
        steps: all of them.
        meta: first values of the meta table.

    Raises:
        Refused: they cannot be made.
    """
    try:
        with database.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            if is_there(database):
                return
            if not _has_schema(connection):
                connection.execute(f"CREATE SCHEMA {SCHEMA}")
            _execute(connection, [META, *(step.change for step in steps)])
            for name, value in {**meta, _VERSION: str(len(steps))}.items():
                set_meta(connection, name, value)
    except LogError as error:
        hint = f"its owner can allow it: CREATE SCHEMA {SCHEMA} AUTHORIZATION your_user"
        raise address.refusal(f"the log cannot be made: {error}", hint) from error


def bring_up_to_date(
    address: Address,
    database: Database,
    steps: Sequence[Step],
    fingerprint: str,
    *,
    read_only: bool,
) -> None:
    """Make sure that this program and this key may use a log.

    One of an earlier version is brought up to date, or, read-only, only looks like it.

    Raises:
        Refused: it is of a newer version, of another key, or damaged; it is left as it is.
    """
    try:
        version = _version(database)
        if version > len(steps):
            hint = "update this program: pip install -U remindctl"
            raise address.refusal(f"was written by a newer version (schema {version})", hint)
        if database.meta(FINGERPRINT) != fingerprint:
            hint = "machines that share a log share its key file; with another nobody is recognised"
            raise address.refusal("was written with another key", hint)
        if version < len(steps) and read_only:
            with database.session() as connection:
                connection.execute("SELECT set_config('search_path', %s, false)", (_LOOKING,))
                _execute(connection, [step.look for step in steps[version:]])
        elif version < len(steps):
            with database.transaction() as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
                # Asked again: another process may have done it just now.
                _execute(connection, [step.change for step in steps[_version(database) :]])
                set_meta(connection, _VERSION, str(len(steps)))
        with database.session() as connection:
            connection.execute(_ASKED)
            if read_only:
                connection.execute("SET default_transaction_read_only = on")
    except (LogError, ValueError) as error:
        hint = "it was left as it is; restore it from a backup if it is damaged"
        raise address.refusal(f"cannot be used: {error}", hint) from error


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Set one value of the meta table."""
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def first_line(error: Exception) -> str:
    """Return what an error says, without what PostgreSQL adds for programmers."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _version(database: Database) -> int:
    return int(database.meta(_VERSION) or 0)


def _has_schema(connection: Connection) -> bool:
    # "IF NOT EXISTS" would still ask for the right to make one.
    row = connection.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone()
    return row is not None and row[0] is not None


def _execute(connection: Connection, scripts: Iterable[LiteralString]) -> None:
    for script in scripts:
        connection.execute(script)
