"""The messages of rows that nothing holds so far: facts, coupons, texts, and what they cost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from remindctl.audience import facts
from remindctl.frames import MONEY, conform
from remindctl.policy import choose_legs
from remindctl.render import compile_leg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.model import Leg, Step, Store
    from remindctl.plan.desk import Desk

# What templates read below ``anchor``, and where rows have it.
_ANCHOR = (
    "product", "product_id", "products", "url", "quantity", "value", "cart_id", "code", "until",
)  # fmt: skip

# What reaching a person takes.
_REACHED_BY = (
    "person", "last_at", "country", "phone", "email", "push_token", "shop_id", "customer_key",
)  # fmt: skip

# What rendering tells of a row.
_CONTENT: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("subject", "text", "html", "extras", "encoding"), pl.String),
    **dict.fromkeys(("parts", "units"), pl.UInt32),
    **dict.fromkeys(("problem", "problem_detail"), pl.String),
}


def with_facts(rows: pl.DataFrame, step: Step, desk: Desk) -> pl.DataFrame:
    """Add what the step's facts are for each row, and hold those whose facts are not fresh."""
    if not step.facts:
        return rows
    known = facts(
        rows, step.facts, desk.snapshot.orders, desk.snapshot.events, desk.as_of,
        desk.snapshot.known_until,
    )  # fmt: skip
    stale = pl.col("stale").is_not_null() & pl.col("reason").is_null()
    return (
        rows.hstack(known.select(pl.struct(list(step.facts)).alias("facts"), "stale"))
        .with_columns(
            pl.when(stale)
            .then(pl.format("`facts.{}` is not known, or not fresh enough", "stale"))
            .alias("detail"),
            pl.when(stale).then(pl.lit("stale_fact")).otherwise("reason").alias("reason"),
        )
        .drop("stale")
    )


def with_messages(rows: pl.DataFrame, step: Step, desk: Desk) -> pl.DataFrame:
    """Render the rows that nothing holds, each with its variant and leg.

    Args:
        rows: of one step; has variant, leg, reason and the coupon columns.
        step: its templates.
        desk: whose customers and store they speak of.

    Returns:
        ``rows`` with subject, text, html, extras, parts, units, encoding and cost; where a message
        cannot be made, ``reason`` and ``detail`` say why.
    """
    rows = rows.with_row_index("_row")
    made = [pl.DataFrame(schema={"_row": pl.UInt32, **_CONTENT})]
    for variant in step.variants:
        of_variant = pl.lit(value=True) if variant.id is None else pl.col("variant") == variant.id
        for index, leg in enumerate(variant.legs):
            mine = rows.filter(pl.col("reason").is_null(), of_variant, pl.col("leg") == index)
            if len(mine):
                message = _render(mine, leg, desk)
                behind = desk.text_behind(variant, index)
                made.append(message if behind is None else _with_text(message, mine, behind, desk))
    rows = rows.join(pl.concat(made), on="_row", how="left", maintain_order="left").drop("_row")
    price = pl.col("channel").replace_strict(
        _prices(desk.store, step), default=None, return_dtype=MONEY
    )
    return rows.with_columns(
        pl.coalesce("reason", "problem").alias("reason"),
        pl.coalesce("detail", "problem_detail").alias("detail"),
        (price * pl.col("parts")).cast(MONEY).alias("cost"),
    ).drop("problem", "problem_detail")


def _with_text(message: pl.DataFrame, rows: pl.DataFrame, leg: Leg, desk: Desk) -> pl.DataFrame:
    """Send a text along for whoever may get one, for where the message does not arrive."""
    reach = rows.select(_REACHED_BY).with_columns(pl.lit(0, dtype=pl.UInt8).alias("from_leg"))
    may = choose_legs(reach, [leg], desk.campaign, desk.store, desk.given, desk.as_of)
    texts = _render(rows.filter(may["hold"].is_null()), leg, desk).filter(
        pl.col("problem").is_null()
    )
    told = {
        number: {"fallback": {"subject": subject, "text": text}}
        for number, subject, text in texts.select("_row", "subject", "text").iter_rows()
    }
    extras = [
        json.dumps({**json.loads(extras or "{}"), **told.get(number, {})}, ensure_ascii=False)
        for number, extras in message.select("_row", "extras").iter_rows()
    ]
    return message.with_columns(pl.Series("extras", extras, dtype=pl.String))


def _prices(store: Store, step: Step) -> dict[str, Decimal]:
    return {str(leg.channel): store.prices.get(leg.channel, Decimal(0)) for leg in step.legs}


def _render(rows: pl.DataFrame, leg: Leg, desk: Desk) -> pl.DataFrame:
    compiled = compile_leg(leg, desk.store, desk.campaign)
    wanted = {*compiled.names, "person", "country", "customer_key"}
    columns = [name for name in desk.people.columns if name in wanted]
    at = pl.col("anchor_at").dt.convert_time_zone(desk.store.timezone)
    anchor = pl.struct(
        pl.col("occasion").alias("id"), at.alias("at"), at.dt.date().alias("on"), *_ANCHOR
    )
    today = pl.lit(desk.as_of).dt.convert_time_zone(desk.store.timezone).dt.date()
    # A reminder of a coupon speaks of the one that was issued.
    own = pl.col("coupon_code").is_not_null()
    until = pl.when(own).then("coupon_until").otherwise("until")
    coupon = pl.struct(
        pl.when(own).then("coupon_code").otherwise("code").alias("code"),
        pl.when(own).then("coupon_pool").otherwise("pool").alias("pool"),
        until.alias("until"),
        (until - today).dt.total_days().alias("days_left"),
    )
    values = rows.select(
        "person",
        anchor.alias("anchor"),
        coupon.alias("coupon"),
        *(["facts"] if "facts" in rows.columns else []),
    ).join(desk.people.select(columns), on="person", how="left", maintain_order="left")
    return rows.select("_row").hstack(conform(compiled.render(values), _CONTENT))
