"""``check``: everything that can be wrong before anything is sent, all of it at once."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import NoCache, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.cli.world import Shop
    from remindctl.config import Config, StoreConfig
    from remindctl.errors import Problem
    from remindctl.model import Span
    from remindctl.plan import Longest
    from remindctl.report.check import Standing
    from remindctl.sendlog import Logs

REFUSED = 2
# Where `init` puts campaigns.
_FOLDER = "campaigns"


def check(  # noqa: PLR0917 (each is an option; typer names them)
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Campaign files and folders; default: campaigns/ beside remindctl.yaml."
        ),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Look from this instant; default: now.")
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this store; repeatable.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")] = None,
    cron: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEDULE", help='When it will run: "0 16 * * *"; says which hours that misses.'
        ),
    ] = None,
    horizon: Annotated[
        str, typer.Option(metavar="SPAN", help="How far ahead to look for campaigns that meet.")
    ] = "14d",
    providers: Annotated[  # noqa: FBT002 (a flag)
        bool,
        typer.Option("--providers", help="Ask each provider whether it is ready; sends nothing."),
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    no_cache: NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """Check configuration, campaigns, templates, law and lengths against the store's real data."""
    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.report import check as report  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415

    ahead = world.span(horizon, "--horizon")
    settings = world.open_config(config, paths[0] if paths else None, cache=not no_cache)
    stores = world.choose_stores(settings, store or [])
    where = paths or [settings.path.parent / _FOLDER]
    with working("Reading"):
        shops, found = world.look_around(where, settings, stores, as_of)
    with working("Checking"):
        more, longest = _look_closer(settings, shops, ahead)
        standings, unready = _ask(settings, stores) if providers else (None, [])
        found = sorted(dict.fromkeys([*found, *more, *unready, *_schedule(shops, cron)]))
    campaigns = sorted({one.name for shop in shops for one in shop.campaigns})
    if output is Output.JSON:
        from remindctl.report.stream import write_data  # noqa: PLC0415

        write_data(report.to_json(campaigns, found, longest, standings))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        report.show(data_console(), campaigns, found, longest, standings)
    if any(not each.warning for each in found):
        raise typer.Exit(REFUSED)


def _ask(settings: Config, stores: Sequence[StoreConfig]) -> tuple[list[Standing], list[Problem]]:
    from remindctl.cli import accounts  # noqa: PLC0415

    return accounts.standings(settings, stores)


def _schedule(shops: Sequence[Shop], cron: str | None) -> list[Problem]:
    """Say what a schedule misses, over the fortnight from the instant that is looked from.

    Raises:
        Refused: it is no schedule.
    """
    from datetime import timedelta  # noqa: PLC0415
    from itertools import takewhile  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.plan import missed  # noqa: PLC0415

    if cron is None:
        return []
    found = []
    for shop in shops:
        start = shop.as_of.astimezone(ZoneInfo(shop.config.store.timezone))
        end = start + timedelta(days=14)
        try:
            runs = list(takewhile(end.__gt__, CronSim(cron, start)))
        except CronSimError as error:
            hint = 'five fields: "0 16 * * *" is each day at 16:00'
            raise refuse(f"{cron!r} is no schedule: {error}", hint, path="--cron") from None
        for campaign in shop.campaigns:
            found += missed(campaign, shop.config.store, runs)
    return found


def _look_closer(
    settings: Config, shops: Sequence[Shop], ahead: Span
) -> tuple[list[Problem], dict[tuple[str, str], list[Longest]]]:
    """Make every message, and look at what the log, the providers and the opt-outs say."""
    from remindctl.cli import accounts, line  # noqa: PLC0415
    from remindctl.config import warnings  # noqa: PLC0415
    from remindctl.errors import Refused  # noqa: PLC0415
    from remindctl.plan import collisions, inspect  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    found = warnings(settings)
    longest: dict[tuple[str, str], list[Longest]] = {}
    for shop in shops:
        found += accounts.problems(settings, shop.config, shop.campaigns)
        try:
            with (
                line.refused_by_log(),
                look(settings.log, settings.key_file, [shop.config.optouts]) as logs,
            ):
                everyone = shop.people["person"].to_list()
                laid = line.lay_out(shop, logs, also=everyone)
                found += _opt_outs(shop, logs)
        except Refused as refused:
            found += refused.problems
            continue
        found += laid.problems
        for desk in laid.desks:
            wrong, lengths = inspect(desk)
            found += wrong
            longest[desk.campaign.name, desk.store.key] = lengths
        found += collisions(laid.desks, ahead)
    return found, longest


def _opt_outs(shop: Shop, logs: Logs) -> list[Problem]:
    """Say where unsubscribes do not come in, and where consents may not hold."""
    from remindctl.errors import Place, Problem  # noqa: PLC0415
    from remindctl.policy import stale_feed, vague_wordings  # noqa: PLC0415

    found = []
    file = logs.optouts.get(shop.config.optouts)
    last_list = file.last_list() if file else None
    stale = stale_feed(shop.config.store, shop.campaigns, last_list, shop.as_of)
    found += [stale] if stale else []
    for wording, statements in vague_wordings(shop.snapshot.consents).iter_rows():
        what = f"the consent wording {wording!r} ({statements:,} statements) names no advertising"
        hint = "a consent to news or benefits is none to advertising; ask again, in plain words"
        place = Place(f"store {shop.config.store.key}")
        found.append(Problem(place, what, hint, warning=True))
    return found
