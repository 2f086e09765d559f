"""Apply plans: claim, send, settle, slow down and stop."""

from remindctl.dispatch.claims import message_id, outgoing
from remindctl.dispatch.flight import send_one
from remindctl.dispatch.outcome import MOST_FAILURES, Dispatched
from remindctl.dispatch.reconcile import Asked, Reconciled, reconcile
from remindctl.dispatch.run import Dispatcher

__all__ = [
    "MOST_FAILURES",
    "Asked",
    "Dispatched",
    "Dispatcher",
    "Reconciled",
    "message_id",
    "outgoing",
    "reconcile",
    "send_one",
]
