"""``log resolve``: a person decides about messages of which nobody knows whether they were sent."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.log_options import (  # noqa: TC001 (typer reads the annotations as they run)
    Campaign,
    ConfigFile,
    StoreName,
    Yes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.config import Config
    from remindctl.sendlog import Entry


class Verdict(StrEnum):
    """What an unknown message is held to be."""

    SENT = "sent"
    FAILED = "failed"


def resolve(  # noqa: PLR0917 (each is an option; typer names them)
    as_: Annotated[
        Verdict | None,
        typer.Option("--as", help="sent: it stays so; failed: it may be sent again."),
    ] = None,
    claims: Annotated[
        list[int] | None,
        typer.Argument(metavar="CLAIM…", help="Numbers from `log show --state unknown`."),
    ] = None,
    all_unknown: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--all-unknown", help="Every unknown message that the rest leaves.")
    ] = False,
    lookup: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--lookup", help="Ask the providers that can tell, and decide nothing.")
    ] = False,
    campaign: Campaign = None,
    store: StoreName = None,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; kept with each, without addresses.")
    ] = "",
    yes: Yes = False,  # noqa: FBT002 (a flag)
    config: ConfigFile = None,
) -> None:
    """Decide about messages that may or may not have been sent, after you asked the provider.

    With --lookup the program asks: each run does so too, before it sends.
    """
    from remindctl import clock  # noqa: PLC0415
    from remindctl.channels.reading import detail  # noqa: PLC0415
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.cli.log_options import agreed, open_for_upkeep  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.model import State  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415
    from remindctl.sendlog import Deed, Filter, Outcome  # noqa: PLC0415

    if lookup:
        if as_ or claims or all_unknown:
            raise refuse("--lookup asks the providers and nobody else", "leave the rest out")
        _look_up(world.open_config(config), store)
        return
    if as_ is None:
        raise refuse("what became of them?", "--as sent, --as failed, or --lookup", path="--as")
    if bool(claims) == all_unknown:
        hint = "CLAIM… or --all-unknown; `log show --state unknown` lists them"
        raise refuse("which messages?", hint)
    settings, now = world.open_config(config), clock.now()
    if store is not None:
        world.choose_stores(settings, [store])
    wanted = Filter(store=store, campaign=campaign, state=State.UNKNOWN)
    with line.refused_by_log(), open_for_upkeep(settings, now) as logs:
        unknown = list(logs.log.entries(wanted))
        numbers = _chosen(unknown, claims or [])
        if as_ is Verdict.FAILED and numbers:
            question = f"{len(numbers):,} may be sent again: did surely none of them arrive?"
            agreed(question, yes=yes)
        said = detail(note) or ""
        why = f"a person said so: {said}" if said else "a person said so"
        outcomes = [Outcome(number, State(as_), detail=why) for number in numbers]
        changed = logs.log.conclude(outcomes, now)
        deed = Deed(at=now, action=f"resolve as {as_}", store=store, reason=said, entries=changed)
        logs.log.record(deed)
    write_talk(f"{changed:,} of {len(unknown):,} unknown resolved as {as_}")


def _look_up(settings: Config, store: str | None) -> None:
    """Ask what became of the unknown messages of one store, or of all."""
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line, lookups, world  # noqa: PLC0415
    from remindctl.cli.log_options import open_for_upkeep  # noqa: PLC0415
    from remindctl.cli.reading import load_configured  # noqa: PLC0415
    from remindctl.report.run import write_looked_up  # noqa: PLC0415

    for chosen in world.choose_stores(settings, [store] if store else []):
        # The log has no addresses: they are found again in the shop's own files.
        addresses = load_configured(chosen).snapshot.addresses
        with line.refused_by_log(), open_for_upkeep(settings, clock.now()) as logs:
            ends = line.open_ends(chosen, (), logs.log)
            told = lookups.settle(settings, chosen, ends, addresses, logs.log, logs.hasher)
        write_looked_up(told, chosen.store.key)


def _chosen(unknown: Sequence[Entry], claims: Sequence[int]) -> list[int]:
    """Return the numbers that are meant.

    Raises:
        Refused: one of them is not unknown.
    """
    from remindctl.errors import Place, Problem, Refused  # noqa: PLC0415

    known = {entry.number for entry in unknown}
    hint = "`log show --state unknown` lists those that are"
    problems = [
        Problem(Place("CLAIM"), f"{number} is no unknown message", hint)
        for number in claims
        if number not in known
    ]
    if problems:
        raise Refused(problems)
    return sorted(set(claims) or known)
