"""One table and its layout → typed lines, and the rows that were no use, each with its reason.

The scan itself already does what belongs to a single row, so that a large file is never held as
text. What needs the neighbours (an order's first row, its total) follows on the small typed frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.stores.fields import AMOUNTS
from remindctl.stores.orders import first_rows, resolve_status, share_order_amounts, spread
from remindctl.stores.query import BLAME, LEFT, SUSPECT, Query, Settings
from remindctl.stores.tables import DAMAGE, ROW, Table
from remindctl.stores.values import in_money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.errors import Problem
    from remindctl.stores.layout import Layout

REJECTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "file": pl.String,
    "row": pl.UInt32,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
}
_FAULTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    ROW: pl.UInt32,
    **dict.fromkeys((DAMAGE, *BLAME), pl.String),
}


@dataclass(frozen=True, slots=True)
class Lines:
    """What one table gave.

    Attributes:
        frame: one row per usable row: ``row``, the layout's fields typed, ``consent0`` …; for
            orders also ``ordered_on`` and ``status``. Identifiers that identify no one are null.
        rejects: see ``REJECTS``.
        rows: rows that held anything.
        problems: texts that the layout's dictionaries do not know.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    rows: int
    problems: tuple[Problem, ...] = ()


def read_lines(table: Table, layout: Layout, settings: Settings) -> Lines:
    """Read ``table`` as ``layout`` says.

    Raises:
        Refused: the text cannot be read at all.
    """
    query = Query(table, layout, settings)
    # Before anything is asked of it: a query would copy all of it to bring its pieces into line.
    frame = _in_one_piece([table.collect(query)])
    suspects = frame[ROW].filter(frame[SUSPECT])
    unread = {
        field: frame.select(ROW, left).drop_nulls()
        for field, left in LEFT.items()
        if left in frame.columns
    }
    frame = query.read_categories(frame.drop(SUSPECT, *LEFT.values(), strict=False))
    frame, faults = _reread_suspects(frame, suspects, table, query)
    for field, left in unread.items():
        rest = left.filter(~pl.col(ROW).is_in(suspects.implode()))
        frame, more = _reread_addresses(frame, rest, field, query)
        faults = pl.concat([faults, more])
    rows = frame.height
    if layout.order_fields == "first row":
        damaged = faults.filter(pl.col(DAMAGE).is_not_null())[ROW]
        frame, first_row, misplaced = first_rows(frame, damaged)
        # One by one: what a column was before is free before the next one is worked on.
        for name in frame.columns:
            frame = spread(frame, name, first_row)
        faults = pl.concat([misplaced, faults], how="diagonal")
    frame, rejects = _split_rejects(frame, faults, table.name)
    if layout.kind != "orders":
        return Lines(_with_money(frame), rejects, rows)
    frame, problems = resolve_status(frame, table, layout)
    if "amount" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("amount"))
    if layout.amount_level != "line":
        contiguous = layout.order_fields == "first row"
        currency = _currency(frame) or layout.currency
        frame = share_order_amounts(frame, currency, contiguous=contiguous)
    return Lines(_with_money(frame.drop("price", strict=False)), rejects, rows, problems)


def _in_one_piece(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Put the pieces of a scanned frame's columns together, none of them twice in memory for long.

    Args:
        frames: the only one; emptied, so that a column's pieces are free when it is whole.
    """
    columns = frames.pop().get_columns()
    for i in range(len(columns)):
        columns[i] = columns[i].rechunk()
    return pl.DataFrame(columns)


def _with_money(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(in_money(pl.col(c)) for c in frame.columns if c in AMOUNTS)


def _currency(frame: pl.DataFrame) -> str | None:
    """Return the only currency that the rows name."""
    if "currency" not in frame.columns:
        return None
    named = frame["currency"].drop_nulls().unique()
    return str(named[0]) if named.len() == 1 else None


def _reread_suspects(
    frame: pl.DataFrame, suspects: pl.Series, table: Table, query: Query
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the suspect rows again, carefully, and tell why the ones that are no use are not."""
    if not suspects.len():
        return frame, pl.DataFrame(schema=dict(_FAULTS))
    wanted = pl.col(ROW).is_in(suspects.implode())
    # Out of the scan first: a careful function has a cost per block of rows, however few it holds.
    cells = table.collect(lambda rows: query.raw(rows.filter(wanted)))
    found = query.closer(cells.lazy()).collect()
    blank = found.filter("_empty")[ROW]
    if blank.len():
        frame = frame.filter(~pl.col(ROW).is_in(blank.implode()))
    found = found.filter(~pl.col("_empty"))
    faults = found.select(*_FAULTS).filter(
        pl.any_horizontal(pl.col(DAMAGE, "_reason").is_not_null())
    )
    read = [c for c in found.columns if c not in (*_FAULTS, "_empty")]
    return _put(frame, found.select(ROW, *read)), faults


def _put(frame: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Replace what ``frame`` has in the rows of ``found``."""
    # Rows stand in the order of their numbers, so that a search finds them without a join.
    at = frame[ROW].search_sorted(found[ROW])
    return frame.with_columns(
        frame[c].scatter(at, found[c])
        for c in found.columns
        if c != ROW and not frame[c].gather(at).equals(found[c], null_equal=True)
    )


def _reread_addresses(
    frame: pl.DataFrame, unread: pl.DataFrame, field: str, query: Query
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the addresses carefully that the scan left."""
    cells = unread[LEFT[field]].cast(pl.String)
    found, why = query.careful_addresses(field, cells)
    faults = unread.select(
        ROW,
        pl.lit(None, dtype=pl.String).alias(DAMAGE),
        why.alias("_reason"),
        cells.alias("_value"),
        pl.lit(query.column_of(field)).alias("_column"),
    ).drop_nulls("_reason")
    return _put(frame, unread.select(ROW, found)), faults


def _split_rejects(
    frame: pl.DataFrame, faults: pl.DataFrame, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set apart the rows that are no use."""
    if "ordered_on" in frame.columns and frame["ordered_on"].null_count():
        undated = frame.filter(pl.col("ordered_on").is_null()).select(
            ROW, pl.lit("no date").alias("_reason")
        )
        faults = pl.concat([faults, undated], how="diagonal")
    # What was found first is the reason.
    faults = faults.group_by(ROW, maintain_order=True).agg(
        pl.col(DAMAGE).drop_nulls().first(),
        pl.col(BLAME).filter(pl.col("_reason").is_not_null()).first(),
    )
    rejects = faults.select(
        pl.lit(name, dtype=pl.String).alias("file"),
        pl.col(ROW),
        pl.col("_column").alias("column"),
        pl.col("_value").alias("value"),
        pl.coalesce(DAMAGE, "_reason").alias("reason"),
    )
    if rejects.height:
        frame = frame.filter(~pl.col(ROW).is_in(rejects[ROW].implode()))
    return frame, rejects.sort(ROW)
