"""Sorting and summing rows of whole numbers, and counting who bought what after what."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import groupby, pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl import pairs
from remindctl.rows import (
    lengths,
    minor_units,
    numbered,
    of_minor_units,
    run_sums,
    sorted_rows,
    starts,
)

MONEY = pl.Decimal(38, 4)
# Narrow columns are packed into one word, wide ones do not fit into it.
SHORT, LONG = st.integers(-3, 3), st.integers(-(2**31), 2**31 - 1)


@given(st.lists(st.tuples(SHORT, SHORT)) | st.lists(st.tuples(LONG, LONG)))
def test_rows_are_sorted_by_the_first_column_then_the_next(rows: list[tuple[int, int]]) -> None:
    columns = [np.array([row[at] for row in rows], dtype=np.int32) for at in (0, 1)]
    numbers = np.arange(len(rows), dtype=np.uint32)
    first, second, number = sorted_rows(*columns, numbers)
    assert [str(one.dtype) for one in (first, number)] == ["int32", "uint32"]
    found = list(zip(first.tolist(), second.tolist(), number.tolist(), strict=True))
    assert found == sorted((*row, at) for at, row in enumerate(rows))
    begins = starts(first, second)
    runs = [len(list(run)) for _, run in groupby(found, key=lambda row: row[:2])]
    assert lengths(begins, len(rows)).tolist() == runs


@given(st.lists(st.lists(st.integers(-(10**18), 10**18), min_size=1, max_size=30), max_size=5))
def test_sums_are_exact_however_large(runs: list[list[int]]) -> None:
    amounts = pl.Series([Decimal(one).scaleb(-4) for run in runs for one in run], dtype=MONEY)
    begins = np.cumsum([0, *map(len, runs)])[:-1]
    sums = run_sums(minor_units(amounts), begins)
    assert sums.tolist() == [sum(run) for run in runs]
    assert of_minor_units(sums).to_list() == [Decimal(sum(run)).scaleb(-4) for run in runs]
    assert run_sums(minor_units(of_minor_units(sums)), begins[:1]).sum() == sum(map(sum, runs))


def test_texts_are_numbered_in_the_order_of_letters() -> None:
    keys = pl.Series(["나", "b", "a", "b", "가"], dtype=pl.Categorical)
    texts, number = numbered(keys)
    assert texts.to_list() == ["a", "b", "가", "나"]
    assert texts.gather(number).to_list() == keys.to_list()
    assert [part.tolist() for part in map(np.asarray, numbered(keys.clear()))] == [[], []]


@pytest.mark.parametrize("items", [6, 300], ids=["counted in a table", "sorted"])
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
    ),
    st.integers(1, 2),
)
def test_pairs_are_the_people_who_bought_one_and_then_the_other(
    items: int, owned: dict[tuple[int, int], tuple[int, int]], least: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pairs, "_ITEMS_PER_PERSON", 4)
        patched.setattr(pairs, "_SORTED", 5)
        patched.setattr(pairs, "_ROWS", 2)
        rows = [(*key, min(days), max(days)) for key, days in sorted(owned.items())]
        columns = (np.array([row[at] for row in rows], dtype=np.int32) for at in range(4))
        found = pairs.bought_then(*columns, items=items, least=least).rows()
    owners = Counter(item for _, item, _, _ in rows)
    rows = [row for row in rows if owners[row[1]] >= least]
    counted: dict[tuple[int, int], int] = {}
    for person in range(6):
        latest = sorted((-last, item) for one, item, _, last in rows if one == person)[:4]
        theirs = [row for row in rows if row[0] == person and (-row[3], row[1]) in latest]
        for _, item, first, _ in theirs:
            for _, other, _, last in theirs:
                if item != other and last >= first:
                    counted[item, other] = counted.get((item, other), 0) + 1
    expected = [(*pair, both) for pair, both in sorted(counted.items()) if both >= least]
    assert found == expected
    assert all(one < other for one, other in pairwise(found))
