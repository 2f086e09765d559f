"""Who is who: one person is what phone, e-mail and shop id connect.

Every row that names a buyer ties its identifiers together; a person is a connected component of
these ties. Masked ids, relay numbers and placeholders were made null before, so they tie nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Nodes = NDArray[np.int64]

IDENTIFIERS = ("phone", "email", "customer_id")


def people(rows: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Number the people that ``rows`` tell of.

    Args:
        rows: frames with any of the columns phone, email, customer_id, each of one dtype (text or
            its hash), null where a row does not say.

    Returns:
        One row per distinct combination of the three, with ``person`` (UInt32, from 0). A
        combination without any identifier is not in it.
    """
    found = pl.concat([_combinations(frame) for frame in rows], how="vertical").unique()
    found = found.filter(~pl.all_horizontal(pl.col(*IDENTIFIERS).is_null()))
    nodes, count = _nodes(found)
    parent = connect(count, *_edges(nodes))
    # Any identifier of a row leads to its component; the first one present will do.
    root = np.full(found.height, -1, dtype=np.int64)
    for column in reversed(nodes):
        root = np.where(column >= 0, parent[column], root) if count else root
    person = pl.Series("person", root).rank("dense").cast(pl.UInt32) - 1
    return found.with_columns(person)


def _combinations(frame: pl.DataFrame) -> pl.DataFrame:
    absent = {name: pl.Null for name in IDENTIFIERS if name not in frame.columns}
    dtype = next((frame.schema[name] for name in IDENTIFIERS if name in frame.columns), pl.String)
    return frame.select(
        pl.lit(None, dtype=dtype).alias(name) if name in absent else pl.col(name)
        for name in IDENTIFIERS
    ).unique()


def _nodes(rows: pl.DataFrame) -> tuple[list[Nodes], int]:
    """Number the distinct values of each column, no number in two columns; -1 = null."""
    nodes, count = [], 0
    for name in IDENTIFIERS:
        rank = rows[name].rank("dense").cast(pl.Int64) - 1 + count
        nodes.append(rank.fill_null(-1).to_numpy())
        count += rows[name].drop_nulls().n_unique()
    return nodes, count


def _edges(nodes: list[Nodes]) -> tuple[Nodes, Nodes]:
    left, right = [], []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        both = (nodes[a] >= 0) & (nodes[b] >= 0)
        left.append(nodes[a][both])
        right.append(nodes[b][both])
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
