"""The document that ``preview -o json`` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from remindctl.report.preview.shown import Preview, Shown

SCHEMA = "remindctl.preview/1"


def to_json(previews: Sequence[Preview]) -> str:
    """Write the chosen messages, contacts masked; instants on the recipient's clock."""
    document = {
        "schema": SCHEMA,
        "previews": [
            {
                "campaign": one.campaign,
                "store": one.store.key,
                "as_of": one.as_of.astimezone(ZoneInfo(one.store.timezone)).isoformat(),
                "planned": one.planned,
                "held": one.held,
                "notes": list(one.notes),
            }
            for one in previews
        ],
        "messages": [_message(shown) for one in previews for shown in one.messages],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _message(shown: Shown) -> dict[str, Any]:
    problem = shown.problem
    return {
        "campaign": shown.campaign,
        "store": shown.store.key,
        "step": shown.step,
        "variant": shown.variant,
        "segment": shown.segment,
        "labels": list(shown.labels),
        "channel": str(shown.channel),
        "leg": shown.leg,
        "customer_key": shown.customer_key,
        "customer": shown.customer,
        "to": shown.to,
        "due_at": shown.due_at and shown.due_at.astimezone(ZoneInfo(shown.zone)).isoformat(),
        "zone": shown.zone,
        "zone_source": shown.zone_source,
        "why": shown.why,
        "held_by": shown.held_by,
        "ground": shown.ground,
        "subject": shown.subject,
        "text": shown.text,
        "html": shown.html,
        "extras": dict(shown.extras),
        "coupon": None if shown.code is None else {"code": shown.code, "until": _day(shown)},
        "encoding": shown.encoding,
        "units": shown.units,
        "most": shown.most,
        "parts": shown.parts,
        "cost": {"amount": _number(shown.cost), "currency": shown.store.currency},
        "problem": None if problem is None else {"what": problem.what, "hint": problem.hint},
    }


def _day(shown: Shown) -> str | None:
    return shown.code_until.isoformat() if shown.code_until else None


def _number(amount: Decimal | None) -> int | float | None:
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)
