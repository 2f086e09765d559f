"""What the recognised people of a store bought, with the lines of each person together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.rows import lengths, sorted_rows, starts

if TYPE_CHECKING:
    from datetime import datetime

    from remindctl.frames import Orders
    from remindctl.rows import Ints

_TIME = ("ordered_at", "order_id", "line_id")


@dataclass(frozen=True, slots=True)
class Purchases:
    """The lines that count, by person, then by order (the first one first), then by time.

    Attributes:
        seen: the same lines in the order of time: person, ordered_at, order_id, ordered_on,
            product, category, discount_code; paid, the amount if in the store's currency.
        row: of each line, where it is in ``seen``.
        person: of each line.
        order: of each line; numbered from 0, so that those of one person are neighbours.
    """

    seen: pl.DataFrame
    row: Ints
    person: Ints
    order: Ints

    def column(self, name: str) -> pl.Series:
        """Return a column of ``seen`` line by line."""
        return self.seen[name].gather(self.row)

    def moments(self) -> Ints:
        """Number the instants of the lines, in the order of time."""
        new = np.zeros(len(self.seen), dtype=np.uint32)
        new[starts(self.seen["ordered_at"].to_physical().to_numpy())] = 1
        found: Ints = np.cumsum(new, dtype=np.uint32)[self.row]
        return found

    def latest_lines(self) -> Ints:
        """Return, for each person, which of their lines is the last in the order of time."""
        line = np.empty_like(self.row)
        line[self.row] = np.arange(len(line), dtype=line.dtype)
        found: Ints = line[np.maximum.reduceat(self.row, starts(self.person))]
        return found


def purchases(orders: Orders, as_of: datetime, currency: str) -> Purchases:
    """Choose what counts as of an instant: paid lines of recognised people, ordered up to it."""
    in_currency = pl.col("currency").fill_null(currency) == currency
    seen = _in_time(
        orders.filter(
            pl.col("status") == "paid",
            pl.col("ordered_at") <= as_of,
            pl.col("person").is_not_null(),
        ).select(
            "person",
            *_TIME,
            "ordered_on",
            pl.col("product", "category").cast(pl.Categorical),
            "discount_code",
            pl.when(in_currency).then("amount").fill_null(0).alias("paid"),
        )
    )
    rows = np.arange(len(seen), dtype=np.uint32)
    person, first, row = sorted_rows(
        seen["person"].to_numpy(), _first_rows(seen.select("person", "order_id")), rows
    )
    new = np.zeros(len(seen), dtype=np.uint32)
    new[starts(person, first)[1:]] = 1
    return Purchases(seen, row, person, np.cumsum(new, dtype=np.uint32))


def _in_time(seen: pl.DataFrame) -> pl.DataFrame:
    """Sort by time what is not sorted yet; a load is."""
    at, order, line = (pl.col(name) for name in _TIME)
    same_order = (order == order.shift(1)) & (line >= line.shift(1))
    same_time = (at == at.shift(1)) & ((order > order.shift(1)) | same_order)
    ascends = seen.select(((at > at.shift(1)) | same_time).all()).item()
    return seen if ascends else seen.sort(_TIME)


def _first_rows(orders: pl.DataFrame) -> Ints:
    """Return of each row the first one of its person and order."""
    unlike = (pl.col(name).ne_missing(pl.col(name).shift(1)) for name in orders.columns)
    begins = orders.select(pl.any_horizontal(unlike).arg_true()).to_series()
    heads = orders.select(pl.all().gather(begins))
    first = begins.to_numpy()
    if heads.n_unique() < len(heads):
        # The lines of an order are of different times, and others were bought in between.
        earliest = pl.col("head").min().over(orders.columns)
        first = first[heads.with_row_index("head").select(earliest).to_series().to_numpy()]
    return np.repeat(first, lengths(begins.to_numpy(), len(orders)))
