"""What becomes of messages after their answer, in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.model import State
from remindctl.sendlog.entries import ENDS, LATE_ENDS, OpenEnd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

    from remindctl.sendlog.entries import Outcome

_END = (
    "id, encode(key, 'hex'), person, leg, campaign, step, channel, provider, provider_id, state,"
    " attempted_at, destination"
)
_OPEN = f"""
SELECT {_END} FROM claims WHERE store = %s AND state = 'unknown'
UNION ALL
SELECT {_END} FROM claims WHERE store = %s AND state = 'sent' AND attempted_at >= %s
ORDER BY id
"""  # noqa: S608 (made of constants)


def open_ends(connection: Connection, store: str, since: datetime) -> list[OpenEnd]:
    """See ``SendLog.open_ends``."""
    return [
        OpenEnd(
            claim=number,
            key=key,
            person=person,
            leg=leg,
            campaign=campaign,
            step=step,
            channel=channel,
            provider=provider,
            provider_id=provider_id,
            state=State(state),
            attempted_at=attempted_at,
            identifiers=frozenset([destination] if destination else []),
        )
        for (
            number, key, person, leg, campaign, step, channel, provider, provider_id, state,
            attempted_at, destination,
        ) in connection.execute(_OPEN, (store, store, since))
    ]  # fmt: skip


def conclude(connection: Connection, outcomes: Sequence[Outcome], at: datetime) -> int:
    """See ``SendLog.conclude``; inside a transaction."""
    told = [
        (
            str(one.state), at, one.provider_id, one.code, one.detail, one.claim,
            one.state in LATE_ENDS,
        )
        for one in outcomes
        if one.state in ENDS
    ]  # fmt: skip
    if not told:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE claims SET state = %s, settled_at = %s,"
            " provider_id = coalesce(%s, provider_id), code = %s, detail = %s"
            " WHERE id = %s AND (state = 'unknown' OR state = 'sent' AND %s)",
            told,
        )
        return cursor.rowcount
