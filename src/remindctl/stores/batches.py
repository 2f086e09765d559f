"""Rows that come in batches, each made by one of several threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


class Batches(Protocol):
    """What reads the rows."""

    def __call__(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield all rows in their order, with these columns in this order."""
        ...


def scan(read: Batches, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Return the rows that ``read`` yields when they are collected, each time anew."""

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in read(list(schema) if columns is None else columns):
            batch = frame if limit is None else frame.head(limit)
            yield batch if predicate is None else batch.filter(predicate)
            if limit is not None:
                limit -= batch.height
                if not limit:
                    return

    return register_io_source(batches, schema=dict(schema))


def ahead(work: Callable[[T], R], items: Iterable[T], count: int) -> Iterator[R]:
    """Yield ``work(item)`` for all items in order; threads work on ``count`` items at a time."""
    items = iter(items)
    coming: deque[Future[R]] = deque()
    with ThreadPoolExecutor(pl.thread_pool_size()) as others:
        coming.extend(others.submit(work, item) for item in islice(items, count))
        while coming:
            done = coming.popleft().result()
            coming.extend(others.submit(work, item) for item in islice(items, 1))
            yield done
