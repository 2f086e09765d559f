"""Named segments: the life of a customer, and the owner's own."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Place
from remindctl.frames import conform
from remindctl.profiles import COLUMNS, DUE_STATES, Profiles
from remindctl.rfm import GROUPS, scored, tile
from remindctl.segments import BUILT_IN, LIFECYCLE, MEANING, assign, is_segment, problems

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


def test_own_segments_overlap_and_an_unknown_value_is_outside() -> None:
    people = rows(
        {"purchase_days": 1, "days_since_last": 3, "spent": 300_000, "grade": "VIP"},
        {"purchase_days": 1, "days_since_last": 3, "spent": 5, "grade": None},
    )
    custom = {"big_spender": "spent >= 300000", "vip": "grade = 'VIP'"}
    assert assign(people, custom)["segments"].to_list() == [["new", "big_spender", "vip"], ["new"]]


@pytest.mark.parametrize(
    ("person", "named"),
    [
        ({"orders": 3, "favourite_category_share": 0.8, "category_count": 2}, "category_focused"),
        ({"orders": 2, "favourite_category_share": 1.0, "category_count": 1}, None),
        ({"orders": 4, "favourite_category_share": 0.5, "category_count": 3}, "explorer"),
        ({"orders": 4, "favourite_category_share": 0.5, "category_count": 2}, None),
        ({"orders": 3, "habitual_hour": 12}, "afternoon_buyer"),
        ({"orders": 3, "habitual_hour": 17}, "afternoon_buyer"),
        ({"orders": 3, "habitual_hour": 18}, None),
        ({"orders": 2, "code_share": 1.0}, "price_sensitive"),
        ({"orders": 2, "code_share": 0.5}, None),
        ({"orders": 2, "code_share": None}, None),
        ({"rfm": "champions"}, "rfm:champions"),
        ({"value_decile": 10}, "decile:10"),
        ({"tags": ["VIP", None, "VIP"]}, "tag:VIP"),
    ],
)
def test_habits_value_and_tags_are_segments(person: dict[str, object], named: str | None) -> None:
    [segments] = assign(rows(person), {})["segments"].to_list()
    assert segments == ([named] if named else [])
    assert is_segment(named or "new", [])


def test_every_built_in_segment_says_what_it_means() -> None:
    assert MEANING.keys() == set(BUILT_IN)
    assert is_segment("own", ["own"])
    assert not is_segment("own", [])
    assert not is_segment("tag:", [])


def test_a_score_counts_the_fifths_that_are_strictly_worse() -> None:
    values = pl.DataFrame({"v": [1, 1, 1, 1, 1, 1, 1, 2, 3, 3]})
    assert values.select(tile(pl.col("v"), 5))["v"].to_list() == [1] * 7 + [4, 5, 5]


@pytest.mark.parametrize(
    ("r", "f", "m", "group"),
    [
        (4, 4, 4, "champions"), (5, 5, 3, "loyal"), (3, 3, 1, "loyal"), (4, 2, 5, "recent"),
        (3, 2, 5, "needs_attention"), (2, 3, 1, "at_risk"), (2, 2, 5, "inactive"),
    ],
)  # fmt: skip
def test_the_groups_of_the_three_scores(r: int, f: int, m: int, group: str) -> None:
    scores = pl.DataFrame({"recency_score": [r], "frequency_score": [f], "money_score": [m]})
    assert next(name for name, one in GROUPS.items() if scores.select(one).item()) == group


PEOPLE = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(-5, 50)), min_size=1, max_size=40
)


@settings(deadline=None)
@given(PEOPLE)
def test_equals_share_a_score_and_the_better_never_has_a_lower_one(
    people: list[tuple[int, int, int]],
) -> None:
    frame = pl.DataFrame(people, schema=["purchase_days", "days_since_last", "spent"], orient="row")
    result = scored(frame)
    bought = result.filter(pl.col("purchase_days") > 0)
    none = result.filter(pl.col("purchase_days") == 0)
    scores = ["recency_score", "frequency_score", "money_score", "value_decile", "rfm"]
    assert none.select(pl.all_horizontal(pl.col(scores).is_null()).all()).item()
    assert bought.select(pl.all_horizontal(pl.col(scores).is_not_null()).all()).item()
    for value, score, better in (
        ("days_since_last", "recency_score", -1),
        ("purchase_days", "frequency_score", 1),
        ("spent", "money_score", 1),
        ("spent", "value_decile", 1),
    ):
        ranked = bought.sort(pl.col(value) * better)
        steps = zip(ranked.iter_rows(named=True), ranked[1:].iter_rows(named=True), strict=False)
        for low, high in steps:
            assert 1 <= low[score] <= high[score] <= (10 if score == "value_decile" else 5)
            assert low[value] != high[value] or low[score] == high[score]


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
