"""Who gets which form of a message: the same in every run, whatever else changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.frames import HISTORY, PERSON, History, conform, empty
from remindctl.model import Campaign, Due, Policy, Purpose, Span, Step, Store, Variant
from remindctl.policy import choose_variants

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2025, 7, 2, 3, tzinfo=UTC)
SHOP = Store(
    key="green", name="g", timezone="Asia/Seoul", country="KR", currency="KRW",
    policy=Policy(preset="KR"),
)  # fmt: skip
CAMPAIGN = Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=())


def step(*variants: Variant) -> Step:
    return Step(id="day30", due=Due(after="last_order", wait=Span(days=30)), variants=variants)


def weighted(**weights: float) -> list[Variant]:
    return [Variant(id=name, weight=weight, legs=()) for name, weight in weights.items()]


def people(count: int, *segments: str, start: int = 0) -> pl.DataFrame:
    numbers = range(start, start + count)
    return pl.DataFrame(
        {
            "person": numbers,
            "customer_key": [f"c{n}" for n in numbers],
            "key": [f"k{n}" for n in numbers],
            "segments": [list(segments)] * count,
        },
        schema_overrides={"person": PERSON, "segments": pl.List(pl.String)},
    )


def log(*rows: Mapping[str, object]) -> History:
    usual = {
        "campaign": "winback", "step": "day30", "key": "old", "state": "delivered",
        "claimed_at": NOW,
    }  # fmt: skip
    if not rows:
        return History(empty(HISTORY))
    return History(conform(pl.DataFrame([{**usual, **row} for row in rows]), HISTORY))


def choose(rows: pl.DataFrame, of: Step, *history: Mapping[str, object]) -> list[str | None]:
    return choose_variants(rows, of, log(*history), SHOP, CAMPAIGN).to_list()


TWO = step(*weighted(plain=30, personal=70))


def test_weights_are_shares_and_the_draw_is_the_same_for_ever() -> None:
    drawn = choose(people(4000), TWO)
    assert 1100 < drawn.count("plain") < 1300
    assert set(drawn) == {"plain", "personal"}
    # Written down once: a change of the hash would move people between the variants.
    assert choose(people(6), TWO) == ["plain"] * 4 + ["personal"] * 2
    other = step(*weighted(plain=30, personal=70))
    assert drawn != choose(people(4000), replace(other, id="day60"))
    more = choose(people(4000), step(*weighted(plain=50, personal=50)))
    assert all(new == "plain" for old, new in zip(drawn, more, strict=True) if old == "plain")


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(20)), st.integers(1, 20))
def test_the_draw_depends_on_no_other_row(order: list[int], cut: int) -> None:
    rows, drawn = people(20), choose(people(20), TWO)
    assert choose(rows[order][:cut], TWO) == [drawn[n] for n in order[:cut]]


def test_the_first_variant_whose_segment_a_person_is_in_is_theirs() -> None:
    by_segment = [
        Variant(id="vip", when="loyal", legs=()),
        Variant(id="big", when="big_spender", legs=()),
    ]
    of = step(*by_segment, *weighted(plain=1))
    assert choose(people(1, "big_spender", "loyal"), of) == ["vip"]
    assert choose(people(1, "big_spender"), of) == ["big"]
    assert choose(people(1), of) == ["plain"]
    assert choose(people(2), step(*by_segment)) == [None, None]
    # A segment is of today: what the person had another time says nothing.
    assert choose(people(1, "loyal"), of, {"person": 0, "variant": "plain"}) == ["vip"]
    assert choose(people(1), of, {"person": 0, "variant": "vip"}) == ["plain"]


def test_a_message_that_has_begun_keeps_its_variant_whatever_the_person_is_now() -> None:
    of = step(Variant(id="vip", when="loyal", legs=()), *weighted(plain=1, personal=99))
    begun = {"person": 0, "key": "k0", "variant": "plain", "state": "rejected"}
    assert choose(people(1, "loyal"), of, begun) == ["plain"]
    # … unless the step has no such variant any more.
    assert choose(people(1, "loyal"), of, begun | {"variant": "gone"}) == ["vip"]


def test_a_recorded_variant_survives_merges_and_the_earliest_wins() -> None:
    drawn = choose(people(40), TWO)
    other = {"plain": "personal", "personal": "plain"}
    swapped = [
        {"person": n, "variant": other[str(variant)], "claimed_at": NOW - timedelta(days=60)}
        for n, variant in enumerate(drawn)
    ]
    later = [{"person": n, "variant": variant} for n, variant in enumerate(drawn)]
    expected = [one["variant"] for one in swapped]
    assert choose(people(40), TWO, *swapped, *later) == expected
    assert choose(people(40), TWO, *later[::-1], *swapped) == expected
    # The two who become one person get another key, and with it another draw.
    renamed = people(40).with_columns(pl.col("customer_key") + "x")
    assert choose(renamed, TWO, *swapped) == expected
    for elsewhere in ({"step": "day60"}, {"campaign": "other"}, {"variant": "gone"}):
        assert choose(people(40), TWO, *(one | elsewhere for one in swapped)) == drawn


def test_a_step_of_one_form_names_no_variant_and_a_weight_of_nothing_draws_no_one() -> None:
    assert choose(people(2), step(Variant(legs=()))) == [None, None]
    assert choose(people(30), step(*weighted(plain=0, personal=1))) == ["personal"] * 30
