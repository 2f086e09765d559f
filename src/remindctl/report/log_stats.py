"""What became of the messages of each campaign, counted."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from remindctl.model import State
from remindctl.report.console import counted, money, number, one_line, paragraph, table
from remindctl.report.spreadsheet import harmless_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from remindctl.sendlog import Tally

SCHEMA = "remindctl.log_stats/1"

_STATES = (
    State.SENT, State.DELIVERED, State.UNDELIVERED, State.REJECTED, State.FAILED, State.UNKNOWN,
    State.CLAIMED, State.CONTROL,
)  # fmt: skip
# What a provider charges for, as far as anybody knows.
_LEFT = (State.SENT, State.DELIVERED, State.UNDELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of message.

    Attributes:
        states: how many are in which state now; ``sent`` = accepted, and no result yet.
        cost: of those that left, at the prices of their day; None = no price was known.
    """

    store: str
    campaign: str
    step: str
    variant: str | None
    channel: str | None
    currency: str | None
    cost: Decimal | None = None
    states: Mapping[State, int] = field(default_factory=dict)


def by_message(tallies: Iterable[Tally]) -> list[Row]:
    """Put the states of each kind of message side by side, in the order of their names."""
    states: dict[tuple[str | None, ...], Counter[State]] = {}
    costs: dict[tuple[str | None, ...], Decimal] = {}
    whose: dict[tuple[str | None, ...], Tally] = {}
    for one in tallies:
        kind = (one.store, one.campaign, one.step, one.variant, one.channel)
        # Who is held out has no price, and so no currency.
        if kind not in whose or one.currency is not None:
            whose[kind] = one
        states.setdefault(kind, Counter())[one.state] += one.messages
        if one.cost is not None and one.state in _LEFT:
            costs[kind] = costs.get(kind, Decimal(0)) + one.cost
    return [
        Row(
            store=one.store,
            campaign=one.campaign,
            step=one.step,
            variant=one.variant,
            channel=one.channel,
            currency=one.currency,
            cost=costs.get(kind),
            states=states[kind],
        )
        for kind, one in sorted(
            whose.items(), key=lambda item: tuple(part or "" for part in item[0])
        )
    ]


def to_json(rows: Sequence[Row]) -> str:
    """Write ``{"schema": "remindctl.log_stats/1", "messages": [{"store", …, "sent", …}]}``."""
    document = {"schema": SCHEMA, "messages": [_fields(row) for row in rows]}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def to_csv(rows: Sequence[Row]) -> str:
    """Write one line per kind of message."""
    target = io.StringIO()
    empty = Row(store="", campaign="", step="", variant=None, channel=None, currency=None)
    writer = csv.DictWriter(target, list(_fields(empty)), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: harmless_title(value) if isinstance(value, str) else value
                for name, value in _fields(row).items()
            }
        )
    return target.getvalue()


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print a table with the states that occur."""
    if not rows:
        paragraph(console, "Nothing in the log matches.")
        return
    occur = [state for state in _STATES if any(row.states.get(state) for row in rows)]
    grid = table("message", *map(str, occur), "cost")
    for row in rows:
        name = " ".join(part for part in (row.campaign, row.step, row.variant, row.channel) if part)
        shown = name if len({one.store for one in rows}) == 1 else f"{row.store}: {name}"
        grid.add_row(
            one_line(shown),
            *(number(row.states.get(state, 0)) for state in occur),
            money(row.cost, row.currency or ""),
        )
    console.print(grid, markup=False)
    total = sum(count for row in rows for count in row.states.values())
    console.print(
        counted(total, "entry") if total == 1 else f"{number(total)} entries", style="dim"
    )


def _fields(row: Row) -> dict[str, object]:
    return {
        "store": row.store,
        "campaign": row.campaign,
        "step": row.step,
        "variant": row.variant,
        "channel": row.channel,
        **{str(state): row.states.get(state, 0) for state in _STATES},
        "cost": None if row.cost is None else float(row.cost),
        "currency": row.currency,
    }
