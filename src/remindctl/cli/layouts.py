"""``layouts``: the export formats that are understood, and one of them as a start for one's own."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="List the export formats that are understood.",
    no_args_is_help=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def layouts(context: typer.Context) -> None:
    """List the export formats that are understood."""
    if context.invoked_subcommand is None:
        from remindctl.report.console import data_console  # noqa: PLC0415
        from remindctl.report.layouts import show_layouts  # noqa: PLC0415
        from remindctl.stores.layout import built_in  # noqa: PLC0415

        show_layouts(data_console(), list(built_in().values()))


@app.command()
def show(name: Annotated[str, typer.Argument(help="The name of a layout.")]) -> None:
    """Print one layout, as a start for your own: remindctl layouts show NAME > my-layout.yaml."""
    from remindctl.report.stream import write_data  # noqa: PLC0415
    from remindctl.stores.layout import built_in_text  # noqa: PLC0415

    write_data(built_in_text(name))
