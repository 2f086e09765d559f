"""A log of an earlier version: brought up to date when it is written, left alone when looked at."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.installation import NOW, Files, claim, identifiers, named

from remindctl.errors import Refused
from remindctl.model import State
from remindctl.sendlog import Filter, Lost, Outcome
from remindctl.sendlog.database import micros

if TYPE_CHECKING:
    from pathlib import Path

# As version 0.1.0 made it. It stays as it is for ever.
SCHEMA_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE claims (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL, person BLOB NOT NULL, leg INTEGER NOT NULL, entry BLOB NOT NULL,
  store TEXT NOT NULL, campaign TEXT NOT NULL, step TEXT NOT NULL,
  variant TEXT, arm TEXT, store_arm TEXT, channel TEXT, provider TEXT, ground TEXT,
  tags TEXT NOT NULL, counts INTEGER NOT NULL, ending TEXT NOT NULL,
  due_at INTEGER NOT NULL, cost TEXT, currency TEXT,
  state TEXT NOT NULL, run TEXT NOT NULL, attempts INTEGER NOT NULL,
  first_attempt_at INTEGER NOT NULL, attempted_at INTEGER NOT NULL, settled_at INTEGER,
  provider_id TEXT, code TEXT, detail TEXT
);
CREATE INDEX open_claims ON claims (store) WHERE state = 'claimed';
CREATE TABLE identifiers (
  hmac BLOB NOT NULL, key BLOB NOT NULL, leg INTEGER NOT NULL, claim INTEGER NOT NULL,
  PRIMARY KEY (hmac, key, leg)
) WITHOUT ROWID;
PRAGMA application_id = 1919249772;
PRAGMA journal_mode = WAL;
"""


@pytest.fixture
def old(tmp_path: Path) -> Files:
    """Make an installation whose log is of schema 1, with a message that was not delivered."""
    files = Files(tmp_path)
    with files.open() as logs:
        fingerprint = logs.hasher.fingerprint
    for path in files.folder.glob("log.db*"):
        path.unlink()
    at = micros(NOW)
    with closing(sqlite3.connect(files.file)) as connection, connection:
        connection.executescript(SCHEMA_1)
        meta = {"schema": "1", "key_fingerprint": fingerprint, "newest_at": str(at)}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.execute(
            "INSERT INTO claims (key, person, leg, entry, store, campaign, step, tags, counts,"
            " ending, due_at, state, run, attempts, first_attempt_at, attempted_at)"
            " VALUES (?, ?, 0, ?, 'green', 'winback', 'day30', '[]', 1, '', ?, 'undelivered', 'r',"
            " 1, ?, ?)",
            (bytes.fromhex(named("k")), b"person a", b"e", at, at, at),
        )
        known = [(name, bytes.fromhex(named("k"))) for name in (b"a", b"person a")]
        connection.executemany("INSERT INTO identifiers VALUES (?, ?, 0, 1)", known)
    return files


def everything(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def shape(path: Path) -> list[str]:
    """Return what the tables and indexes of a file are, whatever made them."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
        return [
            f"{name} {connection.execute(f'PRAGMA {kind}({name})').fetchall()}"
            for [name] in names
            for kind in ("table_xinfo", "index_xinfo", "index_list")
        ]


def test_a_look_at_an_old_log_answers_everything_and_changes_nothing(old: Files) -> None:
    before = everything(old.file)
    with old.look() as logs:
        assert [entry.state for entry in logs.log.entries(Filter())] == ["undelivered"]
        assert len(logs.log.history("green", identifiers({0: ["a"]}))) == 1
        assert logs.log.issued("green").is_empty()
        assert logs.log.approved("green", ["T1"]) == {}
    assert everything(old.file) == before


def test_an_old_log_goes_on_and_becomes_like_a_new_one(old: Files, tmp_path: Path) -> None:
    first, second = (
        claim("k", "a", leg=leg, coupon_pool="welcome", coupon=b"code") for leg in (0, 1)
    )
    with old.open() as logs:
        assert logs.log.claim("r2", [first], NOW) == [Lost.ALREADY]
        assert logs.log.claim("r2", [second], NOW) == [2]
        logs.log.settle([Outcome(2, State.SENT)], NOW)
    with old.open() as logs, old.look() as seen:
        for log in (logs.log, seen.log):
            assert log.issued("green")["pool"].unique().to_list() == ["welcome"]
            assert log.history("green", identifiers({0: ["a"]}))["leg"].sort().to_list() == [0, 1]
    new = Files(tmp_path / "new")
    new.open().__exit__()
    assert shape(old.file) == shape(new.file)


def test_a_change_that_fails_leaves_the_old_log_as_it_was(old: Files) -> None:
    with closing(sqlite3.connect(old.file)) as connection, connection:
        # The last of the changes finds its name taken.
        connection.execute("CREATE TABLE holders (x)")
    before = shape(old.file)
    with pytest.raises(Refused, match="holders"):
        old.open()
    assert shape(old.file) == before
    with closing(sqlite3.connect(old.file)) as connection, connection:
        connection.execute("DROP TABLE holders")
    old.open().__exit__()


def test_two_processes_may_bring_a_log_up_to_date_at_once(old: Files) -> None:
    with old.open(), old.open() as second:
        assert second.log.history("green", identifiers({0: ["a"]})).get_column(
            "state"
        ).to_list() == ["undelivered"]
    assert pl.Series(shape(old.file)).str.starts_with("coupons ").any()
