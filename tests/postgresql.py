"""A PostgreSQL server for tests: one that is named, or one of their own that goes with them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names a server where the tests may make databases and drop them again.
NAMED = "REMINDCTL_TEST_POSTGRES"

# Nothing here need survive a power cut.
_OPTIONS = "-c fsync=off -c full_page_writes=off -c listen_addresses="


class Server:
    """A server that gives each who asks a new database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = count(1)
        self._made: list[str] = []

    def execute(self, query: sql.Composed) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(query)

    def database(self) -> str:
        """Make a database and return its URL."""
        name = f"remindctl_test_{os.getpid()}_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self._made.append(name)
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def drop_all(self) -> None:
        for name in self._made:
            query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            self.execute(query.format(sql.Identifier(name)))


def programs() -> Path | None:
    """Find the newest installed server's programs; Debian keeps them out of the PATH."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    by_version = sorted(folders, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))])
    return by_version[-1].parent if by_version else None


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """Run a server on a socket in a folder of its own.

    Args:
        folder: with the server's programs.
    """
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    # Not pytest's own folder: that one is closed to other users, and too long for a socket's name.
    home = Path(tempfile.mkdtemp(prefix="remindctl-"))
    if user is not None:
        shutil.chown(home, user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [folder / program, "-D", home / "data", *arguments],
            check=True,
            user=user,
            cwd=home,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "--no-sync", "--username=shop", "--auth=trust", "--encoding=UTF8")
        run("pg_ctl", "--wait", f"--log={home}/log", "-o", f"-k {home} {_OPTIONS}", "start")
        try:
            yield Server(f"postgresql://shop@/postgres?host={home}")
        finally:
            run("pg_ctl", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(home)
