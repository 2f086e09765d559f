"""Messages to look at before anything is sent: for everyone with an occasion, held or not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from remindctl.audience import members
from remindctl.frames import INSTANT, MONEY
from remindctl.plan.content import with_facts, with_messages
from remindctl.plan.coupons import give, no_coupons

if TYPE_CHECKING:
    from remindctl.model import Step
    from remindctl.plan.desk import Desk

# Who has more customers than this is shown the messages of so many of them, those due next first.
MOST = 20_000

# The occasion of everyone where nobody has one.
INVENTED = "example"


def sample(
    desk: Desk, step: Step, occasions: pl.DataFrame | None = None, most: int = MOST
) -> pl.DataFrame:
    """Render a step for the people of its audience, on each leg, as if nothing held them.

    Each person is taken with the occasion that is due now, else the one that comes next, else the
    latest; where nobody has one, everyone of the audience with an invented one. Stale facts and
    empty pools do hold: without them there is no text.

    Args:
        desk: the campaign, store and instant.
        step: of the campaign.
        occasions: ``Desk.any_time`` of the step, where it is known already.
        most: so many people at most.

    Returns:
        the columns of ``Desk.any_time`` and those of a message, one row per person and leg of their
        variant; ``reason`` and ``detail`` say why the message cannot be made, ``held_by`` what
        would hold it now (null = it would go out).
    """
    rows = desk.any_time(step) if occasions is None else occasions
    if rows.is_empty():
        rows = desk.gated(step, _invented(desk), keep=True)
    rows = (
        rows.filter(pl.col("reason").is_null() | (pl.col("reason") != "no_variant"))
        .with_columns(
            pl.col("reason").alias("held_by"),
            pl.when(pl.col("reason").is_null())
            .then(0)
            .when(pl.col("not_yet"))
            .then(1)
            .otherwise(2)
            .alias("_rank"),
        )
        # The next first among those to come, the latest among those that are past.
        .sort(
            "_rank",
            pl.when(pl.col("_rank") == 1).then("due_at"),
            pl.when(pl.col("_rank") == 2).then("due_at"),
            descending=[False, False, True],
            nulls_last=True,
            maintain_order=True,
        )
        .unique("person", keep="first", maintain_order=True)
        .head(most)
        .drop("_rank")
    )
    parts = []
    for variant in step.variants:
        of_variant = pl.lit(value=True) if variant.id is None else pl.col("variant") == variant.id
        mine = rows.filter(of_variant)
        for index, (leg, provider) in enumerate(
            zip(variant.legs, desk.providers(variant.legs), strict=True)
        ):
            chosen = pl.col("leg") == index
            parts.append(
                mine.with_columns(
                    pl.when(chosen).then("held_by").otherwise(
                        pl.coalesce("held_by", pl.lit("another_leg"))
                    ).alias("held_by"),
                    pl.lit(index, dtype=pl.UInt8).alias("leg"),
                    pl.lit(str(leg.channel)).alias("channel"),
                    pl.lit(provider).alias("provider"),
                    pl.lit(None, dtype=pl.String).alias("reason"),
                    pl.lit(None, dtype=pl.String).alias("detail"),
                )
            )  # fmt: skip
    found = with_facts(pl.concat(parts), step, desk)
    if step.coupon is None:
        found = found.hstack(no_coupons(found)).drop("coupon_hold")
    else:
        # The legs of one message carry one code.
        wants = found.with_columns(pl.col("reason").is_null().alias("wants"))
        first = wants.unique(["person", "key"], keep="first", maintain_order=True)
        codes = give(first, step.coupon, desk.coupons, desk.store, desk.as_of)
        found = found.join(
            first.select("person", "key").hstack(codes),
            on=["person", "key"],
            how="left",
            maintain_order="left",
        )
        found = found.with_columns(pl.coalesce("reason", "coupon_hold").alias("reason"))
        found = found.drop("coupon_hold")
    return with_messages(found, step, desk)


def _invented(desk: Desk) -> pl.DataFrame:
    """Give everyone of the audience an occasion that is as good as any."""
    zone, today = desk.store.timezone, desk.as_of.astimezone(ZoneInfo(desk.store.timezone)).date()
    now = pl.lit(desk.as_of, dtype=INSTANT)
    people = desk.people.filter(members(desk.campaign.audience))
    product = pl.col("last_products").list.first()
    return people.select(
        "person",
        pl.lit(INVENTED).alias("occasion"),
        *(now.alias(name) for name in ("anchor_at", "ends_from", "wanted_at")),
        pl.lit(value=False).alias("over"),
        pl.col("timezone").fill_null(zone).alias("zone"),
        pl.col("timezone").is_not_null().alias("zone_known"),
        pl.col("timezone_source").fill_null("store").alias("zone_source"),
        product.alias("product"),
        product.alias("product_id"),
        pl.col("last_products").alias("products"),
        pl.lit(desk.store.url or None, dtype=pl.String).alias("url"),
        pl.lit(1, dtype=pl.Int64).alias("quantity"),
        pl.lit(None, dtype=MONEY).alias("value"),
        pl.lit("example").alias("cart_id"),
        pl.lit("EXAMPLE").alias("code"),
        pl.lit(None, dtype=pl.String).alias("pool"),
        pl.lit(today + timedelta(days=3), dtype=pl.Date).alias("until"),
    )
