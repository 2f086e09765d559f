"""``test``: send messages of a campaign to yourself, as its readers would get them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import NoCache, Output
from remindctl.model import Channel  # noqa: TC001 (typer reads the annotations as they run)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels import Sender
    from remindctl.cli.world import Shop
    from remindctl.model import Campaign, Leg, Step, Variant
    from remindctl.plan.trial import Trial
    from remindctl.report.trial import Tried
    from remindctl.sendlog import Logs

SOME_FAILED, REFUSED = 1, 2
_WORDS = {
    "phone": "a phone number",
    "email": "an e-mail address",
    "token": "a push token or customer id",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which messages, and to which address."""

    to: str
    step: str | None
    variant: str | None
    channel: Channel | None


def trial(  # noqa: PLR0917 (each is an option; typer names them)
    campaign: Annotated[Path, typer.Argument(help="The campaign file.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Yours: a phone number, an e-mail address, or a push token."
        ),
    ],
    step: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this step; default: each.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(metavar="ID", help="This variant; default: the first that fits.")
    ] = None,
    channel: Annotated[
        Channel | None, typer.Option(help="This channel; default: the first that fits ADDRESS.")
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this store; repeatable.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Look from this instant; default: now.")
    ] = None,
    yes: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--yes", help="Do not ask before sending, at night neither.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    no_cache: NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """Send a message of each step to yourself, marked [TEST]; the log does not know of it.

    It is made for some customer of the audience and goes to ADDRESS only. Coupon codes read
    TEST-CODE, and the link to refuse is nobody's.
    """
    from remindctl.cli import accounts, world  # noqa: PLC0415
    from remindctl.model import State  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.report.stream import write_data, write_talk, write_warnings  # noqa: PLC0415
    from remindctl.report.trial import show, to_json  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

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
        asked = _Asked(to, step, variant, channel)
        trials = [one for shop in shops for one in _trials(shop, logs, asked)]
    names = [one.row["provider"] for one in trials if one.row]
    with accounts.Senders(settings, names) as senders:
        _ask(trials, to, yes=yes)
        with working("Sending"):
            tried = [_sent(one, senders.by_name) for one in trials]
    if output is Output.JSON:
        write_data(to_json(tried))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        show(data_console(), tried)
    for path in senders.files:
        write_talk(f"outbox: {path}")
    if any(one.state is not State.SENT for one in tried):
        raise typer.Exit(SOME_FAILED)


def _trials(shop: Shop, logs: Logs, asked: _Asked) -> list[Trial]:
    """Make what is asked for, of one store.

    Raises:
        Refused: there is no such step, variant or leg, or no message can be made.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl import audience  # noqa: PLC0415
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.errors import Place, Problem, Refused  # noqa: PLC0415
    from remindctl.plan.trial import trial as made  # noqa: PLC0415

    kind, address = _address(asked.to, shop.config.store.country)
    everyone = [audience.members(one.audience) for one in shop.campaigns]
    members = shop.people.filter(pl.any_horizontal(everyone))["person"]
    with line.refused_by_log():
        laid = line.lay_out(shop, logs, also=members)
    trials = [
        made(desk, step, variant, index, address)
        for desk in laid.desks
        for step, variant, index in _legs(desk.campaign, asked, kind)
    ]
    problems = [
        Problem(
            one.step.places.get("id", Place(one.campaign.name)),
            f"step {one.step.id} has no message to try: {one.why}",
            "remindctl preview shows whom there are messages for",
        )
        for one in trials
        if one.row is None
    ]
    if problems:
        raise Refused(problems)
    return trials


def _legs(campaign: Campaign, asked: _Asked, kind: str) -> list[tuple[Step, Variant, int]]:
    """Choose the first leg of each step that is asked for and goes to such an address.

    Raises:
        Refused: there is none.
    """
    from remindctl.documents import did_you_mean  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415

    steps = [one for one in campaign.steps if asked.step in (None, one.id)]
    if not steps:
        hint = did_you_mean(str(asked.step), [one.id for one in campaign.steps])
        raise refuse(f"{campaign.name} has no step {asked.step!r}", hint, path="--step")
    variants = [(step, one) for step in steps for one in step.variants]
    of_name = [(step, one) for step, one in variants if asked.variant in (None, one.id)]
    if not of_name:
        hint = did_you_mean(str(asked.variant), [one.id for _, one in variants if one.id])
        raise refuse(f"{campaign.name} has no variant {asked.variant!r}", hint, path="--variant")
    legs: dict[str, tuple[Step, Variant, int]] = {}
    for step, one in of_name:
        for index, leg in enumerate(one.legs):
            if asked.channel in (None, leg.channel) and _fits(leg, kind):
                legs.setdefault(step.id, (step, one, index))
    if not legs:
        channels = dict.fromkeys(str(leg.channel) for _, one in of_name for leg in one.legs)
        wanted = f"by {asked.channel} " if asked.channel else ""
        what = f"{campaign.name} sends nothing {wanted}to {_WORDS[kind]}"
        raise refuse(what, f"its channels are {', '.join(channels)}", path="--to")
    return [*legs.values()]


def _fits(leg: Leg, kind: str) -> bool:
    from remindctl.model import FAMILY  # noqa: PLC0415
    from remindctl.plan.trial import KINDS  # noqa: PLC0415

    wants = KINDS[FAMILY[leg.channel]]
    return kind == (wants if wants in ("phone", "email") else "token")


def _address(text: str, country: str) -> tuple[str, str]:
    """Read an address as the shop's files are read, and say which kind it is.

    Raises:
        Refused: it is empty.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.stores.values import careful_phones, email  # noqa: PLC0415

    cells = pl.Series("cell", [text.strip()], dtype=pl.String)
    if not text.strip():
        raise refuse("is empty", "your phone number or e-mail address", path="--to")
    mail = cells.to_frame().select(email(pl.col("cell")))["cell"][0]
    if mail is not None:
        return "email", mail
    phone = careful_phones(cells, country)[0]
    return ("phone", phone) if phone is not None else ("token", text.strip())


def _ask(trials: Sequence[Trial], to: str, *, yes: bool) -> None:
    """Ask a person at a terminal; where there is none, only closed hours need ``--yes``.

    Raises:
        Refused: nobody can be asked.
    """
    from remindctl import clock  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415

    now = clock.now()
    closed = dict.fromkeys(str(one.leg.channel) for one in trials if not one.is_open(now))
    late = f"these are no hours for {', '.join(closed)}" if closed else ""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        if closed:
            raise refuse(late, "--yes sends it to you all the same", path="--to")
        return
    for one in trials:
        provider = one.row["provider"] if one.row else ""
        typer.echo(f"{one.campaign.name}, {one.step.id}: {one.leg.channel}, {provider}", err=True)
    count = f"{len(trials)} test message{'' if len(trials) == 1 else 's'}"
    question = f"Send {count} to {to}{f'? Though {late}' if late else '?'} [y/N] "
    typer.echo(question, nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        typer.echo("nothing was sent", err=True)
        raise typer.Exit(REFUSED)


def _sent(one: Trial, senders: Mapping[str, Sender]) -> Tried:
    """Send a message under a name of its own, so that no provider takes it for a repetition."""
    import json  # noqa: PLC0415
    from uuid import uuid4  # noqa: PLC0415

    from remindctl import clock  # noqa: PLC0415
    from remindctl.dispatch import outgoing, send_one  # noqa: PLC0415
    from remindctl.report.trial import Tried  # noqa: PLC0415

    # It may go at any hour: whoever asks for it is asked about that.
    row = {**(one.row or {}), "key": uuid4().hex, "closes_at": None}
    extras = json.loads(row["extras"] or "{}")
    name = f"test-{row['key']}"
    message = outgoing(one.campaign, one.store, row, extras, clock.now(), name)
    receipt = send_one(senders[row["provider"]], message)
    return Tried(
        campaign=one.campaign.name,
        store=one.store.key,
        step=one.step.id,
        variant=one.variant.id,
        channel=one.leg.channel,
        provider=row["provider"],
        state=receipt.state,
        provider_id=receipt.provider_id,
        code=receipt.code,
        detail=receipt.detail,
    )
