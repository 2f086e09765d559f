"""Which names the templates of a step may use: they depend on its anchor, coupon and facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remindctl.documents import pick
from remindctl.profiles import COLUMNS
from remindctl.render import ANCHOR_NAMES, NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER_ANCHORS = (
    "first_order", "last_order", "ordered", "cancelled", "delivered", "confirmed",
    "expected_next_order",
)  # fmt: skip
COUPON_ANCHORS = ("coupon_issued", "coupon_expires")

_ALWAYS = ("id", "at", "on")
_BOUGHT = (*_ALWAYS, "product", "product_id", "products", "quantity", "value")
# Anchor → what its occasions know; one of any other name is an event or a date column.
_KNOWN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(ORDER_ANCHORS, _BOUGHT),
    **dict.fromkeys(COUPON_ANCHORS, (*_ALWAYS, "code", "until")),
    "signup": _ALWAYS,
}
_OF_EVENTS = tuple(name for name in ANCHOR_NAMES if name != "until")


@dataclass(slots=True)
class Scope:
    """The names known to the step that is being read, one after the other.

    Attributes:
        extra: further columns of the stores' customer files.
        names: name → the names below it, None where none are told.
    """

    extra: tuple[str, ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    _anchors: dict[str, str] = field(default_factory=dict)
    _last: str = ""

    def enter(self, step: object) -> None:
        """Go on to the next step of the file, as the user wrote it."""
        anchor = pick(step, "due", "after")
        if anchor == "message":
            # Its occasion is that of the earlier step, so it knows what that one knows.
            earlier = pick(step, "due", "step")
            anchor = self._anchors.get(str(earlier)) if earlier else self._last
        anchor = anchor if isinstance(anchor, str) else ""
        self._anchors[str(pick(step, "id"))] = self._last = anchor
        known: dict[str, Any] = {
            **dict.fromkeys((*COLUMNS, "segment", "segments", *self.extra)),
            **NAMES,
            "anchor": dict.fromkeys(_KNOWN.get(anchor, _OF_EVENTS)),
        }
        if pick(step, "coupon") is None and anchor not in COUPON_ANCHORS:
            del known["coupon"]
        if isinstance(facts := pick(step, "facts"), dict):
            known["facts"] = dict.fromkeys(facts)
        else:
            del known["facts"]
        self.names = known
