"""The options that several commands have in common, each said once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class Output(StrEnum):
    """The forms of an answer; commands that write spreadsheets have more."""

    TABLE = "table"
    JSON = "json"


class Table(StrEnum):
    """The forms of an answer that is a table."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Files: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(help="Order files, folders or globs; customer files may come along."),
]
AsOf: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Look from this day; default: the last order's day."),
]
Config: TypeAlias = Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")]
Layout: TypeAlias = Annotated[
    str | None, typer.Option(help="A layout file, or the name of a layout.")
]
Maps: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Say what a column means; repeatable."),
]
NoCache: TypeAlias = Annotated[
    bool,
    typer.Option("--no-cache", help="Neither use nor keep snapshots of files read before."),
]
PasswordEnv: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Environment variable with the password of the files."),
]
