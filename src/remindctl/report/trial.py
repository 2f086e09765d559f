"""What became of messages that were sent to their owner as a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from remindctl.report.console import indented, one_line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from remindctl.model import State

SCHEMA = "remindctl.test/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One message, and what the provider said of it; see ``channels.Receipt``."""

    campaign: str
    store: str
    step: str
    variant: str | None
    channel: str
    provider: str
    state: State
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None


def to_json(tried: Sequence[Tried]) -> str:
    """Write the document of ``test -o json``; it has no address and no text."""
    messages = [{name: getattr(one, name) for name in Tried.__dataclass_fields__} for one in tried]
    document = {"schema": SCHEMA, "messages": messages}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def show(console: Console, tried: Sequence[Tried]) -> None:
    """Print a line for each message."""
    grid = table("message")
    grid.add_column("through")
    grid.add_column("state")
    grid.add_column("", overflow="fold")
    for one in tried:
        form = one.step if one.variant is None else f"{one.step}, {one.variant}"
        said = "; ".join(filter(None, (one.provider_id, one.code, one.detail)))
        grid.add_row(
            Text(one_line(f"{one.campaign} ({one.store}): {form}")),
            Text(one_line(f"{one.channel}, {one.provider}")),
            str(one.state),
            Text(one_line(said)),
        )
    indented(console, grid)
