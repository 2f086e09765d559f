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

from remindctl.model import State
from remindctl.policy import REASONS
from remindctl.report.console import (
    counted,
    indented,
    money,
    paragraph,
    table,
    talk_console,
)
from remindctl.report.stream import write_talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal
    from typing import IO

    from rich.console import Console

    from remindctl.dispatch import Reconciled
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


def write_messages(file: IO[bytes], plans: Sequence[Plan]) -> None:
    """Write each planned message as one JSON object a line, its instants on the store's clock.

    polars writes them: a million messages through Python's own JSON take as long as their plan.
    """
    for plan in plans:
        due_at = _written(pl.col("due_at").dt.convert_time_zone(plan.store.timezone))
        plan.messages.lazy().select(_MESSAGE_KEYS).with_columns(due_at).sink_ndjson(file)


def _written(instant: pl.Expr) -> pl.Expr:
    """Write an instant as ``datetime.isoformat`` does, whole seconds without a fraction."""
    return instant.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f%:z").str.replace(".000000", "", literal=True)


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


def write_summary(runs: Sequence[Run]) -> None:
    """Say in one line what a run did, for the mail that cron makes of it; nothing at a terminal.

    Nor does a run in which nothing was due make anybody read a mail.
    """
    planned = sum(len(run.plan.messages) for run in runs)
    if sys.stderr.isatty() or not planned:
        return
    counts = {end: sum(run.states.get(end, 0) for run in runs) for end in _ENDS}
    told = [f"{count:,} {end}" for end, count in counts.items() if count]
    left = planned - sum(counts.values())
    if left:
        told.append(f"{left:,} not tried")
    held = sum(len(run.plan.held) for run in runs)
    stopped = next((f"; stopped: {run.stopped}" for run in runs if run.stopped), "")
    write_talk(f"remindctl run: {', '.join(told)}; {held:,} held{stopped}")


@contextmanager
def sending(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr while messages leave, if stderr is a terminal.

    Yields:
        what to tell how many more are done.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import (  # noqa: PLC0415 (only where it is seen)
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("Sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=talk_console(), transient=True) as progress:
        task = progress.add_task("Sending", total=total, rate="")

        def done(count: int) -> None:
            progress.advance(task, count)
            # Of the last half minute, as the time left is.
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:,.0f} a second" if speed else "")

        yield done


def write_looked_up(told: Reconciled, store: str) -> None:
    """Say on stderr what providers told of earlier messages, and what nobody can tell."""
    if told.states:
        ends = ", ".join(f"{count:,} {state}" for state, count in sorted(told.states.items()))
        write_talk(f"{store}: of earlier messages the providers tell: {ends}")
    for name, why in told.silent.items():
        write_talk(f"warning: {name} does not tell what became of earlier messages: {why}")
    if told.open:
        open_ = counted(told.open, "message")
        what = f"{open_} of {store} may have been sent, and nobody can tell"
        write_talk(f"warning: {what}\n  hint: remindctl log show --state unknown; log resolve")
