"""``log``: what was sent to whom, without addresses or texts."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import Output
from remindctl.model import State  # noqa: TC001 (as above)

if TYPE_CHECKING:
    from datetime import datetime

app = typer.Typer(help="Look into the send log.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make this a group, also while it has one command only."""


@app.command()
def show(
    campaign: Annotated[str | None, typer.Option(help="Only this campaign.")] = None,
    store: Annotated[str | None, typer.Option(help="Only this store.")] = None,
    state: Annotated[State | None, typer.Option(help="Only messages in this state.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only from this day on (UTC).")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only this customer; needs --store."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest N.")] = 50,
    config: Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
) -> None:
    """Show messages, the newest first: when, to whom (last digits only), what became of them."""
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report import log  # noqa: PLC0415
    from remindctl.report.stream import write_data  # noqa: PLC0415
    from remindctl.sendlog import Filter, look  # noqa: PLC0415

    settings = world.open_config(config)
    if store is not None:
        world.choose_stores(settings, [store])
    if customer is not None and store is None:
        raise refuse("a customer key is a store's", "add --store NAME", path="--customer")
    with line.refused_by_log(), look(world.log_file(settings), settings.key_file, []) as logs:
        person = None
        if customer is not None and store is not None:
            person = logs.hasher.hash("person", customer, store) if logs.hasher else b""
        wanted = Filter(
            store=store,
            campaign=campaign,
            state=state,
            since=_day(since),
            person=person,
            limit=limit,
        )
        entries = list(logs.log.entries(wanted))
    zones = {key: entry.store.timezone for key, entry in settings.stores.items()}
    if output is Output.JSON:
        write_data(log.to_json(entries, zones))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        log.show(data_console(), entries, zones)


def _day(text: str | None) -> datetime | None:
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
