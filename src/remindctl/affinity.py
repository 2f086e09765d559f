"""What is bought next: which items go with which, and what each customer may like.

An item goes with another when the people who bought the one buy the other, with it or later, more
often than people in general do (lift > 1), and enough of them did so (minimum support).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

import polars as pl

from remindctl.frames import PERSON

if TYPE_CHECKING:
    from datetime import date

    from remindctl.frames import Orders

# Under this many people who bought both, a lift is chance.
MIN_SUPPORT = 5
# An item that this share of its buyers bought again on another day is used up and wanted again.
CONSUMABLE_SHARE = 0.2
RECOMMENDED_ITEMS = 3
LISTED_PAIRS = 20

# A wholesale buyer of a thousand items says little about people and has a million pairs.
_ITEMS_PER_PERSON = 50
_NEXT_PER_ITEM = 10
# Two 32-bit numbers make one 64-bit one.
_PACKED = 2**32
_HIGH = (pl.col("key") // _PACKED).cast(pl.UInt32)
_LOW = (pl.col("key") % _PACKED).cast(pl.UInt32)

Recommendations = NewType("Recommendations", pl.DataFrame)


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
        items: item (code), name, buyers, consumable.
        pairs: item, next, both, share, lift; best first within each item.
        owned: person, item, first_on, last_on: one row per person and item bought.
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
    lines = _coded(_lines(orders, as_of))
    # One packed number groups faster than two, here as below.
    bought = (pl.col("person").cast(pl.UInt64) * 2**32 + pl.col("item")).alias("bought")
    owned = (
        lines.lazy()
        .group_by(bought)
        .agg(pl.col("on").min().alias("first_on"), pl.col("on").max().alias("last_on"))
        .select(
            (pl.col("bought") // 2**32).cast(PERSON).alias("person"),
            (pl.col("bought") % 2**32).cast(pl.UInt32).alias("item"),
            "first_on",
            "last_on",
        )
        .collect(engine="streaming")
    )
    again = (pl.col("last_on") > pl.col("first_on")).sum()
    used_up = (again >= MIN_SUPPORT) & (again >= CONSUMABLE_SHARE * pl.len())
    items = (
        owned.group_by("item")
        .agg(pl.len().cast(pl.Int64).alias("buyers"), used_up.alias("consumable"))
        .join(_latest_names(lines), on="item", how="left")
        .sort("item")
    )
    return Affinities(items, _pairs(owned, items), owned)


def _lines(orders: Orders, as_of: date) -> pl.DataFrame:
    columns = [name for name in ("product_id", "product") if name in orders.columns]
    if not columns:
        texts = pl.Categorical()
        schema = {"person": PERSON(), "on": pl.Date(), "key": texts, "name": texts}
        return pl.DataFrame(schema=schema)
    return orders.filter(
        pl.col("status") == "paid",
        pl.col("person").is_not_null(),
        pl.col("ordered_on") <= as_of,
    ).select(
        "person",
        pl.col("ordered_on").alias("on"),
        pl.coalesce(columns).cast(pl.Categorical).alias("key"),
        pl.col(columns[-1]).cast(pl.Categorical).alias("name"),
    ).filter(pl.col("key").is_not_null())  # fmt: skip


def _coded(lines: pl.DataFrame) -> pl.DataFrame:
    """Add item, a number in the order of keys: numbers join and group faster than texts."""
    keys = lines.select("key").unique().sort(pl.col("key").cast(pl.String))
    keys = keys.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("item"))
    return lines.join(keys, on="key")


def _latest_names(lines: pl.DataFrame) -> pl.DataFrame:
    """Return item and name: the latest one, of several of one day the last by letters."""
    told = lines.group_by("item", "key", "name").agg(pl.col("on").max())
    name = pl.coalesce("name", "key").cast(pl.String)
    told = told.select("item", "on", name.alias("name")).sort("item", "on", "name")
    return told.group_by("item", maintain_order=True).agg(pl.col("name").last())


def _pairs(owned: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    people = owned["person"].n_unique()
    often = items.filter(pl.col("buyers") >= MIN_SUPPORT).select("item")
    several = owned.join(often, on="item", how="semi")
    # Most people own one item, and one item makes no pair.
    several = several.filter(pl.col("person").is_duplicated())
    sizes = several["person"].value_counts()
    if (sizes["count"] > _ITEMS_PER_PERSON).any():
        several = several.sort("person", "last_on", "item", descending=[False, True, False])
        several = several.filter(pl.int_range(pl.len()).over("person") < _ITEMS_PER_PERSON)
    counted = several.lazy()
    later = counted.select("person", pl.col("item").alias("next"), "last_on")
    pair = (pl.col("item").cast(pl.UInt64) * 2**32 + pl.col("next")).alias("pair")
    both = (
        counted.select("person", "item", "first_on")
        .join(later, on="person")
        .filter(pl.col("item") != pl.col("next"), pl.col("last_on") >= pl.col("first_on"))
        .group_by(pair)
        .agg(pl.len().cast(pl.Int64).alias("both"))
        .filter(pl.col("both") >= MIN_SUPPORT)
        .select(
            (pl.col("pair") // 2**32).cast(pl.UInt32).alias("item"),
            (pl.col("pair") % 2**32).cast(pl.UInt32).alias("next"),
            "both",
        )
        .collect(engine="streaming")
    )
    sizes = items.select("item", "buyers")
    of_next = sizes.select(pl.col("item").alias("next"), pl.col("buyers").alias("next_buyers"))
    share = pl.col("both") / pl.col("buyers")
    return (
        both.join(sizes, on="item")
        .join(of_next, on="next")
        .with_columns(share.alias("share"), (share * people / pl.col("next_buyers")).alias("lift"))
        .filter(pl.col("lift") > 1)
        .sort("item", "lift", "both", "next", descending=[False, True, True, False])
        .select("item", "next", "both", "share", "lift")
    )


def recommendations(found: Affinities) -> Recommendations:
    """Choose, for every person, the items that go best with what they own.

    What they own already is left out unless it is consumable.

    Returns:
        person and recommended (names, best first, at most ``RECOMMENDED_ITEMS``); people for whom
        nothing stands out are absent.
    """
    # Who owns the same gets the same, and most people own one thing.
    baskets = found.owned.group_by("person").agg(pl.col("item").sort().alias("items"))
    kinds = baskets.select("items").unique()
    kinds = kinds.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("basket"))
    names = found.items.select(pl.col("item").alias("next"), "name")
    chosen = _best_next(found, kinds.explode("items").rename({"items": "item"})).join(
        names, on="next", how="left", maintain_order="left"
    )
    named = chosen.group_by("basket", maintain_order=True).agg(pl.col("name").alias("recommended"))
    of_kind = kinds.join(named, on="basket").select("items", "recommended")
    return Recommendations(baskets.join(of_kind, on="items").select("person", "recommended"))


def _best_next(found: Affinities, owned: pl.DataFrame) -> pl.DataFrame:
    """Return basket and next, best first, of baskets whose items are in ``owned``."""
    pairs = found.pairs.filter(pl.int_range(pl.len()).over("item") < _NEXT_PER_ITEM).select(
        "item", "next", pl.col("lift").rank("dense", descending=True).alias("rank"), "both"
    )
    lasting = found.items.filter(~pl.col("consumable")).select("item")
    kept = owned.join(lasting, on="item", how="semi").select(_packed("basket", "item"))
    candidates = (
        owned.lazy()
        .join(pairs.lazy(), on="item")
        .select(_packed("basket", "next").alias("key"), "rank", "both")
        .filter(~pl.col("key").is_in(kept.to_series().implode()))
        .group_by("key")
        .agg(pl.col("rank").min(), pl.col("both").max())
        .select(_HIGH.alias("basket"), _LOW.alias("next"), "rank", "both")
        .with_columns(_packed("basket", "rank").alias("key"))
        .collect(engine="streaming")
    )
    # One sort of one packed number leaves a few of each basket, and only these in doubt.
    candidates = candidates.sort("key")
    last = pl.when(_nth("basket") < RECOMMENDED_ITEMS).then("rank").forward_fill()
    return (
        candidates.filter(pl.col("rank") <= last)
        .sort("key", "both", "next", descending=[False, True, False])
        .filter(_nth("basket") < RECOMMENDED_ITEMS)
        .select("basket", "next")
    )


def _packed(high: str, low: str) -> pl.Expr:
    return pl.col(high).cast(pl.UInt64) * _PACKED + pl.col(low)


def _nth(sorted_by: str) -> pl.Expr:
    """Number the rows of each run of equal values from 0."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    starts = pl.col(sorted_by).ne_missing(pl.col(sorted_by).shift(1))
    return row - pl.when(starts).then(row).forward_fill()


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
