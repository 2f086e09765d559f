"""SOLAPI's SINGLE-REPORT: what became of one message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remindctl.channels.reading import detail
from remindctl.channels.reports import Report
from remindctl.channels.solapi.codes import on_look_up
from remindctl.channels.solapi.messages import ID_FIELD
from remindctl.channels.verdicts import SUPPRESS
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping


def fits(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is a report of SOLAPI."""
    return "statusCode" in event and "messageId" in event


def read(event: Mapping[str, Any]) -> Report:
    """Read it."""
    own, code = event.get("customFields"), str(event["statusCode"])
    verdict, state = on_look_up(code, replaced=bool(event.get("replacement")))
    name = own.get(ID_FIELD) if isinstance(own, dict) else None
    to = event.get("to")
    well = state in {State.SENT, State.DELIVERED}
    return Report(
        names=tuple(one for one in (name, event["messageId"]) if isinstance(one, str)),
        state=state,
        code=code,
        detail=None if well else detail(event.get("statusMessage") or event.get("reason")),
        suppress=SUPPRESS.get(verdict),
        to=None if to is None else str(to),
    )
