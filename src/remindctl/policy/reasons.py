"""The gates in their order, each with the reason it gives for holding a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Code → sentence, in the order in which the gates stand. Where a law is behind one: opted_out,
# Network Act 50(2); no_consent, 50(1); consent_notice_overdue, 50(8) and Decree 62-3; never_open,
# night and not_open_now, 50(3), 47 CFR 64.1200(c)(1) and the platforms' own hours; content, 50(4).
REASONS: Mapping[str, str] = {
    "not_yet": "its time has not come yet",
    "expired": "its time has passed",
    "unreachable": "no usable address for any of the channels",
    "opted_out": "refused this kind of message, or opted out",
    "no_consent": "no recorded consent to advertising on this channel",
    "consent_notice_overdue": "consent is older than two years and its notice was not sent",
    "occasion_over": "the customer has ordered meanwhile, or the occasion has ended otherwise",
    "orders_older_than_anchor": "the order files end before the due time; an order may be missing",
    "never_open": "the hours of the step and of the channel never meet",
    "night": "due in closed hours, and the step says to skip those",
    "too_late": "would have to be moved further than the step allows",
    "not_open_now": "outside the hours of the step or of the channel at this moment",
    "already": "already messaged on this occasion",
    "condition": "the earlier step did not go the way `if` asks",
    "no_variant": "none of the step's variants is for this customer",
    "reentry": "was in this campaign too recently, or starts it with another message now",
    "content": "the message cannot be made for this customer",
    "stale_fact": "a fact that the message states is missing or too old",
    "coupon_over": "the last day of the coupon's code is over",
    "coupon_pool_empty": "no code is left in the coupon pool",
    "coupon_taken": "the coupon's code has gone to another message meanwhile",
    "cap": "has enough messages for now",
    "control": "kept out of this campaign as its control group",
    "holdout": "kept out of all campaigns as the store's holdout",
    "limit": "beyond --limit",
}  # fmt: skip

# Held for ever on this occasion, and remembered in the log like a message.
DRAWN = ("control", "holdout")
