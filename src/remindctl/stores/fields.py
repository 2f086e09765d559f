"""How a field is read: what kind of value it holds, the quick way and the careful way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import MONEY
from remindctl.stores import values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Texts that must be whole: one that a spreadsheet rounded could be anyone's.
KEYS = frozenset({"order_id", "line_id", "event_id", "cart_id", "customer_id", "phone"})
_CODES = frozenset({"order_id", "line_id", "event_id", "cart_id", "push_token", "code"})
_NAMES = frozenset({"name", "first_name", "last_name"})
_ITEM_CODES = frozenset({"product_id", "sku"})
TIMES = frozenset(
    {"ordered_at", "delivered_at", "confirmed_at", "cancelled_at", "signed_up_at", "occurred_at",
     "at", "notice_sent_at"}
)  # fmt: skip
# Unreadable, these are as good as blank: the row still says who has agreed or refused.
DISPENSABLE = frozenset({"signed_up_at"})
COUNTS = frozenset({"quantity", "stock"})
_BARE, _NUMBER = "_bare", "_number"
AMOUNTS = frozenset({"amount", "refunded", "price", "value"})


@dataclass(frozen=True, slots=True)
class Reader:
    """How the fields of one table are read.

    Attributes:
        formats: time field → the format that its sample is in.
        dates: the formats that its layout knows.
        region: the country of phone numbers without a country code, as ISO 3166.
        international: its phone numbers all carry their country code.
    """

    formats: Mapping[str, str]
    dates: Sequence[str]
    region: str | None
    international: bool

    def prepared(self, field: str, cell: pl.Expr) -> tuple[pl.Expr, ...]:
        """Return columns that :meth:`quick` needs, each of which may need the ones before it.

        The engine notices what is asked for twice, but not what is asked for twice within that.
        """
        if field != "phone" or self._plain_region is None:
            return ()
        return values.bare_phone(cell).alias(_BARE), values.quantity(pl.col(_BARE)).alias(_NUMBER)

    def quick(self, field: str, cell: pl.Expr) -> pl.Expr:
        """Read the spelling that exports really use; null where it is another.

        Amounts come in whole ten-thousandths, phone numbers as numbers without their ``+``.
        """
        if field in TIMES:
            return values.local_time(cell, self.formats[field])
        if field in AMOUNTS:
            return values.in_units(values.money(cell))
        if field in COUNTS:
            return values.quantity(cell)
        if field == "email":
            return values.plain_email(cell)
        if field == "phone":
            return self._quick_phone(cell)
        return _text(field)(cell)

    def _quick_phone(self, cell: pl.Expr) -> pl.Expr:
        if self._plain_region is not None:
            return values.plain_phone(pl.col(_BARE), pl.col(_NUMBER), self._plain_region)
        if self.international:
            return _digits(values.international_phone(cell))
        return _digits(values.phone(cell, self.region))

    @property
    def _plain_region(self) -> str | None:
        """The country whose phone numbers are told from others without a pattern."""
        return (
            None if self.international or self.region not in values.PLAIN_REGIONS else self.region
        )

    def careful(self, field: str, cell: pl.Expr) -> pl.Expr:
        """Read every spelling that is not a guess; null where the cell is damaged."""
        if field in TIMES:
            # What the quick way reads in one format must not be read in another here.
            formats = (self.formats[field], *self.dates)
            read = partial(values.careful_times, formats=formats)
            return each(cell, read, values.LOCAL_TIME)
        if field in AMOUNTS:
            return values.in_units(each(cell, values.careful_money, MONEY))
        if field in COUNTS:
            return each(cell, values.careful_quantities, pl.Int64())
        if field == "phone":
            return _digits(
                each(cell, partial(values.careful_phones, region=self.region), pl.String())
            )
        return _text(field)(cell)


def _digits(phone: pl.Expr) -> pl.Expr:
    """Return E.164 as a number: half the size, and compared at once."""
    return phone.str.slice(1).cast(pl.UInt64)


def _text(field: str) -> Callable[[pl.Expr], pl.Expr]:
    if field == "email":
        return values.email
    if field == "customer_id":
        return values.person_code
    if field in _NAMES:
        return values.name
    if field in _ITEM_CODES:
        return values.item_code
    return values.code if field in _CODES else values.text


def each(cell: pl.Expr, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType) -> pl.Expr:
    """Read cells by a function over whole columns."""
    return cell.map_batches(read, return_dtype=dtype, is_elementwise=True)


def rounded(cell: pl.Expr) -> pl.Expr:
    """Tell whether a spreadsheet wrote the cell in scientific notation."""
    return cell.str.strip_chars().str.contains(values.SCIENTIFIC)


def blank(cell: pl.Expr) -> pl.Expr:
    """Tell whether the cell holds nothing but blanks."""
    return cell.is_null() | (cell.str.strip_chars() == "")
