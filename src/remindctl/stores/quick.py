"""``--map FIELD=COLUMN``: a layout made on the spot, for a file that no layout knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from remindctl.documents import did_you_mean
from remindctl.errors import Place, Problem, Refused, refuse
from remindctl.stores.identify import Claimed
from remindctl.stores.layout import AS_WRITTEN, FIELDS, REQUIRED, Identify, Layout, StatusRule
from remindctl.stores.tables import DAMAGE, ROW, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "map"
_FIELDS = (*FIELDS["orders"], "status")
_OPTION = Place("--map")

# Words that shops use in either language; what is none of them is a problem, as with any layout.
_STATUS_WORDS: Mapping[str, tuple[str, ...]] = {
    "paid": ("paid", "complete", "completed", "shipped", "delivered", "fulfilled", "processing",
             "결제완료", "입금확인", "발주확인", "배송준비중", "배송중", "배송완료", "구매확정"),
    "pending": ("pending", "unpaid", "on-hold", "open", "결제대기", "입금대기", "입금전"),
    "cancelled": ("cancelled", "canceled", "voided", "failed", "취소", "취소완료", "주문취소"),
    "refunded": ("refunded", "returned", "반품", "반품완료", "환불", "환불완료"),
    "exchanged": ("exchanged", "교환", "교환완료"),
}  # fmt: skip


def map_layout(assignments: Sequence[str]) -> Layout:
    """Make a layout of ``field=column`` texts.

    Dates without a zone are taken as they stand, phone numbers without a country code as Korean.

    Raises:
        Refused: not of that form, unknown or repeated fields, or one that is needed is missing.
    """
    columns: dict[str, str] = {}
    problems = []
    for text in assignments:
        field, sign, column = (part.strip() for part in text.partition("="))
        if not (field and sign and column):
            problems.append(Problem(_OPTION, f"{text!r} is not FIELD=COLUMN", "order_id=InvoiceNo"))
        elif field not in _FIELDS:
            hint = did_you_mean(field, _FIELDS) or f"fields: {', '.join(_FIELDS)}"
            problems.append(Problem(_OPTION, f"unknown field {field!r}", hint))
        elif field in columns:
            problems.append(Problem(_OPTION, f"{field} is given twice", "keep one of them"))
        else:
            columns[field] = column
    if not problems:
        missing = [name for name in REQUIRED["orders"] if name not in columns]
        if missing:
            what = f"{' and '.join(missing)} must be mapped"
            problems.append(Problem(_OPTION, what, f"--map {missing[0]}=NAME_OF_THE_COLUMN"))
        if not {"customer_id", "email", "phone"} & set(columns):
            what = "nothing tells customers apart: map customer_id, email or phone"
            problems.append(Problem(_OPTION, what, "--map customer_id=NAME_OF_THE_COLUMN"))
    if problems:
        raise Refused(problems)
    status = columns.pop("status", None)
    known = {word: outcome for outcome, words in _STATUS_WORDS.items() for word in words}
    rule = {"column": [status], "values": known, "blank": "pending"}
    return Layout(
        layout=NAME,
        title="columns named with --map",
        shop=NAME,
        identify=(Identify(has=(*columns.values(), *([status] if status else []))),),
        zone=AS_WRITTEN,
        region="KR",
        dates=("%Y%m%d", "%Y%m%d%H%M%S"),
        columns={field: (column,) for field, column in columns.items()},  # type: ignore[misc]
        status=(StatusRule.model_validate(rule),) if status else (),
    )


def with_date_order(claim: Claimed) -> Claimed:
    """Find out whether ``3/4/2026`` in this file is in March or in April.

    A day above 12 anywhere in the column decides. It does so apart for years of four digits and of
    two: a spreadsheet that took some of the dates for dates wrote those anew, maybe with day and
    month exchanged.

    Raises:
        Refused: nothing decides, or dates of both kinds are mixed.
    """
    layout, table = claim.layout, claim.table
    column = layout.columns["ordered_at"][0]
    cell = pl.col(f"c{table.header.index(normalise(column))}").str.strip_chars()
    parts = cell.str.extract_groups(r"^(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4}|\d\d)\b").struct
    seen = table.collect(
        lambda rows: rows.select(
            ROW,
            DAMAGE,
            parts[0].cast(pl.Int16).alias("first"),
            parts[1].alias("sign"),
            parts[2].cast(pl.Int16).alias("second"),
            parts[3].alias("third"),
        ).drop_nulls("sign")
    )
    if not seen.height:
        return claim
    orders = {
        _date_order([int(highest) for highest in parts], digits)
        for digits, *parts in seen.group_by(pl.col("third").str.len_chars().alias("digits"))
        .agg(pl.col("first").max(), pl.col("second").max(), pl.col("third").cast(pl.Int16).max())
        .iter_rows()
    }
    if len(orders) > 1 or not orders <= _ORDERS.keys():
        raise refuse(
            f"{column}: {orders.pop() if len(orders) == 1 else _MIXED}",
            'write a layout file with dates: ["%d/%m/%Y"] (or "%m/%d/%Y") and use --layout',
            path=table.name,
        )
    day_month = _ORDERS[orders.pop()]
    formats = tuple(
        f"{sign.join(day_month)}{sign}{year}{time}"
        for sign in seen["sign"].unique().sort()
        for year in ("%Y", "%y")
        for time in _TIMES
    )
    dated = layout.model_copy(update={"dates": formats})
    return Claimed(table, dated, claim.known_until)


_ORDERS: Mapping[str, tuple[str, str]] = {"day first": ("%d", "%m"), "month first": ("%m", "%d")}
_TIMES = (" %H:%M:%S", " %H:%M", "", " %I:%M:%S %p", " %I:%M %p")
_MIXED = "days and months stand in both orders"


def _date_order(highest: Sequence[int], year_digits: int) -> str:
    """Name the order that the highest number in each place proves, or say what they leave open."""
    first, second, third = highest
    if first > 12 and second > 12:
        return _MIXED
    if second > 12:
        return "month first"
    if first <= 12:
        return "no day above 12 tells whether the day or the month comes first"
    if year_digits == 2 and third <= 31:
        return "nothing tells whether the day or the year comes first"
    return "day first"
