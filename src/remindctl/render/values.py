"""The values of a block of customers: cleaned, by the path that a template names them with.

Line breaks become spaces. Control characters and invisible marks, such as those that turn the
direction of writing, are taken out; the joiner inside of emoji stays. What is left is in NFC, and
null where nothing is left.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from markupsafe import Markup

from remindctl.render.lengths import are_unusual

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.render.parts import Path

# Whatever needs cleaning has this in it; most values have not.
_UNCLEAN = "^$|^ | $|[^ -~가-힣]"
_JOINER = "\u200d"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Column(NamedTuple):
    """Texts of a block.

    Attributes:
        unusual: which of them have other characters than ``lengths`` counts at once; None = none.
    """

    texts: pl.Series
    unusual: pl.Series | None = None


class Rows:
    """A block of rows; a column is cleaned when it is first asked for.

    Args:
        frame: the values.
        html: further columns, which are HTML already and therefore neither cleaned nor escaped.
    """

    def __init__(self, frame: pl.DataFrame, html: Mapping[str, pl.Series] | None = None) -> None:
        self._frame = frame
        self._html = html or {}
        self._texts: dict[Path, Column | None] = {}
        self._escaped: dict[Path, Column] = {}

    def around(self, html: pl.Series) -> Rows:
        """Return the rows with ``body``, HTML that is to stand inside of theirs."""
        return Rows(self._frame, {"body": html})

    def __len__(self) -> int:
        return len(self._frame)

    def texts(self, path: Path) -> Column | None:
        """Return a column as it is written, null where there is no value.

        Returns:
            None where writing its values takes more than their dtype can tell.
        """
        if path not in self._texts:
            self._texts[path] = _written(self._given(path))
        return self._texts[path]

    def escaped(self, path: Path) -> Column | None:
        """Return :meth:`texts` with the signs of HTML escaped."""
        if path[0] in self._html:
            return Column(self._html[path[0]])
        column = self.texts(path)
        if column is not None and path not in self._escaped:
            signs = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
            self._escaped[path] = Column(column.texts.str.replace_many(signs), column.unusual)
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
        cleaned = self.texts(path) if given.dtype == pl.String else None
        chosen = given if cleaned is None else cleaned.texts
        found = (chosen if mask is None else chosen.filter(mask)).to_list()
        return [clean(value) for value in found] if given.dtype.is_nested() else found

    def are_alike(self, path: Path) -> bool:
        """Say whether equal values of a column are written alike, and can be looked up.

        Not so 0.0 and -0.0, nor lists.
        """
        dtype = self._given(path).dtype
        return path[0] not in self._html and not dtype.is_nested() and not dtype.is_float()

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


def _written(column: pl.Series) -> Column | None:
    if column.dtype.is_integer() or column.dtype == pl.Null:
        return Column(column.cast(pl.String))
    if column.dtype != pl.String:
        return None
    unclean = column.str.contains(_UNCLEAN)
    if not unclean.any():
        return Column(column)
    rows = unclean.arg_true()
    cleaned = pl.Series([clean(text) for text in column.gather(rows)], dtype=pl.String)
    column = column.clone().scatter(rows, cleaned)
    unusual = unclean.clone().scatter(rows, are_unusual(cleaned)).fill_null(value=False)
    return Column(column, unusual if unusual.any() else None)


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
