"""Overlapping downloads and different exports of one shop → one truth about its order lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.stores.identity import IDENTIFIERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.stores.engine import Lines
    from remindctl.stores.identify import Claimed

_FILE = "_file"
_TOLD = "_told"


def merge(parts: Sequence[tuple[Claimed, Lines]]) -> tuple[pl.DataFrame, int]:
    """Return the lines of all files (at least one) as one truth, and how many were told again.

    A line has a key where its layout gives one. Without, an order is the unit: its newest file has
    all of its lines.

    Args:
        parts: each file's claim and lines, from the oldest file to the newest.
    """
    shops = {claim.layout.shop for claim, _ in parts}
    frames = []
    schemas = [read.frame.schema for _, read in parts]
    currency = next((s["currency"] for s in schemas if "currency" in s), None)
    for i, (claim, read) in enumerate(parts):
        frame = read.frame.with_columns(pl.lit(i, dtype=pl.UInt16).alias(_FILE))
        if currency is not None and "currency" not in frame.columns:
            # Beside files that name it row by row, a layout's own currency must not get lost.
            frame = frame.with_columns(
                pl.lit(claim.layout.currency).cast(currency).alias("currency")
            )
        if len(shops) > 1:
            # Two shops may count alike; an order of the one is none of the other.
            ids = [c for c in ("order_id", "line_id") if c in frame.columns]
            frame = frame.with_columns(_within(claim.layout.shop, c, frame.schema[c]) for c in ids)
        frames.append(frame)
    keyed = all(claim.layout.line_key and "line_id" in read.frame.columns for claim, read in parts)
    lines = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
    # Before older lines go: a shop masks the buyers of old orders in its later downloads.
    lines = _share_buyers(lines, everywhere=len(frames) > 1)
    before = lines.height
    if keyed:
        if lines["line_id"].n_unique() < before:
            lines = _newest_of_each(lines, one_layout=len({c.layout.layout for c, _ in parts}) == 1)
    elif len(frames) > 1:
        newest = lines.group_by("order_id").agg(pl.col(_FILE).max())
        lines = lines.join(newest, on=["order_id", _FILE], how="semi", maintain_order="left")
    return lines, before - lines.height


def _within(shop: str, column: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return pl.concat_str(pl.lit(f"{shop}:"), column).alias(column)
    return pl.struct(pl.lit(shop), column).hash().alias(column)


def _newest_of_each(lines: pl.DataFrame, *, one_layout: bool) -> pl.DataFrame:
    """Keep each line as its newest file tells it; other layouts fill in what that one lacks."""
    lines = lines.sort(_FILE, "row")
    if one_layout:
        return lines.unique("line_id", keep="last", maintain_order=True)
    # A file without the time of the order shows that of the payment, which is later.
    times = [c for c in ("ordered_at", "ordered_on") if c in lines.columns]
    told = pl.all().exclude("line_id", *times).drop_nulls().last()
    return lines.group_by("line_id", maintain_order=True).agg(told, pl.col(times).min())


def _share_buyers(lines: pl.DataFrame, *, everywhere: bool) -> pl.DataFrame:
    """Give every line of an order the buyer that any line of it names, the newest file first.

    Args:
        lines: from the oldest file to the newest.
        everywhere: also lines that name someone; else only those that name no one.
    """
    ids = [c for c in IDENTIFIERS if c in lines.columns]
    named = [*ids, *(["name"] if "name" in lines.columns else [])]
    telling = lines if everywhere else lines.clear()
    if ids and not everywhere:
        nobody = pl.all_horizontal(pl.col(c).is_null() for c in ids)
        nameless = lines.filter(nobody)["order_id"].unique()
        telling = lines.filter(pl.col("order_id").is_in(nameless.implode()), ~nobody)
    if not named or not telling.height:
        return lines
    buyers = telling.group_by("order_id").agg(pl.col(c).drop_nulls().last() for c in named)
    joined = lines.join(buyers, on="order_id", how="left", maintain_order="left", suffix=_TOLD)
    return joined.with_columns(pl.coalesce(f"{c}{_TOLD}", c).alias(c) for c in named).drop(
        f"{c}{_TOLD}" for c in named
    )
