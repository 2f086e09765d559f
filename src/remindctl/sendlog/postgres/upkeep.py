"""Count, find again, strip and rewrite the entries of a log in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.rows import class_row

from remindctl.sendlog.entries import LogError
from remindctl.sendlog.upkeep import Deed, Erased, Known, by_price, parts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from typing import LiteralString

    from psycopg import Connection

    from remindctl.sendlog.upkeep import Tally

_KIND = "store, campaign, step, variant, channel, currency, state, cost"
_KNOWN: LiteralString = (
    "claims.id, claims.store, claims.channel, claims.provider, destination, ending"
)
_OURS: LiteralString = f"""
SELECT name, {_KNOWN}
FROM unnest(%b::text[], %b::bytea[], %b::bytea[], %b::bytea[], %b::smallint[])
  AS told (name, key, first, last, leg)
JOIN identifiers ON hmac BETWEEN first AND last AND identifiers.key = told.key
  AND identifiers.leg = told.leg
JOIN claims ON claims.id = claim AND hmac = person ORDER BY claims.id
"""  # noqa: S608 (made of constants)
_THEIRS: LiteralString = f"""
SELECT provider_id, {_KNOWN} FROM claims WHERE provider_id = ANY (%b::text[]) ORDER BY claims.id
"""  # noqa: S608 (likewise)

# A name has the first half of the hash.
_REST = b"\xff" * 8

_FOUND: LiteralString = """
SELECT DISTINCT id, person FROM identifiers JOIN claims ON id = claim
WHERE hmac = ANY (%b::bytea[]) AND store = %s
"""
_STRIP: LiteralString = "UPDATE claims SET ending = '', provider_id = NULL, detail = NULL"
_HOLDS: LiteralString = "(ending <> '' OR provider_id IS NOT NULL OR detail IS NOT NULL)"
# A table that someone else owns is passed over without an error.
_WHERE_STORED = "SELECT pg_relation_filenode('claims')"


def tallies(connection: Connection, where: str, values: Sequence[object]) -> list[Tally]:
    """See ``PastLog.tallies``."""
    query = f"SELECT {_KIND}, count(*) FROM claims{where} GROUP BY {_KIND}"  # noqa: S608 (constants)
    return by_price(connection.execute(query, values))


def journal(connection: Connection) -> list[Deed]:
    """See ``PastLog.journal``."""
    query = "SELECT at, action, store, reason, entries FROM journal ORDER BY id DESC"
    with connection.cursor(row_factory=class_row(Deed)) as cursor:
        return cursor.execute(query).fetchall()


def record(connection: Connection, deed: Deed) -> None:
    """See ``SendLog.record``; inside a transaction."""
    connection.execute(
        "INSERT INTO journal (at, action, store, reason, entries) VALUES (%s, %s, %s, %s, %s)",
        (deed.at, deed.action, deed.store, deed.reason, deed.entries),
    )


def known(connection: Connection, names: Collection[str]) -> Mapping[str, list[Known]]:
    """See ``SendLog.known``."""
    parts = {name: parts_of(name) for name in names}
    ours = [
        (name, key, person, person + _REST, leg)
        for name, (key, person, leg) in (
            (name, found) for name, found in parts.items() if found is not None
        )
    ]
    columns = [list(column) for column in zip(*ours, strict=True)] or [[]] * 5
    told_of: dict[str, list[Known]] = {}
    for name, *values in connection.execute(_OURS, columns):
        told_of.setdefault(name, []).append(Known(*values))
    theirs = [name for name in parts if name not in told_of]
    for name, *values in connection.execute(_THEIRS, (theirs,)):
        told_of.setdefault(name, []).append(Known(*values))
    return told_of


def forget(connection: Connection, store: str, identifiers: Collection[bytes]) -> Erased:
    """See ``SendLog.forget``; inside a transaction."""
    asked = set(identifiers)
    persons = {person for _, person in connection.execute(_FOUND, (list(asked), store))}
    found = connection.execute(_FOUND, (list(asked | persons), store)).fetchall()
    if not found:
        return Erased(0, frozenset())
    entries = [number for number, _ in found]
    connection.execute(f"{_STRIP} WHERE id = ANY (%b::bigint[])", (entries,))
    query = "SELECT DISTINCT hmac FROM identifiers WHERE claim = ANY (%b::bigint[])"
    hmacs = frozenset(hmac for [hmac] in connection.execute(query, (entries,)))
    return Erased(len(entries), hmacs)


def purge(connection: Connection, before: datetime) -> int:
    """See ``SendLog.purge``; inside a transaction."""
    query = f"{_STRIP} WHERE attempted_at < %s AND state <> 'claimed' AND {_HOLDS}"
    return connection.execute(query, (before,)).rowcount


def rewrite(connection: Connection) -> None:
    """Rewrite the table; outside of a transaction. The server's own archives are its owner's."""
    before = connection.execute(_WHERE_STORED).fetchone()
    connection.execute("VACUUM (FULL) claims")
    if connection.execute(_WHERE_STORED).fetchone() == before:
        raise LogError("only the owner of its tables may rewrite them")
