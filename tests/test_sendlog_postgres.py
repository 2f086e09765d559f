"""What is PostgreSQL's own about a log there: sessions, rights, addresses, machines at once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from tests.installation import NOW, Files, claim, identifiers, named

from remindctl.errors import Refused
from remindctl.model import State
from remindctl.sendlog import Filter, LogError, Lost, Outcome, look, open_optouts
from remindctl.sendlog.database import Step

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgresql import Server


@pytest.fixture
def files(postgres: Server, tmp_path: Path) -> Files:
    return Files(tmp_path, postgres.database())


def run(files: Files, query: str) -> list[tuple[object, ...]]:
    """Do something to the database behind the program's back."""
    import psycopg  # noqa: PLC0415 (an extra; the fixture skips without it)

    with psycopg.connect(str(files.log), autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def refusal(files: Files) -> str:
    with pytest.raises(Refused) as refused, files.open():
        pass
    return str(refused.value)


def test_a_lost_log_or_key_and_a_newer_or_foreign_log_are_refused(files: Files) -> None:
    files.open().__exit__()
    run(files, "ALTER SCHEMA remindctl RENAME TO elsewhere")
    assert "the send log is gone, but not key or optouts.db" in refusal(files)
    with files.look() as logs:
        [name] = logs.missing
        assert name.startswith("postgresql://")
    run(files, "ALTER SCHEMA elsewhere RENAME TO remindctl")
    key = files.key.read_bytes()
    files.key.unlink()
    assert "the key file is gone, but not the database or optouts.db" in refusal(files)
    files.key.write_text("00" * 32)
    files.optouts.rename(files.optouts.with_name("kept"))
    assert "was written with another key" in refusal(files)
    files.key.write_bytes(key)
    assert "the opt-out file is gone, but not the database" in refusal(files)
    files.optouts.with_name("kept").rename(files.optouts)
    run(files, "UPDATE remindctl.meta SET value = '99' WHERE name = 'schema'")
    assert "newer version (schema 99)" in refusal(files)
    run(files, "UPDATE remindctl.meta SET value = 'x' WHERE name = 'schema'")
    assert "cannot be used" in refusal(files)
    run(files, "DROP SCHEMA remindctl CASCADE")
    open_optouts(files.log, files.key, files.optouts, now=NOW).__exit__()
    assert "is gone" in refusal(files)
    files.open(new_log=True).__exit__()


def test_looking_makes_nothing_and_writes_nothing(files: Files) -> None:
    with files.look() as logs:
        assert logs.hasher is None
    assert run(files, "SELECT FROM pg_namespace WHERE nspname = 'remindctl'") == []
    with files.open() as logs:
        logs.log.claim("r", [claim("k", "a")], NOW)
    with files.look() as seen:
        assert [entry.key for entry in seen.log.entries(Filter())] == [named("k")]
        assert len(seen.log.history("green", identifiers({0: ["a"]}))) == 1
        with pytest.raises(LogError, match="read-only"):
            seen.log.claim("r", [claim("k2", "a")], NOW)  # type: ignore[attr-defined]


def test_a_session_that_was_cut_has_lost_the_lock(files: Files) -> None:
    with files.open() as logs, files.open() as others, logs.log.lock("green") as held:
        held.check()
        with pytest.raises(Refused, match="another run is sending"), others.log.lock("green"):
            pass
        run(
            files,
            "SELECT pg_terminate_backend(pid, 9000) FROM pg_locks WHERE locktype = 'advisory'",
        )
        with others.log.lock("green") as theirs:
            theirs.check()
            with pytest.raises(LogError):
                held.check()
            with pytest.raises(LogError):
                logs.log.claim("r", [claim("k", "a")], NOW)


def test_a_lock_that_is_gone_from_a_living_session_is_missed(files: Files) -> None:
    with files.open() as logs, logs.log.lock("green") as held:
        # As behind a pool that gives the session to others.
        logs.log._database._connection.execute("SELECT pg_advisory_unlock_all()")  # type: ignore[attr-defined]
        with pytest.raises(LogError, match="was lost"):
            held.check()


def test_machines_that_claim_at_once_message_each_person_once(files: Files) -> None:
    machines, keys, people = 4, 5, 40
    files.open().__exit__()
    start = Barrier(machines, timeout=60)

    def send(machine: int) -> list[tuple[str, str]]:
        won = []
        with files.open() as logs:
            start.wait()
            for key in (f"k{number}" for number in range(keys)):
                # Each machine knows something of them that the others do not, in another order.
                batch = [claim(key, f"id{who}", f"{machine}'s {who}") for who in range(people)]
                batch = batch[machine * 7 :] + batch[: machine * 7]
                answers = logs.log.claim(f"r{machine}", batch, NOW)
                numbers = [answer for answer in answers if not isinstance(answer, Lost)]
                logs.log.settle([Outcome(number, State.SENT) for number in numbers], NOW)
                won += [
                    (one.key, one.person.decode())
                    for one, answer in zip(batch, answers, strict=True)
                    if not isinstance(answer, Lost)
                ]
        return won

    with ThreadPoolExecutor(machines) as pool:
        won = [pair for each in pool.map(send, range(machines)) for pair in each]
    assert len(won) == len(set(won)) == keys * people
    with files.look() as logs:
        assert [entry.state for entry in logs.log.entries(Filter())] == ["sent"] * keys * people
        assert len(list(logs.log.entries(Filter(limit=7)))) == 7


def test_machines_that_begin_at_once_make_one_log(files: Files, postgres: Server) -> None:
    first = Files(files.folder.parent / "first", postgres.database())
    first.open().__exit__()
    files.folder.mkdir()
    files.key.write_bytes(first.key.read_bytes())
    files.key.chmod(0o600)
    url = str(files.log)
    from remindctl.sendlog.postgres.place import PostgresPlace  # noqa: PLC0415 (an extra)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: PostgresPlace(url).create({"log_id": str(number)}), range(4)))
    assert len(run(files, "SELECT value FROM remindctl.meta WHERE name = 'log_id'")) == 1


def test_the_newest_entry_is_the_newest_of_all_machines(files: Files) -> None:
    with files.open() as logs, files.open() as others:
        logs.log.claim("r", [claim("k1", "a")], NOW)
        others.log.claim("r", [claim("k2", "a")], NOW - timedelta(minutes=1))
        assert logs.log.newest() == NOW


def test_an_old_log_goes_on_and_a_change_that_fails_leaves_it(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    from remindctl.sendlog.postgres.tables import STEPS  # noqa: PLC0415 (an extra)

    used = "remindctl.sendlog.postgres.place.STEPS"

    look_only = "CREATE TEMP VIEW claims AS SELECT *, 'new' AS colour FROM remindctl.claims"
    add = Step("ALTER TABLE claims ADD COLUMN colour text", look_only)
    with files.open() as logs:
        logs.log.claim("r", [claim("k", "a")], NOW)
    shape = "SELECT attname FROM pg_attribute WHERE attrelid = 'remindctl.claims'::regclass"
    before = run(files, shape)
    monkeypatch.setattr(used, (*STEPS, add, Step("CREATE TABLE claims (x int)")))
    assert "already exists" in refusal(files)
    assert run(files, shape) == before
    monkeypatch.setattr(used, (*STEPS, add))
    with files.look() as seen:
        assert len(list(seen.log.entries(Filter()))) == 1
        query = "SELECT colour FROM claims"
        assert seen.log._database._connection.execute(query).fetchall() == [("new",)]  # type: ignore[attr-defined]
    assert run(files, shape) == before
    with files.open() as first, files.open() as second:
        assert second.log.claim("r", [claim("k", "a")], NOW) == [Lost.ALREADY]
        assert first.log.meta("schema") == str(len(STEPS) + 1)
    assert ("colour",) in run(files, shape)


def test_no_message_shows_a_password(
    files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    for url, what in [
        ("postgresql://me:hunter2@127.0.0.1:1/db", "holds a password"),
        ("postgresql://me:hunter2@[bad/db", "cannot be read"),
        ("postgresql://me@127.0.0.1:1/db?password=hunter2", "holds a password"),
        ("postgresql://me@127.0.0.1:1/db", "postgresql://me@127.0.0.1:1/db: cannot be reached"),
    ]:
        with pytest.raises(Refused, match=what) as refused:
            look(url, tmp_path / "key", [])
        assert "hunter2" not in str(refused.value)
        assert "\n" not in str(refused.value.problems[0].what)
    with files.open():
        assert not files.file.exists()


def test_without_psycopg_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.startswith("remindctl.sendlog.postgres.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refused) as refused:
        look("postgresql://me@127.0.0.1:1/db", tmp_path / "key", [])
    assert refused.value.problems[0].hint == "pip install 'remindctl[postgres]'"
