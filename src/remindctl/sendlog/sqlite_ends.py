"""What becomes of messages after their answer, in a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.model import State
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
