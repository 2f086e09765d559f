"""Snapshots: what files were read as, kept on the disk so that unchanged ones are read once.

A snapshot is never worth a failure. One that is missing, damaged, of other files or of another
version of this program is passed over, and one that cannot be written is done without.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Self, TypeVar

import polars as pl

import remindctl
from remindctl.stores import archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

T = TypeVar("T")

# Replaces the folder for files that belong to no configuration; empty: none is kept of them.
VARIABLE = "REMINDCTL_CACHE"
FOLDER = "snapshots"
# Less text is read in a twentieth of a second, as much as a workbook in a quarter.
WORTHWHILE_BYTES = 2**21
MOST_BYTES = 2**31
UNUSED_DAYS = 30

_EDGE = 2**16
_SUFFIX = ".snapshot"


@dataclass(frozen=True, slots=True)
class Key:
    """What a snapshot answers.

    Attributes:
        question: a folder holds one snapshot for each.
        state: of the files and of the program when it was asked, see :func:`state_of`.
    """

    question: str
    state: str

    @classmethod
    def of(cls, question: Iterable[object], state: str) -> Self:
        """Return the key of a question, given as values whose ``repr`` is stable."""
        return cls(_hash(question), state)


def state_of(files: Iterable[Path]) -> str | None:
    """Return what changes whenever a file or this program does; None = nothing to keep.

    That is so where a file is not there, or where all are read about as fast as a snapshot of them.
    A file is known by its path, size, times of change, number on the disk and by its first and last
    64 KiB. To hash the whole would take a third of the time of reading it, and on POSIX the
    inode's time of change betrays a writer who puts the other one back.
    """
    try:
        known = [_fingerprint(path) for path in files]
    except OSError:
        return None
    if sum(size for size, _ in known) < WORTHWHILE_BYTES:
        return None
    return _hash([*(each for _, each in known), *_program()])


def user_folder(environment: Mapping[str, str], home: Path, platform: str) -> Path | None:
    """Return where snapshots of files without a configuration lie; None = nowhere.

    Args:
        environment: ``REMINDCTL_CACHE`` comes first, then what the platform has for it.
        home: the user's folder.
        platform: as ``sys.platform`` names it.
    """
    named = environment.get(VARIABLE)
    if named is not None:
        return Path(named).expanduser() / FOLDER if named else None
    if platform == "darwin":
        caches = home / "Library" / "Caches"
    elif platform == "win32":
        caches = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        caches = Path(environment.get("XDG_CACHE_HOME", ""))
        # Its specification wants relative paths to be ignored.
        caches = caches if caches.is_absolute() else home / ".cache"
    return caches / "remindctl" / FOLDER


class Snapshots:
    """The snapshots in one folder, which is this program's alone and readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, key: Key, kind: type[T]) -> T | None:
        """Return the answer to a question, if the state is still the one it was given in.

        A snapshot of another state is removed.
        """
        path, found = self._path(key), None
        if not path.is_file():
            return None
        with suppress(Exception):  # whatever is wrong with it, the files are still there
            found = archive.read(path, key.state) if _is_private(self._folder) else None
        with suppress(OSError):
            if isinstance(found, kind):
                os.utime(path)
            else:
                path.unlink()
        return found if isinstance(found, kind) else None

    def keep(self, key: Key, answer: object) -> None:
        """Write the answer to a question in place of an older one, and tidy the folder."""
        with suppress(Exception):  # a full disk, a folder that is only for reading
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(self._folder):
                self._write(self._path(key), key.state, answer)
                self._tidy()

    def clear(self) -> int:
        """Remove all snapshots; return how many there were.

        Raises:
            OSError: one cannot be removed.
        """
        removed = 0
        for path in self._folder.glob(f"*{_SUFFIX}"):
            path.unlink(missing_ok=True)
            removed += 1
        return removed

    def _path(self, key: Key) -> Path:
        return self._folder / f"{key.question}{_SUFFIX}"

    def _write(self, path: Path, label: str, answer: object) -> None:
        """Write a whole file or none, whoever else writes the same one at the same time."""
        descriptor, name = mkstemp(_SUFFIX, dir=self._folder)  # readable by its owner only
        new = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                archive.write(file, label, answer)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _tidy(self) -> None:
        """Remove what was not used for long and, the longest unused first, what is too much."""
        unused_since = time.time() - UNUSED_DAYS * 86_400
        found = [(path.stat(), path) for path in self._folder.glob(f"*{_SUFFIX}")]
        total = 0
        for about, path in sorted(found, key=lambda one: one[0].st_mtime, reverse=True):
            total += about.st_size
            if total > MOST_BYTES or about.st_mtime < unused_since:
                path.unlink(missing_ok=True)


def _is_private(folder: Path) -> bool:
    """Tell whether nobody else can read the folder, or put into it what we would believe."""
    if os.name != "posix":
        return True
    about = folder.stat()
    return about.st_uid == os.geteuid() and not about.st_mode & 0o077


def _fingerprint(path: Path) -> tuple[int, tuple[object, ...]]:
    """Return a file's size, and what it is known by."""
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        edges = file.read(_EDGE)
        if about.st_size > _EDGE:
            file.seek(max(_EDGE, about.st_size - _EDGE))
            edges += file.read(_EDGE)
    times = about.st_mtime_ns, about.st_ctime_ns
    return about.st_size, (str(path), about.st_size, *times, about.st_dev, about.st_ino,
                           hashlib.blake2b(edges).hexdigest())  # fmt: skip


def _program() -> Iterator[object]:
    """Yield what tells this program, its layouts and the libraries it reads with from others.

    Installing anything changes the folder of the installed packages; the hashes of polars differ
    from version to version wherever it lies.
    """
    yield remindctl.__version__, pl.__version__, sys.version
    for entry in sys.path:
        if Path(entry).name in ("site-packages", "dist-packages"):
            with suppress(OSError):
                yield entry, os.stat(entry).st_mtime_ns  # noqa: PTH116 (as below)
    for folder, _, names in sorted(os.walk(Path(remindctl.__file__).parent)):
        for name in sorted(names):
            if name.endswith((".py", ".yaml")):
                about = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 (half the time)
                yield folder, name, about.st_size, about.st_mtime_ns


def _hash(parts: Iterable[object]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(f"{part!r}\n".encode(errors="surrogateescape"))
    return found.hexdigest()
