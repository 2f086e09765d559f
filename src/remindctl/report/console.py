"""How this program looks on a terminal: consoles, tables, numbers, dates.

Data goes to stdout, talk to stderr. Rich measures text in terminal cells, in which a Korean letter
is two wide, so that columns line up.
"""

from __future__ import annotations

import io
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from remindctl.model import WHOLE_CURRENCIES

if TYPE_CHECKING:
    from typing import TextIO

NOT_KNOWN = "-"
INDENT = 2
NARROWEST = 80


def data_console() -> Console:
    """Open the console for data: stdout."""
    return _console(sys.stdout)


def talk_console() -> Console:
    """Open the console for progress, problems and advice: stderr."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    # An old Windows console or a C locale may lack a letter; a question mark beats a traceback.
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    # A table squeezed below this loses digits; lines that the terminal wraps lose nothing.
    console.width = max(console.width, NARROWEST)
    return console


def bar(console: Console, length: int) -> str:
    """Draw a bar ``length`` cells long, of a letter that the console's encoding has."""
    return ("█" if console.encoding.lower().startswith("utf") else "#") * length


def section(console: Console, title: str) -> None:
    """Print the line above a part of a report."""
    console.print()
    console.print(Text(title, style="bold"))


def paragraph(console: Console, text: str, style: str = "") -> None:
    """Print indented prose, wrapped to the width of the console."""
    console.print(Padding(Text(text, style=style), (0, 0, 0, INDENT)))


def indented(console: Console, grid: Table) -> None:
    """Print a table at the indent of prose."""
    console.print(Padding(grid, (0, 0, 0, INDENT)))


def table(first: str, *numbers: str) -> Table:
    """Start a table without lines: one column of text, then right-aligned columns of numbers.

    Where the console is too narrow, the text wraps and the numbers stay whole.
    """
    grid = Table(box=None, pad_edge=False, padding=(0, INDENT, 0, 0), header_style="dim")
    grid.add_column(first, overflow="fold")
    for name in numbers:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def listing() -> Table:
    """Start a list without a header: a short word, then prose beside it."""
    grid = table("")
    grid.show_header = False
    grid.add_column("", overflow="fold")
    return grid


def one_line(text: str) -> str:
    """Make text of a user's file safe to print: what steers a terminal becomes a blank."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def number(value: float | None) -> str:
    """Write a number with thousands apart, and one decimal where it has some."""
    if value is None:
        return NOT_KNOWN
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def counted(count: float, noun: str) -> str:
    """Write a number with what it counts."""
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def days(count: float) -> str:
    """Write a number of days with its unit."""
    return counted(count, "day")


def percent(share: float | None, decimals: int = 0) -> str:
    """Write a share of 1; what is not quite none or all never looks like it."""
    if share is None:
        return NOT_KNOWN
    smallest = 10.0**-decimals
    if 0 < share < smallest / 200:
        return f"<{smallest:.{decimals}f}%"
    if 1 - smallest / 200 < share < 1:
        return f">{100 - smallest:.{decimals}f}%"
    return f"{share:.{decimals}%}"


def decimals(currency: str) -> int:
    """Return how many decimals amounts of a currency are written with."""
    return 0 if currency in WHOLE_CURRENCIES else 2


def money(amount: Decimal | None, currency: str) -> str:
    """Write an amount with its currency code, if known, in the currency's own decimals."""
    if amount is None:
        return NOT_KNOWN
    unit = Decimal(10) ** -decimals(currency)
    return f"{amount.quantize(unit, rounding=ROUND_HALF_EVEN):,} {currency}".rstrip()
