"""``customers``: one row per customer, to look at, filter and hand on."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli import options  # noqa: TC001 (typer reads the annotations as they run)

if TYPE_CHECKING:
    from remindctl.cli.selection import Selection
    from remindctl.report.customers import Listing


class Output(StrEnum):
    """The forms of an answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"


class DueState(StrEnum):
    """Where a customer stands on the way to the next order."""

    NOT_DUE = "not_due"
    DUE = "due"
    LATE = "late"
    LAPSED = "lapsed"
    ONE_TIME = "one_time"


def customers(  # noqa: PLR0917 (each is an option; typer names them)
    files: options.Files = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    segment: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only who is in this segment; repeatable: in any."),
    ] = None,
    due: Annotated[
        list[DueState] | None, typer.Option(help="Only who stands there; repeatable: any of them.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help='Only who meets it: "orders >= 2 AND spent > 30000".'),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Show these columns of Profiles.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(metavar="A,-B,…", help="Sort by these columns; -B: the largest first."),
    ] = "-spent",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show no more than the first N.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Who has entered or left which segment since then."),
    ] = None,
    as_of: options.AsOf = None,
    store: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=FILES]",
            help="Name the store; NAME alone without FILES reads remindctl.yaml.",
        ),
    ] = None,
    config: options.Config = None,
    layout: options.Layout = None,
    maps: options.Maps = None,
    bom: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--bom", help="Begin the CSV so that Excel reads Korean.")
    ] = False,
    show_contacts: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--show-contacts", help="Show names, e-mails and phones in full.")
    ] = False,
    password_env: options.PasswordEnv = None,
    no_cache: options.NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """List customers: segment, due state, expected next order, scores; names masked."""
    from remindctl.cli.inputs import password_from  # noqa: PLC0415
    from remindctl.cli.jobs import day_of, jobs_of  # noqa: PLC0415
    from remindctl.cli.selection import Selection, look  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415

    day, before = day_of(as_of, "--as-of"), day_of(since, "--since")
    jobs = jobs_of(files or [], store or [], config, command="customers")
    if len(jobs) != 1:
        raise refuse("one store at a time", "run it once for each", path="--store")
    selection = Selection(
        segments=tuple(segment or ()),
        due=tuple(str(state) for state in due or ()),
        where=where,
        columns=tuple(columns.split(",")) if columns is not None else (),
        sort=tuple(sort.split(",")),
        limit=limit,
        since=before,
        show_contacts=show_contacts,
    )
    with working("Reading and counting"):
        reading = jobs[0].reading(
            None,
            layout=layout,
            maps=maps or (),
            password=password_from(password_env),
            cache=not no_cache,
        )
        loaded = reading.loaded()
        listing = look(jobs[0], loaded, day, _shown(selection, output))
    if show_contacts:
        write_talk("names, e-mails and phones are shown in full: keep this answer safe")
    _show(listing, output, bom=bom)


def _shown(selection: Selection, output: Output) -> Selection:
    """Fill in what the form of the answer shows where nothing else is asked for."""
    from dataclasses import replace  # noqa: PLC0415

    moved = ("entered", "left") if selection.since else ()
    if output is Output.TABLE:
        from remindctl.report.customers_table import SHOWN, STANDARD  # noqa: PLC0415

        standard = (*STANDARD[:3], *moved) if moved else STANDARD
        return replace(
            selection,
            columns=selection.columns or standard,
            limit=selection.limit or SHOWN,
        )
    from remindctl.report.customers import STANDARD as EVERYTHING  # noqa: PLC0415

    return replace(selection, columns=selection.columns or (*EVERYTHING, *moved))


def _show(listing: Listing, output: Output, *, bom: bool) -> None:
    from remindctl.report.stream import write_data, write_utf8  # noqa: PLC0415

    if output is Output.TABLE:
        from remindctl.report.console import data_console  # noqa: PLC0415
        from remindctl.report.customers_table import show  # noqa: PLC0415

        show(data_console(), listing)
        return
    from remindctl.report.customers import to_csv, to_json, to_ndjson  # noqa: PLC0415

    if output is Output.CSV:
        write_utf8(to_csv(listing, bom=bom), whatever_the_locale=bom)
    else:
        write_data(to_json(listing) if output is Output.JSON else to_ndjson(listing))
