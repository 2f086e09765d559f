"""What the models need to know of each customer, from purchase days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType

import polars as pl

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import numpy.typing as npt

    from remindctl.intervals import PurchaseDays

    Ints = npt.NDArray[np.int64]

Histories = NewType("Histories", pl.DataFrame)


def histories(days: PurchaseDays, as_of: date) -> Histories:
    """Describe every customer with a purchase day up to ``as_of``.

    Not R, F and M: ``x`` leaves the first purchase out, ``t_x`` grows with a later last order.

    Returns:
        person, x (purchase days after the first), t_x (days from the first to the last one), age
        (T: days from the first one to ``as_of``), repeat_mean (mean amount of the ``x`` purchase
        days, null where x = 0); in the order of ``days``.
    """
    first, last = pl.col("on").first(), pl.col("on").last()
    paid = pl.col("amount").cast(pl.Float64)
    x = pl.len().cast(pl.Int64) - 1
    return Histories(
        days.filter(pl.col("on") <= as_of)
        .group_by("person", maintain_order=True)
        .agg(
            x.alias("x"),
            (last - first).dt.total_days().alias("t_x"),
            (as_of - first).dt.total_days().alias("age"),
            pl.when(x > 0).then((paid.sum() - paid.first()) / x).alias("repeat_mean"),
        )
    )


def alike(known: Histories) -> tuple[Ints, Ints, Ints]:
    """Group the customers that share x and age: far fewer than customers.

    Returns:
        x and age of each group, and for each customer the number of their group.
    """
    pairs = known.select("x", "age").unique().with_row_index("group")
    group = known.select("x", "age").join(
        pairs, on=["x", "age"], how="left", maintain_order="left"
    )["group"]
    return pairs["x"].to_numpy(), pairs["age"].to_numpy(), group.cast(pl.Int64).to_numpy()
