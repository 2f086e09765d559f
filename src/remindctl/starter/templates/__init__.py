"""The texts of a store folder; ``<<name>>`` stands where a value goes."""

from __future__ import annotations

import re
import textwrap
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(r"^(?P<indent> *)<<(?P<block>\w+)>>$|<<(?P<name>\w+)>>", re.MULTILINE)


def template(name: str) -> str:
    """Read one of the texts."""
    return files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into their places; in a line of its own, each line of a value is indented alike.

    Raises:
        KeyError: a place has no value.
    """

    def value(place: re.Match[str]) -> str:
        if place["block"]:
            return textwrap.indent(values[place["block"]], place["indent"])
        return values[place["name"]]

    return _PLACE.sub(value, text)
