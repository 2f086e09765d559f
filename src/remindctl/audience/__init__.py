"""Who is due, on which occasion: anchor + wait + window, the one trigger concept.

An occasion is what a person is reminded of, an order for instance; its id goes into the key under
which the send log remembers the message. :func:`occasions` finds them and their *wanted* instant,
anchor + wait. :func:`schedule` moves that instant forward to the first one that is open and says
whether its time is now.
"""

from remindctl.audience.anchors import ANCHORS, MESSAGE
from remindctl.audience.events import WELL_KNOWN
from remindctl.audience.facts import FACTS, facts
from remindctl.audience.members import members
from remindctl.audience.occasions import all_occasions, concerned, occasions
from remindctl.audience.problems import due_problems, problems, wait_problems
from remindctl.audience.schedule import LONGEST_MOVE, schedule
from remindctl.audience.sources import DETAILS, PURCHASE, Sources

__all__ = [
    "ANCHORS",
    "DETAILS",
    "FACTS",
    "LONGEST_MOVE",
    "MESSAGE",
    "PURCHASE",
    "WELL_KNOWN",
    "Sources",
    "all_occasions",
    "concerned",
    "due_problems",
    "facts",
    "members",
    "occasions",
    "problems",
    "schedule",
    "wait_problems",
]
