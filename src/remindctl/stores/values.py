"""Cells as shops write them → values.

Each kind of value is read twice over. The *quick* way is one polars expression for the spelling
that exports really use; what it leaves null, or what looks suspicious, is read again by the
*careful* way, a function from a column of text to a typed one. A cell that even then stays null
though it held text is damaged; the caller decides what that means. Nothing is guessed: a number in
scientific notation has lost its digits.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from remindctl.frames import MONEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCIENTIFIC = r"^'?[+-]?\d(?:[.,]\d+)?[eE]\+\d+$"
LOCAL_TIME = pl.Datetime("us")
# Small letters as Western European names have them.
_PLAIN_ADDRESS = r"^[a-z0-9._+\-ß-öø-ÿ]+@[a-z0-9.\-]+\.[a-z0-9]+$"
_ADDRESS = r"^[^@*,;\s<>]+@[^@*,;\s<>]+\.[^@*,;\s<>]+$"

# What a date cell of a workbook becomes, and what other tools write.
ISO_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
)
# An offset from UTC belongs to a time of day; the end of 30-08-2025 only looks like one.
_OFFSET = r"(\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d\d:?\d\d)$"
_EXCEL_EPOCH_DAYS = 25_569  # 1970-01-01 as Excel counts days
_YEARS = (datetime(1990, 1, 1), datetime(2101, 1, 1))  # noqa: DTZ001 (of a wall clock)
_PADDING = " \t\r\n\u00a0'"


# Text


def text(cell: pl.Expr) -> pl.Expr:
    """Trim; blank becomes null."""
    trimmed = cell.str.strip_chars()
    return pl.when(trimmed != "").then(trimmed)


def name(cell: pl.Expr) -> pl.Expr:
    """Read a person's name; a masked one (``김*수``) is null."""
    whole = text(cell)
    return pl.when(~whole.str.contains("*", literal=True)).then(whole)


def code(cell: pl.Expr) -> pl.Expr:
    """Read an id without what keeps its digits in spreadsheets: ``'123``, ``="0123"``."""
    trimmed = cell.str.strip_chars(" \t\r\n\u00a0'=\"")
    return pl.when(trimmed != "").then(trimmed)


def item_code(cell: pl.Expr) -> pl.Expr:
    """Read a product's code; one that a spreadsheet rounded is null, as it fits many products."""
    found = code(cell)
    return pl.when(~found.str.contains(SCIENTIFIC)).then(found)


def person_code(cell: pl.Expr) -> pl.Expr:
    """Read a shop's customer id: ``17850.0`` is ``17850``; masked ids are null."""
    found = code(cell).str.replace(r"^(\d+)\.0$", "$1")
    nothing = found.str.to_lowercase().is_in(["na", "n/a", "nan", "null", "none", "-", "0"])
    masked = found.str.contains("*", literal=True)
    return pl.when(~(nothing | masked)).then(found)


def email(cell: pl.Expr) -> pl.Expr:
    """Read an e-mail address in lower case; what is masked or no address is null."""
    lower = cell.str.strip_chars(" \t\r\n\u00a0'").str.to_lowercase()
    return pl.when(lower.str.contains(_ADDRESS)).then(lower)


def plain_email(cell: pl.Expr) -> pl.Expr:
    """Read an address that :func:`email` would leave as it is, in a third of the time."""
    return pl.when(cell.str.contains(_PLAIN_ADDRESS)).then(cell)


# Numbers


def quantity(cell: pl.Expr) -> pl.Expr:
    """Read a whole number, the quick way."""
    return cell.cast(pl.Int64, strict=False)


def careful_quantities(cells: pl.Series) -> pl.Series:
    """Read whole numbers: also ``2.0``, ``1,000``, ``3개``; not ``1,5``."""
    bare = cells.str.strip_chars(_PADDING).str.replace(r"\s*(?:개|(?i:ea))$", "")
    return _plain_number(bare.str.replace(r"\.0*$", "")).cast(pl.Int64, strict=False)


def money(cell: pl.Expr) -> pl.Expr:
    """Read an amount exactly to four decimals, the quick way; a ``+`` in it is suspicious."""
    return cell.cast(MONEY, strict=False)


def in_units(amount: pl.Expr) -> pl.Expr:
    """Return amounts as whole ten-thousandths (Int64): exact, and half the size of a decimal."""
    return amount.to_physical().cast(pl.Int64)


def in_money(units: pl.Expr) -> pl.Expr:
    """Return whole ten-thousandths as amounts."""
    return units.cast(pl.Int128).reinterpret(dtype=MONEY)


def careful_money(cells: pl.Series) -> pl.Series:
    """Read amounts: also ``₩12,900``, ``39,900원``, ``(5.00)``; not ``1.2E+05`` or ``12,50``."""
    bare = cells.str.replace_all(r"\s*(?:[₩￦\\$€£¥]|원|KRW|USD)\s*", "").str.strip_chars(_PADDING)
    return _plain_number(bare.str.replace(r"^\((.*)\)$", "-$1")).cast(MONEY, strict=False)


def _plain_number(cells: pl.Series) -> pl.Series:
    """Drop the signs that group digits; null where a sign could as well be a decimal one."""
    plain = cells.str.contains(r"^[+-]?(?:\d+\.?\d*|\.\d+)$")
    grouped = cells.str.contains(r"^[+-]?\d{1,3}(?:[, ']\d{2,3})*[, ']\d{3}(?:\.\d*)?$")
    return cells.str.replace_all("[, ']", "").set(~(plain | grouped).fill_null(value=True), None)


# Dates


def local_time(cell: pl.Expr, form: str) -> pl.Expr:
    """Read a date as the clock on the shop's wall showed it, the quick way: in one format.

    Args:
        cell: text.
        form: a strptime format; a final ``%z`` is left to :func:`offsets`.
    """
    if form.endswith("%z"):
        form = form.removesuffix("%z").rstrip()
        # Formats with an offset are of fixed width, so that a slice is enough and four times
        # cheaper.
        cell = cell.str.head(len("2025-10-07 09:50:26") if "%S" in form else 16)
    if any(part in form for part in ("%H", "%I")):
        time = cell.str.to_datetime(form, time_unit="us", strict=False, cache=False)
    else:
        time = cell.str.to_date(form, strict=False, cache=False).cast(LOCAL_TIME)
    return pl.when(time.is_between(*_YEARS, closed="left")).then(time)


def best_format(sample: Sequence[str], formats: Sequence[str]) -> str:
    """Return the first of ``formats``, then ISO 8601, that reads all of the sample."""
    candidates = (*formats, *ISO_FORMATS)
    cells = pl.DataFrame(
        {"cell": [cell for cell in sample if cell.strip()]}, schema={"cell": pl.String}
    )
    for form in candidates if cells.height else ():
        if not cells.select(local_time(pl.col("cell"), form)).to_series().null_count():
            return form
    return candidates[0]


def careful_times(cells: pl.Series, formats: Sequence[str]) -> pl.Series:
    """Read dates in any of ``formats``, ISO 8601, Excel's serial numbers, or with 오전/오후."""
    plain = cells.str.strip_chars(_PADDING)
    plain = plain.str.replace("오전", "AM", literal=True).str.replace("오후", "PM", literal=True)
    iso = plain.str.replace(_OFFSET, "$1")
    iso = iso.str.replace(r"^(\d{4})[./년]\s*(\d{1,2})[./월]\s*(\d{1,2})(?:\.|일)?", "$1-$2-$3")
    frame = pl.DataFrame({"plain": plain, "iso": iso, "serial": plain})
    asian = ("%Y-%m-%d %p %I:%M:%S", "%Y-%m-%d %p %I:%M")
    ways = [local_time(pl.col("plain"), form) for form in formats]
    ways += [local_time(pl.col("iso"), form) for form in (*ISO_FORMATS, *asian)]
    return frame.select(pl.coalesce(*ways, _excel_serial(pl.col("serial")))).to_series()


def _excel_serial(cell: pl.Expr) -> pl.Expr:
    serial = pl.when(cell.str.contains(r"^\d{5}(?:\.\d+)?$")).then(
        cell.cast(pl.Float64, strict=False)
    )
    # A serial holds a time of day to about a second; unrounded, 09:05 would read as 09:04:59.99.
    seconds = ((serial - _EXCEL_EPOCH_DAYS) * 86_400).round()
    time = (seconds.cast(pl.Int64) * 1_000_000).cast(LOCAL_TIME)
    return pl.when(time.is_between(*_YEARS, closed="left")).then(time)


def offsets(cells: pl.Series) -> pl.Series:
    """Read the offset from UTC at the end of dates as minutes; null where there is none."""
    found = cells.str.strip_chars(_PADDING).str.extract(_OFFSET, 2)
    minutes = {offset: _minutes(offset) for offset in found.drop_nulls().unique().to_list()}
    return found.replace_strict(minutes or {"": 0}, default=None, return_dtype=pl.Int32)


def _minutes(offset: str) -> int:
    if offset in ("Z", "UTC"):
        return 0
    digits = offset[1:].replace(":", "")
    size = int(digits[:2]) * 60 + int(digits[2:])
    return -size if offset.startswith("-") else size


# Phones

_KOREA = 82
_PLACEHOLDERS = (
    *(f"+8210{digit * 8}" for digit in "0123456789"),
    "+821012345678",
    "+821234567890",
    *(f"+1{digit * 10}" for digit in "0123456789"),
    "+11234567890",
)
_PLACEHOLDER_NUMBERS = tuple(int(number) for number in _PLACEHOLDERS)
_BETWEEN_DIGITS = [" ", "-", "(", ")", "'"]
# Region → its country code and its numbers without it: in Korea those of mobile phones, which
# start with 10.
PLAIN_REGIONS: Mapping[str, tuple[int, int, int]] = {
    "US": (1, 2_000_000_000, 9_999_999_999),
    "CA": (1, 2_000_000_000, 9_999_999_999),
    "KR": (_KOREA, 1_000_000_000, 1_099_999_999),
}


def phone(cell: pl.Expr, region: str | None) -> pl.Expr:
    """Read a phone number in E.164, the quick way; see :func:`careful_phones`.

    Args:
        cell: text; ``010-1234-5678``, ``1012345678`` (its zero eaten by a spreadsheet),
            ``'+1 555-555-5555``, ``(999) 999-9999``.
        region: the country of numbers without a country code, as ISO 3166.
    """
    number = cell.str.replace_all(r"\.0$|[^0-9+*eE]", "")
    if region in ("US", "CA"):
        number = number.str.replace(r"^(?:\+?1)?([2-9]\d{9})$", "+1$1")
    elif region == "KR":
        number = number.str.replace(r"^(?:\+?820?|0)?(1(?:0\d{8}|[16789]\d{7,8}))$", "+82$1")
    return _settled(number)


def bare_phone(cell: pl.Expr) -> pl.Expr:
    """Drop the signs that stand between the digits of a phone number."""
    return cell.str.replace_many(_BETWEEN_DIGITS, [""])


def plain_phone(bare: pl.Expr, number: pl.Expr, region: str) -> pl.Expr:
    """Read a phone number that :func:`phone` would read too, as the number without its ``+``.

    No pattern is matched, numbers are compared: a third of the time.

    Args:
        bare: the text without the signs between its digits.
        number: that text as a number.
        region: the country of numbers without a country code, one of ``PLAIN_REGIONS``.
    """
    code, first, last = PLAIN_REGIONS[region]
    width, full_width = len(str(first)), len(f"{code}{first}")
    with_code = code * 10**width
    size = bare.str.len_bytes()
    national = number.is_between(first, last) & (size == width)
    if region == "KR":
        longer = number.is_between(first, last) & (size == width + 1)
        national |= longer & bare.str.starts_with("0")
    signed = (size == full_width + 1) & bare.str.starts_with("+")
    international = number.is_between(first + with_code, last + with_code) & (
        (size == full_width) | signed
    )
    found = pl.when(national).then(number + with_code).when(international).then(number)
    return pl.when(~found.is_in(_PLACEHOLDER_NUMBERS)).then(found).cast(pl.UInt64)


def international_phone(cell: pl.Expr) -> pl.Expr:
    """Read numbers that all carry their country code, ``'+15555550100``: half of the work."""
    return _settled(cell.str.strip_chars("' "))


def _settled(number: pl.Expr) -> pl.Expr:
    sound = number.str.contains(r"^\+(?:821\d{8,9}|1[2-9]\d{9}|[2-79]\d{7,14}|8[13-9]\d{6,13})$")
    return pl.when(sound & ~number.is_in(_PLACEHOLDERS)).then(number)


def are_international(sample: Sequence[str]) -> bool:
    """Tell whether :func:`international_phone` reads the whole sample."""
    cells = pl.DataFrame(
        {"cell": [cell for cell in sample if cell.strip()]}, schema={"cell": pl.String}
    )
    read = cells.select(international_phone(pl.col("cell"))).to_series()
    return cells.height > 0 and not read.null_count()


def careful_phones(cells: pl.Series, region: str | None) -> pl.Series:
    """Read phone numbers in E.164; masked, relay (050x) and placeholder numbers are null.

    A relay number (안심번호) belongs to one delivery and expires, a placeholder to everybody, a
    service number to a company, so none of them is a person's.
    """
    usual = whole(partial(phone, region=region))(cells)
    found: dict[str | None, str | None] = {None: None}
    for cell in cells.filter(usual.is_null()).drop_nulls().unique().to_list():
        found[cell] = _parsed(cell, region)
    unusual = cells.replace_strict(found, default=None, return_dtype=pl.String)
    return usual.zip_with(usual.is_not_null(), unusual)


def _parsed(cell: str, region: str | None) -> str | None:
    import phonenumbers as library  # noqa: PLC0415 (the quick way reads nearly all)

    text = re.sub(r"\.0$", "", cell.strip(f'{_PADDING}="'))
    text = re.sub(r"^00(?=[1-9])", "+", text)
    # Without its first zero a mobile number has ten digits; fewer are a piece of a number.
    piece = region == "KR" and not text.startswith("+") and sum(map(str.isdigit, text)) < 10
    if "*" in text or piece:
        return None
    try:
        number = library.parse(text, region)
    except library.NumberParseException:
        return None
    kind = library.PhoneNumberType
    personal = (kind.MOBILE, kind.FIXED_LINE, kind.FIXED_LINE_OR_MOBILE, kind.VOIP)
    if text.startswith("+") and number.country_code != _KOREA:
        sound = library.is_possible_number(number)
    else:
        sound = library.number_type(number) in personal
    spelled = library.format_number(number, library.PhoneNumberFormat.E164)
    return spelled if sound and spelled not in _PLACEHOLDERS else None


def whole(function: Callable[[pl.Expr], pl.Expr]) -> Callable[[pl.Series], pl.Series]:
    """Turn an expression that is careful enough already into the form of the careful functions."""

    def read(cells: pl.Series) -> pl.Series:
        return pl.DataFrame({"cell": cells}).select(function(pl.col("cell"))).to_series()

    return read
