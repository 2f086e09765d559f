"""Rows of whole numbers: sorted by several columns at once, cut into runs, summed up run by run.

Packed into one 64-bit number, rows sort several times as fast as by one column after the other, and
what belongs together then stands together, so that nothing needs a hash table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import numpy.typing as npt

    # Of whatever width; of Python's own whole numbers where these may be too small.
    Ints = npt.NDArray[Any]
    Indices = npt.NDArray[np.intp]

_WORD = 64
_MINOR = 10_000  # of frames.MONEY


def sorted_rows(*columns: Ints) -> list[Ints]:
    """Sort rows by their columns, the first one before the second.

    Args:
        columns: of one length; a last one that numbers the rows tells where each has gone.

    Returns:
        the columns, each in its own dtype.
    """
    if not len(columns[0]):
        return list(columns)
    lows = [column.min() for column in columns]
    widths = [
        (int(column.max()) - int(low)).bit_length()
        for column, low in zip(columns, lows, strict=True)
    ]
    if sum(widths) > _WORD:
        order = np.lexsort(columns[::-1])
        return [column[order] for column in columns]
    packed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column, low, width in zip(columns, lows, widths, strict=True):
        packed <<= np.uint64(width)
        packed |= np.subtract(column, low, dtype=np.int64).view(np.uint64)
    packed = pl.Series(packed).sort().to_numpy()
    found: list[Ints] = []
    right = sum(widths)
    for column, low, width in zip(columns, lows, widths, strict=True):
        right -= width
        part = packed >> np.uint64(right)
        part &= np.uint64((1 << width) - 1)
        found.append(part.astype(column.dtype) + low)
    return found


def starts(*columns: Ints) -> Indices:
    """Return where the runs of rows begin that are equal in all columns."""
    new = np.zeros(len(columns[0]), dtype=np.bool_)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def lengths(begins: Indices, rows: int) -> Indices:
    """Return how long each run is, of so many rows in all."""
    return np.diff(begins, append=rows)


def run_sums(values: Ints, begins: Indices) -> Ints:
    """Sum each run of whole numbers, exactly however large they are."""
    if not len(begins):
        return values[:0]
    largest = max(int(values.max()), -int(values.min()))
    # The sum of all may overflow: differences of it still hold, as long as no run does.
    limit = 2 ** (_WORD - 1)
    fits = (
        largest * len(values) < limit or largest * int(lengths(begins, len(values)).max()) < limit
    )
    up_to = np.cumsum(values, dtype=np.int64 if fits else object)
    sums: Ints = up_to[np.append(begins[1:], len(values)) - 1]
    sums[1:] -= sums[:-1].copy()
    return sums


def tally(values: Ints, weights: npt.NDArray[np.float64] | None = None) -> tuple[Ints, Ints]:
    """Return the distinct values in order, and how many there are of each, or their weights' sum.

    Args:
        values: 0 or more; whole numbers, as days are, need not be sorted even where they are
            written as floats.
        weights: one per value.
    """
    whole = values.astype(np.int64)
    if len(values) and whole.max() <= 4 * len(values) + 1024 and (whole == values).all():
        counts = np.bincount(whole)
        distinct = np.flatnonzero(counts)
        found = counts if weights is None else np.bincount(whole, weights)
        return distinct.astype(values.dtype), found[distinct]
    several, row = np.unique(values, return_inverse=True)
    return several, np.bincount(row, weights, minlength=len(several))


def minor_units(amounts: pl.Series) -> Ints:
    """Return amounts without nulls as whole numbers of ten-thousandths, which add up exactly."""
    whole = amounts.to_physical()
    try:
        return whole.cast(pl.Int64).to_numpy()
    except pl.exceptions.InvalidOperationError:
        return np.array(whole.to_list(), dtype=object)


def of_minor_units(whole: Ints) -> pl.Series:
    """Return the amounts again, with room for large sums."""
    wide = pl.Series(whole.tolist() if whole.dtype == object else whole, dtype=pl.Int128)
    return wide.cast(pl.Decimal(38, 4)) / _MINOR


def numbered(keys: pl.Series) -> tuple[pl.Series, Ints]:
    """Number the distinct texts of a categorical column without nulls in the order of letters.

    Returns:
        the texts, and the number of each row.
    """
    if keys.is_empty():
        return keys.cast(pl.String), np.zeros(0, dtype=np.uint32)
    codes = keys.to_physical().to_numpy()
    row = np.full(int(codes.max()) + 1, -1)
    row[codes] = np.arange(len(codes))
    present = np.flatnonzero(row >= 0)
    texts = keys.gather(row[present]).cast(pl.String)
    order = texts.arg_sort()
    number = np.zeros(len(row), dtype=np.uint32)
    number[present[order.to_numpy()]] = np.arange(len(present), dtype=np.uint32)
    return texts.gather(order), number[codes]
