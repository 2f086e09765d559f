"""``init``: a new store folder, from what its owner tells of the shop."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.errors import Problem
    from remindctl.starter import Facts, Library

# Fact → what is asked for on a terminal. Those that have no default must be told.
_QUESTIONS: Mapping[str, str] = {
    "name": "Name of the shop, as customers read it",
    "country": "Country, two letters (KR, US, DE, …)",
    "key": "Short name for the log and the command line",
    "timezone": "Time zone",
    "currency": "Currency",
    "url": "Address of the shop on the web",
    "phone": "Number that text messages come from",
    "email": "Address that e-mails come from",
    "contact": "Number by which customers reach you",
    "address": "Postal address",
    "optout_phone": "Free number to refuse advertising (080, in Korea)",
    "optout_url": "Page to refuse advertising (https://…)",
    "providers": "Who sends for you (solapi, twilio, smtp; several with commas)",
}
_NEEDED = ("name", "country", "timezone", "currency")
_NAME = "remindctl.yaml"


def init(  # noqa: PLR0917 (each is an option; typer names them)
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Where to (default: here); made if need be.", show_default=False
        ),
    ] = Path(),
    name: Annotated[str, typer.Option(help=_QUESTIONS["name"], show_default=False)] = "",
    key: Annotated[str, typer.Option(help=_QUESTIONS["key"], show_default=False)] = "",
    country: Annotated[str, typer.Option(help=_QUESTIONS["country"], show_default=False)] = "",
    timezone: Annotated[str, typer.Option(help="Such as Asia/Seoul.", show_default=False)] = "",
    currency: Annotated[str, typer.Option(help="Such as KRW.", show_default=False)] = "",
    url: Annotated[str, typer.Option(help=_QUESTIONS["url"], show_default=False)] = "",
    phone: Annotated[str, typer.Option(help=_QUESTIONS["phone"], show_default=False)] = "",
    email: Annotated[str, typer.Option(help=_QUESTIONS["email"], show_default=False)] = "",
    contact: Annotated[str, typer.Option(help=_QUESTIONS["contact"], show_default=False)] = "",
    address: Annotated[str, typer.Option(help=_QUESTIONS["address"], show_default=False)] = "",
    optout_phone: Annotated[
        str, typer.Option(help=_QUESTIONS["optout_phone"], show_default=False)
    ] = "",
    optout_url: Annotated[
        str, typer.Option(help=_QUESTIONS["optout_url"], show_default=False)
    ] = "",
    provider: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="solapi, twilio or smtp; repeatable. Default: none."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take the defaults.")] = False,  # noqa: FBT002 (a flag)
) -> None:
    """Make a store folder: remindctl.yaml, campaigns, and what cron and systemd need."""
    from remindctl.errors import refuse  # noqa: PLC0415

    if (folder / _NAME).exists():
        hint = "nothing is written over; name another folder: remindctl init DIR"
        raise refuse("there is a store here already", hint, path=str(folder / _NAME))
    told = {
        "name": name, "key": key, "country": country.upper(), "timezone": timezone,
        "currency": currency.upper(), "url": url, "phone": phone, "email": email,
        "contact": contact, "address": address, "optout_phone": optout_phone,
        "optout_url": optout_url, "providers": ",".join(provider or ()),
    }  # fmt: skip
    facts = _settle(told, ask=not yes and sys.stdin.isatty() and sys.stderr.isatty())
    library = _library(facts.country)
    written, kept = _write(folder, _files(folder, facts, library))
    _tell(folder, library, written, kept)


def _settle(told: Mapping[str, str], *, ask: bool) -> Facts:
    """Make the facts of a shop from what was told, asked for and usual.

    Raises:
        Refused: something is missing or wrong; each problem names the option.
    """
    from remindctl.errors import Place, Problem, Refused  # noqa: PLC0415

    facts = {fact: value.strip() for fact, value in told.items()}
    for fact, question in _QUESTIONS.items():
        if facts[fact]:
            continue
        usual = _usual(fact, facts)
        facts[fact] = _asked(fact, question, usual, facts) if ask else usual
    missing = [
        Problem(Place(_option(fact)), "is missing", f"tell it: {_option(fact)} …")
        for fact in _NEEDED
        if not facts[fact]
    ]
    unsaid = {problem.place for problem in missing}
    problems = [problem for problem in _problems(facts) if problem.place not in unsaid]
    if missing or problems:
        raise Refused([*missing, *problems])
    return _facts(facts)


def _usual(fact: str, facts: Mapping[str, str]) -> str:
    from remindctl.starter import DEFAULTS, key_for  # noqa: PLC0415

    usual = DEFAULTS.get(facts["country"], ("", ""))
    defaults = {"key": key_for(facts["name"]), "timezone": usual[0], "currency": usual[1]}
    return defaults.get(fact, "")


def _asked(fact: str, question: str, usual: str, facts: Mapping[str, str]) -> str:
    """Ask until the answer can stand in the configuration; nothing will do where none is needed."""
    from remindctl.report.stream import write_talk  # noqa: PLC0415

    shown = f" [{usual}]" if usual else "" if fact in _NEEDED else " (Enter: none)"
    while True:
        # Not typer's question: that one writes to stdout, which belongs to the data.
        typer.echo(f"{question}{shown}: ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            raise typer.Abort
        answer = line.strip() or usual
        if fact in ("country", "currency"):
            answer = answer.upper()
        if not answer and fact not in _NEEDED:
            return answer
        problems = _problems({**facts, fact: answer})
        wrong = [problem for problem in problems if problem.place.path == _option(fact)]
        if not wrong:
            return answer
        for problem in wrong:
            write_talk(f"  {problem.what}" + (f" ({problem.hint})" if problem.hint else ""))


def _option(fact: str) -> str:
    return "--provider" if fact == "providers" else f"--{fact.replace('_', '-')}"


def _facts(told: Mapping[str, str]) -> Facts:
    from remindctl.config import default_preset  # noqa: PLC0415
    from remindctl.starter import Facts  # noqa: PLC0415

    texts = {fact: value for fact, value in told.items() if fact != "providers"}
    return Facts(
        **texts, preset=default_preset(told["country"]), providers=tuple(_chosen(told["providers"]))
    )


def _chosen(text: str) -> Sequence[str]:
    names = (name.strip().lower() for name in text.split(","))
    return [name for name in dict.fromkeys(names) if name not in ("", "none")]


def _problems(told: Mapping[str, str]) -> list[Problem]:
    """Say what the configuration of these facts would have wrong, at the options that say them."""
    from remindctl.channels import PROVIDERS as SERVED  # noqa: PLC0415
    from remindctl.config import ConfigFile  # noqa: PLC0415
    from remindctl.documents import did_you_mean, parse  # noqa: PLC0415
    from remindctl.errors import Place, Problem, Refused  # noqa: PLC0415
    from remindctl.starter import PROVIDERS, blame, configuration  # noqa: PLC0415

    found = [
        Problem(
            Place("--provider"), f"{name!r} is none that init knows", did_you_mean(name, PROVIDERS)
        )
        for name in _chosen(told["providers"])
        if name not in PROVIDERS
    ]
    known = ",".join(name for name in _chosen(told["providers"]) if name in PROVIDERS)
    facts = _facts({**told, "providers": known})
    text = configuration(facts, served=SERVED, pools=True)
    try:
        parse(text, _NAME, ConfigFile)
    except Refused as refused:
        for problem in refused.problems:
            fact = blame(text, problem.place.line)
            found.append(replace(problem, place=Place(_option(fact))) if fact else problem)
    return found


def _library(country: str) -> Library:
    from remindctl.campaigns import load_campaigns  # noqa: PLC0415
    from remindctl.starter import library_folder, read_library  # noqa: PLC0415

    folder = library_folder()
    return read_library(folder, load_campaigns([folder]), country)


def _files(folder: Path, facts: Facts, library: Library) -> dict[str, bytes]:
    from remindctl.channels import PROVIDERS as SERVED  # noqa: PLC0415
    from remindctl.cli.schema import Kind, text_of  # noqa: PLC0415
    from remindctl.starter import Program  # noqa: PLC0415
    from remindctl.starter import folder as files  # noqa: PLC0415

    program = Path(sys.executable).with_name("remindctl")
    words = (str(program),) if program.is_file() else (sys.executable, "-m", "remindctl")
    schemas = {str(kind): f"{text_of(kind)}\n" for kind in Kind}
    return files(facts, library, schemas, Program(str(folder.resolve()), words), served=SERVED)


def _write(folder: Path, files: Mapping[str, bytes]) -> tuple[list[str], list[str]]:
    """Write the files that are not there yet, all of them or none; return them, and those kept.

    Raises:
        Refused: the folder cannot be written to.
    """
    from remindctl.errors import refuse  # noqa: PLC0415

    written: list[str] = []
    kept: list[str] = []
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Exclusive: a file that has come up in the meantime is not written over either.
                with path.open("xb") as file:
                    written.append(name)
                    file.write(content)
            except FileExistsError:
                kept.append(name)
    except OSError as error:
        for name in written:
            (folder / name).unlink(missing_ok=True)
        where = str(error.filename or folder)
        raise refuse(f"cannot be written: {error.strerror}", path=where) from error
    return written, kept


def _tell(folder: Path, library: Library, written: Sequence[str], kept: Sequence[str]) -> None:
    import shlex  # noqa: PLC0415

    from remindctl.report.stream import write_talk  # noqa: PLC0415

    lines = [f"wrote {len(written)} files into {folder.resolve()}"]
    lines += [f"kept, as it was there already: {name}" for name in kept]
    lines += [
        f"  {_NAME:<18} your shop; read it once from top to bottom",
        f"  {'campaigns/':<18} messages to choose from; README.md there says what each is",
        f"  {'exports/':<18} put your shop's downloads here",
        f"  {'coupons/':<18} and codes to give away here",
        f"  {'cron.txt, systemd/':<18} what to run when",
    ]
    if pools := sorted({pool for piece in library.active for pool in piece.pools}):
        files = ", ".join(piece.file for piece in library.active if piece.pools)
        lines += [
            f"coupon pools without a code yet: {', '.join(pools)}",
            f"  fill coupons/, or move to campaigns/later/: {files}",
        ]
    lines.append("then, with your orders in exports/:")
    if folder.resolve() != Path.cwd():
        lines.append(f"  cd {shlex.quote(str(folder))}")
    lines += [
        "  remindctl analyze exports           how often your customers come back",
        "  remindctl check                     what is wrong or missing",
        "  remindctl run campaigns --dry-run   who would get what; nothing is sent",
    ]
    write_talk("\n".join(lines))
