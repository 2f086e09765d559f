"""What becomes of messages after their answer, in a SQLite file."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from remindctl.model import State
from remindctl.sendlog.bulk import in_parts
from remindctl.sendlog.database import instant, micros
from remindctl.sendlog.entries import ENDS, LATE_ENDS, OpenEnd

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from remindctl.sendlog.entries import Outcome

_END = (
    "id, key, person, leg, campaign, step, channel, provider, provider_id, state, attempted_at,"
    " destination"
)
_OPEN = f"""
SELECT {_END} FROM claims WHERE store = ? AND state = 'unknown'
UNION ALL
SELECT {_END} FROM claims WHERE store = ? AND state = 'sent' AND attempted_at >= ?
ORDER BY id
"""  # noqa: S608 (made of constants)


_SETTLE = """
UPDATE claims SET settled_at = ?, state = ?, provider_id = ?, code = ?, detail = ?
WHERE state = 'claimed' AND id
"""
# From so many on, those with the same outcome are told of together.
_MANY = 10


def settle(connection: sqlite3.Connection, outcomes: Sequence[Outcome], at: datetime) -> None:
    """See ``SendLog.settle``; inside a transaction. What is said first of a claim stands."""
    first = {one.claim: one for one in reversed(outcomes)}
    alike: defaultdict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for one in first.values():
        alike[one[1:]].append(one.claim)
    now = micros(at)
    singly = []
    for said, numbers in alike.items():
        if len(numbers) < _MANY:
            singly += [(now, *said, number) for number in numbers]
            continue
        for table, values in in_parts(connection, [(number,) for number in sorted(numbers)], 5):
            connection.execute(f"{_SETTLE} IN {table}", [now, *said, *values])
    connection.executemany(f"{_SETTLE} = ?", singly)


def open_ends(connection: sqlite3.Connection, store: str, since: datetime) -> list[OpenEnd]:
    """See ``SendLog.open_ends``."""
    return [
        OpenEnd(
            claim=number,
            key=key.hex(),
            person=person,
            leg=leg,
            campaign=campaign,
            step=step,
            channel=channel,
            provider=provider,
            provider_id=provider_id,
            state=State(state),
            attempted_at=instant(attempted_at),
            identifiers=frozenset([destination] if destination else []),
        )
        for (
            number, key, person, leg, campaign, step, channel, provider, provider_id, state,
            attempted_at, destination,
        ) in connection.execute(_OPEN, (store, store, micros(since)))
    ]  # fmt: skip


def conclude(connection: sqlite3.Connection, outcomes: Sequence[Outcome], at: datetime) -> int:
    """See ``SendLog.conclude``; inside a transaction."""
    return connection.executemany(
        "UPDATE claims SET state = ?, settled_at = ?, provider_id = coalesce(?, provider_id),"
        " code = ?, detail = ? WHERE id = ? AND (state = 'unknown' OR state = 'sent' AND ?)",
        [
            (
                one.state, micros(at), one.provider_id, one.code, one.detail, one.claim,
                one.state in LATE_ENDS,
            )
            for one in outcomes
            if one.state in ENDS
        ],
    ).rowcount  # fmt: skip
