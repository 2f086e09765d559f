"""``log import``: what providers tell of messages later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.log_options import (  # noqa: TC001 (typer reads the annotations as they run)
    ConfigFile,
)
from remindctl.cli.options import Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from remindctl.channels.reports import Report
    from remindctl.cli.log_reports import Told
    from remindctl.config import StoreConfig
    from remindctl.errors import Problem
    from remindctl.sendlog import Hasher, Known, OptOut, Outcome


def import_(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="CSV, workbooks, JSON or NDJSON; posted events too."),
    ],
    provider: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only messages of this provider.")
    ] = None,
    skip_bad: Annotated[  # noqa: FBT002 (a flag)
        bool, typer.Option("--skip-bad", help="Leave out what cannot be read.")
    ] = False,
    store: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of addresses alone; needed among several."),
    ] = None,
    config: ConfigFile = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
) -> None:
    """Record results: delivered, undelivered; opt-outs and dead addresses become opt-outs.

    A message is named by our id or by the provider's. All of it or nothing: what cannot be read may
    be someone's refusal. The same file may come twice.
    """
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.cli.log_options import open_for_upkeep  # noqa: PLC0415
    from remindctl.cli.log_reports import read_reports  # noqa: PLC0415
    from remindctl.cli.optout_words import one_store  # noqa: PLC0415
    from remindctl.errors import Refused  # noqa: PLC0415
    from remindctl.report import log_import  # noqa: PLC0415
    from remindctl.report.stream import write_data, write_talk, write_warnings  # noqa: PLC0415

    settings, now = world.open_config(config), clock.now()
    chosen = one_store(settings, store)
    told, problems = read_reports(files)
    if problems and not skip_bad:
        raise Refused(problems)
    write_warnings(problems)
    with line.refused_by_log(), open_for_upkeep(settings, now) as logs:
        known = logs.log.known({name for one in told for name in one.report.names})
        matched = _match(told, known, chosen, logs.hasher, provider)
        opted_out = 0
        words, lost = _words(matched, chosen, logs.hasher, now)
        for key, of_store in words.items():
            path = settings.stores[key].optouts if key in settings.stores else chosen.optouts
            opted_out += logs.optouts[path].record(of_store, now)
        outcomes = [each for one, of in matched if of and (each := _outcome(one.report, of))]
        changed = logs.log.conclude(outcomes, now)
    write_warnings(lost)
    answer = log_import.Imported(
        reports=len(told),
        changed=changed,
        opted_out=opted_out,
        unknown=sum(of is None and bool(one.report.names) for one, of in matched),
        unplaced=len(lost),
        skipped=len(problems),
    )
    if output is Output.JSON:
        write_data(log_import.to_json(answer))
    else:
        write_talk(log_import.counts(answer))


def _match(
    told: Sequence[Told],
    known: Mapping[str, Sequence[Known]],
    chosen: StoreConfig,
    hasher: Hasher,
    provider: str | None,
) -> list[tuple[Told, Known | None]]:
    """Find the one message of each report; None = the log has none, or cannot tell which."""
    found = []
    for one in told:
        named = next((known[name] for name in one.report.names if name in known), ())
        mine = [each for each in named if provider in {None, each.provider}]
        if len(mine) > 1 and (address := _address(one.report, chosen)):
            # Some providers name all that left together alike.
            hmac = hasher.hash(*address, chosen.store.key)
            mine = [each for each in mine if each.destination == hmac]
        found.append((one, mine[0] if len(mine) == 1 else None))
    return found


def _words(
    matched: Sequence[tuple[Told, Known | None]],
    chosen: StoreConfig,
    hasher: Hasher,
    now: datetime,
) -> tuple[dict[str, list[OptOut]], list[Problem]]:
    """Turn what is told of recipients into opt-outs, by store; name those of nobody knows whom."""
    from remindctl.cli.optout_words import families_of  # noqa: PLC0415
    from remindctl.errors import Problem  # noqa: PLC0415
    from remindctl.model import FAMILY, Channel  # noqa: PLC0415
    from remindctl.policy import EVERYTHING  # noqa: PLC0415
    from remindctl.sendlog import OptOut, ending  # noqa: PLC0415

    words: dict[str, list[OptOut]] = {}
    lost = []
    for one, message in matched:
        report = one.report
        if report.suppress is None:
            continue
        address = _address(report, chosen)
        if message is not None and message.destination is not None:
            hmac, shown = message.destination, message.ending
        elif address is not None:
            hmac, shown = hasher.hash(*address, chosen.store.key), ending(address[1])
        else:
            hint = "remindctl optout add ADDRESS"
            lost.append(
                Problem(one.place, "whose refusal this is cannot be told", hint, warning=True)
            )
            continue
        if message is not None and message.channel is not None:
            families = [FAMILY[Channel(message.channel)]]
        else:
            families = list(families_of(address[0] if address else "phone"))
        words.setdefault(message.store if message else chosen.store.key, []).extend(
            OptOut(
                hmac=hmac,
                family=family,
                scope=EVERYTHING if report.suppress == "dead" else "advertising",
                at=now,
                undated=True,
                source=f"provider: {report.code or report.suppress}",
                ending=shown,
            )
            for family in families
        )
    return words, lost


def _address(report: Report, chosen: StoreConfig) -> tuple[str, str] | None:
    """Return kind and normalised value of the address of a report."""
    import polars as pl  # noqa: PLC0415

    from remindctl.stores.values import careful_phones, email  # noqa: PLC0415

    if report.to is None:
        return None
    cell = pl.Series("cell", [report.to])
    mail = cell.to_frame().select(email(pl.col("cell")))["cell"][0]
    if mail is not None:
        return "email", mail
    phone = careful_phones(cell, chosen.store.country)[0]
    return None if phone is None else ("phone", phone)


def _outcome(report: Report, message: Known) -> Outcome | None:
    from remindctl.model import State  # noqa: PLC0415
    from remindctl.sendlog import Outcome  # noqa: PLC0415

    if report.state is None:
        return None
    state = report.state
    if state in {State.REJECTED, State.FAILED}:
        # It was accepted before; whatever it is called now, it did not arrive.
        state = State.UNDELIVERED
    return Outcome(message.claim, state, None, report.code, report.detail)
