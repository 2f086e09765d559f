"""One sending run per store: an advisory lock of the session, which the server drops with it."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from remindctl.errors import refuse
from remindctl.sendlog.entries import LogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.sendlog.postgres.database import Database

# A 64-bit lock shows as two halves.
_HELD = """
SELECT EXISTS (
  SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
    AND (classid::bigint << 32) | objid::bigint = %s
)
"""


class SessionLock:
    """A held lock; see :func:`hold`."""

    def __init__(self, database: Database, number: int, store: str) -> None:
        self._database = database
        self._number = number
        self._store = store

    def check(self) -> None:
        """See ``StoreLock.check``: a session that was cut has lost it."""
        with self._database.session() as connection:
            row = connection.execute(_HELD, (self._number,)).fetchone()
        if row is None or not row[0]:
            raise LogError(f"{self._database.name}: the lock of the store {self._store!r} was lost")


@contextmanager
def hold(database: Database, store: str, held: set[str]) -> Iterator[SessionLock]:
    """Hold the lock of a store.

    Args:
        database: whose session holds it: not through a pool that shares sessions.
        store: whose.
        held: those that this session holds, which PostgreSQL would give it once more.

    Raises:
        Refused: another run holds it.
    """
    number = _number(store)
    if store in held or not _try_to_lock(database, number):
        raise refuse(
            f"another run is sending for the store {store!r}",
            "wait until it has ended, or look for it: its messages are being sent now",
        )
    held.add(store)
    try:
        yield SessionLock(database, number, store)
    finally:
        held.discard(store)
        _release(database, number)


def _try_to_lock(database: Database, number: int) -> bool:
    with database.session() as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
    return row is not None and row[0]


def _release(database: Database, number: int) -> None:
    try:
        with database.session() as connection:
            connection.execute("SELECT pg_advisory_unlock(%s)", (number,))
    except LogError:
        # A session that is gone has let go of it.
        database.close()


def _number(store: str) -> int:
    digest = hashlib.sha256(f"remindctl\x1f{store}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
