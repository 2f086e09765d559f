"""CP949 text for the fast parser, which reads UTF-8 only: decoded block by block.

While one block is parsed the next is decoded, so that of a large file some megabytes are in memory
at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

import polars as pl

from remindctl.stores import batches
from remindctl.stores.cp949 import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remindctl.stores.encodings import Text

# What is decoded at once stays in the processor's cache.
_PIECE_BYTES = 2**18
_BLOCK_PIECES = 32


class Parser(Protocol):
    """The fast parser, told everything about a text but where it starts."""

    def __call__(self, source: bytes, *, skip_rows: int, row_index_offset: int) -> pl.LazyFrame:
        """Return the rows of UTF-8 text after the first ``skip_rows``, numbered from an offset."""
        ...


def scan(text: Text, line_end: str, parse: Parser, *, skip_rows: int) -> pl.LazyFrame:
    """Return the rows of ``text`` but for the first ``skip_rows``, each with its number from 1.

    Collecting them raises ``ComputeError`` at bytes that are no CP949.
    """

    def read(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        skip, row = skip_rows, skip_rows + 1
        try:
            for block in _blocks(text, line_end.encode()):
                rows = parse(block, skip_rows=skip, row_index_offset=row)
                frame = rows.select(columns).collect()
                skip, row = 0, row + frame.height
                yield frame
        except UnicodeDecodeError as error:
            # As the parser calls it.
            raise pl.exceptions.ComputeError(str(error)) from error

    return batches.scan(read, parse(b"", skip_rows=0, row_index_offset=0).collect_schema())


def _blocks(text: Text, line_end: bytes) -> Iterator[bytes]:
    """Yield UTF-8 that ends where a record does: with as many quotes opened as closed."""
    held: list[bytes] = []
    quotes = 0
    with text.open() as file:
        for piece in batches.ahead(Decoder(), _pieces(file, line_end), _BLOCK_PIECES):
            held.append(piece)
            quotes += piece.count(b'"')
            if len(held) >= _BLOCK_PIECES and quotes % 2 == 0:
                yield b"".join(held)
                held.clear()
    yield b"".join(held)


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
