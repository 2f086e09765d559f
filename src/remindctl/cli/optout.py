"""``optout``: who wants no more messages; kept as hashes, apart from the log."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Annotated

import typer

from remindctl.cli.options import Output, PasswordEnv
from remindctl.cli.optout_words import (
    Source,
    Words,
    addresses_by_key,
    one_store,
    record,
    record_list,
)
from remindctl.model import Family

app = typer.Typer(
    help="Record who has opted out; their addresses are kept as hashes only.", no_args_is_help=True
)

Addresses = Annotated[
    list[str],
    typer.Argument(
        metavar="ADDRESS…", help="Phone numbers and e-mail addresses; - reads one a line."
    ),
]
Families = Annotated[
    list[Family] | None,
    typer.Option("--family", help="Only this family of channels; default: all of the address."),
]
StoreName = Annotated[
    str | None, typer.Option("--store", metavar="NAME", help="The store; needed among several.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="The remindctl.yaml to use.")]


@app.command()
def add(
    addresses: Addresses,
    family: Families = None,
    everything: Annotated[  # noqa: FBT002 (a flag)
        bool,
        typer.Option(
            "--everything", help="Nothing at all may go there, informational messages included."
        ),
    ] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When they said so; default: now.")
    ] = None,
    source: Annotated[str, typer.Option(help="How it came in: 080, STOP, bounce, …")] = "manual",
    store: StoreName = None,
    config: ConfigFile = None,
) -> None:
    """Record opt-outs: no more advertising to these people, on any of their addresses."""
    from remindctl.policy import EVERYTHING  # noqa: PLC0415

    scopes = [EVERYTHING if everything else "advertising"]
    words = Words(scopes, family or [], at=at, source=source)
    typer.echo(f"{record(addresses, words, store, config)} recorded", err=True)


@app.command()
def remove(
    addresses: Addresses,
    evidence: Annotated[
        str, typer.Option(help="What shows that they want messages again; it is kept.")
    ],
    family: Families = None,
    store: StoreName = None,
    config: ConfigFile = None,
) -> None:
    """Lift opt-outs on stated evidence; the old word stays in the file."""
    from remindctl.policy import EVERYTHING  # noqa: PLC0415

    words = Words(["advertising", EVERYTHING], family or [], stands=False, evidence=evidence)
    typer.echo(f"{record(addresses, words, store, config)} lifted", err=True)


@app.command("import")
def import_(  # noqa: PLR0917 (each is an option; typer names them)
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Workbooks and CSV or text files.")
    ],
    source: Annotated[Source, typer.Option(help="What kind of list it is.")],
    family: Families = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[FIELD=]NAME",
            help="Name the column of the addresses, or of FIELD: text, kind, at, id, …",
        ),
    ] = None,
    skip_bad: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--skip-bad", help="Leave out rows that cannot be read.")
    ] = False,
    store: StoreName = None,
    config: ConfigFile = None,
    password_env: PasswordEnv = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
) -> None:
    """Record a list of opt-outs: of the 080 line, STOP replies, bounces, complaints, clicks.

    All of it or nothing: a row that cannot be read may be someone's refusal. What a reply or a
    bounce leaves open is listed for a person to decide.
    """
    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.cli.inputs import password_from  # noqa: PLC0415
    from remindctl.cli.optout_columns import said_columns  # noqa: PLC0415
    from remindctl.cli.optout_list import Reader  # noqa: PLC0415
    from remindctl.errors import Refused  # noqa: PLC0415
    from remindctl.report import optouts  # noqa: PLC0415
    from remindctl.report.stream import write_data, write_talk, write_warnings  # noqa: PLC0415
    from remindctl.sendlog import ending  # noqa: PLC0415

    settings = world.open_config(config)
    chosen = one_store(settings, store)
    reader = Reader(
        source,
        chosen.store,
        said_columns(column or ()),
        cache(partial(addresses_by_key, chosen)),
        password_from(password_env),
    )
    found = reader.read(files)
    if found.problems and not skip_bad:
        raise Refused(found.problems)
    new = record_list(found, source, family or [], settings, chosen)
    write_warnings(found.problems)
    answer = optouts.Imported(
        source=str(source),
        imported=new,
        known=len(found.rows) - new,
        passing=len(found.passing),
        skipped=len(found.problems),
        unclear=[
            optouts.Unclear(row.place, [ending(value) for _, value in row.addresses], row.text)
            for row in found.unclear
        ],
    )
    if output is Output.JSON:
        write_data(optouts.to_json(answer))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        optouts.show(data_console(), answer)
    write_talk(optouts.counts(answer))


@app.command("list")
def list_(
    store: StoreName = None,
    config: ConfigFile = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
) -> None:
    """List who has opted out, by the last digits of their addresses."""
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.report import log  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    settings = world.open_config(config)
    chosen = one_store(settings, store)
    with (
        line.refused_by_log(),
        look(settings.log, settings.key_file, [chosen.optouts]) as logs,
    ):
        words = [word for file in logs.optouts.values() for word in file.all_standing()]
    if output is Output.JSON:
        from remindctl.report.stream import write_data  # noqa: PLC0415

        write_data(log.optouts_to_json(words))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        log.show_optouts(data_console(), words, chosen.store.timezone)
