"""Who is who: one person is what phone, e-mail and shop id connect.

Every row that names a buyer ties its identifiers together; a person is a connected component of
these ties. Masked ids, relay numbers and placeholders were made null before, so they tie nothing.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.stores.runs import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Nodes = NDArray[np.int64]

IDENTIFIERS = ("phone", "email", "customer_id")


def people(frames: Sequence[pl.DataFrame]) -> list[pl.Series]:
    """Number the people that ``frames`` tell of.

    Args:
        frames: rows with any of the columns phone, email, customer_id, each of one dtype throughout
            (text or its hash), null where a row does not say.

    Returns:
        The person (UInt32, from 0) of each row of each frame; null where it names no one.
    """
    parts = [_runs(frame) for frame in frames]
    found = pl.concat([alike for alike, _ in parts], how="diagonal")
    nodes, count = _nodes(found)
    parent = connect(count, *_edges(nodes))
    # Any identifier of a row leads to its component; the first one present will do.
    root = np.full(found.height, -1, dtype=np.int64)
    for column in reversed(nodes):
        root = np.where(column >= 0, parent[column], root) if count else root
    is_root = np.zeros(count, dtype=np.int64)
    is_root[root[root >= 0]] = 1
    number = np.append(np.cumsum(is_root) - 1, -1)[root]
    person = pl.Series("person", number).set(pl.Series(number < 0), None).cast(pl.UInt32)
    people_of, at = [], 0
    for alike, run in parts:
        people_of.append(person.slice(at, alike.height).gather(run))
        at += alike.height
    return people_of


def _runs(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Take the lines of an order together, which halves the work on large files."""
    present = [name for name in IDENTIFIERS if name in frame.columns]
    if present:
        return runs(frame.select(present), present)
    nobody = pl.zeros(frame.height, dtype=pl.UInt32, eager=True)
    length = pl.Series("len", [frame.height][: frame.height], dtype=pl.UInt32)
    return length.to_frame(), nobody


def _nodes(rows: pl.DataFrame) -> tuple[list[Nodes], int]:
    """Number the distinct values of each column, no number in two columns; -1 = null."""
    nodes, count = [], 0
    for name in IDENTIFIERS:
        if name in rows.columns:
            rank = _ranks(rows[name])
            nodes.append(np.where(rank > 0, rank + (count - 1), -1))
            count += int(rank.max(initial=0))
    return nodes, count


def _ranks(column: pl.Series) -> Nodes:
    """Number the distinct values from 1 in ascending order; 0 = null."""
    if column.dtype != pl.String or not column.len():
        return column.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    # Of texts only the distinct ones are put in order.
    told_apart = column.cast(pl.Categorical())
    seen = told_apart.drop_nulls().unique()
    codes = seen.to_physical().to_numpy()
    place = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int64)
    place[codes] = seen.cast(pl.String).rank("dense").to_numpy()
    code = told_apart.to_physical()
    return np.where(code.is_null().to_numpy(), 0, place[code.fill_null(0).to_numpy()])


def _edges(nodes: list[Nodes]) -> tuple[Nodes, Nodes]:
    none = np.empty(0, dtype=np.int64)
    left, right = [none], [none]
    for a, b in combinations(nodes, 2):
        both = (a >= 0) & (b >= 0)
        left.append(a[both])
        right.append(b[both])
    return np.concatenate(left), np.concatenate(right)


def connect(count: int, left: Nodes, right: Nodes) -> Nodes:
    """Return, for each of ``count`` nodes, the smallest node of its connected component.

    Hooks the larger root of each edge under the smaller and halves the paths, over all edges at
    once; the number of rounds grows with the logarithm of the longest chain (Shiloach and Vishkin
    1982).
    """
    parent = np.arange(count, dtype=np.int64)
    while left.size:
        a, b = parent[left], parent[right]
        apart = a != b
        if not apart.any():
            break
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        np.minimum.at(parent, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(halved := parent[parent], parent):
            parent = halved
    return parent
