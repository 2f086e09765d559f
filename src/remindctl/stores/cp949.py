"""CP949 to UTF-8 by operations on whole arrays, so that several threads can work at a time.

The standard codec holds the interpreter's lock while it goes from letter to letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from remindctl.stores.encodings import decode_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Bytes that no UTF-8 text holds; the first one is no part of CP949 either.
_NOTHING, _INVALID = 0xFF, 0xFE
# The pair of bytes that begins with the second byte of a letter, which has been dealt with.
_DONE = 0xFFFF
_LETTERS = ((0x80, 0x800, 2), (0x800, 0xD800, 3), (0xE000, 0x10000, 3))


class Decoder:
    """Decodes CP949 into UTF-8, like the standard codec."""

    def __init__(self) -> None:
        """Make a table: two bytes as a little-endian number → the UTF-8 of the letter they begin.

        Letters that need less than four bytes are filled up with bytes that mean nothing.
        """
        table = np.full((2**16, 4), _NOTHING, np.uint8)
        table[:_DONE, 0] = _INVALID
        table.reshape(2**8, 2**8, 4)[:, :0x80, 0] = np.arange(0x80)
        for first, stop, width in _LETTERS:
            known = "".join(map(chr, range(first, stop))).encode("cp949", "ignore")
            utf8 = known.decode("cp949").encode()
            table[np.frombuffer(known, "<u2"), :width] = np.reshape(list(utf8), (-1, width))
        self._table = table.view(np.uint32).ravel()

    def __call__(self, text: bytes) -> bytes:
        """Return ``text`` as UTF-8.

        Raises:
            UnicodeDecodeError: as ``decode_part``.
        """
        signs = np.frombuffer(text, np.uint8)
        pairs = np.zeros(signs.size, np.uint16)
        pairs[:-1] = signs[1:]
        pairs <<= 8
        pairs |= signs
        pairs |= _second_bytes(signs >= 0x80) * np.uint16(_DONE)
        padded = pl.Series(self._table.take(pairs, mode="wrap").view(np.uint8))
        utf8 = padded.filter(padded != _NOTHING).to_numpy().tobytes()
        if _INVALID in utf8 or _NOTHING in text:
            return decode_part(text, "cp949").encode()
        return utf8


def _second_bytes(high: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Mark the second bytes of two-byte letters with 1, given which bytes are above ASCII.

    The first bytes are every other byte of a run of high bytes, from its start. Runs are told by
    where they start, at even or odd places, with the trick that finds escaped quotes in JSON: one
    added to the lowest bit of a run of ones carries through to its end (Langdale & Lemire,
    "Parsing gigabytes of JSON per second", 2019).
    """
    size = high.size // 8 + 1
    runs = int.from_bytes(np.packbits(high, bitorder="little").tobytes(), "little")
    even = int.from_bytes(b"\x55" * size, "little")
    even_runs = runs & ~(runs + (runs & ~(runs << 1) & even))
    firsts = (even_runs & even) | (runs & ~even_runs & ~even)
    seconds = np.frombuffer((firsts << 1).to_bytes(size, "little"), np.uint8)
    return np.unpackbits(seconds, count=high.size, bitorder="little")
