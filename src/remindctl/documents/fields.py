"""Values that people write in their own way: durations, windows of hours, percentages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError, core_schema

from remindctl.model import Span, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import CoreSchema


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """Build the exception a validator raises to say ``what`` in its own words."""
    return PydanticCustomError("wrong", "{what}", {"what": what, "hint": hint})


_SPAN = re.compile(r"(-?)(?=\d)(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_WINDOW = re.compile(r"(\d{1,2}):(\d\d)[-–~](\d{1,2}):(\d\d)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%")
_MAX_DAYS = 36_500


def span(text: object) -> Span:
    """Read ``30d``, ``2w``, ``1h30m`` or ``-3d``."""
    match = _SPAN.fullmatch(str(text).replace(" ", "")) if isinstance(text, str) else None
    if match is None:
        raise wrong(
            f"{text!r} is not a duration", "a number with its unit: 30d, 2w, 1h, 1h30m, -3d"
        )
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    days, seconds = weeks * 7 + days, hours * 3600 + minutes * 60 + seconds
    if days > _MAX_DAYS or seconds > _MAX_DAYS * 86400:
        raise wrong(f"{text!r} is longer than a hundred years")
    sign = -1 if match[1] else 1
    return Span(days=sign * days, seconds=sign * seconds)


def positive_span(text: object) -> Span:
    """Read a duration longer than nothing."""
    value = span(text)
    if value.days < 0 or value.seconds < 0 or not (value.days or value.seconds):
        raise wrong(f"{text!r} must be longer than nothing", "for example 7d or 6h")
    return value


def window(text: object) -> Window:
    """Read ``16:00-17:00``, or ``21:00-08:00`` across midnight; ``24:00`` closes at midnight."""
    match = _WINDOW.fullmatch(text.replace(" ", "")) if isinstance(text, str) else None
    hint = "two times of day, such as 16:00-17:00"
    if match is None:
        raise wrong(f"{text!r} is not a window of hours", hint)
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    if (h2, m2) == (24, 0):
        h2 = 0
    if max(h1, h2) > 23 or max(m1, m2) > 59:
        raise wrong(f"{text!r} holds a time that no clock shows", hint)
    if (h1, m1) == (h2, m2):
        raise wrong(f"{text!r} opens and closes at the same time", hint)
    return Window(opens=time(h1, m1), closes=time(h2, m2))


def percent(text: object) -> float:
    """Read ``10%`` as 0.1."""
    match = _PERCENT.fullmatch(text.replace(" ", "")) if isinstance(text, str) else None
    if match is None or float(match[1]) > 100:
        raise wrong(f"{text!r} is not a percentage", "a number from 0 to 100 with its sign: 10%")
    return float(match[1]) / 100


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _Text:
    """Has pydantic read a text with ``function`` alone, and a JSON Schema name its ``pattern``."""

    function: Callable[[object], object]
    pattern: str

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.function)

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, str]:
        return {"type": "string", "pattern": self.pattern}


SpanField = Annotated[Span, _Text(span, r"^-?\s*(\d+\s*[wdhms]\s*)+$")]
PositiveSpanField = Annotated[Span, _Text(positive_span, r"^(\d+\s*[wdhms]\s*)+$")]
WindowField = Annotated[Window, _Text(window, r"^\d{1,2}:\d\d\s*[-–~]\s*\d{1,2}:\d\d$")]
PercentField = Annotated[float, _Text(percent, r"^\d{1,3}(\.\d+)?\s*%$")]
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_listed)]
