"""One table and its layout → typed lines, and the rows that were no use, each with its reason.

The scan itself already does what belongs to a single row, so that a large file is never held as
text. What needs the neighbours (an order's first row, its total) follows on the small typed frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.frames import INSTANT, MONEY, STATUS
from remindctl.stores import values
from remindctl.stores.layout import AS_WRITTEN, LINE_FIELDS, Layout
from remindctl.stores.tables import DAMAGE, ROW, Table, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REJECTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "file": pl.String,
    "row": pl.UInt32,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
}

IDENTIFIERS = ("email", "phone", "customer_id")
_CODES = frozenset(
    {"order_id", "line_id", "product_id", "sku", "event_id", "cart_id", "push_token"}
)
_TIMES = frozenset(
    {"ordered_at", "delivered_at", "confirmed_at", "occurred_at", "at", "notice_sent_at"}
)
_COUNTS = frozenset({"quantity", "stock"})
_MONEY = frozenset({"amount", "refunded", "price", "value"})
_COMPACT = frozenset(
    {"order_id", "line_id", "ordered_at", "quantity", "price", "amount", "refunded", "currency"}
    | {*IDENTIFIERS}
)
EXTRA = "extra:"
_BLAME = ("_reason", "_value", "_column")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a store's configuration says where the file itself does not.

    Attributes:
        zone: IANA name, for clock times whose layout has no zone of its own.
        region: ISO 3166, for phone numbers without a country code.
        compact: keep only what ``analyze`` needs of orders: dates, amounts, these columns (as
            categories), and ids and addresses as 64-bit hashes: equal where the texts are,
            different otherwise (but for a chance of 2⁻⁶⁴ a pair), without meaning elsewhere. None =
            all.
    """

    zone: str | None = None
    region: str | None = None
    compact: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """What one table gave.

    Attributes:
        frame: one row per usable row: ``row``, the layout's fields typed, ``consent0`` …; for
            orders also ``ordered_on`` and ``status``. Identifiers that identify no one are null.
        rejects: see ``REJECTS``.
        rows: rows that held anything.
        problems: texts that the layout's dictionaries do not know.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    rows: int
    problems: tuple[Problem, ...] = ()


def read_lines(table: Table, layout: Layout, settings: Settings) -> Lines:
    """Read ``table`` as ``layout`` says.

    Raises:
        Refused: the text cannot be read at all.
    """
    query = _Query(table, layout, settings)
    frame = _reread_suspects(table.collect(query), table, query)
    rows = frame.height
    if layout.order_fields == "first row":
        frame = _spread_first_rows(frame)
    frame, rejects = _split_rejects(frame, table.name)
    if layout.kind != "orders":
        return Lines(frame, rejects, rows)
    frame, problems = _resolve_status(frame, table, layout)
    if "amount" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=MONEY).alias("amount"))
    if "refunded" in frame.columns:
        frame = frame.with_columns(pl.col("amount") - pl.col("refunded").fill_null(0))
    if layout.amount_level != "line":
        frame = _share_order_amounts(frame)
    return Lines(frame.drop("refunded", "price", strict=False), rejects, rows, problems)


class _Query:
    """The query that types a table's cells row by row, and tells which rows need a closer look."""

    def __init__(self, table: Table, layout: Layout, settings: Settings) -> None:
        self.layout, self.settings = layout, settings
        self.zone = (settings.zone if layout.zone == AS_WRITTEN else layout.zone) or "UTC"
        self.region = settings.region or layout.region
        header = mended_header(table.header, layout)
        self.mend = header != table.header
        self.position = {name: i for i, name in reversed(list(enumerate(header)))}
        compact = settings.compact
        needed = None if compact is None else _COMPACT | compact | set(layout.line_key)
        wanted: dict[str, tuple[str, ...]] = {
            f: n for f, n in layout.columns.items() if needed is None or f in needed
        }
        self.fields = {field: names for field, names in wanted.items() if self._present(names)}
        phones = self._sample(table, self.fields.get("phone", ()))
        self.international = values.are_international(phones)
        self.formats = {
            field: values.best_format(self._sample(table, names), layout.dates)
            for field, names in self.fields.items()
            if field in _TIMES
        }

    def __call__(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the typed fields of every row that holds anything, and whether it is suspect."""
        typed = [self._quick(f, self._cell(*n)).alias(f) for f, n in self.fields.items()]
        suspect = pl.any_horizontal(*self._suspicions()).fill_null(value=False)
        return (
            self._without_helpers(rows)
            .with_columns(typed)
            .select(
                ROW,
                DAMAGE,
                *self._kept(),
                *self._carried(),
                *self._status(),
                *self._consents(),
                suspect.alias("_suspect"),
            )
        )

    def closer(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the same fields read carefully, and why a row is no use (null = it is)."""
        typed = [self._careful(f, self._cell(*n)).alias(f) for f, n in self.fields.items()]
        none = pl.lit(None, dtype=pl.String)
        reason, value, column = none, none, none
        for field, names in self.fields.items():
            cell = self._cell(*names)
            name = pl.lit(" / ".join(self._present(names)))
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
        return pl.all_horizontal(_blank(self._cell(*n)) for n in used if self._present(n))

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

    def _quick(self, field: str, cell: pl.Expr) -> pl.Expr:
        if field in _TIMES:
            return values.local_time(cell, self.formats[field])
        if field in _MONEY:
            return values.money(cell)
        if field in _COUNTS:
            return values.quantity(cell)
        if field == "phone" and self.international:
            return values.international_phone(cell)
        if field == "phone":
            return values.phone(cell, self.region)
        return self._text(field)(cell)

    def _careful(self, field: str, cell: pl.Expr) -> pl.Expr:
        if field in _TIMES:
            read = partial(values.careful_times, formats=self.layout.dates)
            return _each(cell, read, values.LOCAL_TIME)
        if field in _MONEY:
            return _each(cell, values.careful_money, MONEY)
        if field in _COUNTS:
            return _each(cell, values.careful_quantities, pl.Int64())
        if field == "phone":
            read = partial(values.careful_phones, region=self.region)
            # Python goes through what the usual spellings leave, and no further.
            return pl.coalesce(values.phone(cell, self.region), _each(cell, read, pl.String()))
        return self._text(field)(cell)

    def _text(self, field: str) -> Callable[[pl.Expr], pl.Expr]:
        if field == "email":
            return values.email
        if field == "customer_id":
            return values.person_code
        return values.code if field in _CODES else values.text

    def _suspicions(self) -> Iterator[pl.Expr]:
        """Yield cheap signs that a row needs a closer look; every fault shows at least one."""
        if self.layout.kind in ("customers", "consents"):
            telling = [pl.col(f).is_null() for f in (*IDENTIFIERS, "channel") if f in self.fields]
            yield pl.all_horizontal(telling)
        for field, names in self.fields.items():
            cell, typed = self._cell(*names), pl.col(field)
            unread = typed.is_null() & cell.is_not_null()
            if field in ("order_id", *self.layout.line_key):
                yield typed.is_null()
            if field in ("order_id", "line_id") or field in _MONEY:
                yield cell.str.contains("+", literal=True)
            if field in ("ordered_at", "occurred_at") and self.layout.order_fields == "every row":
                yield typed.is_null()
            elif field in _TIMES or field in _MONEY or field in _COUNTS or field == "phone":
                yield unread
            if field in _COUNTS:
                yield typed < 0

    def _present(self, names: Sequence[str]) -> list[str]:
        return [name for name in map(normalise, names) if name in self.position]

    def _cell(self, *names: str) -> pl.Expr:
        """Return the first of the columns that holds anything in a row."""
        found = [pl.col(f"c{self.position[name]}") for name in self._present(names)]
        text = pl.coalesce(found) if len(found) > 1 else found[0]
        return _each(text, _mended, pl.String()) if self.mend else text

    def _kept(self) -> Iterator[pl.Expr]:
        """Yield the typed fields in the form the frame keeps them."""
        key = [field for field in self.layout.line_key if field in self.fields]
        if key:
            line = pl.col(key[0]) if len(key) == 1 else pl.concat_str(key, separator="/")
            yield (line if self.settings.compact is None else line.hash()).alias("line_id")
        for field, names in self.fields.items():
            typed = pl.col(field)
            if field == "line_id" and key:
                continue
            if field in _TIMES:
                if field == "ordered_at":
                    yield typed.dt.date().alias("ordered_on")
                if self.settings.compact is None:
                    yield self._instant(typed, self._cell(*names))
            elif self.settings.compact is None or field in _MONEY or field in _COUNTS:
                yield typed
            elif field == "currency" or field in self.settings.compact:
                yield typed.cast(pl.Categorical())
            else:
                yield pl.when(typed.is_not_null()).then(typed.hash()).alias(field)

    def _carried(self) -> Iterator[pl.Expr]:
        """Yield the columns of a customer file that the layout does not name."""
        if self.layout.kind == "customers" and self.settings.compact is None:
            for name, i in self.position.items():
                if name and name not in self.layout.names():
                    yield values.text(pl.col(f"c{i}")).alias(f"{EXTRA}{name}")

    def _instant(self, local: pl.Expr, cell: pl.Expr) -> pl.Expr:
        def at_home(time: pl.Expr) -> pl.Expr:
            return time.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")

        # A clock that was not put forward writes an hour that the zone skips: the moment is the
        # same.
        moment = pl.coalesce(at_home(local), at_home(local + pl.duration(hours=1)))
        moment = moment.dt.convert_time_zone("UTC")
        if self.layout.zone == AS_WRITTEN:
            minutes = _each(cell, values.offsets, pl.Int32())
            written = (local - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC")
            # A consent's time without a zone could be any of a day's; better none than a wrong one.
            unzoned = None if self.layout.kind == "consents" else moment
            moment = pl.when(minutes.is_not_null()).then(written).otherwise(unzoned)
        return moment.cast(INSTANT)

    def _status(self) -> Iterator[pl.Expr]:
        for i, rule in enumerate(self.layout.status):
            if not self._present(rule.column):
                text = pl.lit(None, dtype=pl.String)
            elif rule.filled is not None:
                # It matters whether, not with what: mostly a date, each another text.
                text = pl.when(~_blank(self._cell(*rule.column))).then(pl.lit("filled"))
            else:
                text = self._cell(*rule.column)
            yield text.cast(pl.Categorical()).alias(f"_status{i}")

    def _consents(self) -> Iterator[pl.Expr]:
        for i, rule in enumerate(self.layout.consents):
            if self._present(rule.column) and self.settings.compact is None:
                yield values.text(self._cell(*rule.column)).alias(f"consent{i}")

    def _faults(self, field: str, cell: pl.Expr) -> Iterator[tuple[pl.Expr, str]]:
        unreadable = pl.col(field).is_null() & ~_blank(cell)
        every_row = self.layout.order_fields == "every row"
        if field == "order_id" or field in self.layout.line_key:
            yield _blank(cell), "no number"
        if field in ("order_id", "line_id", "phone"):
            rounded = cell.str.strip_chars().str.contains(values.SCIENTIFIC)
            yield rounded, "a spreadsheet rounded this number, its digits are lost"
        if field in _TIMES:
            yield unreadable, "unreadable date"
        if field in ("ordered_at", "occurred_at") and every_row:
            yield _blank(cell), "no date"
        if field in _COUNTS:
            yield unreadable, "unreadable quantity"
            yield pl.col(field) < 0, "negative quantity"
        if field in _MONEY:
            yield unreadable, "unreadable amount"


def _each(cell: pl.Expr, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType) -> pl.Expr:
    return cell.map_batches(read, return_dtype=dtype, is_elementwise=True)


def _blank(cell: pl.Expr) -> pl.Expr:
    return cell.is_null() | (cell.str.strip_chars() == "")


def mended_header(header: tuple[str, ...], layout: Layout) -> tuple[str, ...]:
    """Return ``header``, its CP949 bytes that were read as Latin-1 put right if need be."""
    if layout.repair is None:
        return header
    mended = _mended(pl.Series(header, dtype=pl.String)).to_list()
    return tuple(normalise(name or "") for name in mended)


def _mended(cells: pl.Series) -> pl.Series:
    found: dict[str | None, str | None] = {}
    for text in cells.unique().to_list():
        try:
            found[text] = text and text.encode("latin-1").decode("cp949")
        except UnicodeError:
            found[text] = text
    return cells.replace_strict(found, return_dtype=pl.String)


def _reread_suspects(frame: pl.DataFrame, table: Table, query: _Query) -> pl.DataFrame:
    """Read the suspect rows again, carefully, and add why the ones that are no use are not."""
    suspects = frame.filter("_suspect")[ROW]
    frame = frame.drop("_suspect")
    blame = dict.fromkeys(_BLAME, pl.lit(None, dtype=pl.String))
    if not suspects.len():
        return frame.with_columns(**blame)
    wanted = pl.col(ROW).is_in(suspects.implode())
    found = table.collect(lambda rows: query.closer(rows.filter(wanted))).drop(DAMAGE)
    blank = found.filter("_empty")[ROW]
    if blank.len():
        frame = frame.filter(~pl.col(ROW).is_in(blank.implode()))
    found = found.drop("_empty")
    return frame.with_columns(**blame).update(found, on=ROW, how="left", include_nulls=True)


def _split_rejects(frame: pl.DataFrame, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set apart the rows that are no use."""
    reasons = [pl.col(DAMAGE), pl.col("_reason")]
    if "ordered_on" in frame.columns:
        reasons.append(pl.when(pl.col("ordered_on").is_null()).then(pl.lit("no date")))
    frame = frame.with_columns(pl.coalesce(reasons).alias("_reason"))
    rejects = frame.filter(pl.col("_reason").is_not_null()).select(
        pl.lit(name).alias("file"),
        pl.col(ROW),
        pl.col("_column").alias("column"),
        pl.col("_value").alias("value"),
        pl.col("_reason").alias("reason"),
    )
    if rejects.height:
        frame = frame.filter(pl.col("_reason").is_null())
    return frame.drop(DAMAGE, *_BLAME), rejects.sort(ROW)


# Orders whose fields stand on their first row only


def _spread_first_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Give every row of an order (or cart) what stands on its first one.

    The first row is known by its total or status. In an untouched export the rows of an order are
    neighbours and the first comes first; a file that was sorted otherwise is put back in order.
    """
    key = "order_id" if "order_id" in frame.columns else "cart_id"
    own = {ROW, DAMAGE, *_BLAME, key, *LINE_FIELDS}
    shared = [c for c in frame.columns if c not in own]
    marks = [c for c in shared if c.startswith("_status") or c in ("amount", "value")]
    start = (pl.col(key) != pl.col(key).shift(1)).fill_null(value=True).alias("_start")
    first = pl.any_horizontal(pl.col(c).is_not_null() for c in marks).alias("_first")
    frame = frame.with_columns(first, start)
    if not (frame["_first"] == frame["_start"]).all():
        frame = frame.sort(key, "_first", ROW, descending=[False, True, False])
        frame = _without_repeats(frame.with_columns(start), key)
    first_rows = frame["_start"].arg_true().gather(frame["_start"].cum_sum() - 1)

    def spread(column: pl.Series) -> pl.Series:
        from_first = column.gather(first_rows)
        # What continuation rows do carry is their own.
        if column.name in ("email", "ordered_on", *_TIMES):
            return column.zip_with(column.is_not_null(), from_first)
        return from_first

    return frame.with_columns(spread(frame[c]) for c in shared).drop("_first", "_start")


def _without_repeats(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """Mark rows of an order that came in twice, as when two downloads were pasted into one file."""
    firsts = frame.group_by(key).agg(pl.col("_first").sum()).filter(pl.col("_first") > 1)
    if not firsts.height:
        return frame
    own = {ROW, DAMAGE, *_BLAME, "_start"}
    again = ~pl.struct(c for c in frame.columns if c not in own).is_first_distinct()
    repeated = again & pl.col(key).is_in(firsts[key].implode())
    marked = pl.when(repeated).then(pl.lit(REPEATED)).otherwise(DAMAGE)
    return frame.with_columns(marked.alias(DAMAGE))


REPEATED = "the same line stands in this file already"


def _share_order_amounts(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn an order's total, present on each of its rows, into what was paid for each line.

    Shares follow price × quantity (equal ones where that is nothing or unknown) and add up to the
    total exactly: each is the difference of two rounded running sums.
    """
    if not frame.height:
        return frame
    if frame["order_id"].n_unique() != frame["order_id"].rle_id().max() + 1:  # type: ignore[operator]
        frame = frame.sort("order_id", ROW)
    run = frame["order_id"].rle_id().alias("_run")
    first = (run != run.shift(1)).fill_null(value=True).arg_true()
    weight = pl.Series("_weight", [1.0]).new_from_index(0, frame.height)
    if {"price", "quantity"} <= set(frame.columns):
        gross = frame["price"].cast(pl.Float64) * frame["quantity"].cast(pl.Float64)
        weight = gross.fill_null(0.0).clip(lower_bound=0.0)
    share = _running_share(weight, run, first)
    total = frame["amount"].gather(first)
    scale = next((s for s in (1, 100) if (total * s == (total * s).round(0)).all()), 10_000)
    units = (frame["amount"].cast(pl.Float64) * scale * share).round(0)
    before = units.shift(1).scatter(first, [0.0] * first.len())
    amount = ((units - before) / scale).cast(MONEY)
    return frame.with_columns(amount.alias("amount"))


def _running_share(weight: pl.Series, run: pl.Series, first: pl.Series) -> pl.Series:
    """Return, for each row, the share of its run's weight up to and including it (the last: 1)."""
    size = first.shift(-1, fill_value=weight.len()) - first
    running = weight.cum_sum()
    before = (running.gather(first) - weight.gather(first)).gather(run)
    whole = running.gather((first + size - 1).gather(run)) - before
    nth = pl.int_range(weight.len(), eager=True) - first.gather(run) + 1
    equal = nth.cast(pl.Float64) / size.gather(run).cast(pl.Float64)
    share = (running - before) / whole
    return share.zip_with(whole > 0, equal)


# Status


def _resolve_status(
    frame: pl.DataFrame, table: Table, layout: Layout
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Replace the status texts by what the layout's rules make of each combination that occurs."""
    columns = [f"_status{i}" for i in range(len(layout.status))]
    if not columns:
        return frame.with_columns(pl.lit("paid", dtype=STATUS).alias("status")), ()
    seen = frame.group_by(columns).agg(pl.col(ROW).min(), pl.len())
    answers: list[str | None] = []
    problems = []
    for row in seen.sort(ROW).iter_rows(named=True):
        answer, unknown = _answer([row[c] for c in columns], layout)
        if unknown is not None:
            column = " / ".join(layout.status[unknown].column)
            what = f"{column}: unknown status {row[columns[unknown]]!r} ({row['len']} rows)"
            hint = (
                f"remindctl layouts show {layout.layout} > my-layout.yaml, "
                "add it there under status, then use --layout my-layout.yaml"
            )
            problems.append(Problem(Place(table.name, row[ROW]), what, hint))
        answers.append(answer)
    known = seen.sort(ROW).select(columns).with_columns(pl.Series("status", answers, dtype=STATUS))
    joined = frame.join(known, on=columns, how="left", nulls_equal=True, maintain_order="left")
    return joined.drop(columns), tuple(problems)


def _answer(texts: list[str | None], layout: Layout) -> tuple[str | None, int | None]:
    """Return the status that the rules give, or the number of the rule without an answer."""
    for i, (rule, text) in enumerate(zip(layout.status, texts, strict=True)):
        answer = rule.answer(text)
        if answer is None:
            return None, i
        if answer != "next":
            return answer, None
    return None, len(layout.status) - 1
