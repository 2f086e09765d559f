"""Open key, log and opt-outs of an installation together: a lost log is not a first run."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from remindctl.errors import Refused, refuse
from remindctl.sendlog import optouts as optouts_file
from remindctl.sendlog.absent import NoLog
from remindctl.sendlog.database import FINGERPRINT, Step, create, is_there, open_existing
from remindctl.sendlog.keys import create_key, read_key
from remindctl.sendlog.optouts import OptOuts
from remindctl.sendlog.places import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from remindctl.sendlog.contract import PastLog, SendLog
    from remindctl.sendlog.keys import Hasher
    from remindctl.sendlog.places import LogPlace

# A clock may be set right by a little; further back, caps and windows would lie.
MOST_BACKWARDS = timedelta(minutes=5)

_NO_KEY = "without it nobody in the log is recognised; machines that share a log share it"
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

    log: PastLog
    hasher: Hasher | None
    optouts: Mapping[Path, OptOuts]
    missing: tuple[str, ...] = ()

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

    log: SendLog


def open_logs(
    log: Path | str,
    key_file: Path,
    optouts: Sequence[Path],
    *,
    now: datetime,
    new_log: bool = False,
) -> SendingLogs:
    """Open everything for a sending run; on the very first one, make it.

    Args:
        log: as the configuration names it: a file, or the URL of a PostgreSQL database.
        key_file: likewise; one key for everything.
        optouts: the files of all stores of the run.
        now: the clock, to compare with the newest entry.
        new_log: start with an empty log, or opt-outs, where one is gone.

    Raises:
        Refused: the log, the key or the opt-outs are gone while the others are there, belong to
            another key or a newer version, are damaged, or the clock was set back.
    """
    place = place_of(log)
    has_log = place.is_there()
    there = [place.short] if has_log else []
    there += [path.name for path in (key_file, *optouts) if is_there(path)]
    if there and not is_there(key_file):
        raise _gone("key file", str(key_file), there, _NO_KEY)
    if there and not has_log and not new_log:
        hint = "restore it from a backup; --new-log may message people a second time"
        raise _gone("send log", place.name, there, hint)
    hasher = create_key(key_file)
    if not has_log:
        place.create({"log_id": secrets.token_hex(8), FINGERPRINT: hasher.fingerprint})
    opened = place.open(hasher.fingerprint, read_only=False)
    beside = log.parent if isinstance(log, Path) else key_file.parent
    try:
        _check_clock(opened, place, now)
        files = _open_known(opened, place, optouts, beside, hasher, new_log=new_log)
    except BaseException:
        opened.close()
        raise
    return SendingLogs(opened, hasher, files)


def open_present(
    log: Path | str, key_file: Path, optouts: Sequence[Path], *, now: datetime
) -> SendingLogs:
    """Open everything for upkeep, as :func:`open_logs`, but make no log.

    Raises:
        Refused: as :func:`open_logs`, or nothing was ever sent.
    """
    place = place_of(log)
    if not place.is_there() and not any(map(is_there, (key_file, *optouts))):
        raise refuse("there is no send log yet: nothing was ever sent", path=place.name)
    return open_logs(log, key_file, optouts, now=now)


def look(log: Path | str, key_file: Path, optouts: Sequence[Path]) -> Logs:
    """Open what is there, for reading only; nothing is made.

    Raises:
        Refused: the key is gone while the others are there, or a file is not usable.
    """
    place = place_of(log)
    files = tuple(dict.fromkeys(optouts))
    present = {
        place.name: place.is_there(),
        **{str(path): is_there(path) for path in (key_file, *files)},
    }
    if not any(present.values()):
        return Logs(NoLog(), None, {})
    missing = tuple(name for name, is_present in present.items() if not is_present)
    if str(key_file) in missing:
        short = {place.name: place.short}
        there = [short.get(name, Path(name).name) for name in present if name not in missing]
        raise _gone("key file", str(key_file), there, _NO_KEY)
    hasher = read_key(key_file)
    claims: PastLog = NoLog()
    if present[place.name]:
        claims = place.open(hasher.fingerprint, read_only=True)
    opened = {
        path: _open_optouts(path, hasher, read_only=True) for path in files if present[str(path)]
    }
    return Logs(claims, hasher, opened, missing)


def open_optouts(log: Path | str, key_file: Path, path: Path, *, now: datetime) -> KeyedLogs:
    """Open one file of opt-outs for writing, also while the log is gone: a refusal cannot wait.

    Raises:
        Refused: as :func:`open_logs` does, but for the log.
    """
    place = place_of(log)
    if place.is_there() or not (is_there(key_file) or is_there(path)):
        return open_logs(log, key_file, [path], now=now)
    if not is_there(key_file):
        raise _gone("key file", str(key_file), [path.name], _NO_KEY)
    hasher = read_key(key_file)
    if not is_there(path):
        _create_optouts(path, hasher)
    file = _open_optouts(path, hasher, read_only=False)
    return KeyedLogs(NoLog(), hasher, {path: file}, (place.name,))


def _check_clock(log: SendLog, place: LogPlace, now: datetime) -> None:
    newest = log.newest()
    if newest is not None and now < newest - MOST_BACKWARDS:
        what = f"the newest entry is of {newest:%Y-%m-%d %H:%M} UTC, later than the clock says"
        raise refuse(what, "set the clock right; caps and windows would be wrong", path=place.name)


def _open_known(
    log: SendLog,
    place: LogPlace,
    optouts: Sequence[Path],
    beside: Path,
    hasher: Hasher,
    *,
    new_log: bool,
) -> dict[Path, OptOuts]:
    """Open files of opt-outs, making those that the log does not know of yet.

    Args:
        log: open.
        place: of the log.
        optouts: the files.
        beside: the folder from which the log names them.
        hasher: of the log.
        new_log: make also one that the log knows of.
    """
    files = {}
    for path in dict.fromkeys(optouts):
        known_as = f"optouts {os.path.relpath(path, beside)}"
        if not is_there(path):
            if log.meta(known_as) is not None and not new_log:
                hint = "restore it from a backup; --new-log forgets everyone who opted out"
                raise _gone("opt-out file", str(path), [place.short], hint)
            _create_optouts(path, hasher)
        files[path] = _open_optouts(path, hasher, read_only=False)
        log.set_meta(known_as, "yes")
    return files


def _create_optouts(path: Path, hasher: Hasher) -> None:
    first = {FINGERPRINT: hasher.fingerprint}
    create(path, optouts_file.KIND, _OPTOUTS, first)


def _open_optouts(path: Path, hasher: Hasher, *, read_only: bool) -> OptOuts:
    return OptOuts(
        open_existing(path, optouts_file.KIND, _OPTOUTS, hasher.fingerprint, read_only=read_only)
    )


def _gone(what: str, where: str, there: Sequence[str], hint: str) -> Refused:
    return refuse(f"the {what} is gone, but not {' or '.join(there)}", hint, path=where)
