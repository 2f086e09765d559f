"""What belongs to a whole order: fields that only its first row has, its total, its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.frames import MONEY, STATUS
from remindctl.model import WHOLE_CURRENCIES
from remindctl.stores.fields import TIMES
from remindctl.stores.layout import LINE_FIELDS
from remindctl.stores.query import BLAME
from remindctl.stores.tables import DAMAGE, ROW

if TYPE_CHECKING:
    from remindctl.stores.layout import Layout
    from remindctl.stores.tables import Table

REPEATED = "the same line stands in this file already"
HEADLESS = "the first row of this order is missing"


def spread_first_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Give every row of an order (or cart) what stands on its first one.

    The first row is known by its total or status. In an untouched export the rows of an order are
    neighbours and the first comes first; a file that was sorted otherwise is put back in order.
    """
    key = "order_id" if "order_id" in frame.columns else "cart_id"
    # A cart's value stays on its first line, so that a sum over events counts it once.
    own = {ROW, DAMAGE, *BLAME, key, "value", *LINE_FIELDS}
    shared = [c for c in frame.columns if c not in own]
    marks = [c for c in frame.columns if c.startswith("_status") or c in ("amount", "value")]
    start = _starts(frame[key])
    first = pl.any_horizontal(pl.col(c).is_not_null() for c in marks) if marks else start
    # The cells of a damaged row may be any column's.
    frame = frame.with_columns((first & pl.col(DAMAGE).is_null()).alias("_first"))
    together = frame[key].n_unique() == start.sum()
    if not together or not (frame["_first"] == start).all():
        frame = frame.sort(key, "_first", ROW, descending=[False, True, False])
        frame = _without_first(_without_repeats(frame, key), key)
        start = _starts(frame[key])
    first_row = start.arg_true().gather(start.cum_sum() - 1)

    def spread(name: str) -> pl.Expr:
        from_first = pl.col(name).gather(pl.lit(first_row))
        # What continuation rows do carry is their own.
        is_own = name in ("email", "ordered_on", *TIMES)
        return pl.coalesce(name, from_first) if is_own else from_first

    # A column that is never blank has nothing to take from the first row.
    blank = [name for name in shared if frame[name].null_count()]
    return frame.drop("_first").with_columns(spread(name) for name in blank)


def _starts(key: pl.Series) -> pl.Series:
    """Tell which rows are the first of a run of one key."""
    starts = key.ne_missing(key.shift(1))
    return starts.scatter(0, values=True) if key.len() else starts


def _without_repeats(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """Mark rows of an order that came in twice, as when two downloads were pasted into one file."""
    firsts = frame.group_by(key).agg(pl.col("_first").sum()).filter(pl.col("_first") > 1)
    if not firsts.height:
        return frame
    own = {ROW, DAMAGE, *BLAME}
    again = ~pl.struct(c for c in frame.columns if c not in own).is_first_distinct()
    repeated = again & pl.col(key).is_in(firsts[key].implode())
    marked = pl.when(repeated).then(pl.lit(REPEATED)).otherwise(DAMAGE)
    return frame.with_columns(marked.alias(DAMAGE))


def _without_first(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """Mark rows of an order whose first row is not there, so that nothing tells how it stands."""
    headless = ~pl.col("_first").any().over(key) & pl.col(key).is_not_null()
    marked = pl.when(headless & pl.col(DAMAGE).is_null()).then(pl.lit(HEADLESS)).otherwise(DAMAGE)
    return frame.with_columns(marked.alias(DAMAGE))


def share_order_amounts(
    frame: pl.DataFrame, currency: str | None, *, contiguous: bool
) -> pl.DataFrame:
    """Turn an order's total, present on each of its rows, into what was paid for each line.

    Shares follow price × quantity (equal ones where that is nothing or unknown) and add up to the
    total exactly: each is the difference of two rounded running sums.

    Args:
        frame: ``order_id``, ``amount`` (the order's), and price and quantity if known.
        currency: of the amounts; its smallest unit is not divided.
        contiguous: the rows of an order are known to be neighbours.
    """
    if not frame.height:
        return frame
    if not contiguous:
        frame = frame.sort("order_id", ROW)
    start = _starts(frame["order_id"])
    order = start.cum_sum() - 1
    first = start.arg_true()
    last = first.shift(-1, fill_value=frame.height) - 1
    total = frame["amount"].cast(pl.Float64)
    if total.null_count():
        # A row that lacks the total has it on another row of its order.
        told = pl.col("amount").drop_nulls().first().over("order_id").cast(pl.Float64)
        total = frame.select(told).to_series()
    known = {"price", "quantity"} <= set(frame.columns)
    gross = (
        (frame["price"].cast(pl.Float64) * frame["quantity"]).fill_null(0.0).clip(lower_bound=0.0)
        if known
        else pl.zeros(frame.height, eager=True)
    )
    running = gross.cum_sum()
    before = (running.gather(first) - gross.gather(first)).gather(order)
    whole = running.gather(last).gather(order) - before
    share = (running - before) / whole
    if not (whole > 0).all():
        nth = pl.int_range(1, frame.height + 1, eager=True) - first.gather(order)
        size = (last - first + 1).gather(order)
        share = share.zip_with(whole > 0, nth / size)
    units_per = _smallest_unit(total.gather(first), currency)
    units = (total * share * units_per).round()
    line = units - units.shift(1).zip_with(~start, pl.zeros(frame.height, eager=True))
    return frame.with_columns((line / units_per).cast(MONEY).alias("amount"))


def _smallest_unit(totals: pl.Series, currency: str | None) -> int:
    """Return into how many parts the currency is divided, or into more if the totals are."""
    parts = 1 if currency in WHOLE_CURRENCIES else 100
    scaled = totals * parts
    return parts if ((scaled - scaled.round()).abs() < 1e-6 * parts).all() else 10_000


def resolve_status(
    frame: pl.DataFrame, table: Table, layout: Layout
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Replace the status texts by what the layout's rules make of each combination that occurs."""
    columns = [f"_status{i}" for i in range(len(layout.status))]
    if not columns:
        return frame.with_columns(pl.lit("paid", dtype=STATUS).alias("status")), ()
    seen = frame.group_by(columns).agg(pl.col(ROW).min(), pl.len()).sort(ROW)
    answers: list[str | None] = []
    unknown: dict[tuple[int, str | None], tuple[int, int]] = {}
    for row in seen.iter_rows(named=True):
        answer, asked = _answer([row[c] for c in columns], layout)
        if asked is not None:
            text = row[columns[asked]]
            first, count = unknown.get((asked, text), (row[ROW], 0))
            unknown[asked, text] = (first, count + row["len"])
        answers.append(answer)
    known = seen.select(columns).with_columns(pl.Series("status", answers, dtype=STATUS))
    joined = frame.join(known, on=columns, how="left", nulls_equal=True, maintain_order="left")
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
    return joined.drop(columns), tuple(problems)


def _answer(texts: list[str | None], layout: Layout) -> tuple[str | None, int | None]:
    """Return the status that the rules give, or the number of the rule without an answer."""
    for i, (rule, text) in enumerate(zip(layout.status, texts, strict=True)):
        answer = rule.answer(text)
        if answer is None:
            return None, i
        if answer != "next":
            return answer, None
    return None, len(layout.status) - 1
