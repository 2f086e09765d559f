"""Which rows of a block get no message, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

# Which rows cannot be sent, and why: a text, or one for each row.
Finding = tuple[pl.Expr, str | pl.Expr]


class Held:
    """Why rows of a block get no message: the first reason of each."""

    def __init__(self) -> None:
        self._reasons: dict[int, str] = {}

    def add(self, row: int, why: str) -> None:
        """Hold a row, unless it is held already."""
        self._reasons.setdefault(row, why)

    def where(self, frame: pl.DataFrame, findings: Iterable[Finding]) -> None:
        """Hold the rows of a block in which something is found, for the first thing found."""
        found = list(findings)
        if not found:
            return
        somewhere = frame.select(rows.any().alias(str(n)) for n, (rows, _) in enumerate(found))
        for (rows, why), there in zip(found, somewhere.row(0), strict=True):
            if there:
                said = pl.lit(why) if isinstance(why, str) else why
                held = frame.select(pl.row_index("row"), said.alias("why"), rows.alias("held"))
                for row, reason in held.filter("held").select("row", "why").iter_rows():
                    self.add(row, reason)

    def column(self, height: int) -> pl.Series:
        """Return the reasons as a column, null where there is none."""
        found: list[str | None] = [None] * height
        for row, why in self._reasons.items():
            found[row] = why
        return pl.Series(found, dtype=pl.String)
