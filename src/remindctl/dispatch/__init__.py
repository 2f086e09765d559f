"""Apply plans: claim, send, settle, slow down and stop."""

from remindctl.dispatch.claims import message_id, outgoing
from remindctl.dispatch.flight import Departure, Flight
from remindctl.dispatch.run import MOST_FAILURES, Dispatched, Dispatcher

__all__ = [
    "MOST_FAILURES",
    "Departure",
    "Dispatched",
    "Dispatcher",
    "Flight",
    "message_id",
    "outgoing",
]
