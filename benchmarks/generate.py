"""Files shaped like a Shopify orders export, and what an analysis of them must find."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.history import history, truth
from benchmarks.rows import rows

SEED = 20_260_101
DATA = Path(__file__).with_name("data")
_HEADER = Path(__file__).with_name("shopify_orders_header.csv")
_GENERATOR = (Path(__file__), _HEADER, *map(Path(__file__).with_name, ("history.py", "rows.py")))
_ORDERS_PER_BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated file and the counts that an analysis of it must give (``history.truth``)."""

    path: Path
    truth: dict[str, int]


def shopify_orders(lines: int, *, seed: int = SEED, folder: Path = DATA) -> Sample:
    """Return the file of ``lines`` order lines, written unless it lies in ``folder`` already."""
    path = folder / f"shopify-orders-{lines}-{seed}-{_version()}.csv"
    counts = path.with_suffix(".json")
    if not counts.exists():  # written last, so that it vouches for a complete file
        folder.mkdir(parents=True, exist_ok=True)
        orders = history(lines, seed)
        _write(path, orders, seed)
        counts.write_text(json.dumps(truth(orders)) + "\n", encoding="utf-8")
    return Sample(path, json.loads(counts.read_text(encoding="utf-8")))


def _version() -> str:
    """Change with the generator, so that no file of an older one passes for this one's."""
    code = b"".join(path.read_bytes() for path in _GENERATOR)
    return hashlib.blake2b(code, digest_size=4).hexdigest()


def _write(path: Path, orders: pl.DataFrame, seed: int) -> None:
    """Write block by block, so that memory holds the orders but only a few of the rows."""
    header = _HEADER.read_text(encoding="utf-8")
    columns = header.strip().split(",")
    with path.open("wb") as file:
        file.write(header.encode())
        for block in orders.iter_slices(_ORDERS_PER_BLOCK):
            filled = rows(block, seed)
            blank = [pl.lit(None, pl.String).alias(name) for name in columns if name not in filled]
            filled.with_columns(blank).select(columns).write_csv(file, include_header=False)
