"""Which column of a list of opt-outs is which, whoever wrote the list and in which language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from remindctl.cli.optout_words import Source
from remindctl.documents import did_you_mean
from remindctl.errors import refuse
from remindctl.stores.tables import normalise
from remindctl.stores.values import careful_phones, email

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.stores.grids import Grid

# Field → the names of its columns, in small letters without blanks and signs.
_NAMES: Mapping[str, str] = {
    "address": "전화번호 휴대폰 휴대폰번호 휴대전화 휴대전화번호 핸드폰 핸드폰번호 연락처"
    " 수신거부번호 거부번호 이메일 이메일주소 메일 메일주소 phone phonenumber phoneno mobile"
    " mobilephone mobilenumber cell cellphone tel telephone msisdn email emailaddress mail",
    # These mean a row's number or where someone lives, if another column has the addresses.
    "or_else": "번호 number address contact",
    "id": "고객번호 고객id 고객아이디 회원번호 회원id 회원아이디 아이디 구매자id 구매자아이디"
    " customerid userid memberid shopid",
    "customer_key": "customerkey",
    "text": "내용 메시지 메시지내용 문자내용 수신내용 본문 body message text content reply sms",
    "kind": "종류 구분 유형 반송유형 type kind bouncetype bouncekind classification severity",
    "reason": "사유 오류 상태 결과 status statuscode code smtpcode errorcode reason error"
    " description diagnostic diagnosticcode response bouncesubtype",
    "at": "일시 날짜 거부일시 거부일 등록일 등록일시 수신일시 수신시간 접수일시 date time at"
    " datetime timestamp receivedat datereceived createdat created sentat datesent optedoutat"
    " unsubscribedat",
    "direction": "방향 direction",
}
FIELDS = tuple(field for field in _NAMES if field != "or_else")
WHO = ("address", "id", "customer_key")

# Whose address it is depends on which way the message went.
_FROM = "발신번호 발신자 발신자번호 보낸사람 from fromnumber sender"
_TO = "수신번호 수신자 수신자번호 받는사람 to tonumber recipient"
_INCOMING = (Source.LINE_080, Source.STOP)

_SIGNS = re.compile(r"[\W_]+")


def said_columns(given: Sequence[str]) -> dict[str, list[str]]:
    """Read ``--column NAME`` (of the addresses) and ``--column FIELD=NAME``.

    Raises:
        Refused: there is no such field.
    """
    columns: dict[str, list[str]] = {}
    for text in given:
        before, sign, name = text.partition("=")
        if sign and before not in FIELDS:
            hint = did_you_mean(before, FIELDS) or f"one of {', '.join(FIELDS)}"
            raise refuse(f"there is no field {before!r}", hint, path="--column")
        columns.setdefault(before if sign else "address", []).append(name if sign else text)
    return columns


def find_columns(
    grid: Grid, source: Source, said: Mapping[str, Sequence[str]]
) -> tuple[int, dict[str, list[int]]] | None:
    """Find the row of titles and the columns of each field.

    Args:
        grid: a sheet or text.
        source: what kind of list it is.
        said: field → names of its columns, as a user gave them.

    Returns:
        the row, counted from 0, and field → positions; None where no row looks like titles.

    Raises:
        Refused: a column that the user named is not there.
    """
    names = {field: set(words.split()) for field, words in _NAMES.items()}
    names["address"].update((_FROM if source in _INCOMING else _TO).split())
    for field, chosen in said.items():
        names[field] = {_plain(name) for name in chosen}
    for row, titles in enumerate(grid.head):
        plain = [_plain(title) for title in titles]
        if said and not all(set(map(_plain, chosen)) <= set(plain) for chosen in said.values()):
            continue
        found = {
            field: [at for at, title in enumerate(plain) if title in wanted]
            for field, wanted in names.items()
        }
        or_else = found.pop("or_else")
        found["address"] = found["address"] or or_else
        if any(found[field] for field in WHO):
            return row, found
    if said:
        seen = [normalise(cell) for cell in max(grid.head, key=len)]
        there = set(map(_plain, seen))
        wanted = [name for chosen in said.values() for name in chosen]
        missing = next((name for name in wanted if _plain(name) not in there), wanted[0])
        what = f"has no column {missing!r}; it has {', '.join(seen)}"
        raise refuse(what, did_you_mean(missing, seen), path=grid.name)
    return None


def guess_columns(grid: Grid, country: str) -> tuple[int, dict[str, list[int]]]:
    """Find the columns of a list without titles by what stands in them.

    Returns:
        its first row that holds anything, counted from 0, and field → positions.

    Raises:
        Refused: nothing in its first rows is an address.
    """
    first = next(row for row, cells in enumerate(grid.head) if any(map(str.strip, cells)))
    width = max(map(len, grid.head))
    found = []
    for at in range(width):
        cells = [row[at] if at < len(row) else "" for row in grid.head[first:]]
        if addresses(pl.Series("cell", cells), country).null_count() < len(cells):
            found.append(at)
    if not found:
        hint = "name the column: --column NAME"
        raise refuse("no column of addresses is known here", hint, path=grid.name, line=first + 1)
    return first, {field: found if field == "address" else [] for field in FIELDS}


def addresses(cells: pl.Series, country: str) -> pl.Series:
    """Read phone numbers and e-mail addresses: structs of kind and value, null = neither."""
    # Ann <ann@shop.example> is how a mail program writes who sent a mail.
    bare = cells.str.replace(r"^.*<([^<>@]+@[^<>]+)>\s*$", "$1").alias("bare")
    mails = bare.to_frame().select(email(pl.col("bare")))["bare"]
    phones = careful_phones(bare, country)
    return pl.DataFrame({"mail": mails, "phone": phones}).select(
        pl.when(pl.col("mail").is_not_null())
        .then(pl.struct(pl.lit("email").alias("kind"), pl.col("mail").alias("value")))
        .when(pl.col("phone").is_not_null())
        .then(pl.struct(pl.lit("phone").alias("kind"), pl.col("phone").alias("value")))
        .alias("address")
    )["address"]


def _plain(title: str) -> str:
    return _SIGNS.sub("", normalise(title).casefold())
