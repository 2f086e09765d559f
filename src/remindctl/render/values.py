"""The values of a block of customers: cleaned, by the path that a template names them with.

Line breaks become spaces. Control characters and invisible marks, such as those that turn the
direction of writing, are taken out; the joiner inside of emoji stays. What is left is in NFC, and
null where nothing is left.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import polars as pl
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.render.takeapart import Path

# Texts of these characters need no cleaning but for blanks at their ends: the quick way for most.
_UNUSUAL = "[^ -~가-힣]"
_JOINER = "\u200d"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Held:
    """Why rows of a block get no message: the first reason of each."""

    def __init__(self) -> None:
        self._reasons: dict[int, str] = {}

    def add(self, row: int, why: str) -> None:
        """Hold a row, unless it is held already."""
        self._reasons.setdefault(row, why)

    def where(self, mask: pl.Series, why: str | pl.Series) -> None:
        """Hold the rows of a mask, all for one reason or each for its own."""
        rows = mask.fill_null(value=False).arg_true()
        reasons = [why] * len(rows) if isinstance(why, str) else why.gather(rows)
        for row, reason in zip(rows, reasons, strict=True):
            self.add(row, reason)

    def column(self, height: int) -> pl.Series:
        """Return the reasons as a column, null where there is none."""
        found: list[str | None] = [None] * height
        for row, why in self._reasons.items():
            found[row] = why
        return pl.Series(found, dtype=pl.String)


class Rows:
    """A block of rows; a column is cleaned when it is first asked for.

    Args:
        frame: the values.
        html: further columns, which are HTML already and therefore neither cleaned nor escaped.
    """

    def __init__(self, frame: pl.DataFrame, html: Mapping[str, pl.Series] | None = None) -> None:
        self._frame = frame
        self._html = html or {}
        self._texts: dict[Path, pl.Series | None] = {}
        self._escaped: dict[Path, pl.Series] = {}

    def __len__(self) -> int:
        return len(self._frame)

    def texts(self, path: Path) -> pl.Series | None:
        """Return a column as it is written, null where there is no value.

        Returns:
            None where writing its values takes more than their dtype can tell.
        """
        if path not in self._texts:
            self._texts[path] = _written(self._given(path))
        return self._texts[path]

    def escaped(self, path: Path) -> pl.Series | None:
        """Return :meth:`texts` with the signs of HTML escaped."""
        if path[0] in self._html:
            return self._html[path[0]]
        texts = self.texts(path)
        if texts is not None and path not in self._escaped:
            signs = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
            self._escaped[path] = texts.str.replace_many(signs)
        return self._escaped.get(path)

    def values(self, path: Path, mask: pl.Series | None = None) -> list[object]:
        """Return a column as Python's own values, None where there is none.

        Args:
            path: of the column.
            mask: which rows; None = all.
        """
        if path[0] in self._html:
            html = self._html[path[0]]
            chosen = html if mask is None else html.filter(mask)
            return [Markup(text) for text in chosen]  # noqa: S704 (a template of ours wrote it)
        given = self._given(path)
        texts = self.texts(path) if given.dtype == pl.String else None
        chosen = given if texts is None else texts
        found = (chosen if mask is None else chosen.filter(mask)).to_list()
        simple = texts is not None or not given.dtype.is_nested()
        return found if simple else [clean(value) for value in found]

    def _given(self, path: Path) -> pl.Series:
        first, *rest = path
        column = self._column(first)
        for name in rest:
            fields = column.dtype.fields if isinstance(column.dtype, pl.Struct) else []
            there = any(field.name == name for field in fields)
            column = column.struct.field(name) if there else _nothing(len(self))
        return column

    def _column(self, name: str) -> pl.Series:
        if name not in self._frame.columns:
            return _nothing(len(self))
        column = self._frame.get_column(name)
        labels = column.dtype in (pl.Categorical, pl.Enum)
        return column.cast(pl.String) if labels else column


def _nothing(height: int) -> pl.Series:
    return pl.Series([None] * height, dtype=pl.String)


def _written(column: pl.Series) -> pl.Series | None:
    if column.dtype.is_integer():
        return column.cast(pl.String)
    if column.dtype == pl.Null:
        return column.cast(pl.String)
    if column.dtype != pl.String:
        return None
    unusual = column.str.contains(_UNUSUAL).fill_null(value=False)
    if unusual.any():
        rows = unusual.arg_true()
        cleaned = [clean(text) for text in column.gather(rows)]
        column = column.clone().scatter(rows, pl.Series(cleaned, dtype=pl.String))
    column = column.str.strip_chars(" ")
    empty = column == ""
    return column.set(empty, None) if empty.any() else column


def clean(value: object) -> object:
    """Make a customer's value one line of visible text; None where nothing is left."""
    if isinstance(value, str):
        if not value.isprintable():
            spaced = " ".join(value.split())
            value = "".join(c for c in spaced if c == _JOINER or not _is_invisible(c))
        return unicodedata.normalize("NFC", value).strip() or None
    if isinstance(value, list):
        return [item for item in map(clean, value) if item is not None] or None
    if isinstance(value, dict):
        return {
            key: item for key, item in ((k, clean(v)) for k, v in value.items()) if item is not None
        }
    return value


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE
