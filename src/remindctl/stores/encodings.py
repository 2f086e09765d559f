"""From bytes to text: UTF-8, UTF-16 or CP949, told by what the bytes themselves allow."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl.errors import refuse

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Text:
    """Delimited text, not yet decoded: a path on disk, or its bytes where it was packed."""

    name: str
    content: Path | bytes
    modified_at: datetime

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes."""
        if isinstance(self.content, bytes):
            return self.content[:size]
        with self.content.open("rb") as file:
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


def decode(text: Text) -> tuple[Path | bytes, str]:
    """Return ``text`` as UTF-8 (the path itself where it already is) and the name of its encoding.

    UTF-8 is tried first and strictly: UTF-8 bytes decode as CP949 without an error into nonsense,
    while CP949 bytes fail loudly as UTF-8. A plain UTF-8 file on disk is judged by its first and
    last megabyte, so that a large one is read once; the parser refuses invalid bytes further in.

    Raises:
        Refused: neither UTF-8, UTF-16 nor CP949; names the row of the first undecodable byte.
    """
    head = text.head(2**20)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _from_utf16(text), "utf-16"
    if b"\x00" in head:
        raise refuse(
            "not a table: it holds binary data",
            "download the export as Excel or CSV",
            path=text.name,
        )
    if _is_utf8_prefix(head) and _is_utf8_suffix(text.tail(2**20)):
        return text.content, "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else "utf-8"
    decoded, encoding = decode_bytes(text.name, text.read())
    return decoded.encode(), encoding


def _from_utf16(text: Text) -> bytes:
    try:
        return _decode(text.read(), "utf-16").encode()
    except UnicodeError as error:
        hint = "open the file in Excel and save it as CSV UTF-8"
        raise refuse("the UTF-16 text is damaged", hint, path=text.name) from error


def _is_utf8_prefix(part: bytes) -> bool:
    try:
        part.decode()
    except UnicodeDecodeError as error:
        # A character cut in two by the end of the sample is no fault of the file.
        return error.reason == "unexpected end of data" and error.end == len(part)
    return True


def _is_utf8_suffix(part: bytes) -> bool:
    return any(_is_utf8_prefix(part[skip:]) for skip in range(min(4, len(part) + 1)))


def decode_bytes(name: str, content: bytes) -> tuple[str, str]:
    """Return ``content`` as text and the name of its encoding: all of it as UTF-8, else as CP949.

    A letter that the end of the file cuts in two is left out.

    Raises:
        Refused: neither; names the line of the first undecodable byte.
    """
    furthest = 0
    for encoding in ("utf-8", "cp949"):
        try:
            return _decode(content, encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
    raise refuse(
        "neither UTF-8 nor CP949 (Korean Windows) text",
        "open the file in Excel and save it as CSV UTF-8",
        path=name,
        line=content.count(b"\n", 0, furthest) + 1,
    )


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end < len(content) or not re.search(
            "unexpected|incomplete|truncated", error.reason
        ):
            raise
        return content[: error.start].decode(encoding)
