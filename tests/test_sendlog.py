"""The send log: one message per person and occasion, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.installation import NOW, Files, claim, identifiers, named, run_killed

from remindctl.errors import Refused
from remindctl.model import State
from remindctl.sendlog import Filter, LogError, Lost, Outcome, SendLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path


@pytest.fixture
def files(log_backend: Callable[[Path], Files], tmp_path: Path) -> Files:
    return log_backend(tmp_path)


@pytest.fixture
def log(files: Files) -> Iterator[SendLog]:
    with files.open() as logs:
        yield logs.log


def states(log: SendLog) -> list[str]:
    return [entry.state for entry in log.entries(Filter())][::-1]


def test_a_claim_is_settled_once(log: SendLog) -> None:
    [one, two] = log.claim("r1", [claim("k1", "a"), claim("k2", "a")], NOW)
    assert isinstance(one, int)
    assert isinstance(two, int)
    log.settle([Outcome(one, State.SENT, "m-1", "2000", "ok"), Outcome(two, State.REJECTED)], NOW)
    log.settle([Outcome(one, State.FAILED)], NOW)
    assert states(log) == ["sent", "rejected"]
    [entry] = log.entries(Filter(state=State.SENT))
    assert (entry.provider_id, entry.code, entry.run, entry.attempts) == ("m-1", "2000", "r1", 1)


@pytest.mark.parametrize("state", [*State])
def test_what_may_be_claimed_again(log: SendLog, state: State) -> None:
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


def test_a_person_is_claimed_once_however_identities_merge_and_split(log: SendLog) -> None:
    assert log.claim("r1", [claim("k", "phone", "mail"), claim("k", "other")], NOW) == [1, 2]
    for who in (("phone",), ("mail", "new"), ("new phone", "other"), ("phone", "other")):
        assert log.claim("r2", [claim("k", *who)], NOW) == [Lost.ALREADY], who
    assert log.claim("r2", [claim("k", "x", "y"), claim("k", "y", "z")], NOW) == [3, Lost.ALREADY]


def test_a_failed_claim_is_repeated_by_one_of_the_two_it_has_become(log: SendLog) -> None:
    [number, other] = log.claim("r1", [claim("k", "phone", "mail"), claim("k", "third")], NOW)
    assert isinstance(number, int)
    assert isinstance(other, int)
    log.settle([Outcome(number, State.FAILED), Outcome(other, State.FAILED)], NOW)
    assert log.claim("r2", [claim("k", "phone"), claim("k", "mail")], NOW) == [number, Lost.ALREADY]
    log.settle([Outcome(number, State.FAILED)], NOW)
    # Two failed ones merge: the row of that very person is the one that goes on.
    assert log.claim("r3", [claim("k", "third", "phone")], NOW) == [other]


def test_dead_claims_become_unknown_and_no_other(log: SendLog) -> None:
    log.claim("dead", [claim("k1", "a"), claim("k2", "b", store="blue")], NOW)
    log.claim("alive", [claim("k3", "c")], NOW)
    assert log.take_over("green", "alive", NOW) == 1
    assert states(log) == ["unknown", "claimed", "claimed"]


def test_a_run_whose_plan_is_stale_can_claim_no_more(log: SendLog, files: Files) -> None:
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


def test_the_past_is_found_by_any_identifier_once_and_of_one_store(log: SendLog) -> None:
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


def test_of_other_campaigns_only_what_matters_is_read(log: SendLog) -> None:
    old, later = NOW - timedelta(days=90), NOW - timedelta(days=80)

    def sent(key: str, at: datetime, *who: str, **more: object) -> None:
        log.claim("r", [claim(key, *who, leg=0, **more)], at)

    sent("mine", old, "a")
    sent("theirs old", old, "a", campaign="cart")
    sent("theirs new", NOW, "a", campaign="cart")
    sent("drawn", old, "b", campaign="cart", store_arm="holdout")
    sent("drawn later", later, "b", "c", campaign="cart", store_arm="treated")
    sent("not drawn", old, "b", campaign="cart")
    sent("first of mine", old, "d", store_arm="treated")
    sent("second of theirs", later, "d", campaign="cart", store_arm="treated")
    people = identifiers({0: ["a", "x"], 1: ["b"], 2: ["c"], 3: ["d"], 4: ["b", "c"]})

    def keys(since: datetime | None) -> set[tuple[int, str]]:
        found = log.history("green", people, campaigns=["winback"], since=since)
        return {(who, bytes.fromhex(key).decode()) for who, key in found[["person", "key"]].rows()}

    ever = {(0, "mine"), (1, "drawn"), (2, "drawn later"), (3, "first of mine"), (4, "drawn")}
    assert keys(None) == ever
    assert keys(NOW) == ever | {(0, "theirs new")}
    later_on = {(1, "drawn later"), (4, "drawn later"), (3, "second of theirs")}
    assert keys(later) == ever | {(0, "theirs new")} | later_on
    # All that is left out is left out by asking for less.
    assert len(log.history("green", people)) == 12
    assert log.history("green", people, campaigns=[]).height == 4


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["winback", "cart", "news"]),
            st.integers(0, 20),
            st.frozensets(st.sampled_from("abcd"), min_size=1, max_size=2),
            st.sampled_from([None, "holdout", "treated"]),
        ),
        max_size=30,
    ),
    st.none() | st.integers(0, 21),
)
def test_the_past_of_one_and_of_many_is_the_same(
    log_backend: Callable[[Path], Files],
    tmp_path_factory: pytest.TempPathFactory,
    sent: list[tuple[str, int, frozenset[str], str | None]],
    since: int | None,
) -> None:
    beginning = NOW - timedelta(days=20)
    at = None if since is None else beginning + timedelta(days=since)
    with log_backend(tmp_path_factory.mktemp("past")).open() as logs:
        for number, (campaign, day, who, store_arm) in enumerate(sent):
            one = claim(f"k{number}", *sorted(who), campaign=campaign, store_arm=store_arm)
            logs.log.claim("r", [one], beginning + timedelta(days=day))

        def past(people: dict[int, list[str]]) -> set[tuple[int, str]]:
            who = identifiers(people)
            found = logs.log.history("green", who, campaigns=["winback"], since=at)
            return set(found.select("person", "key").iter_rows())

        # Of many it is read from the other end.
        each = {0: ["a"], 1: ["b", "c"], 2: ["d"]}
        many = past({**each, 3: [f"unknown {n}" for n in range(30)]})
        assert many == set().union(*(past({who: names}) for who, names in each.items()))


def test_entries_are_filtered_newest_first(log: SendLog) -> None:
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


def test_one_run_per_store_holds_the_lock(log: SendLog) -> None:
    with log.lock("green") as held, log.lock("blue"):
        held.check()
        with pytest.raises(Refused, match="another run is sending"), log.lock("green"):
            pass
    with log.lock("green"):
        pass


def test_a_lock_dies_with_its_holder_and_a_killed_run_leaves_unknown(files: Files) -> None:
    program = """
with files.open() as logs, logs.log.lock("green"):
    logs.log.claim("killed", [claim("k", "a")], NOW)
    die()
"""
    run_killed(files, program)
    with files.open() as logs, logs.log.lock("green"):
        log = logs.log
        assert log.take_over("green", "new", NOW) == 1
        assert log.claim("new", [claim("k", "a")], NOW) == [Lost.ALREADY]
        assert states(log) == ["unknown"]


def test_a_clock_set_back_is_refused(files: Files, log: SendLog) -> None:
    log.claim("r", [claim("k", "a")], NOW)
    files.open(NOW - timedelta(minutes=5)).__exit__()
    with pytest.raises(Refused, match="later than the clock says"):
        files.open(NOW - timedelta(minutes=5, seconds=1))


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
    log_backend: Callable[[Path], Files],
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[list[frozenset[str]], State | None]],
) -> None:
    files = log_backend(tmp_path_factory.mktemp("law"))
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
