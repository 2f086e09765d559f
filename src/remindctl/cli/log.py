"""``log``: what was sent to whom, without addresses or texts."""

from __future__ import annotations

from typing import Annotated

import typer

from remindctl.cli.log_erase import forget, purge
from remindctl.cli.log_export import export, journal
from remindctl.cli.log_import import import_
from remindctl.cli.log_options import Campaign, ConfigFile, Since, StoreName, day
from remindctl.cli.log_resolve import resolve
from remindctl.cli.log_stats import stats
from remindctl.cli.options import Output
from remindctl.model import State  # noqa: TC001 (typer reads the annotations as they run)

app = typer.Typer(help="Look into the send log, and keep it.", no_args_is_help=True)
app.command()(stats)
app.command()(resolve)
app.command("import")(import_)
app.command()(export)
app.command()(journal)
app.command()(forget)
app.command()(purge)


@app.command()
def show(
    campaign: Campaign = None,
    store: StoreName = None,
    state: Annotated[State | None, typer.Option(help="Only messages in this state.")] = None,
    since: Since = None,
    customer: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only this customer; needs --store."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest N.")] = 50,
    config: ConfigFile = None,
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
    with line.refused_by_log(), look(settings.log, settings.key_file, []) as logs:
        person = None
        if customer is not None and store is not None:
            person = logs.hasher.hash("person", customer, store) if logs.hasher else b""
        wanted = Filter(
            store=store,
            campaign=campaign,
            state=state,
            since=day(since),
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
