"""Why one person gets a campaign's messages, or does not: each gate and the value at it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.text import Text

from remindctl.policy import REASONS
from remindctl.render.filters import mask
from remindctl.report.console import indented, one_line, paragraph, section, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from remindctl.plan import Explained, Plan

SCHEMA = "remindctl.explain/1"

# What holds only whoever is asked about, besides ``policy.REASONS``.
_NOT_DUE: Mapping[str, str] = {
    "not_in_audience": "the campaign is not for this customer",
    "no_occasion": "nothing has happened that the campaign reacts to",
    "not_yet": "its time has not come",
    "expired": "its time is over",
}


def to_json(plan: Plan, customer: Mapping[str, Any], found: Sequence[Explained]) -> str:
    """Write the document of ``explain -o json``; it names the customer by key only."""
    document = {
        "schema": SCHEMA,
        "campaign": plan.campaign.name,
        "store": plan.store.key,
        "as_of": plan.as_of.astimezone(ZoneInfo(plan.store.timezone)).isoformat(),
        "customer_key": customer["customer_key"],
        "occasions": [
            {
                "step": one.step,
                "occasion": one.occasion,
                "sent_now": one.reason is None,
                "reason": one.reason,
                "gates": [
                    {"gate": gate.name, "passed": gate.passed, "detail": gate.detail}
                    for gate in one.gates
                ],
            }
            for one in found
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def show(
    console: Console, plan: Plan, customer: Mapping[str, Any], found: Sequence[Explained]
) -> None:
    """Print each occasion with its gates, the deciding one marked."""
    at = plan.as_of.astimezone(ZoneInfo(plan.store.timezone))
    name = mask(customer["name"]) if customer["name"] else customer["customer_key"]
    who = f"{one_line(name)} in {plan.campaign.name}, {plan.store.name} ({plan.store.key})"
    section(console, f"{who}, {at:%Y-%m-%d %H:%M %Z}")
    for one in found:
        if one.step:
            section(console, f"{one.step}, occasion {one_line(one.occasion) or '-'}")
        grid = table("gate")
        grid.add_column("", no_wrap=True)
        grid.add_column("", overflow="fold")
        for gate in one.gates:
            mark = Text("yes" if gate.passed else "NO", style="" if gate.passed else "bold")
            grid.add_row(gate.name, mark, Text(one_line(gate.detail)))
        indented(console, grid)
        paragraph(console, _verdict(one), "bold")
        for text in (one.text or "").splitlines():
            paragraph(console, one_line(text))
    console.print()


def _verdict(one: Explained) -> str:
    if one.reason is None:
        return "This message goes out now:"
    return f"Held: {one.reason}, {REASONS.get(one.reason) or _NOT_DUE.get(one.reason, '')}"
