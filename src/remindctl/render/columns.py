"""Templates over columns: what a template writes for every row of a block, at once.

Most of a template is constant text and plain names, and polars joins those for all rows together.
The rest, taken apart into functions of few names, is called row by row, and once only for equal
values. A row that fails is held alone, with its reason. The texts are those that Jinja would write
row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from remindctl.render.lengths import are_unusual, is_usual
from remindctl.render.parts import YES, Function, Name, constant_texts, take_apart
from remindctl.render.sandbox import FAILURES, Missing, missing
from remindctl.render.values import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from remindctl.render.held import Held
    from remindctl.render.parts import Path, Piece
    from remindctl.render.sandbox import Sandbox
    from remindctl.render.values import Rows


class ColumnTemplate:
    """A template that ``check.problems`` has nothing against, ready to be filled.

    Args:
        environment: of the template.
        source: its text.
        constants: names that are the same for everyone.

    Attributes:
        names: the columns that it takes from a row.
    """

    def __init__(self, environment: Sandbox, source: str, constants: Mapping[str, object]) -> None:
        parts = take_apart(environment, source, constants)
        self.names = parts.names
        self._environment, self._pieces, self._calls = environment, parts.pieces, parts.calls
        self._usual = all(map(is_usual, constant_texts(parts.pieces)))

    def fill(self, rows: Rows, held: Held) -> Column:
        """Write the template for every row.

        Args:
            rows: what its names stand for.
            held: told which rows fail, and why.

        Returns:
            one text for each row; that of a row that fails means nothing.
        """
        filling = _Filling(rows, held, self._environment, self._calls)
        columns: dict[str, pl.Series] = {}
        parts: list[pl.Expr] = []
        for text in filling.written(self._pieces, None):
            if isinstance(text, pl.Series):
                columns[str(len(columns))] = text
                parts.append(pl.col(str(len(columns) - 1)))
            elif isinstance(text, str):
                parts.append(pl.lit(text))
            else:
                columns[str(len(columns))] = text.mask
                parts.append(pl.when(pl.col(str(len(columns) - 1))).then(pl.lit(text.text)))
        unusual = filling.unusual if self._usual else repeated(value=True, height=len(rows))
        if not columns:
            constant = "".join(piece for piece in self._pieces if isinstance(piece, str))
            return Column(repeated(constant, len(rows)), unusual)
        written = pl.concat_str(parts, ignore_nulls=True).alias("text")
        return Column(pl.DataFrame(columns).select(written).to_series(), unusual)


class _Sometimes(NamedTuple):
    """One text for the rows of a mask."""

    text: str
    mask: pl.Series


class _Filling:
    """One template and one block of rows.

    Attributes:
        unusual: the rows to which unusual texts were written; None = none.
    """

    def __init__(
        self, rows: Rows, held: Held, environment: Sandbox, calls: Sequence[Callable[..., str]]
    ) -> None:
        self._rows, self._held, self._environment, self._calls = rows, held, environment, calls
        self.unusual: pl.Series | None = None

    def written(
        self, pieces: Sequence[Piece], mask: pl.Series | None
    ) -> Iterator[str | pl.Series | _Sometimes]:
        """Yield what each piece writes: one text for all, or one for each row, null for nothing.

        Args:
            pieces: in their order.
            mask: the rows that they are written for; None = all.
        """
        for piece in pieces:
            if isinstance(piece, str):
                yield piece if mask is None else _Sometimes(piece, mask)
            elif isinstance(piece, Name):
                yield self._name(piece, mask)
            elif isinstance(piece, Function):
                yield self._called(piece, mask)
            else:
                answer = self._called(piece.test, mask)
                yield from self.written(piece.then, (answer == YES).fill_null(value=False))
                if piece.otherwise:
                    yield from self.written(piece.otherwise, (answer == "").fill_null(value=False))

    def _name(self, piece: Name, mask: pl.Series | None) -> pl.Series:
        rows, path = self._rows, piece.path
        column = rows.escaped(path) if self._environment.autoescape else rows.texts(path)
        if column is None:
            return self._called(piece.write, mask)
        texts, unusual = column
        self._note(unusual)
        if texts.null_count():
            absent = texts.is_null() if mask is None else texts.is_null() & mask
            for row in absent.arg_true():
                self._held.add(row, missing(".".join(path)))
        return texts if mask is None else texts.zip_with(mask, _nothing(len(texts)))

    def _called(self, function: Function, mask: pl.Series | None) -> pl.Series:
        """Call a function for the rows of a mask; null elsewhere and where it fails."""
        height, paths = len(self._rows), function.paths
        chosen: Sequence[int] = range(height) if mask is None else mask.arg_true().to_list()
        columns = [self._rows.values(path, mask) for path in paths]
        call = self._calls[function.number]
        if not columns:
            found = self._once_each(lambda _: call(), [None] * len(chosen), chosen)
        elif len(columns) == 1 and self._rows.are_alike(paths[0]):
            absent = Missing(name=".".join(paths[0]))
            found = self._once_each(
                lambda value: call(absent if value is None else value), columns[0], chosen
            )
        else:
            found = self._one_by_one(call, columns, paths, chosen)
        texts = pl.Series(found, dtype=pl.String)
        if mask is not None:
            texts = _nothing(height).scatter(mask.arg_true(), texts)
        unusual = are_unusual(texts)
        if unusual.any():
            self._note(unusual.fill_null(value=False))
        return texts

    def _one_by_one(
        self,
        call: Callable[..., str],
        columns: list[list[object]],
        paths: Sequence[Path],
        rows: Sequence[int],
    ) -> list[str | None]:
        for number, path in enumerate(paths):
            absent = Missing(name=".".join(path))
            columns[number] = [absent if value is None else value for value in columns[number]]
        texts: list[str | None] = []
        for row, given in zip(rows, zip(*columns, strict=True), strict=True):
            self._environment.steps = 0
            try:
                texts.append(call(*given))
            except FAILURES as error:
                self._held.add(row, str(error))
                texts.append(None)
        return texts

    def _once_each(
        self, call: Callable[[object], str], values: Sequence[object], rows: Sequence[int]
    ) -> list[str | None]:
        """Call a function of one value, once for equal values."""
        texts: dict[object, str | None] = {}
        failed: dict[object, str] = {}
        for value in dict.fromkeys(values):
            self._environment.steps = 0
            try:
                texts[value] = call(value)
            except FAILURES as error:
                failed[value] = str(error)
        if failed:
            for row, value in zip(rows, values, strict=True):
                if value in failed:
                    self._held.add(row, failed[value])
        return list(map(texts.get, values))

    def _note(self, unusual: pl.Series | None) -> None:
        if unusual is not None:
            self.unusual = unusual if self.unusual is None else self.unusual | unusual


def repeated(value: str | bool | None, height: int) -> pl.Series:  # noqa: FBT001 (a value)
    """Return a column of one value; None is a text that is not there."""
    dtype = pl.Boolean if isinstance(value, bool) else pl.String
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


def _nothing(height: int) -> pl.Series:
    return repeated(None, height)
