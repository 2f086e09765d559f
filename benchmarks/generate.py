"""Files shaped like the exports of Shopify and Smartstore, and what an analysis of them must find.

The same size and seed always give the same content. Memory holds the orders, but only a few of the
rows at a time.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from msoffcrypto.format.ooxml import OOXMLFile
from polars import selectors

from benchmarks import history, shopify_rows, smartstore_rows, workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20_260_101
DATA = Path(__file__).with_name("data")
PASSWORD = "1234"  # noqa: S105 (of invented orders)
_ORDERS_PER_BLOCK = 50_000
_SHOPIFY_HEADER = Path(__file__).with_name("shopify_orders_header.csv")
_SMARTSTORE_HEADER = Path(__file__).with_name("smartstore_orders_header.csv")
# In a CSV it is one record of several lines.
_NOTICE = {
    "상품주문번호": "◈ '엑셀 일괄발송' 처리하는 방법\n1. 택배사와 송장번호를 적습니다.",
    "풀필먼트사(주문 기준)": "◈ 각 항목 입력 방법\n- 배송방법: 택배,등기,소포 / 퀵서비스",
}


class Form(StrEnum):
    """In which form Smartstore's orders come."""

    UTF_8 = "utf-8.csv"
    CP949 = "cp949.csv"
    XLSX = "plain.xlsx"
    ENCRYPTED = "encrypted.xlsx"


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated file and the counts that an analysis of it must give (``history.truth``)."""

    path: Path
    truth: dict[str, int]


def shopify_orders(lines: int, *, seed: int = SEED, folder: Path = DATA) -> Sample:
    """Return the export of ``lines`` order lines, written unless it lies in ``folder`` already."""
    made = _version(Path(shopify_rows.__file__), _SHOPIFY_HEADER)
    path = folder / f"shopify-orders-{lines}-{seed}-{made}.csv"
    return _kept(path, lines, seed, shopify_rows.ZONE, partial(_write_shopify, seed=seed))


def smartstore_orders(lines: int, form: Form, *, seed: int = SEED, folder: Path = DATA) -> Sample:
    """Return the download of ``lines`` order lines, written unless it lies in ``folder`` already.

    All forms hold the same rows. ``Form.ENCRYPTED`` is locked with :data:`PASSWORD`; what locks it
    is random, so its bytes differ while its content does not.

    Raises:
        ValueError: no workbook has so many rows.
    """
    if form in (Form.XLSX, Form.ENCRYPTED) and lines > workbook.MAX_LINES:
        raise ValueError(f"a workbook has room for {workbook.MAX_LINES:,} lines, not {lines:,}")
    made = _version(*map(Path, (smartstore_rows.__file__, workbook.__file__)), _SMARTSTORE_HEADER)
    path = folder / f"smartstore-orders-{lines}-{seed}-{made}-{form}"
    if form is Form.ENCRYPTED:
        plain = smartstore_orders(lines, Form.XLSX, seed=seed, folder=folder).path
        return _kept(path, lines, seed, smartstore_rows.ZONE, lambda to, _: _encrypt(plain, to))
    write = partial(_write_smartstore, seed=seed, form=form)
    return _kept(path, lines, seed, smartstore_rows.ZONE, write)


def _kept(
    path: Path, lines: int, seed: int, zone: str, write: Callable[[Path, pl.DataFrame], None]
) -> Sample:
    counts = path.with_name(f"{path.name}.json")
    if not counts.exists():  # written last, so that it vouches for a complete file
        path.parent.mkdir(parents=True, exist_ok=True)
        orders = history.history(lines, seed)
        write(path, orders)
        counts.write_text(json.dumps(history.truth(orders, zone)) + "\n", encoding="utf-8")
    return Sample(path, json.loads(counts.read_text(encoding="utf-8")))


def _version(*sources: Path) -> str:
    """Change with the generator, so that no file of an older one passes for this one's."""
    code = b"".join(path.read_bytes() for path in (Path(history.__file__), *sources))
    return hashlib.blake2b(code, digest_size=4).hexdigest()


def _blocks(orders: pl.DataFrame) -> Iterator[pl.DataFrame]:
    return orders.iter_slices(_ORDERS_PER_BLOCK)


def _write_shopify(path: Path, orders: pl.DataFrame, *, seed: int) -> None:
    header = _SHOPIFY_HEADER.read_text(encoding="utf-8")
    columns = header.strip().split(",")
    with path.open("wb") as file:
        file.write(header.encode())
        for block in _blocks(orders):
            rows = _completed(shopify_rows.rows(block, seed), columns)
            rows.write_csv(file, include_header=False)


def _write_smartstore(path: Path, orders: pl.DataFrame, *, seed: int, form: Form) -> None:
    columns = _SMARTSTORE_HEADER.read_text(encoding="utf-8").strip().split(",")
    before = pl.col("line_count").cum_sum() - pl.col("line_count")
    numbered = orders.with_columns(before.alias("lines_before"))
    blocks = (smartstore_rows.rows(block, seed) for block in _blocks(numbered))
    if form is Form.XLSX:
        workbook.write(path, _NOTICE, columns, blocks, smartstore_rows.MONEY)
        return
    head = [pl.DataFrame(_NOTICE), pl.DataFrame({name: name for name in columns})]
    # Excel marks UTF-8 by a byte order mark, and has none for CP949.
    encoding, mark = ("utf-8", b"\xef\xbb\xbf") if form is Form.UTF_8 else ("cp949", b"")
    with path.open("wb") as file:
        file.write(mark)
        for rows in (*head, *map(_displayed, blocks)):
            shown = _completed(rows, columns)
            file.write(
                shown.write_csv(include_header=False, line_terminator="\r\n").encode(encoding)
            )


def _displayed(rows: pl.DataFrame) -> pl.DataFrame:
    """Show numbers and times as Excel writes them into a CSV."""
    thousands = [pl.col(name) for name in smartstore_rows.MONEY]
    return rows.with_columns(
        selectors.datetime().dt.strftime("%Y/%m/%d %H:%M"),
        *(
            pl.when(number >= 1000)
            .then(pl.concat_str(number // 1000, pl.lit(","),
                                (number % 1000).cast(pl.String).str.zfill(3)))
            .otherwise(number.cast(pl.String))
            for number in thousands
        ),
    )  # fmt: skip


def _completed(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    blank = [pl.lit(None, pl.String).alias(name) for name in columns if name not in rows.columns]
    return rows.with_columns(blank).select(columns)


def _encrypt(plain: Path, path: Path) -> None:
    with plain.open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt(PASSWORD, target)
