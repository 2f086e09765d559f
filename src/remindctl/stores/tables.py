"""A table: a header, and rows that are read only as far as a query asks for them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

ROW = "row"
DAMAGE = "damage"
CUT_OFF = "the file ends inside this record"


def normalise(name: str) -> str:
    """Return a header cell as layouts write it.

    Macs decompose Hangul, sheets break lines inside cells, some exports pad names with blanks or
    mark required columns with a trailing asterisk.
    """
    return " ".join(unicodedata.normalize("NFC", name).replace("\ufeff", "").split()).rstrip("* ")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its header and its rows as a query that is not run yet.

    Attributes:
        name: the file as a person finds it (``archive.zip!orders.csv``, ``book.xlsx[Sheet 2]``).
        header: normalised column names; position i is column ``c{i}`` of ``rows``.
        rows: ``row`` (UInt32, as Excel numbers it), ``damage`` (String, why the record itself is
            broken, else null), ``c0`` … (String; blank cells are null).
        sample: the cells of the first rows below the header.
        modified_at: the file's mtime.
        encoding: how the text was stored, or ``xlsx``.
        cut_off: the text ends inside its last record.
        patient_rows: reads the same rows with a slower parser that survives broken records.
    """

    name: str
    header: tuple[str, ...]
    rows: pl.LazyFrame
    sample: tuple[tuple[str, ...], ...]
    modified_at: datetime
    encoding: str
    cut_off: bool = False
    patient_rows: Callable[[], pl.LazyFrame] | None = None

    def collect(self, query: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
        """Run ``query`` over the rows.

        Raises:
            Refused: a quote is opened and never closed, or bytes are no text.
        """
        try:
            return query(self._whole_rows()).collect(engine="streaming")
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):
            if self.patient_rows is None:
                raise
            return query(self.patient_rows()).collect()

    def _whole_rows(self) -> pl.LazyFrame:
        """Return the rows, the last one marked as damaged where the text ends inside it."""
        if not self.cut_off:
            return self.rows
        last = self.rows.select(pl.col(ROW).max()).collect(engine="streaming").item()
        why = pl.when(pl.col(ROW) == last).then(pl.lit(CUT_OFF))
        return self.rows.with_columns(pl.coalesce(DAMAGE, why).alias(DAMAGE))
