"""Who a campaign is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.model import Audience


def members(audience: Audience) -> pl.Expr:
    """Say of each row of Profiles whether it belongs to the audience; unknown = no."""
    chosen = pl.lit(value=True)
    if audience.segments:
        chosen &= _in_any(audience.segments)
    if audience.exclude:
        chosen &= ~_in_any(audience.exclude)
    if audience.where is not None:
        chosen &= pl.sql_expr(audience.where).fill_null(value=False)
    return chosen


def _in_any(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col("segments").list.contains(name) for name in names)
