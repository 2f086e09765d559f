"""The query that turns a table's cells into typed fields, row by row, inside the scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import refuse
from remindctl.frames import INSTANT
from remindctl.stores import values
from remindctl.stores.fields import (
    AMOUNTS,
    COUNTS,
    DISPENSABLE,
    KEYS,
    TIMES,
    Reader,
    blank,
    each,
    rounded,
)
from remindctl.stores.layout import AS_WRITTEN, REQUIRED, Layout
from remindctl.stores.tables import DAMAGE, ROW, Table, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IDENTIFIERS = ("email", "phone", "customer_id")
ADDRESSES = ("email", "phone")
LEFT = {field: f"_left_{field}" for field in ADDRESSES}
_ADDRESSEES = (*IDENTIFIERS, "push_token")
_COMPACT = frozenset(
    {"order_id", "line_id", "ordered_at", "quantity", "price", "amount", "refunded", "currency"}
    | {*IDENTIFIERS}
)
EXTRA = "extra:"
SUSPECT = "_suspect"
_ROUNDED = "a spreadsheet rounded this number, its digits are lost"
BLAME = ("_reason", "_value", "_column")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a store's configuration says where the file itself does not.

    Attributes:
        zone: IANA name, for clock times whose layout has no zone of its own.
        region: ISO 3166, for phone numbers without a country code.
        compact: keep only what ``analyze`` needs of orders: dates, amounts, these columns (as
            categories), phone numbers as numbers, and other ids and addresses as 64-bit hashes:
            equal where the texts are, different otherwise (but for a chance of 2⁻⁶⁴ a pair),
            without meaning elsewhere. None = all.
    """

    zone: str | None = None
    region: str | None = None
    compact: frozenset[str] | None = None


class Query:
    """The query that types a table's cells row by row, and tells which rows need a closer look."""

    def __init__(self, table: Table, layout: Layout, settings: Settings) -> None:
        self.layout, self.settings = layout, settings
        self.zone = (settings.zone if layout.zone == AS_WRITTEN else layout.zone) or "UTC"
        header = mended_header(table.header, layout)
        self.mend = header != table.header
        self.position = {name: i for i, name in reversed(list(enumerate(header)))}
        compact = settings.compact
        self.kept = None if compact is None else _COMPACT | compact
        needed = None if self.kept is None else self.kept | set(layout.line_key)
        wanted: dict[str, tuple[str, ...]] = {
            f: n for f, n in layout.columns.items() if needed is None or f in needed
        }
        self.fields = {field: names for field, names in wanted.items() if self._present(names)}
        self._refuse_missing(table.name)
        # What many rows have in common is read once for all of them, see :meth:`read_categories`.
        self.categories = [
            f for f in self.fields if compact is not None and f in {"currency", *compact}
        ]
        # A part of a key would make different lines the same.
        whole = all(field in self.fields for field in layout.line_key)
        self.line_key = layout.line_key if whole else ()
        self.reader = Reader(
            formats={
                field: values.best_format(self._sample(table, names), layout.dates)
                for field, names in self.fields.items()
                if field in TIMES
            },
            dates=layout.dates,
            region=settings.region or layout.region,
            international=values.are_international(
                self._sample(table, self.fields.get("phone", ()))
            ),
        )

    def _refuse_missing(self, name: str) -> None:
        """Refuse a table without a column that everything hangs on."""
        known, rules = self.layout.columns, self.layout.status
        required = {*REQUIRED[self.layout.kind]}
        if self.layout.order_fields == "first row":
            required.add("order_id" if "order_id" in known else "cart_id")
        needed = [names for field, names in known.items() if field in required]
        missing = [names for names in needed if not self._present(names)]
        # Without its last word on an order, all of them would look unpaid.
        if rules and rules[-1].blank != "paid" and not self._present(rules[-1].column):
            missing.append(rules[-1].column)
        people = [known[field] for field in _ADDRESSEES if field in known]
        if self.layout.kind in ("customers", "consents") and not any(map(self._present, people)):
            missing.append(tuple(name for names in people for name in names))
        if missing:
            what = ", ".join(" or ".join(names) for names in missing)
            raise refuse(
                f"as {self.layout.layout} this file lacks the column {what}",
                "tick that column where you download, or say with --layout what the file is",
                path=name,
            )

    def __call__(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the typed fields of every row, what the quick way left, and which are suspect."""
        typed = [
            (
                self._cell(*n) if f in self.categories else self.reader.quick(f, self._cell(*n))
            ).alias(f)
            for f, n in self.fields.items()
        ]
        suspect = pl.any_horizontal(*self._suspicions()).fill_null(value=False)
        rows = self._without_helpers(rows)
        for field, names in self.fields.items():
            for column in self.reader.prepared(field, self._cell(*names)):
                rows = rows.with_columns(column)
        return rows.with_columns(typed).select(
            ROW,
            *self._kept(),
            *self._carried(),
            *self._status(),
            *self._consents(),
            *self._left(),
            suspect.alias(SUSPECT),
        )

    def read_categories(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Read the cells that the scan only told apart, each text once."""
        for field in self.categories:
            seen = frame.select(pl.col(field).unique()).drop_nulls()
            read = self.reader.quick(field, pl.col(field).cast(pl.String)).alias("read")
            told = seen.with_columns(read).filter(
                pl.col("read").ne_missing(pl.col(field).cast(pl.String))
            )
            if told.height:
                told = told.with_columns(pl.col("read").cast(pl.Categorical()), read_anew=True)
                found = frame.select(field).join(told, on=field, how="left", maintain_order="left")
                anew = found["read_anew"].is_not_null()
                frame = frame.with_columns(found["read"].zip_with(anew, found[field]).alias(field))
        return frame

    def raw(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the cells that :meth:`closer` reads."""
        asked = [*self.fields.values(), *(rule.column for rule in self.layout.status)]
        present = [name for names in asked for name in self._present(names)]
        return rows.select(ROW, DAMAGE, *dict.fromkeys(f"c{self.position[n]}" for n in present))

    def column_of(self, field: str) -> str:
        """Name the columns of the file that a field comes from."""
        return " / ".join(self._present(self.fields[field]))

    def _left(self) -> Iterator[pl.Expr]:
        """Yield the cells of :data:`ADDRESSES` that the quick way left.

        They are many in sound files (masked, relayed, foreign, "none", in capitals), so that a
        closer look must not read the file once more.
        """
        for field in ADDRESSES:
            if field in self.fields:
                cell = self._cell(*self.fields[field])
                left = pl.when(pl.col(field).is_null()).then(cell)
                yield left.cast(pl.Categorical()).alias(LEFT[field])

    def careful_addresses(self, field: str, cells: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return what one of :data:`ADDRESSES` is, in the form the frame keeps, and why not."""
        cell = pl.col(field)
        found = (
            pl.DataFrame({field: cells})
            .with_columns(
                self.reader.careful(field, cell).alias(field),
                pl.when(rounded(cell) & (field in KEYS)).then(pl.lit(_ROUNDED)).alias("why"),
            )
            .with_columns(self._kept_form(field))
        )
        return found[field], found["why"]

    def closer(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the same fields read carefully, and why a row is no use (null = it is)."""
        typed = [self.reader.careful(f, self._filled(*n)).alias(f) for f, n in self.fields.items()]
        none = pl.lit(None, dtype=pl.String)
        reason, value, column = none, none, none
        # The last one asked has the last word: the first of a row's faults.
        for field, names in reversed(self.fields.items()):
            cell = self._filled(*names)
            name = pl.lit(self.column_of(field))
            for wrong, why in self._faults(field, cell):
                reason = pl.when(wrong).then(pl.lit(why)).otherwise(reason)
                value = pl.when(wrong).then(cell).otherwise(value)
                column = pl.when(wrong).then(name).otherwise(column)
        blame = (reason.alias("_reason"), value.alias("_value"), column.alias("_column"))
        empty = self._empty().alias("_empty")
        return rows.with_columns(typed).select(ROW, DAMAGE, *self._kept(), *blame, empty)

    def _empty(self) -> pl.Expr:
        """Tell whether none of the columns we know holds anything."""
        used = [*self.fields.values(), *(rule.column for rule in self.layout.status)]
        return pl.all_horizontal(blank(self._cell(*n)) for n in used if self._present(n))

    def _without_helpers(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Leave out rows of instructions."""
        helpers = [
            self._cell(name).str.strip_chars().is_in(list(texts))
            for name, texts in self.layout.helper_rows.items()
            if self._present([name])
        ]
        return rows.filter(~pl.any_horizontal(helpers).fill_null(value=False)) if helpers else rows

    def _sample(self, table: Table, names: Sequence[str]) -> list[str]:
        at = [self.position[name] for name in self._present(names)]
        return [next((row[i] for i in at if i < len(row) and row[i]), "") for row in table.sample]

    def _suspicions(self) -> Iterator[pl.Expr]:
        """Yield cheap signs that a row needs a closer look; every fault shows at least one."""
        yield pl.col(DAMAGE).is_not_null()
        if self.layout.kind in ("customers", "consents"):
            telling = [pl.col(f).is_null() for f in (*IDENTIFIERS, "channel") if f in self.fields]
            yield pl.all_horizontal(telling)
        each_row = ["order_id", *self.line_key]
        each_row += ["cart_id"] if self.layout.order_fields == "first row" else []
        for field, names in self.fields.items():
            cell, typed = self._cell(*names), pl.col(field)
            unread = typed.is_null() & cell.is_not_null()
            if field in each_row:
                yield typed.is_null()
            if field in AMOUNTS:
                yield cell.str.contains("[+eE]")
            elif field in KEYS and field != "phone":
                yield cell.str.contains("+", literal=True)
            if field in ("ordered_at", "occurred_at") and self.layout.order_fields == "every row":
                yield typed.is_null()
            elif field in TIMES or field in AMOUNTS or field in COUNTS:
                yield unread
            if field in COUNTS:
                yield typed < 0
            if field == "phone":
                # Blank, so that the next column may hold the number.
                yield unread & cell.str.starts_with(" ")

    def _present(self, names: Sequence[str]) -> list[str]:
        return [name for name in map(normalise, names) if name in self.position]

    def _cell(self, *names: str) -> pl.Expr:
        """Return the first of the columns that holds anything in a row."""
        found = [pl.col(f"c{self.position[name]}") for name in self._present(names)]
        text = pl.coalesce(found) if len(found) > 1 else found[0]
        return each(text, _mended, pl.String()) if self.mend else text

    def _filled(self, *names: str) -> pl.Expr:
        """Return the first of the columns that holds more than blanks in a row."""
        cells = [self._cell(name) for name in self._present(names)]
        return pl.coalesce(pl.when(~blank(cell)).then(cell) for cell in cells)

    def _kept(self) -> Iterator[pl.Expr]:
        """Yield the typed fields in the form the frame keeps them."""
        key = self.line_key
        if key:
            line = pl.col(key[0]) if len(key) == 1 else pl.concat_str(key, separator="/")
            yield (line if self.settings.compact is None else line.hash()).alias("line_id")
        for field, names in self.fields.items():
            typed = pl.col(field)
            # The latter is taken off the amount, which stands on the same row.
            if field in ("line_id", "refunded") or (self.kept and field not in self.kept):
                continue
            if field in TIMES:
                if field == "ordered_at":
                    yield typed.dt.date().alias("ordered_on")
                if self.settings.compact is None:
                    yield self._instant(typed, self._cell(*names))
            else:
                yield self._kept_form(field)

    def _kept_form(self, field: str) -> pl.Expr:
        typed, compact = pl.col(field), self.settings.compact
        if field == "amount" and "refunded" in self.fields:
            return typed - pl.col("refunded").fill_null(0)
        if compact is None:
            return pl.concat_str(pl.lit("+"), typed).alias(field) if field == "phone" else typed
        if field in AMOUNTS or field in COUNTS or field == "phone":
            return typed
        if field in self.categories:
            return typed.cast(pl.Categorical())
        return pl.when(typed.is_not_null()).then(typed.hash()).alias(field)

    def _carried(self) -> Iterator[pl.Expr]:
        """Yield the columns of a customer file that the layout does not name."""
        if self.layout.kind == "customers" and self.settings.compact is None:
            # Of an address no more is kept than country and zone, so its columns may be wanted too.
            named = self.layout.names() - {
                normalise(name) for name in self.layout.columns.get("province", ())
            }
            for name, i in self.position.items():
                if name and name not in named:
                    yield values.text(pl.col(f"c{i}")).alias(f"{EXTRA}{name}")

    def _instant(self, local: pl.Expr, cell: pl.Expr) -> pl.Expr:
        def at_home(time: pl.Expr) -> pl.Expr:
            return time.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")

        # A clock that was not put forward writes an hour that the zone skips: the moment is the
        # same.
        moment = pl.coalesce(at_home(local), at_home(local + pl.duration(hours=1)))
        moment = moment.dt.convert_time_zone("UTC")
        if self.layout.zone == AS_WRITTEN:
            minutes = each(cell, values.offsets, pl.Int32())
            written = (local - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC")
            # A consent's time without a zone could be any of a day's; better none than a wrong one.
            unzoned = None if self.layout.kind == "consents" else moment
            moment = pl.when(minutes.is_not_null()).then(written).otherwise(unzoned)
        return moment.cast(INSTANT)

    def _status(self) -> Iterator[pl.Expr]:
        for i, rule in enumerate(self.layout.status):
            if not self._present(rule.column):
                text = pl.lit(None, dtype=pl.Boolean)
            elif rule.filled is not None:
                # It matters whether, not with what: mostly a date, each another text.
                text = pl.when(~blank(self._cell(*rule.column))).then(pl.lit(value=True))
            else:
                text = self._cell(*rule.column).cast(pl.Categorical())
            yield text.alias(f"_status{i}")

    def _consents(self) -> Iterator[pl.Expr]:
        for i, rule in enumerate(self.layout.consents):
            if self._present(rule.column) and self.settings.compact is None:
                yield values.text(self._cell(*rule.column)).alias(f"consent{i}")

    def _faults(self, field: str, cell: pl.Expr) -> Iterator[tuple[pl.Expr, str]]:
        unreadable = pl.col(field).is_null() & ~blank(cell)
        every_row = self.layout.order_fields == "every row"
        if field == "order_id" or field in self.line_key:
            yield blank(cell), "no number"
        if field in KEYS:
            yield rounded(cell), _ROUNDED
        if field in TIMES and field not in DISPENSABLE:
            yield unreadable, "unreadable date"
        if field in ("ordered_at", "occurred_at") and every_row:
            yield blank(cell), "no date"
        if field in COUNTS:
            yield unreadable, "unreadable quantity"
            yield pl.col(field) < 0, "negative quantity"
        if field in AMOUNTS:
            yield unreadable, "unreadable amount"


def mended_header(header: tuple[str, ...], layout: Layout) -> tuple[str, ...]:
    """Return ``header``, its CP949 bytes that were read as Latin-1 put right if need be."""
    if layout.repair is None:
        return header
    return tuple(normalise(_mended_text(name)) for name in header)


def _mended(cells: pl.Series) -> pl.Series:
    found = {text: text and _mended_text(text) for text in cells.unique().to_list()}
    return cells.replace_strict(found, return_dtype=pl.String)


def _mended_text(text: str) -> str:
    try:
        return text.encode("latin-1").decode("cp949")
    except UnicodeError:
        return text
