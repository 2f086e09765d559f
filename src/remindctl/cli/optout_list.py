"""A list of opt-outs as a provider exports it: who is in it, and what each row says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.cli.optout_columns import addresses, find_columns, guess_columns
from remindctl.cli.optout_words import Source
from remindctl.errors import Place, Problem, Refused, refuse
from remindctl.hours import from_the_wall
from remindctl.policy import Reply, is_hard_bounce, read_reply
from remindctl.stores.files import expand, open_file
from remindctl.stores.grids import grids
from remindctl.stores.tables import DAMAGE, ROW
from remindctl.stores.values import careful_times, offsets, person_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from remindctl.model import Store
    from remindctl.stores.grids import Grid

    Address = tuple[str, str]

_TEXTS = ("text", "kind", "reason", "direction", "customer_key")
_WHO = pl.List(pl.Struct({"kind": pl.String, "value": pl.String}))
_NOTHING = ("", "-", "n/a", "na", "null", "none", "없음")
_OUR_OWN = ("out", "발신")


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        addresses: kind and normalised value of each address that it names.
        at: when it was said; None = the list does not tell.
        text: what was answered, or what the mail server said.
    """

    place: Place
    addresses: tuple[Address, ...]
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class OptOutList:
    """What lists say.

    Attributes:
        rows: who opts out.
        unclear: what a person must decide.
        passing: what means nothing: bounces of a full mailbox, messages that went out.
        problems: rows that cannot be read.
    """

    rows: list[Row] = field(default_factory=list)
    unclear: list[Row] = field(default_factory=list)
    passing: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """How lists are to be read.

    Attributes:
        source: what kind of lists they are.
        store: for the country of its phone numbers and the clock of its dates.
        columns: field → names of its columns, as a user gave them.
        customers: finds the addresses of each customer key in the store's own files.
        password: asked with the name of a protected file.
    """

    source: Source
    store: Store
    columns: Mapping[str, Sequence[str]]
    customers: Callable[[], Mapping[str, Sequence[Address]]]
    password: Callable[[str], str | None]

    def read(self, patterns: Sequence[str]) -> OptOutList:
        """Read workbooks and texts of any encoding, with a row of titles or without.

        Raises:
            Refused: a file cannot be read, or nothing tells where its addresses are.
        """
        found = OptOutList()
        problems: list[Problem] = []
        for path in expand(patterns):
            try:
                for source in open_file(path, self.password):
                    for grid in grids(source):
                        self._read(grid, found)
            except Refused as error:
                problems.extend(error.problems)
        if problems:
            raise Refused(problems)
        return found

    def _read(self, grid: Grid, into: OptOutList) -> None:
        titled = find_columns(grid, self.source, self.columns)
        first, columns = titled or guess_columns(grid, self.store.country)
        if self.source is Source.STOP and not columns["text"]:
            hint = "--column text=NAME; a list of numbers that only opted out: --source manual"
            raise refuse("no column with the replies is known here", hint, path=grid.name)
        cells = grid.table(first).collect(lambda rows: rows)
        if titled is None:
            cells = pl.concat([_as_row(grid.head[first], first + 1, cells.schema), cells])
        texts = [name for name in cells.columns if name not in (ROW, DAMAGE)]
        cells = cells.with_columns(_cleaned(name) for name in texts).filter(
            pl.any_horizontal(pl.col(name).is_not_null() for name in (DAMAGE, *texts))
        )
        for row in self._parsed(cells, columns).iter_rows(named=True):
            self._sort(row, grid.name, into)

    def _parsed(self, cells: pl.DataFrame, columns: Mapping[str, Sequence[int]]) -> pl.DataFrame:
        """Read each row: who (structs of kind and value), unread (an address is no use), at, texts.

        ``text``, ``kind``, ``reason``, ``direction`` and ``customer_key`` are as in the list, empty
        where it has none.
        """
        of = {field: [f"c{at}" for at in places] for field, places in columns.items()}
        read = {name: addresses(cells[name], self.store.country) for name in of["address"]}
        ids = cells.select(_struct("shop_id", person_code(pl.col(name))) for name in of["id"])
        who = [one.alias(f"_{name}") for name, one in read.items()]
        who += [ids[name].alias(f"_{name}") for name in of["id"]]
        found = cells.with_columns(who)
        unread = [pl.col(name).is_not_null() & pl.col(f"_{name}").is_null() for name in read]
        return found.select(
            ROW,
            DAMAGE,
            pl.concat_list([one.name for one in who] or [pl.lit([], _WHO)]).alias("who"),
            pl.any_horizontal(pl.lit(value=False), *unread).alias("unread"),
            self._instants(cells[of["at"][0]]) if of["at"] else pl.lit(None).alias("at"),
            *(
                pl.concat_str([pl.lit(""), *of[name]], separator=" ", ignore_nulls=True)
                .str.strip_chars()
                .alias(name)
                for name in _TEXTS
            ),
        )

    def _instants(self, cells: pl.Series) -> pl.Series:
        """Read when it was said; a clock without an offset is the store's."""
        read = pl.DataFrame({"wall": careful_times(cells, ()), "offset": offsets(cells)})
        stated = (pl.col("wall") - pl.duration(minutes="offset")).dt.replace_time_zone("UTC")
        here = from_the_wall(pl.col("wall"), self.store.timezone)
        return read.select(pl.coalesce(stated, here).alias("at"))["at"]

    def _sort(self, row: Mapping[str, Any], name: str, into: OptOutList) -> None:
        """Put a row where it belongs."""
        place = Place(name, row[ROW])
        if row[DAMAGE] is not None:
            into.problems.append(Problem(place, row[DAMAGE], "mend the row"))
            return
        heap = self._heap(row, into)
        who = [(one["kind"], one["value"]) for one in row["who"] if one is not None]
        if key := row["customer_key"]:
            who += self.customers().get(key, ())
        said = Row(place, tuple(dict.fromkeys(who)), row["at"], self._said(row))
        if heap is not into.rows or (who and not row["unread"]):
            heap.append(said)
        elif key and not who:
            hint = "the customer is in none of the store's files; give an address"
            into.problems.append(Problem(place, "no customer has this key", hint))
        else:
            hint = "a phone number or an e-mail address; masked and 050 numbers name no one"
            into.problems.append(Problem(place, "no address can be read here", hint))

    def _heap(self, row: Mapping[str, Any], into: OptOutList) -> list[Row]:
        """Choose what a row is."""
        if self.source is Source.STOP:
            if row["direction"].casefold().startswith(_OUR_OWN):
                return into.passing
            return into.rows if read_reply(row["text"]) is Reply.STOP else into.unclear
        if self.source is Source.BOUNCE and (row["kind"] or row["reason"]):
            hard = is_hard_bounce(row["kind"])
            hard = is_hard_bounce(row["reason"]) if hard is None else hard
            return {True: into.rows, False: into.passing, None: into.unclear}[hard]
        return into.rows

    def _said(self, row: Mapping[str, Any]) -> str:
        if self.source is Source.STOP:
            return str(row["text"])
        return f"{row['kind']} {row['reason']}".strip()


def _as_row(cells: Sequence[str], number: int, schema: pl.Schema) -> pl.DataFrame:
    """Make the first row of a list without titles a row like the others."""
    values = {f"c{at}": cell or None for at, cell in enumerate(cells)}
    return pl.DataFrame([{**values, ROW: number, DAMAGE: None}], schema=schema)


def _cleaned(name: str) -> pl.Expr:
    cell = pl.col(name).str.strip_chars()
    return pl.when(~cell.str.to_lowercase().is_in(_NOTHING)).then(cell).alias(name)


def _struct(kind: str, value: pl.Expr) -> pl.Expr:
    known = pl.struct(pl.lit(kind).alias("kind"), value.alias("value"))
    return pl.when(value.is_not_null()).then(known).alias(value.meta.output_name())
