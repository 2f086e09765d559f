"""Occasions of orders: the first, the last, each; cancelled, delivered, confirmed, expected.

An order's lines that were paid count, except where the order was cancelled. Orders of one day are
one purchase, so only the next day's order is a new one. That day is the store's, not the one the
shop wrote, so that no order ends its own occasion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience.sources import DETAILS, just_after, next_day
from remindctl.hours import from_the_wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from remindctl.audience.sources import Sources
    from remindctl.model import Step

_PAID = pl.col("status") == "paid"
# Money sent back for a return is not a cancelled order; only then is there such a time.
_CANCELLED = (pl.col("status") == "cancelled") | (
    (pl.col("status") == "refunded") & pl.col("cancelled_at").is_not_null()
)
_STANDING = pl.col("status").is_in(["paid", "pending"])


def profiled(which: str) -> Callable[[Sources, Step], pl.DataFrame]:
    """Find the ``first`` or ``last`` order of each person."""

    def find(sources: Sources, _step: Step) -> pl.DataFrame:
        at = f"{which}_at"
        return sources.profiles.filter(pl.col(f"{which}_order_id").is_not_null()).select(
            "person",
            pl.col(f"{which}_order_id").alias("occasion"),
            pl.col(at).alias("anchor_at"),
            next_day(pl.col(at), sources.store.timezone).alias("ends_from"),
        )

    return find


def ordered(sources: Sources, _step: Step) -> pl.DataFrame:
    """Find every paid order."""
    orders = (
        sources.lines()
        .lazy()
        .filter(_PAID)
        .group_by("person", pl.col("order_id").alias("occasion"))
        .agg(pl.col("ordered_at").min().alias("anchor_at"))
    )
    ends = next_day(pl.col("anchor_at"), sources.store.timezone).alias("ends_from")
    return orders.with_columns(ends).collect()


def cancelled(sources: Sources, _step: Step) -> pl.DataFrame:
    """Find the orders of which nothing is left because they were cancelled."""
    at = pl.coalesce("cancelled_at", "ordered_at").filter(_CANCELLED).max()
    orders = (
        sources.lines()
        .lazy()
        .filter(_CANCELLED | _STANDING)
        .group_by("person", pl.col("order_id").alias("occasion"))
        .agg(at.alias("anchor_at"), _STANDING.any().alias("standing"))
        .filter(~pl.col("standing"), pl.col("anchor_at") <= sources.as_of)
        .drop("standing")
    )
    return orders.with_columns(just_after(pl.col("anchor_at")).alias("ends_from")).collect()


def received(column: str) -> Callable[[Sources, Step], pl.DataFrame]:
    """Find the orders (or their lines) that reached ``delivered_at`` or ``confirmed_at``.

    An order has when the last of its paid lines has.
    """

    def find(sources: Sources, step: Step) -> pl.DataFrame:
        each = "line_id" if step.due.per_line else "order_id"
        at = pl.when(pl.col(column) <= sources.as_of).then(column)
        orders = (
            sources.lines()
            .lazy()
            .filter(_PAID)
            .group_by("person", pl.col(each).alias("occasion"))
            .agg(
                at.max().alias("anchor_at"),
                at.has_nulls().alias("missing"),
                pl.col("ordered_at").min(),
            )
            .filter(~pl.col("missing"))
        )
        after_own_day = next_day(pl.col("ordered_at"), sources.store.timezone)
        ends = pl.max_horizontal(after_own_day, just_after(pl.col("anchor_at")))
        return orders.with_columns(ends.alias("ends_from")).drop("missing", "ordered_at").collect()

    return find


def expected_next(sources: Sources, _step: Step) -> pl.DataFrame:
    """Find the day on which each person's next order is expected, an occasion of the latest one."""
    zone = sources.store.timezone
    return sources.profiles.filter(pl.col("expected_next_on").is_not_null()).select(
        "person",
        pl.col("last_order_id").alias("occasion"),
        from_the_wall(pl.col("expected_next_on").cast(pl.Datetime("us")), zone).alias("anchor_at"),
        next_day(pl.col("last_at"), zone).alias("ends_from"),
    )


def with_products(sources: Sources, step: Step, found: pl.DataFrame) -> pl.DataFrame:
    """Add what was ordered: products by amount, units and amount of the whole order (or line)."""
    counts = _CANCELLED if step.due.after == "cancelled" else _PAID
    each = "line_id" if step.due.per_line else "order_id"
    # One number per occasion is quicker to group by than two columns, and stays.
    numbered = found.with_row_index("number")
    whose = numbered.lazy().select("number", "person", pl.col("occasion").alias(each))
    lines = sources.lines().lazy().filter(counts).join(whose, on=["person", each])
    products = pl.col("products").list
    told = (
        lines.select("number", "product_id", "product", "quantity", "amount")
        .sort("amount", descending=True, nulls_last=True, maintain_order=True)
        .group_by("number")
        .agg(
            pl.col("product_id", "product").first(),
            pl.col("product").alias("products"),
            _total("quantity").alias("quantity"),
            _total("amount").cast(DETAILS["value"]).alias("value"),
        )
        .with_columns(products.drop_nulls().list.unique(maintain_order=True))
        .collect()
    )
    return numbered.join(told, on="number", how="left", maintain_order="left").drop("number")


def _total(column: str) -> pl.Expr:
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum())
