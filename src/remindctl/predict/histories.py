"""What the models need to know of each customer, from purchase days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType

import numpy as np
import polars as pl

from remindctl.rows import lengths, minor_units, of_minor_units, run_sums, sorted_rows, starts

if TYPE_CHECKING:
    from datetime import date

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
    known = days.filter(pl.col("on") <= as_of)
    first = starts(known["person"].to_numpy())
    x = lengths(first, len(known)) - 1
    spent = minor_units(known["amount"])
    repeated = of_minor_units(run_sums(spent, first) - spent[first])
    customers = pl.DataFrame(
        {
            "person": known["person"].gather(first),
            "x": pl.Series(x, dtype=pl.Int64),
            "first": known["on"].gather(first),
            "last": known["on"].gather(first + x),
            "repeated": repeated.cast(pl.Float64),
        }
    )
    return Histories(
        customers.select(
            "person",
            "x",
            (pl.col("last") - pl.col("first")).dt.total_days().alias("t_x"),
            (as_of - pl.col("first")).dt.total_days().alias("age"),
            pl.when(pl.col("x") > 0).then(pl.col("repeated") / pl.col("x")).alias("repeat_mean"),
        )
    )


def alike(known: Histories) -> tuple[Ints, Ints, Ints]:
    """Group the customers that share x and age: far fewer than customers.

    Returns:
        x and age of each group, and for each customer the number of their group.
    """
    x, age, row = sorted_rows(
        known["x"].to_numpy(), known["age"].to_numpy(), np.arange(len(known), dtype=np.int64)
    )
    begins = starts(x, age)
    group = np.empty_like(row)
    group[row] = np.repeat(np.arange(len(begins)), lengths(begins, len(row)))
    return x[begins], age[begins], group
