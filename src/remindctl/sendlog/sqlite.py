"""The send log in a SQLite file: one writer at a time, every claim durable before it is used."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remindctl.frames import HISTORY, History, empty
from remindctl.model import State
from remindctl.sendlog.claiming import make_claims
from remindctl.sendlog.coupons import ISSUED, Issued
from remindctl.sendlog.database import instant, micros, set_meta
from remindctl.sendlog.entries import Entry, LogError
from remindctl.sendlog.lock import hold
from remindctl.sendlog.past import read_history, read_issued

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from remindctl.frames import Identifiers
    from remindctl.sendlog.database import Database
    from remindctl.sendlog.entries import Claim, Filter, Lost, Outcome
    from remindctl.sendlog.lock import FileLock

NEWEST = "newest_at"

_SHOWN = (
    "id", "key", "store", "campaign", "step", "leg", "channel", "provider", "ending", "state",
    "run", "attempts", "attempted_at", "settled_at", "cost", "currency", "provider_id", "code",
    "detail",
)  # fmt: skip

_ABANDONED = "the run ended before the answer was recorded"


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

    def take_over(self, store: str, run: str, at: datetime) -> int:
        """See ``SendLog.take_over``."""
        with self._database.transaction() as connection:
            set_meta(connection, _writer(store), run)
            return connection.execute(
                "UPDATE claims SET state = ?, settled_at = ?, detail = ?"
                " WHERE store = ? AND state = 'claimed' AND run <> ?",
                (State.UNKNOWN, micros(at), _ABANDONED, store, run),
            ).rowcount

    def history(self, store: str, identifiers: Identifiers) -> History:
        """See ``SendLog.history``."""
        with self._database.snapshot() as connection:
            return read_history(connection, store, identifiers)

    def issued(self, store: str) -> Issued:
        """See ``SendLog.issued``."""
        with self._database.reading() as connection:
            return read_issued(connection, store)

    def approved(self, store: str, templates: Collection[str]) -> Mapping[str, bytes]:
        """See ``SendLog.approved``."""
        with self._database.reading() as connection:
            found = {
                template: connection.execute(
                    "SELECT text_hash FROM claims WHERE store = ? AND template = ?"
                    " AND text_hash IS NOT NULL AND state IN (?, ?) ORDER BY id LIMIT 1",
                    (store, template, State.SENT, State.DELIVERED),
                ).fetchone()
                for template in templates
            }
        return {template: row[0] for template, row in found.items() if row}

    def claim(self, run: str, claims: Sequence[Claim], at: datetime) -> list[int | Lost]:
        """See ``SendLog.claim``."""
        now = micros(at)
        with self._database.transaction() as connection:
            for store in {claim.store for claim in claims}:
                if self._database.meta(_writer(store)) not in {None, run}:
                    raise LogError(f"another run has begun to send for the store {store!r}")
            numbers = make_claims(connection, run, claims, now)
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

    def issued(self, store: str) -> Issued:  # noqa: ARG002 (the interface's)
        """See ``SendLog.issued``."""
        return Issued(empty(ISSUED))

    def approved(self, store: str, templates: Collection[str]) -> Mapping[str, bytes]:  # noqa: ARG002 (the interface's)
        """See ``SendLog.approved``."""
        return {}

    def entries(self, wanted: Filter) -> Iterator[Entry]:  # noqa: ARG002 (the interface's)
        """See ``SendLog.entries``."""
        return iter(())

    def close(self) -> None:
        """See ``SendLog.close``."""


def _writer(store: str) -> str:
    return f"run of {store}"


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(_SHOWN, row, strict=True))
    values["number"] = values.pop("id")
    values["key"] = values["key"].hex()
    values["attempted_at"] = instant(values["attempted_at"])
    values["settled_at"] = instant(values["settled_at"]) if values["settled_at"] else None
    values["cost"] = Decimal(values["cost"]) if values["cost"] else None
    return Entry(**values)
