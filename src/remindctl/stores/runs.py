"""Neighbours that say the same, taken together: the lines of an order mostly stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence


def runs(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return the first row of each run of rows that are alike in ``columns``, and each row's run.

    Returns:
        The first rows with ``len``, how many rows the run has; the number (UInt32, from 0) of the
        run of each row.
    """
    if not frame.height:
        return frame.with_columns(pl.lit(0, dtype=pl.UInt32).alias("len")), pl.Series(
            "run", [], dtype=pl.UInt32
        )
    changed = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in columns)
    start = frame.select(changed.alias("start"))["start"].scatter(0, values=True)
    at = start.arg_true()
    length = (at.shift(-1, fill_value=frame.height) - at).cast(pl.UInt32)
    return frame.filter(start).with_columns(length.alias("len")), start.cum_sum() - 1
