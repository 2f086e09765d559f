"""The files of an installation: log, key and opt-outs, for their owner only, and all or none."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.installation import NOW, Files, claim, named

from remindctl.errors import Refused
from remindctl.frames import ADDRESSES, Addresses, conform
from remindctl.model import Family
from remindctl.profiles import Profiles
from remindctl.sendlog import Filter, LogError, OptOut, ending, open_optouts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def refusal(files: Files) -> str:
    with pytest.raises(Refused) as refused, files.open():
        pass
    return str(refused.value)


def test_whoever_removes_the_lock_file_lets_another_run_in(files: Files) -> None:
    with files.open() as logs, logs.log.lock("green") as held:
        held.check()
        files.file.with_name("log.db.green.lock").unlink()
        with pytest.raises(LogError, match="was removed"):
            held.check()


def test_only_the_owner_reads_the_files(files: Files) -> None:
    with files.open() as logs:
        logs.log.claim("r", [claim("k", "a")], NOW)
        look_at(files.folder)


def look_at(folder: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"log.db", "log.db-wal", "key", "optouts.db"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_lost_log_key_or_optout_file_is_not_a_first_run(files: Files) -> None:
    files.open().__exit__()
    saved = {path: path.read_bytes() for path in (files.file, files.key, files.optouts)}
    for path, what in [
        (files.file, "the send log is gone, but not key or optouts.db"),
        (files.key, "the key file is gone, but not log.db or optouts.db"),
        (files.optouts, "the opt-out file is gone, but not log.db"),
    ]:
        path.unlink()
        assert what in refusal(files)
        assert not path.exists()
        path.write_bytes(saved[path])
    files.file.unlink()
    files.open(new_log=True).__exit__()
    files.optouts.unlink()
    files.open(new_log=True).__exit__()
    files.key.write_text("00" * 32)
    assert "was written with another key" in refusal(files)
    files.key.write_text("not hex")
    assert "is not a key" in refusal(files)


def test_a_damaged_newer_or_foreign_file_is_left_as_it_is(files: Files) -> None:
    files.open().__exit__()
    whole = files.file.read_bytes()
    with closing(sqlite3.connect(files.file)) as connection, connection:
        connection.execute("UPDATE meta SET value = 99 WHERE name = 'schema'")
    assert "newer version (schema 99)" in refusal(files)
    for data, what in [
        (b"x" * 5000, "is damaged"),
        (whole[:1000] + b"\xff" * 3000 + whole[4000:], "is damaged"),
        (files.optouts.read_bytes(), "is not a file of this program"),
    ]:
        files.file.write_bytes(data)
        files.file.with_name("log.db-wal").unlink(missing_ok=True)
        assert what in refusal(files)
        assert files.file.read_bytes() == data


def test_looking_makes_nothing_and_says_what_is_missing(files: Files) -> None:
    with files.look() as logs:
        assert logs.hasher is None
        assert list(logs.log.entries(Filter())) == []
    assert not files.folder.exists()
    with files.open() as logs:
        logs.log.claim("r", [claim("k", "a")], NOW)
        with files.look() as seen:
            assert [entry.key for entry in seen.log.entries(Filter())] == [named("k")]
            assert seen.missing == ()
    files.file.unlink()
    with files.look() as logs:
        assert logs.missing == (str(files.file),)


def people(*names: str) -> tuple[Profiles, Addresses]:
    rows = [{"person": n, "customer_key": name} for n, name in enumerate(names)]
    known = [{"person": n, "kind": "phone", "value": name} for n, name in enumerate(names)]
    schema = {"person": pl.UInt32}
    return (
        Profiles(pl.DataFrame(rows, schema_overrides=schema)),
        Addresses(conform(pl.DataFrame(known), ADDRESSES)),
    )


def test_a_hash_belongs_to_the_key_the_kind_and_for_shop_ids_the_store(files: Files) -> None:
    with files.open() as logs, Files(files.folder / "other").open() as others:
        ours = logs.hasher.hash
        assert ours("phone", "1", "green") == ours("phone", "1", "blue")
        assert ours("shop_id", "1", "green") != ours("shop_id", "1", "blue")
        assert ours("coupon", "1", "green") != ours("coupon", "1", "blue")
        assert ours("phone", "1", "green") != ours("email", "1", "green")
        assert ours("phone", "1", "green") != others.hasher.hash("phone", "1", "green")
        found = logs.hasher.identifiers(*people("+1", "+2"), "green")
        assert found["hmac"].n_unique() == 4
        assert found.filter(pl.col("kind").is_null()).height == 2


def test_an_opt_out_stands_until_it_is_lifted_and_every_word_is_kept(files: Files) -> None:
    with files.open() as logs:
        file = logs.optouts[files.optouts]
        who = logs.hasher.identifiers(*people("+1", "+2"), "green")
        word = OptOut(
            hmac=logs.hasher.hash("phone", "+2", ""),
            family=Family.TEXT,
            scope="advertising",
            at=NOW,
        )
        assert file.standing(who).is_empty()
        assert file.record([word, word], NOW) == 1
        assert file.standing(who).select("person", "kind", "value", "family", "at").rows() == [
            (1, "phone", "+2", "text", NOW)
        ]
        before = file.last_word()
        assert file.record([replace(word, at=NOW + timedelta(days=1))], NOW) == 1
        assert file.standing(who)["at"].to_list() == [NOW + timedelta(days=1)]
        assert file.record([replace(word, stands=False, evidence="letter of 1 July")], NOW) == 1
        assert file.record([replace(word, stands=False)], NOW) == 0
        assert file.standing(who).is_empty()
        assert list(file.all_standing()) == []
        assert file.last_word() == before + 2


def test_a_refusal_is_recorded_even_while_the_log_is_gone(files: Files) -> None:
    open_optouts(files.log, files.key, files.optouts, now=NOW).__exit__()
    assert files.file.exists()
    files.file.unlink()
    with open_optouts(files.log, files.key, files.optouts, now=NOW) as logs:
        word = OptOut(hmac=b"x" * 16, family=Family.TEXT, scope="all", at=NOW)
        assert logs.optouts[files.optouts].record([word], NOW) == 1
    assert not files.file.exists()


def test_of_an_address_only_its_ending_is_kept() -> None:
    assert ending("+821090001234") == "1234"
    assert ending("kim@example.com") == "k***@e…"
