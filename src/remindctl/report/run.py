"""A run for its owner: who gets what, when, why and at what cost, and who does not and why not."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
from rich.table import Table
from rich.text import Text

from remindctl.model import State
from remindctl.policy import REASONS
from remindctl.render.filters import mask
from remindctl.report.console import (
    INDENT,
    counted,
    indented,
    money,
    one_line,
    paragraph,
    section,
    table,
    talk_console,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from rich.console import Console

    from remindctl.plan import Plan

SCHEMA = "remindctl.run/1"
SHOWN_MESSAGES = 15
SHOWN_DETAILS = 3

# The states that a run itself can end a message in.
_ENDS = (State.SENT, State.REJECTED, State.FAILED, State.UNKNOWN)

# The keys of a line of --messages, in their order.
_MESSAGE_KEYS = (
    "key", "campaign", "step", "variant", "occasion", "store", "customer_key", "channel",
    "provider", "to", "subject", "text", "html", "due_at", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One campaign in one store: its plan as it was carried out, and what became of it.

    Attributes:
        states: message states → how many; empty for a dry run.
        stopped: why a part was not tried, if so.
    """

    plan: Plan
    dry_run: bool
    states: Mapping[State, int]
    stopped: str | None = None

    @property
    def in_trouble(self) -> bool:
        """Whether some messages failed, are unknown, or were not tried."""
        troubled = (self.states.get(state, 0) for state in (State.FAILED, State.UNKNOWN))
        return any(troubled) or self.stopped is not None

    @property
    def held(self) -> dict[str, int]:
        """Reason → how many, in the order of the gates."""
        counts = Counter(self.plan.held["reason"])
        return {reason: counts[reason] for reason in REASONS if counts[reason]}


def to_json(runs: Sequence[Run]) -> str:
    """Write the document of ``run -o json``; money as a number in the store's currency."""
    document = {"schema": SCHEMA, "runs": [_document(run) for run in runs]}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _document(run: Run) -> dict[str, object]:
    plan = run.plan
    return {
        "campaign": plan.campaign.name,
        "store": plan.store.key,
        "as_of": plan.as_of.astimezone(ZoneInfo(plan.store.timezone)).isoformat(),
        "dry_run": run.dry_run,
        "due": plan.due,
        "planned": len(plan.messages),
        "held": run.held,
        "cost": {"amount": _number(plan.cost), "currency": plan.store.currency},
        "by_channel": dict(sorted(Counter(plan.messages["channel"]).items())),
        **{str(state): run.states.get(state, 0) for state in _ENDS},
    }


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def message_lines(plans: Sequence[Plan]) -> Iterator[str]:
    """Write each planned message as one JSON object, its instants on the store's clock."""
    for plan in plans:
        zone = ZoneInfo(plan.store.timezone)
        for row in plan.messages.select(_MESSAGE_KEYS).iter_rows(named=True):
            due_at = row["due_at"].astimezone(zone).isoformat()
            yield json.dumps({**row, "due_at": due_at}, ensure_ascii=False) + "\n"


def show_plans(console: Console, plans: Sequence[Plan], *, dry_run: bool) -> None:
    """Print plans for a person: counts first, then who, an example, and who not."""
    for plan in plans:
        _headline(console, plan, dry_run=dry_run)
        if not plan.messages.is_empty():
            _messages(console, plan)
            _example(console, plan)
        if not plan.held.is_empty():
            _held(console, plan)
    console.print()


def _headline(console: Console, plan: Plan, *, dry_run: bool) -> None:
    at = plan.as_of.astimezone(ZoneInfo(plan.store.timezone))
    who = f"{plan.campaign.name}, {plan.store.name} ({plan.store.key})"
    section(console, f"{who}, {at:%Y-%m-%d %H:%M %Z}")
    if not plan.due:
        paragraph(console, "Nobody is due.")
        return
    going, not_going = len(plan.messages), len(plan.held)
    cost = f", for {money(plan.cost, plan.store.currency)}" if going else ""
    said = f"{counted(plan.due, 'message')} due: {going} to send{cost}; {not_going} held."
    paragraph(console, f"{said} This is a dry run: nothing is sent." if dry_run else said)
    channels = Counter(plan.messages.select("channel", "provider").iter_rows())
    for (channel, provider), count in sorted(channels.items()):
        paragraph(console, f"{count} by {channel}, through {provider}")


def _messages(console: Console, plan: Plan) -> None:
    section(console, "Who gets it")
    zone = ZoneInfo(plan.store.timezone)
    grid = Table(box=None, pad_edge=False, padding=(0, INDENT, 0, 0), header_style="dim")
    grid.add_column("due", no_wrap=True)
    grid.add_column("customer", no_wrap=True, max_width=10)
    grid.add_column("to", no_wrap=True, max_width=18)
    several = plan.messages["channel"].n_unique() > 1
    if several:
        grid.add_column("channel", no_wrap=True)
    grid.add_column("why")
    for row in plan.messages.head(SHOWN_MESSAGES).iter_rows(named=True):
        cells = [
            f"{row['due_at'].astimezone(zone):%m-%d %H:%M}",
            _masked(row["name"]),
            _masked(row["to"]),
            *([row["channel"]] if several else []),
            one_line(row["reason"]),
        ]
        grid.add_row(*map(Text, cells))
    indented(console, grid)
    if len(plan.messages) > SHOWN_MESSAGES:
        rest = len(plan.messages) - SHOWN_MESSAGES
        paragraph(console, f"… and {rest:,} more; --messages FILE writes all of them", "dim")


def _example(console: Console, plan: Plan) -> None:
    """Print the first message of each step as it will be read."""
    for step in plan.campaign.steps:
        of_step = plan.messages.filter(pl.col("step") == step.id)
        if of_step.is_empty():
            continue
        [row] = of_step.head(1).to_dicts()
        section(console, f"For example ({step.id}, {row['channel']} to {_masked(row['name'])})")
        if row["subject"]:
            paragraph(console, one_line(row["subject"]), "bold")
        for line in row["text"].splitlines():
            paragraph(console, one_line(line))


def _held(console: Console, plan: Plan) -> None:
    section(console, "Who does not")
    grid = table("why not", "count")
    grid.add_column("", overflow="fold")
    counts = Counter(plan.held["reason"])
    for reason, meaning in REASONS.items():
        if counts[reason]:
            grid.add_row(reason, f"{counts[reason]:,}", Text(meaning))
            details = Counter(plan.held.filter(pl.col("reason") == reason)["detail"])
            for detail, count in details.most_common(SHOWN_DETAILS):
                if detail != meaning:
                    grid.add_row("", "", Text(f"{count:,}: {one_line(detail)}", style="dim"))
    indented(console, grid)


def show_results(console: Console, runs: Sequence[Run]) -> None:
    """Print what became of the messages of each run."""
    grid = table("campaign", "due", *map(str, _ENDS), "held", "cost")
    for run in runs:
        plan = run.plan
        ends = (f"{run.states.get(state, 0):,}" for state in _ENDS)
        cost = money(plan.cost, plan.store.currency)
        name = f"{plan.campaign.name} ({plan.store.key})"
        grid.add_row(name, f"{plan.due:,}", *ends, f"{len(plan.held):,}", cost)
    indented(console, grid)
    for run in runs:
        if run.stopped:
            paragraph(console, f"{run.plan.campaign.name} stopped: {run.stopped}")


def _masked(value: str | None) -> str:
    return one_line(mask(value)) if value else "-"


@contextmanager
def sending(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr while messages leave, if stderr is a terminal.

    Yields:
        what to tell how many more are done.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress  # noqa: PLC0415 (only where it is seen)

    with Progress(console=talk_console(), transient=True) as progress:
        task = progress.add_task("Sending", total=total)
        yield lambda count: progress.advance(task, count)
