"""Whom to tell of their consent or refusal, for a terminal, a spreadsheet and a script."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl
from rich.table import Table
from rich.text import Text

from remindctl.report.console import (
    INDENT,
    NOT_KNOWN,
    counted,
    indented,
    number,
    one_line,
    paragraph,
    section,
    table,
)
from remindctl.report.customers import masked
from remindctl.report.spreadsheet import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from rich.console import Console

SCHEMA = "remindctl.consents/1"
SHOWN = 50

_COLUMNS = (
    "notice", "due_on", "overdue", "said", "said_on", "family", "kind", "address", "customer_key",
)  # fmt: skip
_WHAT = {"result": "tell the result", "renewal": "remind of it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What a store owes the people whose consents it keeps.

    Attributes:
        asked: whether the store's preset asks for notices at all.
        notices: the columns of ``policy.consent_notices.NOTICES`` (``value`` as ``address``) and
            customer_key.
        wordings: of consents that do not name advertising: wording, addresses.
        undated: consents without a date, for which nothing can be said.
    """

    store: str
    as_of: date
    asked: bool
    notices: pl.DataFrame
    wordings: pl.DataFrame
    undated: int

    def masked(self) -> Duties:
        """Return the same with most of each address hidden."""
        hidden = masked(self.notices.select("address"))["address"]
        return replace(self, notices=self.notices.with_columns(hidden))


def to_json(duties: Sequence[Duties]) -> str:
    """Write ``{"schema": "remindctl.consents/1", "stores": [{"store", "notices": […], …}]}``."""
    document = {
        "schema": SCHEMA,
        "stores": [
            {
                "store": one.store,
                "as_of": one.as_of.isoformat(),
                "overdue": int(one.notices["overdue"].sum()),
                "undated": one.undated,
                "notices": _rows(one).to_dicts(),
                "vague_wordings": one.wordings.to_dicts(),
            }
            for one in duties
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def to_csv(duties: Sequence[Duties]) -> str:
    """Write one line for each person to be told; cells that a spreadsheet would run are quoted."""
    rows = [_rows(one).insert_column(0, pl.lit(one.store).alias("store")) for one in duties]
    return pl.concat(rows).with_columns(harmless(pl.col(pl.String))).write_csv()


def show(console: Console, duties: Sequence[Duties]) -> None:
    """Print, for each store, who is to be told, and which wordings are too vague."""
    for one in duties:
        overdue = int(one.notices["overdue"].sum())
        title = f"{one.store}, {one.as_of}: {counted(len(one.notices), 'notice')} due"
        section(console, f"{title}, {number(overdue)} overdue" if overdue else title)
        if not one.asked:
            paragraph(console, "The law of this store's preset asks for no such notices.", "dim")
        if one.undated:
            what = f"{counted(one.undated, 'consent')} without a date: no notice can be foretold"
            paragraph(console, f"{what} (a date needs its offset: 2026-03-02T10:15+09:00).", "dim")
        if len(one.notices):
            console.print()
            indented(console, _grid(one.notices.head(SHOWN)))
        if len(one.notices) > SHOWN:
            shown = f"{SHOWN} of {number(len(one.notices))} are shown; -o csv writes all"
            paragraph(console, shown, "dim")
        if len(one.wordings):
            console.print()
            paragraph(console, "These wordings do not name advertising; such a consent may fail:")
            console.print()
            indented(console, _wordings(one.wordings))


def _rows(duties: Duties) -> pl.DataFrame:
    dates = pl.col(pl.Date).dt.to_string("%Y-%m-%d")
    return duties.notices.select(_COLUMNS).with_columns(dates)


def _grid(notices: pl.DataFrame) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, INDENT, 0, 0), header_style="dim")
    for name in ("due", "address", "family", "said"):
        grid.add_column(name, no_wrap=True)
    grid.add_column("notice", overflow="fold")
    for row in notices.iter_rows(named=True):
        grid.add_row(
            Text(row["due_on"].isoformat(), style="bold" if row["overdue"] else ""),
            Text(one_line(row["address"]) or NOT_KNOWN),
            row["family"],
            f"{row['said']} {row['said_on']}",
            _WHAT[row["notice"]],
        )
    return grid


def _wordings(wordings: pl.DataFrame) -> Table:
    grid = table("wording", "addresses")
    for wording, addresses in wordings.iter_rows():
        grid.add_row(Text(one_line(wording)), number(addresses))
    return grid
