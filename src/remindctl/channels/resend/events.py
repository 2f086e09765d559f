"""Resend's events: what became of one mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remindctl.channels.http import Unreadable
from remindctl.channels.reading import detail
from remindctl.channels.reports import Report
from remindctl.channels.resend.answers import EVENTS
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping

_KIND = "email."
# Bounces that say nothing of the address: a full mailbox, a message that is too large.
_PASSING = frozenset({"transient", "undetermined"})


def fits(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is one of Resend."""
    return str(event.get("type")).startswith(_KIND) and isinstance(event.get("data"), dict)


def read(event: Mapping[str, Any]) -> Report:
    """Read it.

    Raises:
        Unreadable: an event that is not known.
    """
    name, mail = str(event["type"]).removeprefix(_KIND), event["data"]
    if name not in EVENTS:
        raise Unreadable("an event that is not known")
    state, suppress = EVENTS[name]
    bounce = mail.get("bounce")
    why = bounce if isinstance(bounce, dict) else {}
    if str(why.get("type")).casefold() in _PASSING:
        suppress = None
    to = mail.get("to")
    to = to[0] if isinstance(to, list) and len(to) == 1 else to
    given = mail.get("email_id")
    return Report(
        names=(given,) if isinstance(given, str) else (),
        state=state,
        code=None if state is State.SENT else name,
        detail=detail(why.get("message")),
        suppress=suppress,
        to=to if isinstance(to, str) else None,
    )
