"""A value of this program ↔ one file: JSON for its structure, Parquet for the frames in it.

The file is a zip that is not compressed, since Parquet is already; its checksums tell damage, which
Parquet alone would hand on as other numbers. Nothing in it is executed: only data classes of this
package are made of it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_PACKAGE = "remindctl"
_VALUE = "value.json"
_PLAIN = (str, int, float, bool, type(None))


def write(file: IO[bytes], label: str, value: object) -> None:
    """Write a value.

    Args:
        file: open for writing; nothing has been written to it.
        label: what :func:`read` must be given to get the value.
        value: plain values, dates, decimals, tuples, lists, mappings, polars frames and data
            classes of this package, within each other to any depth.

    Raises:
        TypeError: there is something else in it.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as members:
        frames: list[pl.DataFrame] = []
        text = json.dumps([label, _encoded(value, frames)])
        members.writestr(_VALUE, text)
        for number, frame in enumerate(frames):
            with members.open(_member(number), "w", force_zip64=True) as member:
                # The fastest to write and read; a third larger than the smallest.
                frame.write_parquet(member, compression="lz4", statistics=False)


def read(file: Path | IO[bytes], label: str) -> object:
    """Return what was written under this label.

    Raises:
        LookupError: it was another label.
        Exception: of whatever kind, the file is not what :func:`write` made.
    """
    with zipfile.ZipFile(file) as members:
        found, value = json.loads(members.read(_VALUE))
        if found != label:
            raise LookupError(found)
        return _decoded(value, lambda number: pl.read_parquet(members.read(_member(number))))


def _member(number: int) -> str:
    return f"{number}.parquet"


def _encoded(value: object, frames: list[pl.DataFrame]) -> object:
    if isinstance(value, _PLAIN):
        return value
    kind, content = _taken_apart(value, frames)
    return {kind: content}


def _taken_apart(value: object, frames: list[pl.DataFrame]) -> tuple[str, object]:
    def each(items: Any) -> list[object]:
        return [_encoded(item, frames) for item in items]

    match value:
        case datetime() | date():
            return type(value).__name__, value.isoformat()
        case Decimal():
            return "Decimal", str(value)
        case tuple() | list():
            return type(value).__name__, each(value)
        case dict():
            # JSON would turn keys that are numbers into texts.
            return "dict", [each(pair) for pair in value.items()]
        case pl.DataFrame():
            frames.append(value)
            # Parquet forgets it, and sorted columns are worked on in another way.
            ascending = [name for name, flag in value.flags.items() if flag.get("SORTED_ASC")]
            return "frame", [len(frames) - 1, ascending]
    if is_dataclass(value) and type(value).__module__.partition(".")[0] == _PACKAGE:
        content = {one.name: _encoded(getattr(value, one.name), frames) for one in fields(value)}
        return f"{type(value).__module__}:{type(value).__qualname__}", content
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _decoded(value: Any, frame: Callable[[int], pl.DataFrame]) -> object:
    if isinstance(value, _PLAIN):
        return value
    [(kind, content)] = value.items()
    if kind in _FROM_TEXT:
        return _FROM_TEXT[kind](content)
    if kind == "frame":
        number, ascending = content
        return frame(number).with_columns(pl.col(ascending).set_sorted())
    if kind == "dict":
        return {_decoded(key, frame): _decoded(item, frame) for key, item in content}
    if kind in ("tuple", "list"):
        items = [_decoded(item, frame) for item in content]
        return tuple(items) if kind == "tuple" else items
    return _class(kind)(**{name: _decoded(item, frame) for name, item in content.items()})


_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "Decimal": Decimal,
}


def _class(path: str) -> Callable[..., object]:
    module, _, name = path.partition(":")
    if module.partition(".")[0] != _PACKAGE:
        raise TypeError(path)
    found = getattr(import_module(module), name)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise TypeError(path)
    return found
