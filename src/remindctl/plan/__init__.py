"""Campaign in, plan out: who gets what, when, through which channel, and who does not and why.

Everything here is computed from frames and an instant; nothing is read, written or sent. A dry run
is this plan, printed; a run applies it. Whoever is due is planned or held: due = planned + held.
"""

from remindctl.plan.calendar import calendar
from remindctl.plan.coupons import without
from remindctl.plan.desk import Desk
from remindctl.plan.explain import Explained, Gate, explain
from remindctl.plan.inspect import Longest, collisions, inspect
from remindctl.plan.make import decide, describe, desks_for, people_concerned, plan
from remindctl.plan.missed import missed
from remindctl.plan.refusals import empty_pools, over_ceiling, too_old
from remindctl.plan.sample import INVENTED, sample
from remindctl.plan.value import HELD, MESSAGES, Plan

__all__ = [
    "HELD",
    "INVENTED",
    "MESSAGES",
    "Desk",
    "Explained",
    "Gate",
    "Longest",
    "Plan",
    "calendar",
    "collisions",
    "decide",
    "describe",
    "desks_for",
    "empty_pools",
    "explain",
    "inspect",
    "missed",
    "over_ceiling",
    "people_concerned",
    "plan",
    "sample",
    "too_old",
    "without",
]
