"""From bytes to text: UTF-8, UTF-16 or CP949, told by what the bytes themselves allow."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl.errors import refuse

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO


_SAMPLE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Text:
    """Delimited text, not yet decoded: a path on disk, or its bytes where it was packed."""

    name: str
    content: Path | bytes
    modified_at: datetime

    def open(self) -> BinaryIO:
        """Open it for reading from its start."""
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        return self.content.open("rb")

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes."""
        with self.open() as file:
            return file.read(size)

    def tail(self, size: int) -> bytes:
        """Return the last ``size`` bytes."""
        if isinstance(self.content, bytes):
            return self.content[-size:]
        with self.content.open("rb") as file:
            file.seek(max(0, self.content.stat().st_size - size))
            return file.read()

    def read(self) -> bytes:
        """Return all of it."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


def encoding_of(text: Text) -> str:
    """Return ``utf-8``, ``utf-8-sig``, ``utf-16`` or ``cp949``.

    UTF-8 is tried first and strictly: UTF-8 bytes decode as CP949 without an error into nonsense,
    while CP949 bytes fail loudly as UTF-8. Judged by the first and last megabyte, so that a large
    file is read once; who reads on finds invalid bytes further in.

    Raises:
        Refused: neither UTF-8, UTF-16 nor CP949; names the row of the first undecodable byte.
    """
    head = text.head(_SAMPLE_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        raise refuse(
            "not a table: it holds binary data",
            "download the export as Excel or CSV",
            path=text.name,
        )
    if _is_prefix(head, "utf-8") and _is_utf8_suffix(text.tail(_SAMPLE_BYTES)):
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    if not _is_prefix(head, "cp949"):
        decode_bytes(text.name, text.read())
    return "cp949"


def decode_utf16(text: Text) -> Text:
    """Return the same text as UTF-8.

    Raises:
        Refused: its bytes are no UTF-16.
    """
    try:
        content = decode_part(text.read(), "utf-16").encode()
    except UnicodeError as error:
        hint = "open the file in Excel and save it as CSV UTF-8"
        raise refuse("the UTF-16 text is damaged", hint, path=text.name) from error
    return Text(text.name, content, text.modified_at)


def _is_prefix(part: bytes, encoding: str) -> bool:
    try:
        decode_part(part, encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8_suffix(part: bytes) -> bool:
    return any(_is_prefix(part[skip:], "utf-8") for skip in range(min(4, len(part) + 1)))


def decode_bytes(name: str, content: bytes) -> tuple[str, str]:
    """Return ``content`` as text and the name of its encoding: all of it as UTF-8, else as CP949.

    A letter that the end of the file cuts in two is left out.

    Raises:
        Refused: neither; names the line of the first undecodable byte.
    """
    furthest = 0
    for encoding in ("utf-8", "cp949"):
        try:
            return decode_part(content, encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
    raise refuse(
        "neither UTF-8 nor CP949 (Korean Windows) text",
        "open the file in Excel and save it as CSV UTF-8",
        path=name,
        line=content.count(b"\n", 0, furthest) + 1,
    )


def decode_part(content: bytes, encoding: str) -> str:
    """Decode strictly; but a letter that the end cuts in two is left out.

    Raises:
        UnicodeDecodeError: not in this encoding.
    """
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end < len(content) or not re.search(
            "unexpected|incomplete|truncated", error.reason
        ):
            raise
        return content[: error.start].decode(encoding)
