"""What templates know besides the columns of Profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.model import Campaign, Store

# Name → the names below it; None where none are told.
STORE_NAMES: Mapping[str, Mapping[str, Any] | None] = {
    **dict.fromkeys(("key", "name", "url", "country", "currency")),
    "sender": dict.fromkeys(("phone", "email", "contact", "address")),
    "optout": dict.fromkeys(("phone", "url")),
}
# The occasion: its id, its instant, its date on the store's calendar, and what it was about.
ANCHOR_NAMES: Mapping[str, None] = dict.fromkeys(
    (
        "id", "at", "on", "product", "product_id", "products", "url", "quantity", "value",
        "cart_id", "code", "until",
    )
)  # fmt: skip
COUPON_NAMES: Mapping[str, None] = dict.fromkeys(("code", "pool", "until", "days_left"))
NAMES: Mapping[str, Mapping[str, Any] | None] = {
    "store": STORE_NAMES,
    "campaign": {"name": None},
    "anchor": ANCHOR_NAMES,
    "coupon": COUPON_NAMES,
    "facts": None,
    "recommended": None,
}


def constants(store: Store, campaign: Campaign) -> dict[str, object]:
    """Return what is the same for every customer; what is not configured is missing."""
    values = {name: getattr(store, name) for name in STORE_NAMES}
    values = {name: value for name, value in values.items() if value != ""}
    return {"store": values, "campaign": {"name": campaign.name}}
