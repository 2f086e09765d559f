"""What the commands of ``log`` have in common."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from remindctl.config import Config
    from remindctl.sendlog import SendingLogs

Campaign: TypeAlias = Annotated[str | None, typer.Option(help="Only this campaign.")]
StoreName: TypeAlias = Annotated[
    str | None, typer.Option("--store", metavar="NAME", help="Only this store.")
]
Since: TypeAlias = Annotated[
    str | None, typer.Option(metavar="DATE", help="Only from this day on (UTC).")
]
ConfigFile: TypeAlias = Annotated[
    Path | None, typer.Option("--config", help="The remindctl.yaml to use.")
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def day(text: str | None) -> datetime | None:
    """Read ``--since``.

    Raises:
        Refused: it is no date.
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        hint = "YYYY-MM-DD, for example 2026-10-31"
        raise refuse(f"{text!r} is no date", hint, path="--since") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def open_for_upkeep(settings: Config, now: datetime) -> SendingLogs:
    """Open the log and every file of opt-outs of an installation.

    Raises:
        Refused: something is wrong with them, or nothing was ever sent.
    """
    from remindctl.sendlog import open_present  # noqa: PLC0415

    files = [store.optouts for store in settings.stores.values()]
    return open_present(settings.log, settings.key_file, files, now=now)


def zones(settings: Config) -> Mapping[str, str]:
    """Return the time zone of each store."""
    return {key: entry.store.timezone for key, entry in settings.stores.items()}


def agreed(question: str, *, yes: bool) -> None:
    """Ask a person; where there is nobody to ask, only ``--yes`` will do.

    Raises:
        Refused: they do not agree.
    """
    from remindctl.errors import refuse  # noqa: PLC0415

    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise refuse(f"{question} Nobody is here to ask", "--yes, if you are sure")
    # Not typer's question: that one writes to stdout, which belongs to the data.
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise refuse("not agreed")
