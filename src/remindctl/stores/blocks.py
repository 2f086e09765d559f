"""CP949 text for the fast parser, which reads UTF-8 only: decoded block by block.

While one block is parsed the next is decoded, so that of a large file some megabytes are in memory
at a time.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, Protocol

import polars as pl
from polars.io.plugins import register_io_source

from remindctl.stores.cp949 import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from remindctl.stores.encodings import Text

# What is decoded at once stays in the processor's cache.
_PIECE_BYTES = 2**18
_BLOCK_BYTES = 2**23


class Parser(Protocol):
    """The fast parser, told everything about a text but where it starts."""

    def __call__(self, source: bytes, *, skip_rows: int, row_index_offset: int) -> pl.LazyFrame:
        """Return the rows of UTF-8 text after the first ``skip_rows``, numbered from an offset."""
        ...


def scan(text: Text, line_end: str, parse: Parser, *, skip_rows: int) -> pl.LazyFrame:
    """Return the rows of ``text`` but for the first ``skip_rows``, each with its number from 1.

    Collecting them raises ``ComputeError`` at bytes that are no CP949.
    """

    def frames(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        skip, row = skip_rows, skip_rows + 1
        try:
            for block in _blocks(text, line_end.encode()):
                rows = parse(block, skip_rows=skip, row_index_offset=row)
                frame = (rows if columns is None else rows.select(columns)).collect()
                skip, row = 0, row + frame.height
                if limit is not None:
                    frame = frame.head(limit)
                    limit -= frame.height
                yield frame if predicate is None else frame.filter(predicate)
                if limit == 0:
                    return
        except UnicodeDecodeError as error:
            # As the parser calls it.
            raise pl.exceptions.ComputeError(str(error)) from error

    schema = parse(b"", skip_rows=0, row_index_offset=0).collect_schema()
    return register_io_source(frames, schema=schema)


def _blocks(text: Text, line_end: bytes) -> Iterator[bytes]:
    """Yield UTF-8 that ends where a record does: with as many quotes opened as closed."""
    held: list[bytes] = []
    size = quotes = 0
    with text.open() as file:
        for piece in _decoded(_pieces(file, line_end)):
            held.append(piece)
            size += len(piece)
            quotes += piece.count(b'"')
            if size >= _BLOCK_BYTES and quotes % 2 == 0:
                yield b"".join(held)
                held, size = [], 0
    yield b"".join(held)


def _decoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode pieces in other threads, one block ahead of their use."""
    decode = Decoder()
    coming: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(pl.thread_pool_size()) as others:
        for piece in pieces:
            coming.append(others.submit(decode, piece))
            if len(coming) * _PIECE_BYTES > _BLOCK_BYTES:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _pieces(file: BinaryIO, line_end: bytes) -> Iterator[bytes]:
    """Divide a file after line ends, which are no part of a letter."""
    rest = b""
    while chunk := file.read(_PIECE_BYTES):
        end = chunk.rfind(line_end) + 1
        if end:
            yield rest + chunk[:end]
            rest = b""
        rest += chunk[end:]
    yield rest
