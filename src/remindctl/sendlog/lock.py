"""One sending run per store: a file lock beside the log, which the system drops with its holder."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from remindctl.errors import refuse
from remindctl.sendlog.entries import LogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FileLock:
    """A held lock; see :func:`hold`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def check(self) -> None:
        """See ``StoreLock.check``: whoever removed the file let another run in."""
        try:
            same = os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except OSError:
            same = False
        if not same:
            raise LogError(f"{self._path} was removed while this run held it")


@contextmanager
def hold(path: Path, store: str) -> Iterator[FileLock]:
    """Hold the lock of a store.

    Raises:
        Refused: another run holds it, or the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise refuse(f"cannot be written: {error.strerror}", path=str(path)) from None
    try:
        if not _try_to_lock(descriptor):
            raise refuse(
                f"another run is sending for the store {store!r}",
                "wait until it has ended, or look for it: its messages are being sent now",
            )
        yield FileLock(path, descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_to_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
