"""``log stats``: how many messages are in which state, and what they cost."""

from __future__ import annotations

from typing import Annotated

import typer

from remindctl.cli.log_options import (  # noqa: TC001 (typer reads the annotations as they run)
    Campaign,
    ConfigFile,
    Since,
    StoreName,
)
from remindctl.cli.options import Table


def stats(
    campaign: Campaign = None,
    store: StoreName = None,
    since: Since = None,
    config: ConfigFile = None,
    output: Annotated[
        Table, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Table.TABLE,
) -> None:
    """Count messages per campaign, step, variant and channel: what became of them, their cost."""
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.cli.log_options import day  # noqa: PLC0415
    from remindctl.report import log_stats  # noqa: PLC0415
    from remindctl.report.stream import write_data, write_file  # noqa: PLC0415
    from remindctl.sendlog import Filter, look  # noqa: PLC0415

    settings = world.open_config(config)
    if store is not None:
        world.choose_stores(settings, [store])
    with line.refused_by_log(), look(settings.log, settings.key_file, []) as logs:
        tallies = logs.log.tallies(Filter(store=store, campaign=campaign, since=day(since)))
    rows = log_stats.by_message(tallies)
    if output is Table.JSON:
        write_data(log_stats.to_json(rows))
    elif output is Table.CSV:
        write_file(log_stats.to_csv(rows))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        log_stats.show(data_console(), rows)
