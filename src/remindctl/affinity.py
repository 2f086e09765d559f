"""What is bought next: which items go with which.

An item goes with another when the people who bought the one buy the other, with it or later, more
often than people in general do (lift > 1), and enough of them did so (minimum support).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.frames import PERSON
from remindctl.pairs import bought_then
from remindctl.rows import lengths, numbered, sorted_rows, starts

if TYPE_CHECKING:
    from datetime import date

    from remindctl.frames import Orders
    from remindctl.rows import Ints

# Under this many people who bought both, a lift is chance.
MIN_SUPPORT = 5
# An item that this share of its buyers bought again on another day is used up and wanted again.
CONSUMABLE_SHARE = 0.2
LISTED_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that go together.

    Attributes:
        item: what was bought first (or at the same time); next_item: what went with it.
        buyers: people who bought ``item``; both: of them, those who bought ``next_item`` on the
            same day or later (the support).
        share: ``both`` of ``buyers``.
        lift: ``share`` over the share of all people who bought ``next_item``.
    """

    item: str
    next_item: str
    buyers: int
    both: int
    share: float
    lift: float


@dataclass(frozen=True, slots=True)
class Affinities:
    """The items of a store and how they go together.

    Attributes:
        items: item (number), name, buyers, consumable.
        pairs: item, next, both, share, lift; best first within each item.
        owned: person, item: one row per person and item bought, sorted.
    """

    items: pl.DataFrame
    pairs: pl.DataFrame
    owned: pl.DataFrame


def affinities(orders: Orders, as_of: date) -> Affinities:
    """Count which items go together.

    Args:
        orders: person, ordered_on, status and as much of product_id and product as there is.
        as_of: the last day seen.
    """
    lines = _lines(orders, as_of)
    keys, number = numbered(lines["key"])
    names = _latest_names(lines, keys, number)
    on = lines["on"].to_physical().to_numpy()
    person, item, on = sorted_rows(lines["person"].to_numpy(), number, on)
    del lines, number
    begins = starts(person, item)
    first_on, last_on = on[begins], on[begins + lengths(begins, len(on)) - 1]
    person, item = person[begins], item[begins]
    buyers = np.bincount(item, minlength=len(keys))
    again = np.bincount(item[last_on > first_on], minlength=len(keys))
    consumable = (again >= MIN_SUPPORT) & (again >= CONSUMABLE_SHARE * buyers)
    del on, begins
    both = bought_then(person, item, first_on, last_on, items=len(keys), least=MIN_SUPPORT)
    items = pl.DataFrame({"name": names, "buyers": buyers, "consumable": consumable})
    items = items.with_row_index("item")
    pairs = _lifted(both, items, people=len(starts(person)))
    return Affinities(items, pairs, pl.DataFrame({"person": person, "item": item}))


def _lines(orders: Orders, as_of: date) -> pl.DataFrame:
    columns = [name for name in ("product_id", "product") if name in orders.columns]
    if not columns:
        texts = pl.Categorical()
        schema = {"person": PERSON(), "on": pl.Date(), "key": texts}
        return pl.DataFrame(schema=schema)
    key = pl.coalesce(columns).cast(pl.Categorical)
    # A name of its own has only what has an id besides.
    names = {"name": pl.col(columns[-1]).cast(pl.Categorical)} if columns[1:] else {}
    return (
        orders.lazy()
        .filter(
            pl.col("status") == "paid",
            pl.col("person").is_not_null(),
            pl.col("ordered_on") <= as_of,
            pl.any_horizontal(pl.col(columns).is_not_null()),
        )
        .select("person", pl.col("ordered_on").alias("on"), key.alias("key"), **names)
        .collect()
    )


def _latest_names(lines: pl.DataFrame, keys: pl.Series, number: Ints) -> pl.Series:
    """Return each item's latest name: of several of one day the last by letters, else its key."""
    if "name" not in lines.columns:
        return keys
    on = lines["on"].to_physical().to_numpy()
    last = np.full(len(keys), np.iinfo(on.dtype).min, dtype=on.dtype)
    np.maximum.at(last, number, on)
    latest = on == last[number]
    told = lines.filter(pl.Series(latest)).select(
        pl.Series("item", number[latest]), pl.coalesce("name", "key").cast(pl.String).alias("name")
    )
    return told.group_by("item").agg(pl.col("name").max()).sort("item")["name"]


def _lifted(both: pl.DataFrame, items: pl.DataFrame, *, people: int) -> pl.DataFrame:
    """Keep the pairs that are bought more often than by chance, the best first of each item."""
    buyers = items["buyers"]
    share = pl.col("both") / buyers.gather(both["item"])
    lift = pl.col("share") * people / buyers.gather(both["next"])
    return (
        both.with_columns(share.alias("share"))
        .with_columns(lift.alias("lift"))
        .filter(pl.col("lift") > 1)
        .sort("item", "lift", "both", "next", descending=[False, True, True, False])
    )


def strongest(found: Affinities) -> tuple[Pair, ...]:
    """Return the ``LISTED_PAIRS`` pairs of the highest lift, of equals the most bought."""
    names = found.items.select("item", "name", "buyers")
    next_names = names.select(pl.col("item").alias("next"), pl.col("name").alias("next_item"))
    rows = (
        found.pairs.sort("lift", "both", "item", "next", descending=[True, True, False, False])
        .head(LISTED_PAIRS)
        .join(names, on="item", maintain_order="left")
        .join(next_names, on="next", maintain_order="left")
        .select("name", "next_item", "buyers", "both", "share", "lift")
    )
    return tuple(Pair(*row) for row in rows.iter_rows())
