"""The send log: one message per person and occasion, whatever happens in between."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.installation import NOW, Files, claim, identifiers, named

from remindctl.errors import Refused
from remindctl.frames import ADDRESSES, Addresses, conform
from remindctl.model import Family, State
from remindctl.profiles import Profiles
from remindctl.sendlog import (
    Filter,
    LogError,
    Lost,
    OptOut,
    Outcome,
    ending,
    open_optouts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from remindctl.sendlog.sqlite import SqliteLog


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def log(files: Files) -> Iterator[SqliteLog]:
    with files.open() as logs:
        yield logs.log


def states(log: SqliteLog) -> list[str]:
    return [entry.state for entry in log.entries(Filter())][::-1]


def test_a_claim_is_settled_once(log: SqliteLog) -> None:
    [one, two] = log.claim("r1", [claim("k1", "a"), claim("k2", "a")], NOW)
    assert isinstance(one, int)
    assert isinstance(two, int)
    log.settle([Outcome(one, State.SENT, "m-1", "2000", "ok"), Outcome(two, State.REJECTED)], NOW)
    log.settle([Outcome(one, State.FAILED)], NOW)
    assert states(log) == ["sent", "rejected"]
    [entry] = log.entries(Filter(state=State.SENT))
    assert (entry.provider_id, entry.code, entry.run, entry.attempts) == ("m-1", "2000", "r1", 1)


@pytest.mark.parametrize("state", [*State])
def test_what_may_be_claimed_again(log: SqliteLog, state: State) -> None:
    first = claim("k", "a", "b", state=State.CONTROL if state is State.CONTROL else State.CLAIMED)
    [number] = log.claim("r1", [first], NOW)
    assert isinstance(number, int)
    log.settle([Outcome(number, state)], NOW)
    again = log.claim("r2", [claim("k", "b")], NOW + timedelta(hours=1))
    next_leg = log.claim("r2", [claim("k", "b", leg=1)], NOW + timedelta(hours=1))
    other = log.claim("r2", [claim("k other", "b")], NOW + timedelta(hours=1))
    if state is State.FAILED:
        assert again == [number]
        assert next_leg == [Lost.ALREADY]
        [_, entry] = log.entries(Filter())
        assert (entry.attempts, entry.run, entry.state) == (2, "r2", "claimed")
    else:
        assert again == [Lost.ALREADY]
        assert (next_leg == [Lost.ALREADY]) == (state not in (State.REJECTED, State.UNDELIVERED))
    assert other != [Lost.ALREADY]


def test_a_person_is_claimed_once_however_identities_merge_and_split(log: SqliteLog) -> None:
    assert log.claim("r1", [claim("k", "phone", "mail"), claim("k", "other")], NOW) == [1, 2]
    for who in (("phone",), ("mail", "new"), ("new phone", "other"), ("phone", "other")):
        assert log.claim("r2", [claim("k", *who)], NOW) == [Lost.ALREADY], who
    assert log.claim("r2", [claim("k", "x", "y"), claim("k", "y", "z")], NOW) == [3, Lost.ALREADY]


def test_a_failed_claim_is_repeated_by_one_of_the_two_it_has_become(log: SqliteLog) -> None:
    [number, other] = log.claim("r1", [claim("k", "phone", "mail"), claim("k", "third")], NOW)
    assert isinstance(number, int)
    assert isinstance(other, int)
    log.settle([Outcome(number, State.FAILED), Outcome(other, State.FAILED)], NOW)
    assert log.claim("r2", [claim("k", "phone"), claim("k", "mail")], NOW) == [number, Lost.ALREADY]
    log.settle([Outcome(number, State.FAILED)], NOW)
    # Two failed ones merge: the row of that very person is the one that goes on.
    assert log.claim("r3", [claim("k", "third", "phone")], NOW) == [other]


def test_dead_claims_become_unknown_and_no_other(log: SqliteLog) -> None:
    log.claim("dead", [claim("k1", "a"), claim("k2", "b", store="blue")], NOW)
    log.claim("alive", [claim("k3", "c")], NOW)
    assert log.take_over("green", "alive", NOW) == 1
    assert states(log) == ["unknown", "claimed", "claimed"]


def test_a_run_whose_plan_is_stale_can_claim_no_more(log: SqliteLog, files: Files) -> None:
    who = identifiers({0: ["a"]})
    log.take_over("green", "first", NOW)
    assert log.history("green", who).is_empty()
    # Its lock is lost while it plans, and another run sends what the caps allow.
    with files.open() as others:
        others.log.take_over("green", "second", NOW)
        assert others.log.claim("second", [claim("k1", "a")], NOW) == [1]
        with pytest.raises(LogError, match="another run has begun to send for the store 'green'"):
            log.claim("first", [claim("k2", "a"), claim("k3", "b")], NOW)
        assert len(others.log.history("green", who)) == 1
        assert others.log.claim("second", [claim("k2", "a")], NOW) == [2]
    assert log.claim("first", [claim("k4", "a", store="blue")], NOW) == [3]


def test_the_past_is_found_by_any_identifier_once_and_of_one_store(log: SqliteLog) -> None:
    log.claim(
        "r",
        [
            claim("k1", "a", "b", counts=False, arm="treated"),
            claim("k2", "c", store="blue"),
            claim("k3", "d", state=State.CONTROL, arm="control"),
        ],
        NOW,
    )
    found = log.history("green", identifiers({0: ["a", "b", "x"], 1: ["c"], 2: ["b"], 3: ["d"]}))
    rows = found.sort("person").select("person", "key", "state", "arm", "counts").rows()
    assert rows == [
        (0, named("k1"), "claimed", "treated", False),
        (2, named("k1"), "claimed", "treated", False),
        (3, named("k3"), "control", "control", True),
    ]
    assert found["tags"][0].to_list() == ["win", "재구매"]
    assert found["claimed_at"][0] == NOW


def test_entries_are_filtered_newest_first(log: SqliteLog) -> None:
    log.claim("r", [claim("k1", "a"), claim("k2", "b", campaign="cart")], NOW - timedelta(days=2))
    log.claim("r", [claim("k3", "a"), claim("k4", "c", store="blue")], NOW)
    for wanted, keys in [
        (Filter(), ["k4", "k3", "k2", "k1"]),
        (Filter(limit=2), ["k4", "k3"]),
        (Filter(store="green", since=NOW), ["k3"]),
        (Filter(campaign="cart"), ["k2"]),
        (Filter(person=b"person a"), ["k3", "k1"]),
    ]:
        assert [entry.key for entry in log.entries(wanted)] == list(map(named, keys))


def test_one_run_per_store_holds_the_lock(log: SqliteLog, files: Files) -> None:
    with log.lock("green") as held, log.lock("blue"):
        held.check()
        with pytest.raises(Refused, match="another run is sending"), log.lock("green"):
            pass
        files.log.with_name("log.db.green.lock").unlink()
        with pytest.raises(LogError, match="was removed"):
            held.check()
    with log.lock("green"):
        pass


def test_a_lock_dies_with_its_holder_and_a_killed_run_leaves_unknown(files: Files) -> None:
    program = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from remindctl.sendlog import Claim, open_logs
now = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)
log, key, optouts = map(Path, sys.argv[1:])
with open_logs(log, key, [optouts], now=now) as logs, logs.log.lock("green"):
    one = Claim(key="6b", entry="e0", person=b"p", identifiers=frozenset([b"a"]), leg=0, due_at=now,
        store="green", campaign="c", step="s")
    logs.log.claim("killed", [one], now)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(files.log), str(files.key), str(files.optouts)],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "src")},
    )
    assert done.returncode == -9
    with files.open() as logs, logs.log.lock("green"):
        log = logs.log
        assert log.take_over("green", "new", NOW) == 1
        assert log.claim("new", [claim("k", "a")], NOW) == [Lost.ALREADY]
        assert states(log) == ["unknown"]


def test_only_the_owner_reads_the_files(files: Files, log: SqliteLog) -> None:
    log.claim("r", [claim("k", "a")], NOW)
    folder = files.log.parent
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"log.db", "log.db-wal", "key", "optouts.db"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def refusal(files: Files, now: datetime = NOW) -> str:
    with pytest.raises(Refused) as refused, files.open(now):
        pass
    return str(refused.value)


def test_a_lost_log_key_or_optout_file_is_not_a_first_run(files: Files) -> None:
    files.open().__exit__()
    saved = {path: path.read_bytes() for path in (files.log, files.key, files.optouts)}
    for path, what in [
        (files.log, "the send log is gone, but not key or optouts.db"),
        (files.key, "the key file is gone, but not log.db or optouts.db"),
        (files.optouts, "the opt-out file is gone, but not log.db"),
    ]:
        path.unlink()
        assert what in refusal(files)
        assert not path.exists()
        path.write_bytes(saved[path])
    files.log.unlink()
    files.open(new_log=True).__exit__()
    files.optouts.unlink()
    files.open(new_log=True).__exit__()
    files.key.write_text("00" * 32)
    assert "was written with another key" in refusal(files)
    files.key.write_text("not hex")
    assert "is not a key" in refusal(files)


def test_a_damaged_newer_or_foreign_file_is_left_as_it_is(files: Files) -> None:
    files.open().__exit__()
    whole = files.log.read_bytes()
    with closing(sqlite3.connect(files.log)) as connection, connection:
        connection.execute("UPDATE meta SET value = 99 WHERE name = 'schema'")
    assert "newer version (schema 99)" in refusal(files)
    for data, what in [
        (b"x" * 5000, "is damaged"),
        (whole[:1000] + b"\xff" * 3000 + whole[4000:], "is damaged"),
        (files.optouts.read_bytes(), "is not a file of this program"),
    ]:
        files.log.write_bytes(data)
        files.log.with_name("log.db-wal").unlink(missing_ok=True)
        assert what in refusal(files)
        assert files.log.read_bytes() == data


def test_a_clock_set_back_is_refused(files: Files, log: SqliteLog) -> None:
    log.claim("r", [claim("k", "a")], NOW)
    files.open(NOW - timedelta(minutes=5)).__exit__()
    assert "later than the clock says" in refusal(files, NOW - timedelta(minutes=5, seconds=1))


def test_looking_makes_nothing_and_says_what_is_missing(files: Files) -> None:
    with files.look() as logs:
        assert logs.hasher is None
        assert list(logs.log.entries(Filter())) == []
    assert not files.log.parent.exists()
    with files.open() as logs:
        logs.log.claim("r", [claim("k", "a")], NOW)
        with files.look() as seen:
            assert [entry.key for entry in seen.log.entries(Filter())] == [named("k")]
            assert seen.missing == ()
    files.log.unlink()
    with files.look() as logs:
        assert logs.missing == (files.log,)


def people(*names: str) -> tuple[Profiles, Addresses]:
    rows = [{"person": n, "customer_key": name} for n, name in enumerate(names)]
    known = [{"person": n, "kind": "phone", "value": name} for n, name in enumerate(names)]
    schema = {"person": pl.UInt32}
    return (
        Profiles(pl.DataFrame(rows, schema_overrides=schema)),
        Addresses(conform(pl.DataFrame(known), ADDRESSES)),
    )


def test_a_hash_belongs_to_the_key_the_kind_and_for_shop_ids_the_store(files: Files) -> None:
    with files.open() as logs, Files(files.log.parent / "other").open() as others:
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
    assert files.log.exists()
    files.log.unlink()
    with open_optouts(files.log, files.key, files.optouts, now=NOW) as logs:
        word = OptOut(hmac=b"x" * 16, family=Family.TEXT, scope="all", at=NOW)
        assert logs.optouts[files.optouts].record([word], NOW) == 1
    assert not files.log.exists()


def test_of_an_address_only_its_ending_is_kept() -> None:
    assert ending("+821090001234") == "1234"
    assert ending("kim@example.com") == "k***@e…"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.frozensets(st.sampled_from("abcd"), min_size=1), max_size=3),
            st.sampled_from([State.SENT, State.UNKNOWN, State.FAILED, State.REJECTED, None]),
        ),
        max_size=6,
    )
)
def test_no_one_gets_a_key_twice_over_any_sequence_of_runs(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[list[frozenset[str]], State | None]],
) -> None:
    files = Files(tmp_path_factory.mktemp("law"))
    reached: list[frozenset[str]] = []
    with files.open() as logs:
        log = logs.log
        for number, (people, state) in enumerate(runs):
            log.take_over("green", f"r{number}", NOW)
            # The files of one load never give an identifier to two people.
            apart = [
                who for n, who in enumerate(people) if not any(who & one for one in people[:n])
            ]
            numbers = log.claim(f"r{number}", [claim("k", *sorted(who)) for who in apart], NOW)
            for who, won in zip(apart, numbers, strict=True):
                if isinstance(won, int) and state is not State.FAILED:
                    assert not any(who & one for one in reached)
                    reached.append(who)
                if isinstance(won, int) and state is not None:
                    log.settle([Outcome(won, state)], NOW)
