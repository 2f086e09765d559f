"""Why an occasion is due, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.model import Span, Statistic

if TYPE_CHECKING:
    from remindctl.model import Due


def why(due: Due, zone: str) -> pl.Expr:
    """Say why an occasion is due: ``30d after last_order (2026-09-30)``.

    Args:
        due: the step's rule.
        zone: of the date that is shown.
    """
    on = pl.col("anchor_at").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d")
    return pl.concat_str(pl.lit(f"{_wait(due.wait)} {due.after} ("), on, pl.lit(")"))


def _wait(wait: Span | Statistic) -> str:
    if isinstance(wait, Statistic):
        return f"{wait} after"
    before = wait.days < 0 or wait.seconds < 0
    length = Span(-wait.days, -wait.seconds) if before else wait
    if not length.days and not length.seconds:
        return "on"
    return f"{length} {'before' if before else 'after'}"
