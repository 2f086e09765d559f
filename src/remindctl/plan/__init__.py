"""Campaign in, plan out: who gets what, when, through which channel, and who does not and why.

Everything here is computed from frames and an instant; nothing is read, written or sent. A dry run
is this plan, printed; a run applies it. Whoever is due is planned or held: due = planned + held.
"""

from remindctl.plan.make import describe, people_concerned, plan
from remindctl.plan.refusals import over_ceiling, too_old
from remindctl.plan.value import HELD, MESSAGES, Plan

__all__ = [
    "HELD",
    "MESSAGES",
    "Plan",
    "describe",
    "over_ceiling",
    "people_concerned",
    "plan",
    "too_old",
]
