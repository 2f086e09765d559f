"""One table and its layout → typed lines, and the rows that were no use, each with its reason.

The scan itself already does what belongs to a single row, so that a large file is never held as
text. What needs the neighbours (an order's first row, its total) follows on the small typed frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import MONEY
from remindctl.stores.orders import resolve_status, share_order_amounts, spread_first_rows
from remindctl.stores.query import BLAME, UNREAD_PHONE, Query, Settings
from remindctl.stores.tables import DAMAGE, ROW, Table

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
    frame = _reread_suspects(table.collect(query), table, query)
    frame = _reread_phones(frame, query)
    rows = frame.height
    if layout.order_fields == "first row":
        frame = spread_first_rows(frame)
    frame, rejects = _split_rejects(frame, table.name)
    if layout.kind != "orders":
        return Lines(frame, rejects, rows)
    frame, problems = resolve_status(frame, table, layout)
    if "amount" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=MONEY).alias("amount"))
    if "refunded" in frame.columns:
        frame = frame.with_columns(pl.col("amount") - pl.col("refunded").fill_null(0))
    if layout.amount_level != "line":
        contiguous = layout.order_fields == "first row"
        currency = _currency(frame) or layout.currency
        frame = share_order_amounts(frame, currency, contiguous=contiguous)
    return Lines(frame.drop("refunded", "price", strict=False), rejects, rows, problems)


def _currency(frame: pl.DataFrame) -> str | None:
    """Return the only currency that the rows name."""
    if "currency" not in frame.columns:
        return None
    named = frame["currency"].drop_nulls().unique()
    return str(named[0]) if named.len() == 1 else None


def _reread_suspects(frame: pl.DataFrame, table: Table, query: Query) -> pl.DataFrame:
    """Read the suspect rows again, carefully, and add why the ones that are no use are not."""
    suspects = frame.filter("_suspect")[ROW]
    frame = frame.drop("_suspect")
    blame = dict.fromkeys(BLAME, pl.lit(None, dtype=pl.String))
    if not suspects.len():
        return frame.with_columns(**blame)
    wanted = pl.col(ROW).is_in(suspects.implode())
    # Out of the scan first: a careful function has a cost per block of rows, however few it holds.
    cells = table.collect(lambda rows: query.raw(rows.filter(wanted)))
    found = query.closer(cells.lazy()).collect().drop(DAMAGE)
    blank = found.filter("_empty")[ROW]
    if blank.len():
        frame = frame.filter(~pl.col(ROW).is_in(blank.implode()))
    found = found.filter(~pl.col("_empty")).drop("_empty")
    frame = frame.with_columns(**blame)
    # Rows stand in the order of their numbers, so that a search finds them without a join.
    at = frame[ROW].search_sorted(found[ROW])
    return frame.with_columns(frame[c].scatter(at, found[c]) for c in found.columns if c != ROW)


def _reread_phones(frame: pl.DataFrame, query: Query) -> pl.DataFrame:
    """Read the phone numbers carefully that the scan left."""
    if UNREAD_PHONE not in frame.columns:
        return frame
    texts, frame = frame[UNREAD_PHONE], frame.drop(UNREAD_PHONE)
    left = (texts.is_not_null() & frame["phone"].is_null()).arg_true()
    if not left.len():
        return frame
    unread = texts.gather(left).cast(pl.String)
    phone, why = query.careful_phones(unread)
    frame = frame.with_columns(frame["phone"].scatter(left, phone))
    new = (why.is_not_null() & frame["_reason"].gather(left).is_null()).arg_true()
    if not new.len():
        return frame
    at = left.gather(new)
    return frame.with_columns(
        frame["_reason"].scatter(at, why.gather(new)),
        frame["_value"].scatter(at, unread.gather(new)),
        frame["_column"].scatter(at, query.column_of("phone")),
    )


def _split_rejects(frame: pl.DataFrame, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set apart the rows that are no use."""
    reasons = [pl.col(DAMAGE), pl.col("_reason")]
    if "ordered_on" in frame.columns:
        reasons.append(pl.when(pl.col("ordered_on").is_null()).then(pl.lit("no date")))
    frame = frame.with_columns(pl.coalesce(reasons).alias("_reason"))
    rejects = frame.filter(pl.col("_reason").is_not_null()).select(
        pl.lit(name).alias("file"),
        pl.col(ROW),
        pl.col("_column").alias("column"),
        pl.col("_value").alias("value"),
        pl.col("_reason").alias("reason"),
    )
    if rejects.height:
        frame = frame.filter(pl.col("_reason").is_null())
    return frame.drop(DAMAGE, *BLAME), rejects.sort(ROW)
