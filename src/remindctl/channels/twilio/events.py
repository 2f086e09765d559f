"""Twilio's callbacks: how a message stands, and what a recipient replied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remindctl.channels.http import Unreadable
from remindctl.channels.reading import detail
from remindctl.channels.reports import Report
from remindctl.channels.twilio.answers import ERRORS, STATUSES
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping

# What Twilio itself says of a reply that it takes for an opt-out.
_STOP = "STOP"


def fits(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a callback of Twilio."""
    return "MessageSid" in event or "SmsSid" in event


def read(event: Mapping[str, Any]) -> Report:
    """Read it.

    Raises:
        Unreadable: a status that is not known, or a reply that is no opt-out.
    """
    if event.get("OptOutType") == _STOP:
        sender = str(event.get("From", ""))
        return Report(names=(), state=None, code=_STOP, suppress="refused", to=sender)
    status = str(event.get("MessageStatus") or event.get("SmsStatus"))
    state = STATUSES.get(status)
    if state is None:
        raise Unreadable("a callback with a status that is not known")
    given = str(event.get("ErrorCode") or "")
    lost = state is State.UNDELIVERED
    means = ERRORS.get(int(given)) if lost and given.isascii() and given.isdigit() else None
    to = event.get("To")
    return Report(
        names=(str(event.get("MessageSid") or event.get("SmsSid")),),
        state=state,
        code=given or None,
        detail=(means.detail if means else detail(status)) if lost else None,
        suppress=means.suppress if means else None,
        to=None if to is None else str(to),
    )
