"""One row per customer on a terminal: the columns that say what to do, and how segments moved."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from remindctl.report.console import (
    NOT_KNOWN,
    counted,
    indented,
    money,
    number,
    one_line,
    paragraph,
    section,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from rich.console import Console, JustifyMethod

    from remindctl.report.customers import Listing

# Fits into 80 cells.
STANDARD = (
    "customer_key", "name", "segment", "due_state", "spent", "last_on", "expected_next_on",
)  # fmt: skip
SHOWN = 50

_TITLES = {
    "customer_key": "customer",
    "due_state": "due",
    "last_on": "last order",
    "expected_next_on": "expected",
}


def show(console: Console, listing: Listing) -> None:
    """Print who there is; the columns are those of ``listing.people``."""
    all_of_them = listing.found == listing.total
    who = "" if all_of_them else f"{number(listing.found)} of "
    section(
        console,
        f"{listing.store}, {listing.as_of}: {who}{counted(listing.total, 'customer')}",
    )
    for note in listing.notes:
        paragraph(console, note, "dim")
    if listing.balance is not None:
        _movement(console, listing, listing.balance)
    if listing.people.is_empty():
        paragraph(console, "Nobody.")
    else:
        console.print()
        indented(console, _grid(listing.people, listing.currency))
    if len(listing.people) < listing.found:
        console.print()
        shown = f"{number(len(listing.people))} of {number(listing.found)} are shown"
        paragraph(console, f"{shown}; --limit N shows more, -o csv writes all", "dim")


def _movement(console: Console, listing: Listing, balance: pl.DataFrame) -> None:
    section(console, f"Segments since {listing.since}")
    grid = table("segment", "before", "entered", "left", "now")
    for name, *sizes in balance.iter_rows():
        grid.add_row(Text(one_line(name)), *map(number, sizes))
    indented(console, grid)


def _grid(people: pl.DataFrame, currency: str) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for name, dtype in people.schema.items():
        right = dtype.is_numeric()
        title = one_line(_TITLES.get(name, name))
        # Where the console is too narrow, texts of any length give way.
        whole = right or dtype.is_temporal() or name in STANDARD[:1]
        justify: JustifyMethod = "right" if right else "left"
        grid.add_column(title, justify=justify, overflow="fold", no_wrap=whole)
    for row in people.iter_rows():
        grid.add_row(*(Text(_cell(value, currency)) for value in row))
    return grid


def _cell(value: object, currency: str) -> str:  # noqa: PLR0911 (one for each type)
    match value:
        case None:
            return NOT_KNOWN
        case Decimal():
            return money(value, currency).removesuffix(f" {currency}")
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case float():
            return f"{value:,.2f}"
        case int():
            return number(value)
        case list():
            return _joined(value)
        case _:
            return one_line(str(value))


def _joined(values: Sequence[object]) -> str:
    return one_line(", ".join(str(value) for value in values if value is not None))
