"""The send log in a SQLite file: one writer at a time, every claim durable before it is used."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remindctl.model import State
from remindctl.sendlog import sqlite_upkeep as upkeep
from remindctl.sendlog.claiming import make_claims
from remindctl.sendlog.database import instant, micros, rewrite, set_meta
from remindctl.sendlog.entries import ABANDONED, NEWEST, Entry, taken_over, writer
from remindctl.sendlog.lock import hold
from remindctl.sendlog.sqlite_claims import SqliteClaims
from remindctl.sendlog.sqlite_ends import conclude, open_ends, settle
from remindctl.sendlog.sqlite_past import read_history, read_issued
from remindctl.sendlog.upkeep import Deed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from remindctl.frames import History, Identifiers
    from remindctl.sendlog.coupons import Issued
    from remindctl.sendlog.database import Database
    from remindctl.sendlog.entries import Claim, Filter, Lost, OpenEnd, Outcome
    from remindctl.sendlog.lock import FileLock
    from remindctl.sendlog.upkeep import Erased, Known, Tally

_SHOWN = (
    "id", "key", "store", "campaign", "step", "leg", "channel", "provider", "ending", "state",
    "run", "attempts", "attempted_at", "settled_at", "cost", "currency", "provider_id", "code",
    "detail",
)  # fmt: skip


class SqliteLog:
    """See ``contract.SendLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lock(self, store: str) -> AbstractContextManager[FileLock]:
        """See ``SendLog.lock``."""
        path = self._database.path
        return hold(path.with_name(f"{path.name}.{store}.lock"), store)

    def newest(self) -> datetime | None:
        """See ``SendLog.newest``."""
        value = self._database.meta(NEWEST)
        return instant(int(value)) if value else None

    def meta(self, name: str) -> str | None:
        """See ``SendLog.meta``."""
        return self._database.meta(name)

    def set_meta(self, name: str, value: str) -> None:
        """See ``SendLog.set_meta``."""
        with self._database.transaction() as connection:
            set_meta(connection, name, value)

    def take_over(self, store: str, run: str, at: datetime) -> int:
        """See ``SendLog.take_over``."""
        with self._database.transaction() as connection:
            set_meta(connection, writer(store), run)
            return connection.execute(
                "UPDATE claims SET state = ?, settled_at = ?, detail = ?"
                " WHERE store = ? AND state = 'claimed' AND run <> ?",
                (State.UNKNOWN, micros(at), ABANDONED, store, run),
            ).rowcount

    def history(
        self,
        store: str,
        identifiers: Identifiers,
        *,
        campaigns: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> History:
        """See ``PastLog.history``."""
        with self._database.snapshot() as connection:
            return read_history(connection, store, identifiers, campaigns, since)

    def issued(self, store: str) -> Issued:
        """See ``PastLog.issued``."""
        with self._database.reading() as connection:
            return read_issued(connection, store)

    def approved(self, store: str, templates: Collection[str]) -> Mapping[str, bytes]:
        """See ``PastLog.approved``."""
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
        with self._database.transaction() as connection:
            for store in {claim.store for claim in claims}:
                if self._database.meta(writer(store)) not in {None, run}:
                    raise taken_over(store)
            numbers = make_claims(SqliteClaims(connection), run, claims, at)
            set_meta(connection, NEWEST, str(micros(at)))
        return numbers

    def settle(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """See ``SendLog.settle``."""
        with self._database.transaction() as connection:
            settle(connection, outcomes, at)
            set_meta(connection, NEWEST, str(micros(at)))

    def open_ends(self, store: str, *, since: datetime) -> list[OpenEnd]:
        """See ``SendLog.open_ends``."""
        with self._database.reading() as connection:
            return open_ends(connection, store, since)

    def conclude(self, outcomes: Sequence[Outcome], at: datetime) -> int:
        """See ``SendLog.conclude``."""
        with self._database.transaction() as connection:
            set_meta(connection, NEWEST, str(micros(at)))
            return conclude(connection, outcomes, at)

    def entries(self, wanted: Filter) -> Iterator[Entry]:
        """See ``PastLog.entries``."""
        given = _given(wanted)
        where = f" WHERE {' AND '.join(given)}" if given else ""
        # From the newest on, so that few are read where few are wanted.
        query = (
            f"SELECT {', '.join(_SHOWN)} FROM claims NOT INDEXED{where} ORDER BY id DESC LIMIT ?"  # noqa: S608 (made of constants)
        )
        with self._database.reading() as connection:
            for row in connection.execute(query, (*given.values(), wanted.limit or -1)):
                yield _entry(row)

    def tallies(self, wanted: Filter) -> list[Tally]:
        """See ``PastLog.tallies``."""
        given = _given(wanted)
        where = f" WHERE {' AND '.join(given)}" if given else ""
        with self._database.reading() as connection:
            return upkeep.tallies(connection, where, list(given.values()))

    def journal(self) -> list[Deed]:
        """See ``PastLog.journal``."""
        with self._database.reading() as connection:
            return upkeep.journal(connection)

    def known(self, names: Collection[str]) -> Mapping[str, Sequence[Known]]:
        """See ``SendLog.known``."""
        with self._database.snapshot() as connection:
            return upkeep.known(connection, names)

    def record(self, deed: Deed) -> None:
        """See ``SendLog.record``."""
        with self._database.transaction() as connection:
            upkeep.record(connection, deed)

    def forget(self, store: str, identifiers: Collection[bytes], at: datetime) -> Erased:
        """See ``SendLog.forget``."""
        with self._database.transaction() as connection:
            done = upkeep.forget(connection, store, identifiers)
            deed = Deed(at=at, action="forget", store=store, entries=done.messages)
            upkeep.record(connection, deed)
        return done

    def purge(self, before: datetime, at: datetime) -> int:
        """See ``SendLog.purge``."""
        with self._database.transaction() as connection:
            stripped = upkeep.purge(connection, before)
            reason = f"older than {before:%Y-%m-%d}"
            deed = Deed(at=at, action="purge", reason=reason, entries=stripped)
            upkeep.record(connection, deed)
        return stripped

    def rewrite(self) -> None:
        """See ``SendLog.rewrite``."""
        with self._database.reading() as connection:
            rewrite(connection)

    def close(self) -> None:
        """See ``PastLog.close``."""
        self._database.close()


def _given(wanted: Filter) -> dict[str, object]:
    """Return condition → value of what is asked for."""
    asked = {
        "store = ?": wanted.store,
        "campaign = ?": wanted.campaign,
        "state = ?": wanted.state,
        "attempted_at >= ?": micros(wanted.since) if wanted.since else None,
        "person = ?": wanted.person,
    }
    return {condition: value for condition, value in asked.items() if value is not None}


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(_SHOWN, row, strict=True))
    values["number"] = values.pop("id")
    values["key"] = values["key"].hex()
    values["attempted_at"] = instant(values["attempted_at"])
    values["settled_at"] = instant(values["settled_at"]) if values["settled_at"] else None
    values["cost"] = Decimal(values["cost"]) if values["cost"] else None
    return Entry(**values)
