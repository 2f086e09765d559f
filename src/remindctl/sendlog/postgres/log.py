"""The send log in PostgreSQL: claims are safe between machines, each durable before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from remindctl.model import State
from remindctl.sendlog.claiming import make_claims
from remindctl.sendlog.database import instant, micros
from remindctl.sendlog.entries import ABANDONED, NEWEST, Entry, taken_over, writer
from remindctl.sendlog.postgres import upkeep
from remindctl.sendlog.postgres.claims import PostgresClaims
from remindctl.sendlog.postgres.database import set_meta
from remindctl.sendlog.postgres.ends import conclude, open_ends
from remindctl.sendlog.postgres.lock import hold
from remindctl.sendlog.postgres.past import read_history, read_issued
from remindctl.sendlog.upkeep import Deed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from psycopg import Connection

    from remindctl.frames import History, Identifiers
    from remindctl.sendlog.coupons import Issued
    from remindctl.sendlog.entries import Claim, Filter, Lost, OpenEnd, Outcome
    from remindctl.sendlog.postgres.database import Database
    from remindctl.sendlog.postgres.lock import SessionLock
    from remindctl.sendlog.upkeep import Erased, Known, Tally

_SHOWN = (
    "id AS number, encode(key, 'hex') AS key, store, campaign, step, leg, channel, provider,"
    " ending, state, run, attempts, attempted_at, settled_at, cost, currency, provider_id, code,"
    " detail"
)

# Entries that are asked of the server at a time.
_AT_ONCE = 1_000


class PostgresLog:
    """See ``contract.SendLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: set[str] = set()

    def lock(self, store: str) -> AbstractContextManager[SessionLock]:
        """See ``SendLog.lock``."""
        return hold(self._database, store, self._held)

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
            # Waits for a claim that another run is making, and is waited for by the next one.
            set_meta(connection, writer(store), run)
            return connection.execute(
                "UPDATE claims SET state = %s, settled_at = %s, detail = %s"
                " WHERE store = %s AND state = 'claimed' AND run <> %s",
                (str(State.UNKNOWN), at, ABANDONED, store, run),
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
        with self._database.session() as connection:
            return read_issued(connection, store)

    def approved(self, store: str, templates: Collection[str]) -> Mapping[str, bytes]:
        """See ``PastLog.approved``."""
        with self._database.session() as connection:
            rows = connection.execute(
                "SELECT DISTINCT ON (template) template, text_hash FROM claims"
                " WHERE store = %s AND template = ANY (%s) AND text_hash IS NOT NULL"
                " AND state = ANY (%s) ORDER BY template, id",
                (store, list(templates), [str(State.SENT), str(State.DELIVERED)]),
            )
            return dict(rows)

    def claim(self, run: str, claims: Sequence[Claim], at: datetime) -> list[int | Lost]:
        """See ``SendLog.claim``."""
        with self._database.transaction() as connection:
            for store in sorted({claim.store for claim in claims}):
                if _begin_to_write(connection, store) not in {"", run}:
                    raise taken_over(store)
            numbers = make_claims(PostgresClaims(connection), run, claims, at)
            _set_newest(connection, at)
        return numbers

    def settle(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """See ``SendLog.settle``."""
        # What is said first of a claim stands.
        first = {one.claim: one for one in reversed(outcomes)}
        said = [
            (number, str(one.state), one.provider_id, one.code, one.detail)
            for number, one in sorted(first.items())
        ]
        columns = [list(column) for column in zip(*said, strict=True)] or [[]] * 5
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE claims SET state = said.state, settled_at = %b,"
                " provider_id = said.provider_id, code = said.code, detail = said.detail"
                " FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[])"
                " AS said (id, state, provider_id, code, detail)"
                " WHERE claims.id = said.id AND claims.state = 'claimed'",
                (at, *columns),
            )
            _set_newest(connection, at)

    def open_ends(self, store: str, *, since: datetime) -> list[OpenEnd]:
        """See ``SendLog.open_ends``."""
        with self._database.session() as connection:
            return open_ends(connection, store, since)

    def conclude(self, outcomes: Sequence[Outcome], at: datetime) -> int:
        """See ``SendLog.conclude``."""
        with self._database.transaction() as connection:
            changed = conclude(connection, outcomes, at)
            _set_newest(connection, at)
        return changed

    def entries(self, wanted: Filter) -> Iterator[Entry]:
        """See ``PastLog.entries``."""
        given = _given(wanted)
        where = " AND ".join(["id < %s", *given])
        query = f"SELECT {_SHOWN} FROM claims WHERE {where} ORDER BY id DESC LIMIT %s"  # noqa: S608 (made of constants)
        before, left = 2**63 - 1, wanted.limit
        # Page by page: whoever reads may write meanwhile.
        while left is None or left > 0:
            page = _AT_ONCE if left is None else min(left, _AT_ONCE)
            with (
                self._database.session() as connection,
                connection.cursor(row_factory=class_row(Entry)) as cursor,
            ):
                rows = cursor.execute(query, (before, *given.values(), page)).fetchall()
            yield from rows
            if len(rows) < page:
                return
            before = rows[-1].number
            left = None if left is None else left - page

    def tallies(self, wanted: Filter) -> list[Tally]:
        """See ``PastLog.tallies``."""
        given = _given(wanted)
        where = f" WHERE {' AND '.join(given)}" if given else ""
        with self._database.session() as connection:
            return upkeep.tallies(connection, where, list(given.values()))

    def journal(self) -> list[Deed]:
        """See ``PastLog.journal``."""
        with self._database.session() as connection:
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
        with self._database.session() as connection:
            upkeep.rewrite(connection)

    def close(self) -> None:
        """See ``PastLog.close``."""
        self._database.close()


def _given(wanted: Filter) -> dict[str, Any]:
    """Return condition → value of what is asked for."""
    asked: dict[str, Any] = {
        "store = %s": wanted.store,
        "campaign = %s": wanted.campaign,
        "state = %s": None if wanted.state is None else str(wanted.state),
        "attempted_at >= %s": wanted.since,
        "person = %s": wanted.person,
    }
    return {condition: value for condition, value in asked.items() if value is not None}


def _begin_to_write(connection: Connection, store: str) -> str:
    """Keep others from writing claims of a store until the transaction ends.

    Returns:
        the run that may write them; nothing for any run.
    """
    row = connection.execute(
        "INSERT INTO meta (name, value) VALUES (%s, '')"
        " ON CONFLICT (name) DO UPDATE SET value = meta.value RETURNING value",
        (writer(store),),
    ).fetchone()
    return row[0] if row else ""


def _set_newest(connection: Connection, at: datetime) -> None:
    """Move on the instant of the newest entry; last, as every store's writers wait for it."""
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE"
        " SET value = greatest(meta.value::bigint, excluded.value::bigint)::text",
        (NEWEST, str(micros(at))),
    )
