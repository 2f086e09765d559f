"""Cells that people open in a spreadsheet: none of them may run."""

from __future__ import annotations

import re

import polars as pl

# What a spreadsheet would run as a formula, plain negative numbers apart.
_FORMULA, _NUMBER = r"^[=+\-@\t\r]", r"^-\d+(\.\d+)?$"


def harmless(texts: pl.Expr) -> pl.Expr:
    """Put an apostrophe before texts that a spreadsheet would run; it shows them without."""
    runs = texts.str.contains(_FORMULA) & ~texts.str.contains(_NUMBER)
    return pl.when(runs).then("'" + texts).otherwise(texts).name.keep()


def harmless_title(title: str) -> str:
    """Do the same for the title of a column."""
    return f"'{title}" if re.match(_FORMULA, title) else title
