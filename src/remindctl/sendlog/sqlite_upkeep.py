"""Count, find again, strip and rewrite the entries of a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.sendlog.database import filled, instant, micros
from remindctl.sendlog.upkeep import Deed, Erased, Known, by_price, parts_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from remindctl.sendlog.upkeep import Tally

_KIND = "store, campaign, step, variant, channel, currency, state, cost"
_KNOWN = "claims.id, claims.store, claims.channel, claims.provider, destination, ending"
_OURS = f"""
SELECT name, {_KNOWN} FROM told CROSS JOIN identifiers
  ON hmac BETWEEN first AND last AND identifiers.key = told.key AND identifiers.leg = told.leg
JOIN claims ON claims.id = claim AND hmac = person ORDER BY claims.id
"""  # noqa: S608 (made of constants)
_THEIRS = f"SELECT name, {_KNOWN} FROM claims JOIN told ON provider_id = name ORDER BY claims.id"  # noqa: S608 (likewise)

# A name has the first half of the hash.
_REST = b"\xff" * 8

# What they are known by, then all of their entries.
_PERSONS = """
SELECT DISTINCT person FROM asked JOIN identifiers USING (hmac) JOIN claims ON id = claim
WHERE store = ?
"""
_ENTRIES = """
SELECT DISTINCT id FROM asked JOIN identifiers USING (hmac) JOIN claims ON id = claim
WHERE store = ?
"""
_STRIP = "UPDATE claims SET ending = '', provider_id = NULL, detail = NULL"
_HOLDS = "(ending <> '' OR provider_id IS NOT NULL OR detail IS NOT NULL)"


def tallies(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Tally]:
    """See ``PastLog.tallies``."""
    query = f"SELECT {_KIND}, count(*) FROM claims{where} GROUP BY {_KIND}"  # noqa: S608 (constants)
    return by_price(connection.execute(query, values))


def journal(connection: sqlite3.Connection) -> list[Deed]:
    """See ``PastLog.journal``."""
    query = "SELECT at, action, store, reason, entries FROM journal ORDER BY id DESC"
    return [
        Deed(at=instant(at), action=action, store=store, reason=reason, entries=entries)
        for at, action, store, reason, entries in connection.execute(query)
    ]


def record(connection: sqlite3.Connection, deed: Deed) -> None:
    """See ``SendLog.record``; inside a transaction."""
    connection.execute(
        "INSERT INTO journal (at, action, store, reason, entries) VALUES (?, ?, ?, ?, ?)",
        (micros(deed.at), deed.action, deed.store, deed.reason, deed.entries),
    )


def known(connection: sqlite3.Connection, names: Collection[str]) -> Mapping[str, list[Known]]:
    """See ``SendLog.known``; inside a transaction."""
    parts = {name: parts_of(name) for name in names}
    ours = [
        (name, key, person, person + _REST, leg)
        for name, (key, person, leg) in (
            (name, found) for name, found in parts.items() if found is not None
        )
    ]
    found: dict[str, list[Known]] = {}
    table = "told (name TEXT, key BLOB, first BLOB, last BLOB, leg INTEGER)"
    with filled(connection, table, ours):
        for name, *values in connection.execute(_OURS):
            found.setdefault(name, []).append(Known(*values))
    theirs = [(name,) for name in parts if name not in found]
    with filled(connection, "told (name TEXT PRIMARY KEY)", theirs):
        for name, *values in connection.execute(_THEIRS):
            found.setdefault(name, []).append(Known(*values))
    return found


def forget(connection: sqlite3.Connection, store: str, identifiers: Collection[bytes]) -> Erased:
    """See ``SendLog.forget``; inside a transaction."""
    with filled(connection, "asked (hmac BLOB)", [(one,) for one in identifiers]):
        persons = connection.execute(_PERSONS, (store,)).fetchall()
    with filled(connection, "asked (hmac BLOB)", {*persons, *((one,) for one in identifiers)}):
        entries = connection.execute(_ENTRIES, (store,)).fetchall()
    if not entries:
        return Erased(0, frozenset())
    with filled(connection, "among (claim INTEGER PRIMARY KEY)", entries):
        connection.execute(f"{_STRIP} WHERE id IN (SELECT claim FROM among)")  # noqa: S608 (ours)
        query = "SELECT DISTINCT hmac FROM identifiers WHERE claim IN (SELECT claim FROM among)"
        hmacs = frozenset(hmac for [hmac] in connection.execute(query))
    return Erased(len(entries), hmacs)


def purge(connection: sqlite3.Connection, before: datetime) -> int:
    """See ``SendLog.purge``; inside a transaction."""
    query = f"{_STRIP} WHERE attempted_at < ? AND state <> 'claimed' AND {_HOLDS}"
    return connection.execute(query, (micros(before),)).rowcount
