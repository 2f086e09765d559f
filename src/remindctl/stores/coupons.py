"""Coupon pools: files of single-use codes, read whole or refused whole.

A code that two rows share would go to two customers and work for one, so nothing of a pool with
such a fault is handed out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NewType

import polars as pl

from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem, Refused
from remindctl.stores import values
from remindctl.stores.fields import blank, each
from remindctl.stores.files import expand, open_file
from remindctl.stores.grids import grids
from remindctl.stores.identify import own_name
from remindctl.stores.tables import DAMAGE, ROW, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from remindctl.stores.grids import Grid
    from remindctl.stores.tables import Table

Pools = NewType("Pools", pl.DataFrame)

POOLS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "pool": pl.String,
    "code": pl.String,
    "valid_until": pl.Date,
    "file": pl.String,
    "row": pl.UInt32,
}
_NEEDED = ("code", "valid_until")
_DATES = ("%Y/%m/%d", "%Y%m%d")
_SHOWN = 20


def read_pools(patterns: Iterable[str]) -> Pools:
    """Read the codes of every pool, in the order of files and rows.

    Args:
        patterns: paths, folders and globs of tables with the columns code and valid_until (the last
            day; blank = none) and, if one file holds several pools, pool; else the file's name
            without its ending is the pool's.

    Returns:
        Rows of ``POOLS``; ``row`` is numbered as Excel does.

    Raises:
        Refused: with the problems of all files: unreadable ones, missing columns, rows without a
            code or with an unreadable date, codes that stand twice in a pool (upper and lower case
            are the same), in whichever files.
    """
    found = [pl.DataFrame(schema=dict(POOLS))]
    problems: list[Problem] = []
    for path in expand(patterns):
        try:
            for source in open_file(path, lambda _: None):
                for table in _tables(grids(source)):
                    codes, faults = _read(table)
                    found.append(codes)
                    problems.extend(faults)
        except Refused as error:
            problems.extend(error.problems)
    pools = pl.concat(found)
    problems.extend(_repeated(pools))
    if problems:
        raise Refused(problems)
    return Pools(pools)


def _tables(sheets: Sequence[Grid]) -> list[Table]:
    """Return the tables that hold codes; further sheets of a workbook may be anything."""
    headers = [(grid, [[normalise(cell) for cell in row] for row in grid.head]) for grid in sheets]
    found = [
        grid.table(next(i for i, row in enumerate(rows) if set(_NEEDED) <= set(row)))
        for grid, rows in headers
        if any(set(_NEEDED) <= set(row) for row in rows)
    ]
    if found:
        return found
    grid, rows = headers[0]
    header = max(rows, key=lambda row: len([cell for cell in row if cell]))
    missing = [name for name in _NEEDED if name not in header]
    hint = did_you_mean(missing[0], header) or "columns: code, valid_until and maybe pool"
    what = f"has no column {' and no column '.join(missing)}"
    raise Refused([Problem(Place(grid.name, rows.index(header) + 1), what, hint)])


def _read(table: Table) -> tuple[pl.DataFrame, list[Problem]]:
    cells = {
        name: pl.col(f"c{i}") for i, name in enumerate(table.header) if name in (*_NEEDED, "pool")
    }
    until, code = cells["valid_until"], cells["code"]
    read = partial(values.careful_times, formats=_DATES)
    of_file = pl.lit(normalise(own_name(table.name)).split(".")[0])
    rows = table.collect(
        lambda rows: rows.filter(~pl.all_horizontal(blank(cell) for cell in cells.values())).select(
            ROW,
            DAMAGE,
            (values.text(cells["pool"]) if "pool" in cells else of_file).alias("pool"),
            values.code(code).alias("code"),
            each(until, read, values.LOCAL_TIME).dt.date().alias("valid_until"),
            values.text(until).alias("_until"),
        )
    )
    bad_date = pl.col("valid_until").is_null() & pl.col("_until").is_not_null()
    faults = rows.with_columns(
        pl.coalesce(
            DAMAGE,
            pl.when(pl.col("code").is_null()).then(pl.lit("no code")),
            pl.when(pl.col("code").str.contains(values.SCIENTIFIC)).then(
                pl.lit("a spreadsheet rounded this code, its digits are lost")
            ),
            pl.when(pl.col("pool").is_null()).then(pl.lit("no pool")),
            pl.when(bad_date).then(pl.format("valid_until {} is no date", "_until")),
        ).alias("fault")
    ).drop_nulls("fault")
    hint = "a code a row, and its last day as 2026-12-31"
    problems = [
        Problem(Place(table.name, row), what, hint)
        for row, what in faults.select(ROW, "fault").head(_SHOWN).iter_rows()
    ]
    if faults.height > _SHOWN:
        problems.append(
            Problem(Place(table.name), f"{faults.height - _SHOWN:,} more rows like these")
        )
    sound = rows.join(faults, on=ROW, how="anti", maintain_order="left")
    named = sound.with_columns(pl.lit(table.name).alias("file"))
    return named.select(pl.col(name).cast(dtype) for name, dtype in POOLS.items()), problems


def _repeated(pools: pl.DataFrame) -> Iterator[Problem]:
    key = ["pool", pl.col("code").str.to_lowercase()]
    first = pools.with_columns(
        pl.concat_str("file", pl.lit(":"), "row").first().over(key).alias("first"),
        pl.int_range(pl.len()).over(key).alias("nth"),
    ).filter(pl.col("nth") > 0)
    for one in first.head(_SHOWN).iter_rows(named=True):
        what = f"the code {one['code']} of the pool {one['pool']} stands at {one['first']} already"
        yield Problem(Place(one["file"], one["row"]), what, "keep one of the two rows")
    if first.height > _SHOWN:
        yield Problem(Place(), f"{first.height - _SHOWN:,} more codes stand twice")
