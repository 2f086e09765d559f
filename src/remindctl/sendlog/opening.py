"""Open key, log and opt-outs of an installation together: a lost log is not a first run."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from remindctl.errors import Refused, refuse
from remindctl.sendlog import optouts as optouts_file
from remindctl.sendlog import sqlite, tables
from remindctl.sendlog.database import (
    FINGERPRINT,
    Step,
    create,
    is_there,
    open_existing,
    set_meta,
)
from remindctl.sendlog.keys import create_key, read_key
from remindctl.sendlog.optouts import OptOuts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from remindctl.sendlog.keys import Hasher

# A clock may be set right by a little; further back, caps and windows would lie.
MOST_BACKWARDS = timedelta(minutes=5)

_OPTOUTS = (Step(optouts_file.TABLES),)


@dataclass(frozen=True, slots=True)
class Logs:
    """What is there of an installation's files, open; a context manager that closes them.

    Attributes:
        log: claims and outcomes; empty where none is there.
        hasher: its key; None where nothing was ever written.
        optouts: by path.
        missing: what should be there and is not.
    """

    log: sqlite.SqliteLog | sqlite.NoLog
    hasher: Hasher | None
    optouts: Mapping[Path, OptOuts]
    missing: tuple[Path, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.close()
        for file in self.optouts.values():
            file.close()


@dataclass(frozen=True, slots=True)
class KeyedLogs(Logs):
    """With a key, so that opt-outs can be written."""

    hasher: Hasher


@dataclass(frozen=True, slots=True)
class SendingLogs(KeyedLogs):
    """All of them, open for writing."""

    log: sqlite.SqliteLog


def open_logs(
    log: Path, key_file: Path, optouts: Sequence[Path], *, now: datetime, new_log: bool = False
) -> SendingLogs:
    """Open everything for a sending run; on the very first one, make it.

    Args:
        log: as the configuration names it.
        key_file: likewise; one key for everything.
        optouts: the files of all stores of the run.
        now: the clock, to compare with the newest entry.
        new_log: start with an empty log, or opt-outs, where one is gone.

    Raises:
        Refused: the log, the key or the opt-outs are gone while the others are there, belong to
            another key or a newer version, are damaged, or the clock was set back.
    """
    there = [path for path in (log, key_file, *optouts) if is_there(path)]
    if there and not is_there(key_file):
        raise _gone("key file", key_file, there, "without it nobody in the log is recognised")
    if there and not is_there(log) and not new_log:
        hint = "restore it from a backup; --new-log may message people a second time"
        raise _gone("send log", log, there, hint)
    hasher = create_key(key_file)
    if not is_there(log):
        first = {"log_id": secrets.token_hex(8), FINGERPRINT: hasher.fingerprint}
        create(log, tables.KIND, tables.STEPS, first)
    database = open_existing(log, tables.KIND, tables.STEPS, hasher.fingerprint, read_only=False)
    opened = sqlite.SqliteLog(database)
    newest = opened.newest()
    if newest is not None and now < newest - MOST_BACKWARDS:
        what = f"the newest entry is of {newest:%Y-%m-%d %H:%M} UTC, later than the clock says"
        raise refuse(what, "set the clock right; caps and windows would be wrong", path=str(log))
    files = {}
    for path in dict.fromkeys(optouts):
        known_as = f"optouts {os.path.relpath(path, log.parent)}"
        if not is_there(path):
            if database.meta(known_as) is not None and not new_log:
                hint = "restore it from a backup; --new-log forgets everyone who opted out"
                raise _gone("opt-out file", path, [log], hint)
            _create_optouts(path, hasher)
        files[path] = _open_optouts(path, hasher, read_only=False)
        with database.transaction() as connection:
            set_meta(connection, known_as, "yes")
    return SendingLogs(opened, hasher, files)


def look(log: Path, key_file: Path, optouts: Sequence[Path]) -> Logs:
    """Open what is there, for reading only; nothing is made.

    Raises:
        Refused: the key is gone while the others are there, or a file is not usable.
    """
    paths = (log, key_file, *dict.fromkeys(optouts))
    there = [path for path in paths if is_there(path)]
    if not there:
        return Logs(sqlite.NoLog(), None, {})
    if key_file not in there:
        raise _gone("key file", key_file, there, "without it nobody in the log is recognised")
    hasher = read_key(key_file)
    claims: sqlite.SqliteLog | sqlite.NoLog = sqlite.NoLog()
    if log in there:
        claims = sqlite.SqliteLog(
            open_existing(log, tables.KIND, tables.STEPS, hasher.fingerprint, read_only=True)
        )
    files = {path: _open_optouts(path, hasher, read_only=True) for path in optouts if path in there}
    return Logs(claims, hasher, files, tuple(path for path in paths if path not in there))


def open_optouts(log: Path, key_file: Path, path: Path, *, now: datetime) -> KeyedLogs:
    """Open one file of opt-outs for writing, also while the log is gone: a refusal cannot wait.

    Raises:
        Refused: as :func:`open_logs` does, but for the log.
    """
    if is_there(log) or not (is_there(key_file) or is_there(path)):
        return open_logs(log, key_file, [path], now=now)
    if not is_there(key_file):
        raise _gone("key file", key_file, [path], "without it nobody in the log is recognised")
    hasher = read_key(key_file)
    if not is_there(path):
        _create_optouts(path, hasher)
    file = _open_optouts(path, hasher, read_only=False)
    return KeyedLogs(sqlite.NoLog(), hasher, {path: file}, (log,))


def _create_optouts(path: Path, hasher: Hasher) -> None:
    first = {FINGERPRINT: hasher.fingerprint}
    create(path, optouts_file.KIND, _OPTOUTS, first)


def _open_optouts(path: Path, hasher: Hasher, *, read_only: bool) -> OptOuts:
    return OptOuts(
        open_existing(path, optouts_file.KIND, _OPTOUTS, hasher.fingerprint, read_only=read_only)
    )


def _gone(what: str, path: Path, there: Sequence[Path], hint: str) -> Refused:
    others = " or ".join(path.name for path in there)
    return refuse(f"the {what} is gone, but not {others}", hint, path=str(path))
