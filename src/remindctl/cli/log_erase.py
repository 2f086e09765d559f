"""``log forget`` and ``log purge``: erase what is known of people, not that they were messaged."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.log_options import (  # noqa: TC001 (typer reads the annotations as they run)
    ConfigFile,
    StoreName,
    Yes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from remindctl.config import Config, StoreConfig
    from remindctl.sendlog import Hasher


SOME_FAILED = 1

_YEARS = re.compile(r"([0-9]{1,2})\s*y")


def forget(
    person: Annotated[
        str,
        typer.Argument(
            metavar="PERSON",
            help="A customer key, phone number or e-mail address; - reads it from stdin.",
        ),
    ],
    store: StoreName = None,
    config: ConfigFile = None,
) -> None:
    """Erase a person: addresses' last digits, providers' ids and details; opt-outs stand.

    Hashes stay, by which nobody is messaged twice or against their will. Snapshots of the stores'
    files are removed.
    """
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.cli.log_options import open_for_upkeep  # noqa: PLC0415
    from remindctl.cli.optout_words import one_store  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415

    settings, now = world.open_config(config), clock.now()
    chosen = one_store(settings, store)
    name = chosen.store.key
    _remove_snapshots(settings)
    given = (sys.stdin.readline() if person == "-" else person).strip()
    with line.refused_by_log(), open_for_upkeep(settings, now) as logs, logs.log.lock(name):
        known_by = _hashes(given, chosen, logs.hasher)
        erased = logs.log.forget(name, known_by, now)
        file = logs.optouts[chosen.optouts]
        write_talk(f"{erased.messages:,} entries of this person stripped; opt-outs stand")
        if not erased.messages:
            write_talk(f"nobody in the log of the store {name!r} is known by this")
        _rewrite([lambda: file.forget(known_by | erased.identifiers), logs.log.rewrite])
    write_talk("not touched: the shop's own files, outbox files, and what providers keep")


def purge(
    older_than: Annotated[
        str, typer.Option(metavar="SPAN", help="Such as 2y or 180d, from the last attempt on.")
    ],
    yes: Yes = False,  # noqa: FBT002 (a flag)
    config: ConfigFile = None,
) -> None:
    """Erase the same of all old entries; what keeps people from being messaged twice stays.

    Snapshots of the stores' files are removed, whatever their age.
    """
    from remindctl import clock  # noqa: PLC0415
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.cli.log_options import agreed, open_for_upkeep  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415

    settings, now = world.open_config(config), clock.now()
    before = _before(older_than, now)
    _remove_snapshots(settings)
    with line.refused_by_log(), open_for_upkeep(settings, now) as logs, ExitStack() as locks:
        for name in settings.stores:
            locks.enter_context(logs.log.lock(name))
        agreed(f"Strip every entry from before {before:%Y-%m-%d} (UTC)?", yes=yes)
        stripped = logs.log.purge(before, now)
        write_talk(f"{stripped:,} entries from before {before:%Y-%m-%d} stripped")
        _rewrite([logs.log.rewrite])


def _remove_snapshots(settings: Config) -> None:
    """Remove what the stores' files were read as; it is there whether or not there is a log.

    Raises:
        Refused: some of it cannot be removed.
    """
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415
    from remindctl.stores.snapshot import Snapshots  # noqa: PLC0415

    for folder in {store.snapshots for store in settings.stores.values() if store.snapshots}:
        try:
            removed = Snapshots(folder).clear()
        except OSError as error:
            what = f"snapshots cannot be removed: {error.strerror or error}"
            raise refuse(
                what, "remove this folder, then run this again", path=str(folder)
            ) from error
        if removed:
            write_talk(f"{removed:,} snapshots of the stores' files removed")


def _hashes(given: str, chosen: StoreConfig, hasher: Hasher) -> frozenset[bytes]:
    """Hash whatever a text may name: a customer key, a shop's id, a phone number, a mail address.

    Raises:
        Refused: it is empty.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.stores.values import careful_phones, email  # noqa: PLC0415

    if not given:
        raise refuse("nobody is named", "a customer key, a phone number or an e-mail address")
    cell = pl.Series("cell", [given])
    names = [
        ("person", given),
        ("shop_id", given),
        ("phone", careful_phones(cell, chosen.store.country)[0]),
        ("email", cell.to_frame().select(email(pl.col("cell")))["cell"][0]),
    ]
    store = chosen.store.key
    return frozenset(hasher.hash(kind, value, store) for kind, value in names if value is not None)


def _before(older_than: str, now: datetime) -> datetime:
    """Return the instant of ``--older-than``.

    Raises:
        Refused: it is no span, or shorter than a day: ``6m`` are minutes here, not months.
    """
    from datetime import timedelta  # noqa: PLC0415

    from remindctl.cli import world  # noqa: PLC0415
    from remindctl.errors import refuse  # noqa: PLC0415

    if match := _YEARS.fullmatch(older_than.strip()):
        first = now.replace(day=1)
        # From 29 February, a common year is counted back to 1 March.
        return first.replace(year=now.year - int(match[1])) + timedelta(days=now.day - 1)
    span = world.span(older_than, "--older-than")
    back = timedelta(days=span.days, seconds=span.seconds)
    if back < timedelta(days=1):
        raise refuse("that is less than a day", "such as 2y or 180d", path="--older-than")
    return now - back


def _rewrite(files: Iterable[Callable[[], object]]) -> None:
    """Rewrite files; say so where one cannot be, which changes nothing of what was stripped."""
    from remindctl.report.stream import write_talk  # noqa: PLC0415
    from remindctl.sendlog import LogError  # noqa: PLC0415

    failed = False
    for rewrite in files:
        try:
            rewrite()
        except LogError as error:
            failed = True
            write_talk(f"not rewritten, so traces may still be on the disk: {error}")
    if failed:
        write_talk("  hint: run this again when nothing else uses the log and the disk has room")
        raise typer.Exit(SOME_FAILED)
