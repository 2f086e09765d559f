"""Templates over columns: what a template writes for every row of a block, at once.

Most of a template is constant text and plain names, and polars joins those for all rows together.
The rest, taken apart into functions of few names, is called row by row, and once only for equal
values. A row that fails is held alone, with its reason. The texts are those that Jinja would write
row by row.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from remindctl.render.sandbox import FAILURES, Missing, missing
from remindctl.render.takeapart import YES, Function, Name, take_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from remindctl.render.sandbox import Sandbox
    from remindctl.render.takeapart import Piece
    from remindctl.render.values import Held, Rows

# Equal values of these are written alike; 0.0 and -0.0 are not, and lists cannot be looked up.
_ALIKE = (str, int, Decimal, date)


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

    def fill(self, rows: Rows, held: Held) -> pl.Series:
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
            if isinstance(text, str):
                parts.append(pl.lit(text))
            else:
                columns[name := str(len(columns))] = text
                parts.append(pl.col(name))
        if not columns:
            constant = "".join(piece for piece in self._pieces if isinstance(piece, str))
            return pl.Series([constant]).new_from_index(0, len(rows))
        written = pl.concat_str(parts, ignore_nulls=True).alias("text")
        return pl.DataFrame(columns).select(written).get_column("text")


class _Filling:
    """One template and one block of rows."""

    def __init__(
        self, rows: Rows, held: Held, environment: Sandbox, calls: Sequence[Callable[..., str]]
    ) -> None:
        self._rows, self._held, self._environment, self._calls = rows, held, environment, calls

    def written(self, pieces: Sequence[Piece], mask: pl.Series | None) -> Iterator[str | pl.Series]:
        """Yield what each piece writes: one text for all, or one for each row, null for nothing.

        Args:
            pieces: in their order.
            mask: the rows that they are written for; None = all.
        """
        for piece in pieces:
            if isinstance(piece, str):
                yield piece if mask is None else _where(mask, _same(piece, len(mask)))
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
        texts = rows.escaped(path) if self._environment.autoescape else rows.texts(path)
        if texts is None:
            return self._called(piece.write, mask)
        if texts.null_count():
            absent = texts.is_null() if mask is None else texts.is_null() & mask
            for row in absent.arg_true().to_list():
                self._held.add(row, missing(".".join(path)))
        return texts if mask is None else _where(mask, texts)

    def _called(self, function: Function, mask: pl.Series | None) -> pl.Series:
        """Call a function for the rows of a mask; null elsewhere and where it fails."""
        height = len(self._rows)
        chosen = list(range(height)) if mask is None else mask.arg_true().to_list()
        columns = [self._rows.values(path, mask) for path in function.paths]
        absent = [Missing(name=".".join(path)) for path in function.paths]
        call = self._calls[function.number]
        texts: list[str | None]
        if len(columns) == 1 and all(
            value is None or isinstance(value, _ALIKE) for value in columns[0]
        ):
            texts = self._once_each(call, columns[0], absent[0], chosen)
        elif not columns:
            texts = self._once_each(lambda _: call(), [None] * len(chosen), None, chosen)
        else:
            for number, values in enumerate(columns):
                if None in values:
                    columns[number] = [
                        absent[number] if value is None else value for value in values
                    ]
            texts = []
            for row, given in zip(chosen, zip(*columns, strict=True), strict=True):
                self._environment.steps = 0
                try:
                    texts.append(call(*given))
                except FAILURES as error:
                    self._held.add(row, str(error))
                    texts.append(None)
        if mask is None:
            return pl.Series(texts, dtype=pl.String)
        full: list[str | None] = [None] * height
        for row, text in zip(chosen, texts, strict=True):
            full[row] = text
        return pl.Series(full, dtype=pl.String)

    def _once_each(
        self,
        call: Callable[..., str],
        values: list[object],
        absent: Missing | None,
        rows: Sequence[int],
    ) -> list[str | None]:
        """Call a function of one value, once for equal values."""
        texts: dict[object, str | None] = {}
        failed: dict[object, str] = {}
        for value in dict.fromkeys(values):
            self._environment.steps = 0
            try:
                texts[value] = call(absent if value is None else value)
            except FAILURES as error:
                failed[value] = str(error)
        if failed:
            for row, value in zip(rows, values, strict=True):
                if value in failed:
                    self._held.add(row, failed[value])
        return list(map(texts.get, values))


def _same(text: str, height: int) -> pl.Series:
    return pl.Series([text]).new_from_index(0, height)


def _where(mask: pl.Series, texts: pl.Series) -> pl.Series:
    """Keep the texts of a mask's rows, and no others."""
    return texts.zip_with(mask, pl.Series([None], dtype=pl.String).new_from_index(0, len(mask)))
