"""The commands by name; what one is made of is imported once it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

if TYPE_CHECKING:
    from collections.abc import Mapping

# Name → where its function or its group of commands is, and the first sentence of its help, which
# stands here too so that listing the commands imports none of them.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": (
        "init:init",
        "Make a store folder: remindctl.yaml, campaigns, and what cron and systemd need.",
    ),
    "analyze": (
        "analyze:analyze",
        "Show how often customers come back: intervals, return curves, who is due, good timings.",
    ),
    "customers": (
        "customers:customers",
        "List customers: segment, due state, expected next order, scores; names masked.",
    ),
    "check": (
        "check:check",
        "Check configuration, campaigns, templates, law and lengths against the store's real data.",
    ),
    "preview": (
        "preview:preview",
        "Show messages: a sample, the shortest, the longest, one per variant and segment.",
    ),
    "test": (
        "trial:trial",
        "Send a message of each step to yourself, marked [TEST]; the log does not know of it.",
    ),
    "run": (
        "run:run",
        "Plan campaigns and send what is due: each message once, in open hours, with consent.",
    ),
    "explain": (
        "explain:explain",
        "Say why a customer gets a campaign's messages now, or which rule holds them.",
    ),
    "schema": (
        "schema:schema",
        "Print the JSON Schema of a file, so that your editor completes and checks it.",
    ),
    "consents": ("consents:app", "Look after the consents that were given."),
    "layouts": ("layouts:app", "List the export formats that are understood."),
    "log": ("log:app", "Look into the send log, and keep it."),
    "optout": ("optout:app", "Record who has opted out; their addresses are kept as hashes only."),
}


class Program(TyperGroup):
    """The root of the program, with a :class:`Deferred` for each of :data:`COMMANDS`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (where, summary) in COMMANDS.items():
            self.add_command(Deferred(name, where, summary))


class Deferred(TyperCommand):
    """A command of which only name and summary are known until it is called.

    Every call goes through ``make_context``, whose context names the real command from then on.
    """

    def __init__(self, name: str, where: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._where = where

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        """Start a call of the real command."""
        return self.load().make_context(info_name, args, *rest, **more)

    def load(self) -> Any:
        """Import the real command, or group of commands."""
        module, _, attribute = self._where.partition(":")
        found = getattr(import_module(f"remindctl.cli.{module}"), attribute)
        holder = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=self.name)
        else:
            holder.command(self.name)(found)
        return get_group(holder).commands[str(self.name)]
