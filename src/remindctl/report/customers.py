"""One row per customer, as data: CSV for a spreadsheet, JSON and NDJSON for a script.

Whole columns at a time: a shop may have a million customers.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.profiles import COLUMNS
from remindctl.report.console import decimals
from remindctl.report.spreadsheet import harmless, harmless_title

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

SCHEMA = "remindctl.customers/1"

# What every form but the table shows, unless asked otherwise; ``person`` means nothing outside.
STANDARD = (*(name for name in COLUMNS if name != "person"), "segment", "segments")

_NAMES = ("name", "first_name")
_CONTACTS = ("email", "phone")
_EMAIL = r"([^\s@])[^\s@]*@([^\s@]+\.[^\s@]+)"
_PHONE = r"^\+?[\d\s().-]{7,}$"
_BOM = b"\xef\xbb\xbf"
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The customers to show, in order, and what they were chosen from.

    Attributes:
        people: the chosen columns of Profiles; with ``since`` also entered and left.
        found: how many customers met the conditions, ``total``: how many there are.
        zone: on whose clock instants are written; None = UTC.
        since: the day that segments are compared with, if any.
        balance: with ``since``, segment, before, entered, left, now, of all customers.
        notes: what to know before reading, in words.
    """

    store: str
    as_of: date
    people: pl.DataFrame
    found: int
    total: int
    currency: str
    zone: str | None
    since: date | None = None
    balance: pl.DataFrame | None = None
    notes: Sequence[str] = ()


def masked(people: pl.DataFrame) -> pl.DataFrame:
    """Hide most of names, addresses and phone numbers, also in the shop's own columns."""
    own = [
        name
        for name, dtype in people.schema.items()
        if dtype == pl.String and name not in COLUMNS and name != "segment"
    ]
    contacts = [name for name in (*_CONTACTS, *own) if name in people.columns]
    return people.with_columns(
        *(_masked_names(people[name]) for name in _NAMES if name in people.columns),
        *(_masked_contact(pl.col(name)).alias(name) for name in contacts),
    )


def _masked_names(names: pl.Series) -> pl.Series:
    """Mask each name once: many people have the same one."""
    found = names.to_frame("name")
    hidden = found.unique().with_columns(_masked_name(pl.col("name")).alias("masked"))
    joined = found.join(hidden, on="name", how="left", nulls_equal=True, maintain_order="left")
    return joined["masked"].alias(names.name)


def _masked_name(name: pl.Expr) -> pl.Expr:
    """``김민수`` → ``김*수``, ``Ann Lee`` → ``A** L**``: as ``render.filters.mask`` writes them."""
    word = pl.element()
    size = word.str.len_chars()
    short = (size <= 2) | (word.str.len_bytes() == size)
    first = word.str.slice(0, 1)
    hidden = (
        pl.when(short)
        .then(first.str.pad_end(size, "*"))
        .otherwise(first.str.pad_end(size - 1, "*") + word.str.slice(-1))
    )
    return name.str.extract_all(r"\S+").list.eval(hidden).list.join(" ")


def _masked_contact(value: pl.Expr) -> pl.Expr:
    """``k***@shop.example``, ``010-****-1234``; other text stays."""
    # Nulls for whatever is no number, so that most of these steps have little to do.
    number = pl.when(value.str.contains(_PHONE)).then(value)
    digits = number.str.replace_all(r"\D", "")
    korean = number.str.starts_with("+82")
    local = pl.when(korean).then(pl.lit("0") + digits.str.slice(2)).otherwise(digits)
    area = pl.when(local.str.starts_with("02")).then(2).otherwise(3)
    foreign = number.str.starts_with("+") & ~korean
    shown = pl.when(foreign).then(pl.lit("+***")).otherwise(local.str.slice(0, area))
    phone = pl.when(digits.str.len_chars() >= 7).then(shown + "-****-" + local.str.slice(-4))
    other = pl.when(phone.is_null()).then(value)
    return pl.coalesce(phone, other.str.replace_all(_EMAIL, "$1***@$2"))


def to_csv(listing: Listing, *, bom: bool) -> bytes:
    """Write a header and one line per customer; cells that a spreadsheet would run are quoted.

    Args:
        listing: what to write.
        bom: begin with the mark by which Excel knows UTF-8.

    Returns:
        the text in UTF-8.
    """
    # Numbers, dates and instants run nowhere.
    texts = [name for name, dtype in listing.people.schema.items() if dtype in (pl.String, pl.List)]
    cells = _written(listing, pl.String)
    lists = [name for name, dtype in cells.schema.items() if isinstance(dtype, pl.List)]
    cells = cells.with_columns(pl.col(lists).list.join("; ", ignore_nulls=True))
    safe = cells.with_columns(harmless(pl.col(texts))).rename(harmless_title)
    written = io.BytesIO(_BOM if bom else b"")
    written.seek(0, io.SEEK_END)
    safe.write_csv(written)
    return written.getvalue()


def to_ndjson(listing: Listing) -> str:
    """Write one JSON object per customer and line; money as numbers, null = not known."""
    return _written(listing, pl.Float64).write_ndjson() if len(listing.people) else ""


def to_json(listing: Listing) -> str:
    """Write the document: the same objects under ``customers``."""
    head: dict[str, object] = {
        "schema": SCHEMA,
        "as_of": listing.as_of.isoformat(),
        "store": listing.store,
    }
    if listing.since is not None and listing.balance is not None:
        head |= {"since": listing.since.isoformat(), "movement": listing.balance.to_dicts()}
    opening = json.dumps(head, ensure_ascii=False, allow_nan=False, indent=2).removesuffix("\n}")
    rows = to_ndjson(listing).rstrip("\n").replace("\n", ",\n    ")
    return f'{opening},\n  "customers": [\n    {rows}\n  ]\n}}\n'


def _written(listing: Listing, money: type[pl.DataType]) -> pl.DataFrame:
    """Turn dates, instants and numbers into what the forms have: ISO 8601, the currency's units."""
    people, unit = listing.people, decimals(listing.currency)
    changed = []
    for name, dtype in people.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.Date):
            changed.append(column.dt.to_string("%Y-%m-%d"))
        elif isinstance(dtype, pl.Datetime):
            local = column.dt.convert_time_zone(listing.zone or "UTC")
            changed.append(local.dt.to_string("%Y-%m-%dT%H:%M:%S%:z"))
        elif isinstance(dtype, pl.Decimal):
            exact = column.round(unit).cast(pl.Decimal(18, unit))
            changed.append(exact.cast(pl.Int64 if not unit and money != pl.String else money))
        elif isinstance(dtype, pl.Float64):
            finite = pl.when(column.is_finite()).then(column)
            changed.append(finite.round(_DECIMALS))
    return people.with_columns(changed)
