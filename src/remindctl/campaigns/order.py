"""What the steps of a campaign ask of each other: names, earlier steps, and the same occasion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.campaigns.fields import STATISTICS
from remindctl.campaigns.names import ORDER_ANCHORS
from remindctl.documents import Finding, did_you_mean, each, pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_LINE_ANCHORS = ("delivered", "confirmed")
# A statistic counts days since an order; the one of a product, since it was last bought.
_ORDERED = ("first_order", "last_order", "ordered", *_LINE_ANCHORS)
_BOUGHT = ("last_order", "ordered")
_PRODUCT = "product_cycle"


def step_findings(campaign: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what is wrong with the steps of a campaign, as the user wrote it."""
    # Step → what its occasions are; steps of different kinds never share one.
    kinds: dict[str, str] = {}
    last = ""
    for number, step in each(campaign, "steps"):
        name = str(step.get("id"))
        at = ("steps", number)
        if name in kinds:
            hint = "the log tells steps apart by it"
            yield Finding(f"{name!r} is there twice", hint, (*at, "id"))
        due = pick(step, "due")
        yield from _due_findings(due, at, kinds)
        kind = kinds.get(str(pick(due, "step") or last), "") if _follows(due) else _kind(due)
        condition = pick(step, "if")
        for key in condition if isinstance(condition, dict) else ():
            yield from _earlier(condition[key], kind, (*at, "if", key), kinds)
        kinds[name] = kind
        last = name


def _follows(due: object) -> bool:
    return bool(pick(due, "after") == "message")


def _kind(due: object) -> str:
    anchor, wait = pick(due, "after"), pick(due, "wait")
    if isinstance(wait, str) and wait.startswith(_PRODUCT):
        return "product"
    if anchor in ORDER_ANCHORS:
        return "line" if pick(due, "per") == "line" else "order"
    return str(anchor)


def _due_findings(
    due: object, at: tuple[str | int, ...], earlier: Mapping[str, str]
) -> Iterator[Finding]:
    at = (*at, "due")
    anchor, wait, step = pick(due, "after"), pick(due, "wait"), pick(due, "step")
    if _follows(due) and not earlier:
        hint = "the first step comes after something else, such as last_order"
        yield Finding("there is no earlier step", hint, (*at, "after"))
    elif _follows(due) and step is not None and step not in earlier:
        hint = did_you_mean(str(step), earlier)
        yield Finding(f"there is no earlier step {step!r}", hint, (*at, "step"))
    elif step is not None and not _follows(due):
        yield Finding("is for `after: message` only", "", (*at, "step"))
    if pick(due, "per") == "line" and anchor not in _LINE_ANCHORS:
        hint = "per: line is for delivered and confirmed"
        yield Finding(f"{anchor!r} has no order lines", hint, (*at, "per"))
    if isinstance(wait, str) and wait in STATISTICS:
        suited = _BOUGHT if wait.startswith(_PRODUCT) else _ORDERED
        if anchor not in suited:
            what = f"{wait} counts days since an order, not after {anchor!r}"
            yield Finding(what, f"after: {', '.join(suited)}", (*at, "wait"))


def _earlier(
    named: object, kind: str, keys: tuple[str | int, ...], earlier: Mapping[str, str]
) -> Iterator[Finding]:
    if not isinstance(named, str):
        return
    if named not in earlier:
        what, hint = f"there is no earlier step {named!r}", did_you_mean(named, earlier)
        yield Finding(what, hint, keys)
    elif kind and earlier[named] and earlier[named] != kind:
        hint = f"let this step come after: message, with step: {named}"
        yield Finding(f"{named!r} and this step never have one occasion in common", hint, keys)
