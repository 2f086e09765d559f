"""``optout``: who wants no more messages; kept as hashes, apart from the log."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import Output
from remindctl.model import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.config import Config, StoreConfig

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


_FAMILIES = {"phone": (Family.TEXT, Family.KAKAO), "email": (Family.EMAIL,)}


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
    words = _Words(scopes, family or [], at=at, source=source)
    typer.echo(f"{_record(addresses, words, store, config)} recorded", err=True)


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

    words = _Words(["advertising", EVERYTHING], family or [], stands=False, evidence=evidence)
    typer.echo(f"{_record(addresses, words, store, config)} lifted", err=True)


@app.command("list")
def list_(
    store: StoreName = None,
    config: ConfigFile = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
) -> None:
    """List who has opted out, by the last digits of their addresses."""
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.report import log  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    settings = line.open_config(config)
    chosen = _one_store(settings, store)
    with (
        line.refused_by_log(),
        look(line.log_file(settings), settings.key_file, [chosen.optouts]) as logs,
    ):
        words = [word for file in logs.optouts.values() for word in file.all_standing()]
    if output is Output.JSON:
        from remindctl.report.stream import write_data  # noqa: PLC0415

        write_data(log.optouts_to_json(words))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        log.show_optouts(data_console(), words, chosen.store.timezone)


@dataclass(frozen=True)
class _Words:
    """What is to be said of every address."""

    scopes: Sequence[str]
    families: Sequence[Family]
    at: str | None = None
    stands: bool = True
    source: str = "manual"
    evidence: str = ""


def _record(addresses: Sequence[str], words: _Words, store: str | None, config: Path | None) -> int:
    """Write the words into the file of opt-outs; say how many were new."""
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.sendlog import OptOut, ending, open_optouts  # noqa: PLC0415

    settings = line.open_config(config)
    chosen = _one_store(settings, store)
    now = clock.now()
    at = line.instant(words.at, chosen.store.timezone, "--at") if words.at else now
    known = _read(addresses, chosen)
    path = chosen.optouts
    with (
        line.refused_by_log(),
        open_optouts(line.log_file(settings), settings.key_file, path, now=now) as logs,
    ):
        said = [
            OptOut(
                hmac=logs.hasher.hash(kind, value, chosen.store.key),
                family=family,
                scope=scope,
                at=at,
                stands=words.stands,
                source=words.source,
                evidence=words.evidence,
                ending=ending(value),
            )
            for kind, value in known
            for family in words.families or _FAMILIES[kind]
            for scope in words.scopes
        ]
        return logs.optouts[path].record(said, now)


def _one_store(settings: Config, name: str | None) -> StoreConfig:
    """Choose the store whose country and file of opt-outs count."""
    from remindctl.cli import line  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415

    stores = line.choose_stores(settings, [name] if name else [])
    if len({(one.optouts, one.store.country) for one in stores}) > 1:
        names = ", ".join(one.store.key for one in stores)
        raise refuse("which store is it for?", f"--store NAME, one of {names}", path="--store")
    return stores[0]


def _read(addresses: Sequence[str], store: StoreConfig) -> list[tuple[str, str]]:
    """Read addresses as the shop's files are read: kind and normalised value of each.

    Raises:
        Refused: with every one that is no address.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl.errors import Place, Problem, Refused, refuse  # noqa: PLC0415
    from remindctl.stores.values import careful_phones, email  # noqa: PLC0415

    given = [text for one in addresses for text in (sys.stdin if one == "-" else [one])]
    cells = pl.Series("cell", [text.strip() for text in given if text.strip()], dtype=pl.String)
    if cells.is_empty():
        raise refuse("no address is given", "remindctl optout add 010-1234-5678")
    emails = cells.to_frame().select(email(pl.col("cell")))["cell"]
    phones = careful_phones(cells, store.store.country)
    hint = "a phone number (010-1234-5678, +12025550100) or an e-mail address"
    problems = [
        # Not the text itself: what is no address may still be someone's.
        Problem(Place("ADDRESS", line), "this is no address", hint)
        for line, (mail, phone) in enumerate(zip(emails, phones, strict=True), start=1)
        if mail is None and phone is None
    ]
    if problems:
        raise Refused(problems)
    return [
        ("email", mail) if mail is not None else ("phone", phone)
        for mail, phone in zip(emails, phones, strict=True)
    ]
