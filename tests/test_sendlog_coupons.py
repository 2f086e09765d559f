"""Codes of coupons: one person and occasion each, for ever, and found again for them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.installation import NOW, Files, claim, identifiers, run_killed

from remindctl.errors import Place
from remindctl.model import State
from remindctl.sendlog import (
    ISSUED,
    Claim,
    CouponBook,
    Issued,
    Lost,
    Outcome,
    SendingLogs,
    code_hash,
    match_codes,
    template_problems,
    text_hash,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

UNTIL = date(2025, 8, 29)


@pytest.fixture
def files(log_backend: Callable[[Path], Files], tmp_path: Path) -> Files:
    return log_backend(tmp_path)


@pytest.fixture
def logs(files: Files) -> Iterator[SendingLogs]:
    with files.open() as made:
        yield made


def give(
    logs: SendingLogs,
    code: str | None,
    key: str,
    *who: str,
    pool: str | None = "welcome",
    leg: int = 0,
) -> Claim:
    coupon = None if code is None else code_hash(logs.hasher, pool, code, "green")
    pool = None if code is None else pool
    return claim(key, *who, leg=leg, coupon_pool=pool, coupon=coupon, coupon_until=UNTIL)


def claimed(logs: SendingLogs, *claims: Claim, at: datetime = NOW) -> list[int | Lost]:
    return logs.log.claim("r", claims, at)


def settle(logs: SendingLogs, number: int | Lost, state: State) -> None:
    assert isinstance(number, int)
    logs.log.settle([Outcome(number, state)], NOW)


def book(
    logs: SendingLogs,
    codes: Sequence[str] = ("A", "B", "C"),
    people: Mapping[int, Sequence[str]] | None = None,
    fixed: Sequence[str] = (),
) -> CouponBook:
    rows = [{"pool": "welcome", "code": code, "valid_until": date(2026, 1, 1)} for code in codes]
    schema = {"pool": pl.String, "code": pl.String, "valid_until": pl.Date}
    return match_codes(
        pl.DataFrame(rows, schema=schema),
        fixed,
        logs.log.issued("green"),
        identifiers(people or {}),
        logs.hasher,
        "green",
    )


def owners(found: CouponBook) -> list[tuple[str, int | None, str | None]]:
    rows = found.coupons.select("code", "person", "key").rows()
    return [(code, person, key and bytes.fromhex(key).decode()) for code, person, key in rows]


FINAL = [State.SENT, State.REJECTED, State.FAILED, State.UNKNOWN, State.UNDELIVERED]


@pytest.mark.parametrize("state", FINAL)
def test_a_code_stays_with_its_key_and_person_whatever_becomes_of_the_message(
    logs: SendingLogs, state: State
) -> None:
    [number] = claimed(logs, give(logs, "A", "k", "phone", "mail"))
    settle(logs, number, state)
    for key, who in [("k", "other"), ("k2", "phone"), ("k2", "other")]:
        assert claimed(logs, give(logs, "A", key, who)) == [Lost.COUPON_TAKEN]
    found = book(logs, people={7: ["mail"], 8: ["other"]})
    assert owners(found) == [("A", 7, "k"), ("B", None, None), ("C", None, None)]
    [first, *_] = found.coupons.to_dicts()
    assert (first["state"], first["issued_at"], first["valid_until"]) == (state, NOW, UNTIL)
    assert found.coupons["valid_until"][1] == date(2026, 1, 1)


def test_the_next_leg_and_a_repeated_claim_carry_the_same_code(logs: SendingLogs) -> None:
    [number] = claimed(logs, give(logs, "A", "k", "a"))
    settle(logs, number, State.FAILED)
    assert claimed(logs, give(logs, "A", "k", "a", "b")) == [number]
    settle(logs, number, State.UNDELIVERED)
    later = NOW + timedelta(hours=1)
    [second] = claimed(logs, give(logs, "A", "k", "b", leg=1), at=later)
    settle(logs, second, State.SENT)
    [row, *_] = book(logs, people={0: ["b"]}).coupons.to_dicts()
    assert (row["person"], row["state"], row["issued_at"]) == (0, "sent", later)


def test_a_code_that_a_repeated_claim_no_longer_carries_is_not_free_again(
    logs: SendingLogs,
) -> None:
    [number] = claimed(logs, give(logs, "A", "k", "a"))
    settle(logs, number, State.FAILED)
    assert claimed(logs, give(logs, "B", "k", "a")) == [number]
    assert owners(book(logs, people={0: ["a"]}))[2:] == [("C", None, None)]
    assert {code for code, person, _ in owners(book(logs, people={0: ["a"]})) if person == 0} == {
        "A",
        "B",
    }


def test_of_one_batch_the_first_gets_the_code_and_the_rest_is_sent(logs: SendingLogs) -> None:
    first = claimed(logs, give(logs, "A", "k", "a"), give(logs, None, "k", "c"))
    assert first == [1, 2]
    batch = (
        give(logs, "B", "k", "a"),  # messaged already: takes no code
        give(logs, "B", "k", "b"),
        give(logs, "B", "k", "d"),
        give(logs, "B", "k", "e", pool="other"),
        give(logs, None, "k", "f"),
    )
    assert claimed(logs, *batch) == [Lost.ALREADY, 3, Lost.COUPON_TAKEN, 4, 5]
    assert logs.log.claim("r", [give(logs, "B", "k", "b")], NOW) == [Lost.ALREADY]


def test_when_a_person_splits_the_code_goes_on_with_who_is_messaged_first(
    logs: SendingLogs,
) -> None:
    [number] = claimed(logs, give(logs, "A", "k", "phone", "mail", "id"))
    settle(logs, number, State.UNDELIVERED)
    halves = {0: ["phone", "new"], 1: ["mail", "id"]}
    assert owners(book(logs, people=halves))[0] == ("A", 1, "k")
    later = NOW + timedelta(hours=1)
    both = (give(logs, "A", "k", "phone", leg=1), give(logs, "A", "k", "mail", "id", leg=1))
    assert claimed(logs, *both, at=later) == [2, Lost.COUPON_TAKEN]
    assert owners(book(logs, people=halves))[0] == ("A", 0, "k")
    assert claimed(logs, both[1]) == [Lost.COUPON_TAKEN]
    # Also while the files do not know them any more.
    assert owners(book(logs, people={1: halves[1]}))[0] == ("A", None, "k")


def test_one_code_for_all_is_found_once_per_person_and_occasion(logs: SendingLogs) -> None:
    for key, who in [("k1", "a"), ("k2", "a"), ("k1", "b"), ("k1", "gone")]:
        [number] = claimed(logs, give(logs, "SPRING", key, who, pool=None))
        settle(logs, number, State.SENT)
    people = {0: ["a"], 1: ["b"]}
    found = book(logs, ["A"], people, ["SPRING", "SUMMER"])
    assert sorted(owners(found), key=str) == [
        ("A", None, None),
        ("SPRING", 0, "k1"),
        ("SPRING", 0, "k2"),
        ("SPRING", 1, "k1"),
    ]
    assert found.lost == {}


def test_a_code_was_issued_by_the_leg_that_arrived_else_by_the_last_one(
    logs: SendingLogs,
) -> None:
    times = [NOW + timedelta(hours=hour) for hour in range(3)]
    coupon = code_hash(logs.hasher, "welcome", "A", "green")

    def issued(*states: State) -> tuple[datetime, str]:
        rows = [
            {"pool": "welcome", "coupon": coupon, "key": "6b", "state": state, "issued_at": at}
            | {"until": None, "hmac": b"a"}
            for state, at in zip(states, times, strict=True)
        ]
        frame = Issued(pl.DataFrame(rows, schema=dict(ISSUED)))
        files = pl.DataFrame({"pool": "welcome", "code": "A", "valid_until": UNTIL})
        who = identifiers({0: ["a"]})
        [row] = match_codes(files, (), frame, who, logs.hasher, "green").coupons.to_dicts()
        return row["issued_at"], row["state"]

    assert issued(State.REJECTED, State.FAILED, State.CLAIMED) == (times[2], "claimed")
    # The first message arrived after all, when the second had been given up.
    assert issued(State.DELIVERED, State.REJECTED, State.FAILED) == (times[0], "delivered")


def test_a_pool_that_lost_codes_says_how_many(logs: SendingLogs) -> None:
    claimed(
        logs, *(give(logs, code, "k", code) for code in "AB"), give(logs, "X", "k", "x", pool="z")
    )
    assert book(logs, ["B", "C"]).lost == {"welcome": 1, "z": 1}
    assert [code for code, *_ in owners(book(logs, ["B", "C", "C"]))] == ["B", "C"]
    # A file may be saved anew with its codes in another case.
    assert book(logs, ["a", "b"]).lost == {"z": 1}


def test_two_stores_may_have_the_same_codes(logs: SendingLogs) -> None:
    ours = give(logs, "A", "k", "a")
    code = code_hash(logs.hasher, "welcome", "A", "blue")
    theirs = claim("k2", "b", store="blue", coupon_pool="welcome", coupon=code)
    assert claimed(logs, ours, theirs) == [1, 2]
    assert len(logs.log.issued("blue")) == 2  # known by two hashes


def test_a_killed_run_keeps_the_code_with_its_key(files: Files) -> None:
    program = """
from remindctl.sendlog import code_hash
with files.open() as logs, logs.log.lock("green"):
    logs.log.take_over("green", "killed", NOW)
    code = code_hash(logs.hasher, "welcome", "A", "green")
    logs.log.claim("killed", [claim("k", "a", coupon_pool="welcome", coupon=code)], NOW)
    die()
"""
    run_killed(files, program)
    with files.open() as logs:
        assert logs.log.take_over("green", "r", NOW) == 1
        assert owners(book(logs, ["A", "B"], {0: ["a"]})) == [("A", 0, "k"), ("B", None, None)]
        assert claimed(logs, give(logs, "A", "k", "b")) == [Lost.COUPON_TAKEN]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(  # the claims of a run: key, leg, the person's identifiers, code
                st.tuples(
                    st.sampled_from(["k1", "k2"]),
                    st.integers(0, 2),
                    st.frozensets(st.sampled_from("abcd"), min_size=1),
                    st.sampled_from(["A", "B", None]),
                ),
                max_size=4,
            ),
            st.sampled_from([*FINAL, None]),
        ),
        max_size=6,
    )
)
def test_no_code_ever_goes_to_two_people_or_occasions(
    log_backend: Callable[[Path], Files],
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[list[tuple[str, int, frozenset[str], str | None]], State | None]],
) -> None:
    # Code → for which key, and the claim that holds it; claim → everything its person was known by.
    had: dict[str, tuple[str, int]] = {}
    known: dict[int, frozenset[str]] = {}
    with log_backend(tmp_path_factory.mktemp("law")).open() as logs:
        for number, (wanted, state) in enumerate(runs):
            logs.log.take_over("green", f"r{number}", NOW)
            claims = [
                give(logs, code, key, *sorted(who), leg=leg) for key, leg, who, code in wanted
            ]
            for (key, _, who, code), won in zip(
                wanted, logs.log.claim(f"r{number}", claims, NOW), strict=True
            ):
                if not isinstance(won, int):
                    continue
                if code is not None:
                    held_for, holder = had.get(code, (key, won))
                    assert held_for == key
                    assert known.get(holder, who) & who
                    had[code] = (key, won)
                known[won] = known.get(won, frozenset()) | who
                if state is not None:
                    settle(logs, won, state)
        # And what was given out is never offered again.
        free = book(logs, ["A", "B"]).coupons.filter(pl.col("key").is_null())["code"]
        assert set(free) == {"A", "B"} - had.keys()


def test_a_template_keeps_the_text_it_was_first_sent_with(logs: SendingLogs) -> None:
    place = Place("c.yaml", 3, 1)
    old, new = "#{이름}님, 주문이 접수되었습니다.", "#{이름}님, 주문을 받았습니다."

    def send(key: str, text: str, state: State) -> None:
        one = claim(key, "a", template="T1", text_hash=text_hash(text))
        [number] = logs.log.claim("r", [one], NOW)
        settle(logs, number, state)

    def problems(*texts: str) -> list[str]:
        told = [("T1", text, place) for text in texts]
        return list(map(str, template_problems(told, logs.log.approved("green", ["T1", "T2"]))))

    # What Kakao refuses may be put right.
    send("k1", new, State.REJECTED)
    send("k2", new, State.UNDELIVERED)
    assert logs.log.approved("green", ["T1"]) == {}
    assert problems(old) == []
    assert problems(old, old + "\r\n", new) == ["c.yaml:3:1: the template T1 has two texts"]
    send("k3", old, State.SENT)
    assert problems(f"\n{old} \n") == []
    assert problems(new) == [
        "c.yaml:3:1: the text of the template T1 is not the one it was sent with"
    ]
    assert logs.log.approved("blue", ["T1"]) == {}
