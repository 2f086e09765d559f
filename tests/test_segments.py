"""Named segments: the life of a customer, and the owner's own."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Place
from remindctl.frames import conform
from remindctl.profiles import COLUMNS, DUE_STATES, Profiles
from remindctl.segments import LIFECYCLE, MEANING, assign, problems

HERE = Place("remindctl.yaml", 7, 3)


def rows(*people: dict[str, object]) -> Profiles:
    schema = {name: column.dtype for name, column in COLUMNS.items()}
    frame = pl.DataFrame(list(people), infer_schema_length=None)
    return Profiles(conform(frame, schema, extra=True))


@pytest.mark.parametrize(
    ("days", "waited", "state", "segment"),
    [
        (0, None, None, None),
        (1, 29, "late", "new"),
        (1, 30, "not_due", "one_time"),
        (1, 400, "one_time", "one_time"),
        (2, 3, "not_due", "repeat"),
        (3, 30, None, "repeat"),
        (4, 30, "due", "loyal"),
        (9, 90, "late", "at_risk"),
        (2, 900, "lapsed", "lapsed"),
    ],
)
def test_the_life_of_a_customer(
    days: int, waited: int | None, state: str | None, segment: str | None
) -> None:
    people = rows({"purchase_days": days, "days_since_last": waited, "due_state": state})
    assert assign(people, {})["segment"].to_list() == [segment]


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(0, 999), st.sampled_from([None, *DUE_STATES]))
def test_everyone_who_ordered_is_in_exactly_one_lifecycle_segment(
    days: int, waited: int, state: str | None
) -> None:
    people = rows({"purchase_days": days, "days_since_last": waited, "due_state": state})
    [segments] = assign(people, {})["segments"].to_list()
    assert len(segments) == 1
    assert segments[0] in LIFECYCLE
    assert MEANING.keys() == LIFECYCLE.keys()


def test_own_segments_overlap_and_an_unknown_value_is_outside() -> None:
    people = rows(
        {"purchase_days": 1, "days_since_last": 3, "spent": 300_000, "grade": "VIP"},
        {"purchase_days": 1, "days_since_last": 3, "spent": 5, "grade": None},
    )
    custom = {"big_spender": "spent >= 300000", "vip": "grade = 'VIP'"}
    assert assign(people, custom)["segments"].to_list() == [["new", "big_spender", "vip"], ["new"]]


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("spent >=", "not a condition"),
        ("spendt > 3", "no column 'spendt'"),
        ("orders = 'three'", "cannot be computed"),
        ("orders + 1", "gives Int64, not yes or no"),
        ("MAX(spent) > 3", "looks at all customers at once"),
        ("segment = 'new'", "no column 'segment'"),
    ],
)
def test_a_wrong_condition_is_a_problem_with_its_place(expression: str, what: str) -> None:
    [problem] = problems(expression, HERE, segments=False)
    assert what in problem.what
    assert problem.place == HERE
    assert problem.hint


@pytest.mark.parametrize(
    "expression",
    [
        "spent >= 29999.5 AND orders > 1",
        "grade = 'VIP'",
        "last_on > DATE '2025-01-31'",
        "array_contains(tags, 'vip') OR segment IN ('new', 'loyal')",
    ],
)
def test_a_right_condition_is_no_problem(expression: str) -> None:
    assert problems(expression, HERE, ["grade"]) == []
