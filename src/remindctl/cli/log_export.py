"""``log export`` and ``log journal``: entries to take away, and who took what away and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from remindctl.cli.log_options import (  # noqa: TC001 (typer reads the annotations as they run)
    Campaign,
    ConfigFile,
    Since,
    StoreName,
)
from remindctl.cli.options import Output
from remindctl.model import State  # noqa: TC001 (likewise)


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    NDJSON = "ndjson"


def export(
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it is kept in the log's journal.")
    ],
    campaign: Campaign = None,
    store: StoreName = None,
    state: Annotated[State | None, typer.Option(help="Only messages in this state.")] = None,
    since: Since = None,
    config: ConfigFile = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form.")] = Form.CSV,
) -> None:
    """Write entries to stdout, the newest first: no texts, of addresses the last digits only."""
    from remindctl import clock  # noqa: PLC0415
    from remindctl.channels.reading import detail  # noqa: PLC0415
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.cli.log_options import day, open_for_upkeep, zones  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.log_export import lines  # noqa: PLC0415
    from remindctl.report.stream import write_file, write_talk  # noqa: PLC0415
    from remindctl.sendlog import Deed, Filter  # noqa: PLC0415

    why = detail(reason)
    if why is None:
        raise refuse("an export needs a reason", "--reason 'monthly check'", path="--reason")
    settings, now = world.open_config(config), clock.now()
    if store is not None:
        world.choose_stores(settings, [store])
    wanted = Filter(store=store, campaign=campaign, state=state, since=day(since))
    with line.refused_by_log(), open_for_upkeep(settings, now) as logs:
        count = sum(tally.messages for tally in logs.log.tallies(wanted))
        # Before the first line: who breaks off has taken some of it along.
        logs.log.record(Deed(at=now, action="export", store=store, reason=why, entries=count))
        for chunk in lines(logs.log.entries(wanted), zones(settings), form=output):
            write_file(chunk)
    write_talk(f"{count:,} entries; recorded with its reason (remindctl log journal)")


def journal(
    config: ConfigFile = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
) -> None:
    """List what was exported, resolved and erased, when and why; it names nobody."""
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.report import log_export  # noqa: PLC0415
    from remindctl.report.stream import write_data  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    settings = world.open_config(config)
    with line.refused_by_log(), look(settings.log, settings.key_file, []) as logs:
        deeds = logs.log.journal()
    if output is Output.JSON:
        write_data(log_export.journal_to_json(deeds))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        log_export.show_journal(data_console(), deeds)
