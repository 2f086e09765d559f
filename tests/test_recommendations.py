"""What each customer may like next: the quick look gives what a look at everything gives."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.affinity import Affinities
from remindctl.frames import PERSON
from remindctl.recommendations import RECOMMENDED_ITEMS, recommendations

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

ITEMS = 14
LISTED = 10

NUMBERS = st.integers(0, ITEMS - 1)


def affinities(
    pairs: Mapping[tuple[int, int], tuple[int, int]],
    baskets: Sequence[set[int]],
    consumable: set[int],
) -> Affinities:
    items = pl.DataFrame(
        {
            "item": range(ITEMS),
            "name": [f"item {n}" for n in range(ITEMS)],
            "buyers": [10] * ITEMS,
            "consumable": [n in consumable for n in range(ITEMS)],
        },
        schema_overrides={"item": pl.UInt32},
    )
    rows = [(item, following, both, lift / 2) for (item, following), (lift, both) in pairs.items()]
    schema = {"item": pl.UInt32, "next": pl.UInt32, "both": pl.Int64, "lift": pl.Float64}
    found = pl.DataFrame(rows, schema=schema, orient="row")
    found = found.sort("item", "lift", "both", "next", descending=[False, True, True, False])
    owned = [(7 * who, item) for who, basket in enumerate(baskets) for item in sorted(basket)]
    return Affinities(
        items,
        found,
        pl.DataFrame(owned, schema={"person": PERSON, "item": pl.UInt32}, orient="row"),
    )


def best(found: Affinities, basket: set[int], consumable: set[int]) -> list[str]:
    """Look at the whole list of every item in the basket."""
    kept: dict[int, tuple[float, int]] = {}
    for item in basket:
        listed = found.pairs.filter(pl.col("item") == item).head(LISTED)
        for following, both, lift in listed.select("next", "both", "lift").iter_rows():
            before = kept.get(following, (0.0, 0))
            kept[following] = (max(before[0], lift), max(before[1], both))
    wanted = {n: of for n, of in kept.items() if n not in basket or n in consumable}
    ranked = sorted(wanted, key=lambda n: (-wanted[n][0], -wanted[n][1], n))
    return [f"item {n}" for n in ranked[:RECOMMENDED_ITEMS]]


@settings(deadline=None, max_examples=150)
@given(st.randoms(use_true_random=True), st.sampled_from([2, 4, 40]), st.sets(NUMBERS, max_size=4))
def test_the_highest_lifts_then_the_most_buyers_decide(
    chance: random.Random, lifts: int, consumable: set[int]
) -> None:
    # Of few different lifts and supports many are equal.
    pairs = {
        pair: (chance.randint(2, 1 + lifts), chance.randint(5, 8))
        for pair in permutations(range(ITEMS), 2)
        if chance.random() < 0.8
    }
    baskets = [set(chance.sample(range(ITEMS), chance.randint(1, 6))) for _ in range(12)]
    found = affinities(pairs, baskets, consumable)
    expected = {7 * who: best(found, basket, consumable) for who, basket in enumerate(baskets)}
    told = dict(recommendations(found).iter_rows())
    assert told == {who: names for who, names in expected.items() if names}
