"""``consents``: whom the law asks to be told of what they agreed to or refused, and until when."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli import options  # noqa: TC001 (typer reads the annotations as they run)

if TYPE_CHECKING:
    from datetime import date, datetime

    from remindctl.config import Config, StoreConfig
    from remindctl.frames import Addresses, Suppressions
    from remindctl.model import Span
    from remindctl.report.consents import Duties

app = typer.Typer(help="Look after the consents that were given.", no_args_is_help=True)


class Output(StrEnum):
    """The forms of an answer."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.callback()
def _group() -> None:
    """Make this a group, also while it has one command only."""


@app.command()
def due(
    store: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this store; repeatable.")
    ] = None,
    within: Annotated[
        str, typer.Option(metavar="SPAN", help="Also what is due so soon; the overdue always.")
    ] = "30d",
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Look from this instant; default: now.")
    ] = None,
    config: options.Config = None,
    show_contacts: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--show-contacts", help="Show addresses in full.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    no_cache: options.NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """List who is to be told of a consent or refusal (14 days), or again of a consent (2 years).

    Who was told stands in the consents file: notice_sent_at. Wordings of consents that do not name
    advertising are listed too, since such a consent may not hold.
    """
    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.report import consents  # noqa: PLC0415
    from remindctl.report.stream import write_data, write_file, write_talk  # noqa: PLC0415

    settings = world.open_config(config, cache=not no_cache)
    ahead = world.span(within, "--within")
    duties = [
        _duties(settings, one, as_of, ahead) for one in world.choose_stores(settings, store or [])
    ]
    if show_contacts:
        write_talk("addresses are shown in full: keep this answer safe")
    else:
        duties = [one.masked() for one in duties]
    if output is Output.CSV:
        write_file(consents.to_csv(duties))
    elif output is Output.JSON:
        write_data(consents.to_json(duties))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        consents.show(data_console(), duties)


def _duties(settings: Config, chosen: StoreConfig, as_of: str | None, within: Span) -> Duties:
    """Read a store's consents and opt-outs and say what follows from them."""
    from remindctl import clock, policy  # noqa: PLC0415
    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.cli.reading import load_configured  # noqa: PLC0415
    from remindctl.report.consents import Duties  # noqa: PLC0415

    store = chosen.store
    now = clock.now() if as_of is None else world.instant(as_of, store.timezone, "--as-of")
    files = load_configured(chosen).snapshot
    people = policy.everyone(files.addresses, files.consents)
    found = policy.notices(
        files.consents,
        people,
        _optouts(settings, chosen, people),
        explicit_sources=store.explicit_consent_sources,
        as_of=now,
        within=within,
        zone=store.timezone,
    )
    keys = files.customers.select("person", "customer_key")
    asked = policy.PRESETS[store.policy.preset].notice
    return Duties(
        store=store.key,
        as_of=_day(now, store.timezone),
        asked=asked,
        notices=(found if asked else found.clear())
        .join(keys, on="person", how="left", maintain_order="left")
        .rename({"value": "address"}),
        wordings=policy.vague_wordings(files.consents),
        undated=policy.undated(files.consents) if asked else 0,
    )


def _optouts(settings: Config, chosen: StoreConfig, people: Addresses) -> Suppressions:
    """Find the opt-outs that stand for any of these addresses."""
    import polars as pl  # noqa: PLC0415

    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.frames import SUPPRESSIONS, Suppressions, empty  # noqa: PLC0415
    from remindctl.profiles import Profiles  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    with (
        line.refused_by_log(),
        look(settings.log, settings.key_file, [chosen.optouts]) as logs,
    ):
        if logs.hasher is None or chosen.optouts not in logs.optouts:
            return Suppressions(empty(SUPPRESSIONS))
        # Opt-outs are found by addresses alone, so the people need no name of their own here.
        nameless = people.select("person", pl.lit("").alias("customer_key")).unique()
        known = logs.hasher.identifiers(Profiles(nameless), people, chosen.store.key)
        return logs.optouts[chosen.optouts].standing(known)


def _day(instant: datetime, zone: str) -> date:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    return instant.astimezone(ZoneInfo(zone)).date()
