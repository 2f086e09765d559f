"""A plan for its owner: who gets what, when, why, at what cost; who does not; what comes next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
from rich.table import Table
from rich.text import Text

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
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from remindctl.plan import Plan

SHOWN_MESSAGES = 15
SHOWN_DETAILS = 3
SHOWN_EXAMPLES = 3
_BAR = 30


def show_plans(
    console: Console,
    plans: Sequence[Plan],
    *,
    dry_run: bool,
    calendars: Mapping[tuple[str, str], pl.DataFrame] | None = None,
) -> None:
    """Print plans for a person: counts first, then who, an example, who not, and what comes next.

    Args:
        console: where to.
        plans: in the order of the run.
        dry_run: whether that is all there will be.
        calendars: (campaign, store) → what ``plan.calendar`` tells of it.
    """
    for plan in plans:
        _headline(console, plan, dry_run=dry_run)
        if not plan.messages.is_empty():
            _messages(console, plan)
            _example(console, plan)
        if not plan.held.is_empty():
            _held(console, plan)
        coming = (calendars or {}).get((plan.campaign.name, plan.store.key))
        if coming is not None:
            _calendar(console, coming)
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
    channels = plan.messages.group_by("channel", "provider").agg(pl.len(), pl.col("cost").sum())
    for channel, provider, count, part in channels.sort("channel", "provider").iter_rows():
        price = f", {money(part, plan.store.currency)}" if channels.height > 1 else ""
        paragraph(console, f"{count:,} by {channel}, through {provider}{price}")


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
    people = counted(plan.customers, "customer")
    paragraph(
        console,
        f"Of {people}, {plan.members:,} are in the audience; {counted(plan.due, 'message')} due.",
    )
    grid = table("held for", "held", "left")
    grid.add_column("", overflow="fold")
    for reason, count, left in plan.funnel:
        grid.add_row(reason, f"{count:,}", f"{left:,}", Text(REASONS[reason]))
        of_reason = plan.held.filter(pl.col("reason") == reason)
        details = Counter(of_reason["detail"])
        for detail, number in details.most_common(SHOWN_DETAILS):
            if detail != REASONS[reason]:
                grid.add_row("", "", "", Text(f"{number:,}: {one_line(detail)}", style="dim"))
        names = of_reason["name"].drop_nulls().unique(maintain_order=True).head(SHOWN_EXAMPLES)
        if len(names):
            grid.add_row("", "", "", Text(f"such as {', '.join(map(_masked, names))}", style="dim"))
    indented(console, grid)


def _calendar(console: Console, coming: pl.DataFrame) -> None:
    """Print how many will become due on each day, and how many of them could be reached."""
    section(console, "Due in the days to come, unless they buy before")
    if coming.is_empty():
        paragraph(console, "Nobody, as far as these files tell.")
        return
    days = coming.group_by("on").agg(pl.col("due", "reachable").sum()).sort("on")
    grid = table("day", "due", "reachable")
    grid.add_column("")
    most = days["due"].max()
    for on, due, reachable in days.iter_rows():
        bar = "█" * round(_BAR * due / most) if isinstance(most, int) else ""
        grid.add_row(f"{on:%m-%d %a}", f"{due:,}", f"{reachable:,}", Text(bar))
    indented(console, grid)


def _masked(value: str | None) -> str:
    return one_line(mask(value)) if value else "-"
