"""Where a send log is kept: in a file of this machine, or in a database that machines share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from remindctl.errors import refuse
from remindctl.sendlog import tables
from remindctl.sendlog.database import create, is_there, open_existing
from remindctl.sendlog.sqlite import SqliteLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.sendlog.contract import SendLog


class LogPlace(Protocol):
    """A place for one log.

    Attributes:
        name: as a person is told, without secrets.
        short: likewise, among other files of the installation.
    """

    name: str
    short: str

    def is_there(self) -> bool:
        """Say whether a log was ever made there.

        Raises:
            Refused: the place cannot be looked at.
        """

    def create(self, meta: Mapping[str, str]) -> None:
        """Make an empty log; one that another process has just made stays as it is.

        Args:
            meta: what it says of itself.

        Raises:
            Refused: it cannot be made.
        """

    def open(self, fingerprint: str, *, read_only: bool) -> SendLog:
        """Open a log that is there.

        Args:
            fingerprint: of the key that it must have been written with.
            read_only: then nothing of it is changed, also where it is of an earlier version.

        Raises:
            Refused: it is damaged, of a newer version or another key; it is left as it is.
        """


class FilePlace:
    """See :class:`LogPlace`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self.short = path.name

    def is_there(self) -> bool:
        """See ``LogPlace.is_there``."""
        return is_there(self._path)

    def create(self, meta: Mapping[str, str]) -> None:
        """See ``LogPlace.create``."""
        create(self._path, tables.KIND, tables.STEPS, meta)

    def open(self, fingerprint: str, *, read_only: bool) -> SqliteLog:
        """See ``LogPlace.open``."""
        steps = tables.STEPS
        return SqliteLog(
            open_existing(self._path, tables.KIND, steps, fingerprint, read_only=read_only)
        )


def place_of(log: Path | str) -> LogPlace:
    """Return the place that a configuration names: a file, or the URL of a PostgreSQL database.

    Raises:
        Refused: the URL cannot be read, or what PostgreSQL needs is not installed.
    """
    if isinstance(log, Path):
        return FilePlace(log)
    try:
        from remindctl.sendlog.postgres.place import PostgresPlace  # noqa: PLC0415 (an extra)
    except ImportError:
        hint = "pip install 'remindctl[postgres]'"
        raise refuse("a log in PostgreSQL needs the package psycopg", hint, path="log") from None
    return PostgresPlace(log)
