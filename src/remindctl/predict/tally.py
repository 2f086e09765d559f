"""Equal numbers counted: a likelihood needs each distinct value of a million customers once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from remindctl.predict.special import Floats


def tally(values: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the distinct values in order, and how many there are of each, or their weights' sum.

    Args:
        values: 0 or more; whole numbers, as days are, need not be sorted.
        weights: one per value.
    """
    whole = values.astype(np.int64)
    if len(values) and whole.max() <= 4 * len(values) + 1024 and (whole == values).all():
        counts = np.bincount(whole)
        distinct = np.flatnonzero(counts)
        found = counts if weights is None else np.bincount(whole, weights)
        return distinct.astype(np.float64), found[distinct].astype(np.float64)
    several, row = np.unique(values, return_inverse=True)
    return several, np.bincount(row, weights, minlength=len(several)).astype(np.float64)
