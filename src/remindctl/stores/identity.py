"""Who is who: one person is what phone, e-mail and shop id connect.

Every row that names a buyer ties its identifiers together; a person is a connected component of
these ties. Masked ids, relay numbers and placeholders were made null before, so they tie nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

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
    schemas = [frame.schema for frame in frames]
    dtypes = [s[name] for s in schemas for name in IDENTIFIERS if name in s]
    parts = [_Runs.of(frame, dtypes[0] if dtypes else pl.String()) for frame in frames]
    found = pl.concat([part.combinations for part in parts], how="vertical_relaxed").unique()
    found = found.filter(~pl.all_horizontal(pl.col(*IDENTIFIERS).is_null()))
    nodes, count = _nodes(found)
    parent = connect(count, *_edges(nodes))
    # Any identifier of a row leads to its component; the first one present will do.
    root = np.full(found.height, -1, dtype=np.int64)
    for column in reversed(nodes):
        root = np.where(column >= 0, parent[column], root) if count else root
    known = found.with_columns((pl.Series(root).rank("dense") - 1).cast(pl.UInt32).alias("person"))
    return [part.spread(known) for part in parts]


@dataclass(frozen=True, slots=True)
class _Runs:
    """A frame's combinations of identifiers, neighbours that repeat one taken together.

    The lines of an order are mostly neighbours, so this halves the work on large files.
    """

    combinations: pl.DataFrame
    run: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame, dtype: pl.DataType) -> _Runs:
        """Find the runs of ``frame``, whose identifiers are of ``dtype``."""
        absent = [name for name in IDENTIFIERS if name not in frame.columns]
        # Added rather than selected: nulls alone would make one row, however many the frame has.
        nulls = {name: pl.lit(None, dtype=dtype) for name in absent}
        ids = frame.with_columns(**nulls).select(IDENTIFIERS)
        if not frame.width or not frame.height:
            return cls(ids.clear(), pl.Series("run", [], dtype=pl.UInt32))
        changed = pl.any_horizontal(
            pl.col(name).ne_missing(pl.col(name).shift(1)) for name in IDENTIFIERS
        )
        start = ids.select((changed | (pl.int_range(pl.len()) == 0)).alias("start"))["start"]
        return cls(ids.filter(start), start.cum_sum() - 1)

    def spread(self, known: pl.DataFrame) -> pl.Series:
        """Return the person of each row."""
        named = self.combinations.join(
            known, on=IDENTIFIERS, how="left", nulls_equal=True, maintain_order="left"
        )
        return named["person"].gather(self.run)


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
