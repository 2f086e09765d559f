"""What belongs to a whole order: fields that only its first row has, its total, its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.frames import STATUS
from remindctl.model import WHOLE_CURRENCIES
from remindctl.stores.fields import TIMES
from remindctl.stores.layout import LINE_FIELDS
from remindctl.stores.runs import runs
from remindctl.stores.tables import DAMAGE, ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.stores.layout import Layout
    from remindctl.stores.tables import Table

REPEATED = "the same line stands in this file already"
HEADLESS = "the first row of this order is missing"
_FIRST = "_first"
_WHOLE = 10_000  # ten-thousandths, in which amounts are counted here
_MOST = 1e15  # keeps a sum of nonsense within 64 bits


def first_rows(
    frame: pl.DataFrame, damaged: pl.Series
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Find the first row of every row's order (or cart), which has what belongs to the whole of it.

    The first row is known by its total or status. In an untouched export the rows of an order are
    neighbours and the first comes first; a file that was sorted otherwise is put back in order.

    Args:
        frame: the rows in the order of their numbers.
        damaged: the numbers of rows whose cells may be any column's.

    Returns:
        The rows; where (from 0) the first row of each one's order stands; the rows whose order does
        not tell how it stands, with the reason as damage.
    """
    key = "order_id" if "order_id" in frame.columns else "cart_id"
    marks = [c for c in frame.columns if c.startswith("_status") or c in ("amount", "value")]
    start = _starts(frame[key])
    first = _any_present(frame.select(marks)) if marks else start
    if damaged.len():
        first = first & ~frame[ROW].is_in(damaged.implode())
    misplaced = pl.DataFrame(schema={ROW: pl.UInt32, DAMAGE: pl.String})
    together = frame[key].filter(start).n_unique() == start.sum()
    if not together or not (first == start).all():
        frame = frame.with_columns(first.alias(_FIRST)).sort(
            key, _FIRST, ROW, descending=[False, True, False]
        )
        misplaced = _misplaced(frame, key, damaged)
        frame = frame.drop(_FIRST)
        start = _starts(frame[key])
    return frame, start.arg_true().gather(start.cum_sum() - 1), misplaced


def spread(frame: pl.DataFrame, name: str, first_row: pl.Series) -> pl.DataFrame:
    """Give every row of an order what the column ``name`` has on its first one.

    Args:
        frame: the rows.
        name: a column; unchanged if it belongs to the line or is never blank.
        first_row: where the first row of each row's order stands.
    """
    column = frame[name]
    # A cart's value stays on its first line, so that a sum over events counts it once.
    of_a_line = name in {ROW, "order_id", "cart_id", "value", *LINE_FIELDS}
    if of_a_line or column.null_count() in (0, frame.height):
        return frame
    from_first = column.gather(first_row)
    if name in ("email", "ordered_on", *TIMES):
        # What continuation rows do carry is their own.
        from_first = column.zip_with(column.is_not_null(), from_first)
    return frame.with_columns(from_first)


def _any_present(frame: pl.DataFrame) -> pl.Series:
    return frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()


def _starts(key: pl.Series) -> pl.Series:
    """Tell which rows are the first of a run of one key."""
    starts = key.ne_missing(key.shift(1))
    return starts.scatter(0, values=True) if key.len() else starts


def _misplaced(frame: pl.DataFrame, key: str, damaged: pl.Series) -> pl.DataFrame:
    """Return rows that came in twice, and rows of an order whose first row is not there.

    The former are those of an order with several first rows that repeat another in all they say, as
    when two downloads were pasted into one file.
    """
    firsts = pl.col(_FIRST).sum().over(key)
    again = ~pl.struct(pl.all().exclude(ROW)).is_first_distinct()
    why = (
        pl.when((firsts > 1) & again & pl.col(key).is_not_null()).then(pl.lit(REPEATED))
        .when((firsts == 0) & pl.col(key).is_not_null() & ~pl.col(ROW).is_in(damaged.implode()))
        .then(pl.lit(HEADLESS))
    )  # fmt: skip
    return frame.select(ROW, why.alias(DAMAGE)).drop_nulls()


def share_order_amounts(
    frame: pl.DataFrame, currency: str | None, *, contiguous: bool, block_rows: int = 2**20
) -> pl.DataFrame:
    """Turn an order's total, present on each of its rows, into what was paid for each line.

    Shares follow price × quantity (equal ones where that is nothing or unknown) and add up to the
    total exactly: each is the difference of two rounded running sums.

    Args:
        frame: ``order_id``, ``amount`` (the order's), and price and quantity if known; money in
            whole ten-thousandths.
        currency: of the amounts; its smallest unit is not divided.
        contiguous: the rows of an order are known to be neighbours.
        block_rows: about how many are worked on at once, so that what is worked out stays small.
    """
    if not frame.height:
        return frame
    if not contiguous:
        frame = frame.sort("order_id", ROW)
    total = frame["amount"]
    if total.null_count():
        # A row that lacks the total has it on another row of its order.
        total = frame.select(pl.col("amount").drop_nulls().first().over("order_id")).to_series()
    start = _starts(frame["order_id"])
    first = start.arg_true()
    unit = _smallest_unit(total.gather(first), currency)
    known = {"price", "quantity"} <= set(frame.columns)
    shares = []
    for at, height in _blocks(first, frame.height, block_rows):
        part = frame.select("price", "quantity").slice(at, height) if known else None
        shares.append(_shares(total.slice(at, height) // unit, part, start.slice(at, height)))
    return frame.with_columns((pl.concat(shares) * unit).alias("amount"))


def _blocks(first: pl.Series, height: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield place and height of blocks of whole orders."""
    at = 0
    while at < height:
        nth = int(first.search_sorted(at + rows))
        end = first[nth] if nth < first.len() else height
        yield at, end - at
        at = end


def _shares(total: pl.Series, bought: pl.DataFrame | None, start: pl.Series) -> pl.Series:
    """Divide the totals of whole orders among their lines, all in smallest units."""
    order, first = start.cum_sum() - 1, start.arg_true()
    last = first.shift(-1, fill_value=start.len()) - 1
    gross = pl.zeros(start.len(), dtype=pl.Int64, eager=True)
    if bought is not None:
        each = bought["price"].cast(pl.Float64) * bought["quantity"]
        gross = each.fill_null(0.0).clip(0.0, _MOST).cast(pl.Int64)
    running = gross.cum_sum()
    before = (running - gross).gather(first)
    whole = (running.gather(last) - before).gather(order).cast(pl.Float64)
    part = (running - before.gather(order)).cast(pl.Float64)
    if not (whole > 0).all():
        nth = pl.int_range(1, start.len() + 1, eager=True) - first.gather(order)
        size = (last - first + 1).gather(order)
        part = part.zip_with(whole > 0, nth.cast(pl.Float64))
        whole = whole.zip_with(whole > 0, size.cast(pl.Float64))
    # Divided last: exact for all amounts that occur, so that halves are rounded alike everywhere.
    units = (total.cast(pl.Float64) * part / whole).round().cast(pl.Int64)
    return units - units.shift(1).zip_with(
        ~start, pl.zeros(start.len(), dtype=pl.Int64, eager=True)
    )


def _smallest_unit(totals: pl.Series, currency: str | None) -> int:
    """Return of how many ten-thousandths no part is paid in this currency, or fewer if it is."""
    unit = _WHOLE if currency in WHOLE_CURRENCIES else _WHOLE // 100
    return unit if (totals % unit == 0).all() else 1


def resolve_status(
    frame: pl.DataFrame, table: Table, layout: Layout
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Replace the status texts by what the layout's rules make of each combination that occurs."""
    columns = [f"_status{i}" for i in range(len(layout.status))]
    if not columns:
        return frame.with_columns(pl.lit("paid", dtype=STATUS).alias("status")), ()
    alike, run = runs(frame.select(ROW, *columns), columns)
    seen = alike.group_by(columns).agg(pl.col(ROW).min(), pl.col("len").sum()).sort(ROW)
    answers: list[str | None] = []
    unknown: dict[tuple[int, str | None], tuple[int, int]] = {}
    for row in seen.iter_rows(named=True):
        # Of a column whose filling alone tells, only that was kept.
        texts = ["filled" if row[c] is True else row[c] for c in columns]
        answer, asked = _answer(texts, layout)
        if asked is not None:
            text = texts[asked]
            first, count = unknown.get((asked, text), (row[ROW], 0))
            unknown[asked, text] = (first, count + row["len"])
        answers.append(answer)
    known = seen.select(columns).with_columns(pl.Series("status", answers, dtype=STATUS))
    told = alike.join(known, on=columns, how="left", nulls_equal=True, maintain_order="left")
    frame = frame.drop(columns).with_columns(told["status"].gather(run))
    hint = (
        f"remindctl layouts show {layout.layout} > my-layout.yaml, "
        "add it there under status, then use --layout my-layout.yaml"
    )
    problems = [
        Problem(
            Place(table.name, first),
            f"{' / '.join(layout.status[asked].column)}: unknown status {text!r} "
            f"({count} row{'s' if count > 1 else ''})",
            hint,
        )
        for (asked, text), (first, count) in unknown.items()
    ]
    return frame, tuple(problems)


def _answer(texts: list[str | None], layout: Layout) -> tuple[str | None, int | None]:
    """Return the status that the rules give, or the number of the rule without an answer."""
    for i, (rule, text) in enumerate(zip(layout.status, texts, strict=True)):
        answer = rule.answer(text)
        if answer is None:
            return None, i
        if answer != "next":
            return answer, None
    return None, len(layout.status) - 1
