"""What a store may send and wants to send: each gate says whom it holds, with a reason to read.

The gates stand in the order of :data:`REASONS`; the first that a message does not pass holds it.
"""

from remindctl.policy.arms import draw_arms, is_drawn
from remindctl.policy.consent import EVERYTHING, Permissions, permissions
from remindctl.policy.frequency import in_reentry, over_caps, progress
from remindctl.policy.presets import PRESETS, Preset, openings
from remindctl.policy.reach import choose_legs
from remindctl.policy.reasons import DRAWN, REASONS

__all__ = [
    "DRAWN",
    "EVERYTHING",
    "PRESETS",
    "REASONS",
    "Permissions",
    "Preset",
    "choose_legs",
    "draw_arms",
    "in_reentry",
    "is_drawn",
    "openings",
    "over_caps",
    "permissions",
    "progress",
]
