"""Apply plans: claim, send, settle, slow down and stop."""

from remindctl.dispatch.claims import message_id
from remindctl.dispatch.run import MOST_FAILURES, Dispatched, Dispatcher

__all__ = ["MOST_FAILURES", "Dispatched", "Dispatcher", "message_id"]
