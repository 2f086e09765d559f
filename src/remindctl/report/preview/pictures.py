"""Image files of messages as parts of a page: each once, however many messages show it."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_BYTES = 2_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# Frame headers, which hold the size; the other codes of the range mean something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file as a page can hold it.

    Attributes:
        name: of the file; ``id``: of the picture in the page.
        address: a ``data:`` URI; None = it cannot be shown, ``lacks`` says why.
        width, height: pixels; ``size``: bytes.
    """

    id: str
    name: str
    address: str | None = None
    width: int = 0
    height: int = 0
    size: int = 0
    lacks: str = ""


def pictures(paths: Iterable[str]) -> dict[str, Picture]:
    """Read each JPEG or PNG file of at most :data:`LARGEST_BYTES` bytes: path → picture."""
    different = enumerate(dict.fromkeys(paths), start=1)
    return {path: _read(f"picture-{number}", Path(path)) for number, path in different}


def _read(id_: str, path: Path) -> Picture:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        return Picture(id_, path.name, lacks=f"cannot be read: {error.strerror}")
    if len(data) > LARGEST_BYTES:
        return Picture(id_, path.name, lacks=f"larger than {LARGEST_BYTES // 1_000_000} MB")
    kind, size = ("png", _png(data)) if data.startswith(_PNG) else ("jpeg", _jpeg(data))
    if size is None:
        return Picture(id_, path.name, lacks="no JPEG or PNG picture")
    address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return Picture(id_, path.name, address, *size, len(data))


def _png(data: bytes) -> tuple[int, int] | None:
    """Return width and height from the header, which comes first."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return (width, height) if width and height else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Return width and height from the first frame header, past the segments before it."""
    if not data.startswith(_JPEG):
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return (width, height) if width and height else None
        # Any number of 0xFF may stand before a marker.
        padded = data[at + 1] == 0xFF
        at += 1 if padded else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
