"""What a store may send and wants to send: each gate says whom it holds, with a reason to read.

The gates stand in the order of :data:`REASONS`; the first that a message does not pass holds it.
"""

from remindctl.policy.arms import draw_arms, is_drawn
from remindctl.policy.consent import EVERYTHING, Permissions, permissions
from remindctl.policy.consent_notices import everyone, notices, stale_feed, undated, vague_wordings
from remindctl.policy.countries import ENDS, clocks_of
from remindctl.policy.frequency import cap_counts, in_reentry, over_caps
from remindctl.policy.presets import PRESETS, Preset, looks_back, openings, wider_than_law
from remindctl.policy.progress import met, progress
from remindctl.policy.reach import choose_legs
from remindctl.policy.reasons import DRAWN, REASONS
from remindctl.policy.replies import Reply, is_hard_bounce, read_reply
from remindctl.policy.variants import choose_variants

__all__ = [
    "DRAWN",
    "ENDS",
    "EVERYTHING",
    "PRESETS",
    "REASONS",
    "Permissions",
    "Preset",
    "Reply",
    "cap_counts",
    "choose_legs",
    "choose_variants",
    "clocks_of",
    "draw_arms",
    "everyone",
    "in_reentry",
    "is_drawn",
    "is_hard_bounce",
    "looks_back",
    "met",
    "notices",
    "openings",
    "over_caps",
    "permissions",
    "progress",
    "read_reply",
    "stale_feed",
    "undated",
    "vague_wordings",
    "wider_than_law",
]
