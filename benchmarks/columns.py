"""The columns of a file that ``analyze`` parses, so that the floor parses just these."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from polars.io.plugins import register_io_source

from benchmarks.generate import PASSWORD
from remindctl.cycles import ITEM_COLUMNS
from remindctl.stores.identify import claim_files
from remindctl.stores.layout import built_in
from remindctl.stores.load import load
from remindctl.stores.query import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

_HEAD_ROWS = 1000


def columns_read(path: Path) -> list[str]:
    """Return the columns in the order of the file, found by watching the reader read its head."""
    [claim] = claim_files([str(path)], list(built_in().values()), password=lambda _: PASSWORD)
    head = claim.table.rows.head(_HEAD_ROWS).collect()
    asked: set[str] = set()

    def watched(
        columns: list[str] | None, predicate: pl.Expr | None, _rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = columns if columns is not None else head.columns
        asked.update(wanted)
        rows = head if predicate is None else head.filter(predicate)
        yield rows.select(wanted)

    table = replace(claim.table, rows=register_io_source(watched, schema=head.schema))
    compact = Settings(compact=frozenset(ITEM_COLUMNS["product"]))
    load([replace(claim, table=table)], compact, store="benchmark")
    return [name for i, name in enumerate(claim.table.header) if f"c{i}" in asked]
