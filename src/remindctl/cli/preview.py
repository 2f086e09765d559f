"""``preview``: the messages of a campaign as their readers will see them; nothing is sent."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import NoCache, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remindctl.cli.line import Planned
    from remindctl.cli.world import Shop
    from remindctl.report.preview import Preview
    from remindctl.sendlog import Logs

# A page of ours says so among its first bytes.
_OURS = b'<meta name="generator" content="remindctl'
_HEAD = 2_000


def preview(
    campaign: Annotated[Path, typer.Argument(help="The campaign file.")],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page that shows messages as phones do."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many make the sample of each step.")
    ] = 3,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Look from this instant; default: now.")
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this store; repeatable.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    no_cache: NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """Show messages: a sample, the shortest, the longest, one per variant and segment."""
    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.report.preview import show, to_json  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.stream import write_data, write_warnings  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    _refuse_overwriting(html)
    settings = world.open_config(config, campaign, cache=not no_cache)
    stores = world.choose_stores(settings, store or [])
    with working("Reading"):
        shops = world.gather([campaign], settings, stores, as_of, any_age=True)
    write_warnings(dict.fromkeys(one for shop in shops for one in shop.warnings))
    paths = [shop.config.optouts for shop in shops]
    with (
        working("Writing messages"),
        look(settings.log, settings.key_file, paths) as logs,
    ):
        previews = [one for shop in shops for one in _previews(shop, logs, limit)]
    if html is not None:
        _write(html, previews)
    if output is Output.JSON:
        write_data(to_json(previews))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        show(data_console(), previews)


def _previews(shop: Shop, logs: Logs, limit: int) -> Iterator[Preview]:
    import polars as pl  # noqa: PLC0415

    from remindctl import audience  # noqa: PLC0415
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.plan import sample  # noqa: PLC0415
    from remindctl.report.preview import preview as made  # noqa: PLC0415

    everyone = [audience.members(campaign.audience) for campaign in shop.campaigns]
    members = shop.people.filter(pl.any_horizontal(everyone))["person"]
    with line.refused_by_log():
        laid = line.lay_out(shop, logs, also=members)
        planned: Planned = line.make_plans(laid, None)
    for desk, plan in zip(laid.desks, planned.plans, strict=True):
        steps = [sample(desk, step) for step in desk.campaign.steps]
        yield made(plan, pl.concat(steps, how="diagonal_relaxed"), shop.people, limit)


def _refuse_overwriting(path: Path | None) -> None:
    """Refuse to write a page over anything but a page, such as a campaign's own HTML.

    Raises:
        Refused: the file is there, and is none.
    """
    from remindctl.errors import refuse  # noqa: PLC0415

    if path is None or not path.is_file():
        return
    with path.open("rb") as file:
        ours = _OURS in file.read(_HEAD)
    if not ours:
        raise refuse(
            f"{path} is there already and is no page of remindctl",
            "name another file",
            path="--html",
        )


def _write(path: Path, previews: Sequence[Preview]) -> None:
    import os  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.preview import to_html  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415

    page = to_html(previews)
    try:
        # Its texts speak of customers: for its owner only.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        hint = "name a file in a folder that you may write to"
        raise refuse(what, hint, path=str(path)) from error
    write_talk(f"{path}: the messages; open it in a browser")
