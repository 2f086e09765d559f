"""People are the connected components of their identifiers, whatever the order of the rows."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.stores.identity import IDENTIFIERS, connect, people

if TYPE_CHECKING:
    from collections.abc import Sequence

LAW = settings(deadline=None, max_examples=60)
Row = tuple[str | None, str | None, str | None]

few = st.one_of(st.none(), st.sampled_from("abcdef"))
rows_of_few = st.lists(st.tuples(few, few, few), min_size=1, max_size=25)


def frame(rows: list[Row], columns: tuple[str, ...] = IDENTIFIERS) -> pl.DataFrame:
    schema = dict.fromkeys(IDENTIFIERS, pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(x=1).select("x", *columns)


def united(rows: list[Row]) -> list[str | None]:
    """Name each row's person after its smallest identifier, by the textbook's union-find."""
    parent: dict[str, str] = {}

    def find(node: str) -> str:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    named = [[f"{i}{v}" for i, v in enumerate(row) if v is not None] for row in rows]
    for nodes in named:
        for one, other in combinations(nodes, 2):
            low, high = sorted((find(one), find(other)))
            parent[high] = low
    return [find(nodes[0]) if nodes else None for nodes in named]


def alike(one: Sequence[object], other: Sequence[object]) -> bool:
    """Tell whether two lists divide their places into the same groups, null being no group."""
    pairs = set(zip(one, other, strict=True))
    nulls = all((a is None) == (b is None) for a, b in pairs)
    return nulls and len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@LAW
@given(rows_of_few)
def test_people_are_what_a_union_find_finds(rows: list[Row]) -> None:
    (found,) = people([frame(rows)])
    assert alike(found.to_list(), united(rows))
    assert found.drop_nulls().n_unique() == len({row for row in united(rows) if row})
    assert sorted(found.drop_nulls().unique()) == list(range(found.drop_nulls().n_unique()))


@LAW
@given(rows_of_few, st.randoms(use_true_random=False))
def test_no_order_of_rows_makes_other_people(rows: list[Row], dice: object) -> None:
    (found,) = people([frame(rows)])
    order = list(range(len(rows)))
    dice.shuffle(order)  # type: ignore[attr-defined]
    (again,) = people([frame([rows[i] for i in order])])
    assert again.to_list() == [found[i] for i in order]


@LAW
@given(rows_of_few, rows_of_few, st.sampled_from([("phone",), ("email", "customer_id"), ()]))
def test_frames_share_their_people_whichever_columns_they_have(
    rows: list[Row], others: list[Row], columns: tuple[str, ...]
) -> None:
    known: list[Row] = [
        tuple(v if c in columns else None for c, v in zip(IDENTIFIERS, row, strict=True))  # type: ignore[misc]
        for row in others
    ]
    one, other = people([frame(rows), frame(others, columns)])
    assert alike([*one, *other], united([*rows, *known]))


def test_identifiers_of_different_kinds_are_different_though_they_look_alike() -> None:
    (found,) = people([frame([("a", None, None), (None, "a", None), (None, None, "a")])])
    assert found.n_unique() == 3


def test_hashes_serve_as_well_as_texts() -> None:
    rows: list[Row] = [("a", "b", None), ("c", "b", None), (None, None, "d"), (None, None, None)]
    hashed = frame(rows).with_columns(
        pl.when(pl.col(c).is_not_null()).then(pl.col(c).hash()).alias(c) for c in IDENTIFIERS
    )
    assert alike(people([hashed])[0].to_list(), people([frame(rows)])[0].to_list())


def test_frames_without_rows_or_identifiers_name_no_one() -> None:
    nobody = pl.DataFrame({"x": [1, 2]})
    found = people([frame([]), nobody, frame([("a", None, None)])])
    assert [person.to_list() for person in found] == [[], [None, None], [0]]


def test_frames_without_identifiers_go_with_hashes_too() -> None:
    hashed = frame([("a", None, None)], ("phone",)).with_columns(pl.col("phone").hash())
    found = people([frame([]).drop(*IDENTIFIERS), pl.DataFrame({"x": [1]}), hashed])
    assert [person.to_list() for person in found] == [[], [None], [0]]


def test_a_long_chain_is_one_person() -> None:
    nodes = np.random.default_rng(1).permutation(50_000)
    assert not connect(len(nodes), nodes[:-1], nodes[1:]).any()
