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
    from collections.abc import Callable, Iterable, Mapping

    from pydantic_core import CoreSchema

    from remindctl.errors import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a value, as a validator sees it: it knows no file and no line of it.

    Attributes:
        keys: the way from the validated value down to the wrong one.
        line: the line within the wrong one's text, from 1.
        elsewhere: where it stands if it is not in the file that is read.
    """

    what: str
    hint: str = ""
    keys: tuple[str | int, ...] = ()
    line: int = 1
    elsewhere: Place | None = None


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """Build the exception a validator raises to say ``what`` in its own words."""
    return all_wrong([Finding(what, hint)])


def all_wrong(findings: Iterable[Finding]) -> PydanticCustomError:
    """Build the exception of a validator that found several things, or one below its value."""
    found = tuple(findings)
    return PydanticCustomError("wrong", "{text}", {"text": str(found), "findings": found})


_NUMBER = r"(\d{1,12})"
_SPAN = re.compile(
    rf"(-?)(?=\d)(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?"
)
_WINDOW = re.compile(r"(\d{1,2}):(\d\d)[-–~](\d{1,2}):(\d\d)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%")
_NAME = re.compile(r"[A-Za-z0-9가-힣_-]{1,64}")
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


def name(text: object) -> str:
    """Read a name that is safe in file names, logs and SQL: letters, digits, ``_`` and ``-``."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise wrong(f"{text!r} is not a usable name", "up to 64 of A-Z a-z 0-9 가-힣 _ -")
    return text


def version(text: object) -> int:
    """Read the version of a file's format; there is one so far."""
    if text != "1":
        raise wrong(f"this program reads version 1, not {text!r}", "a newer remindctl may read it")
    return 1


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, eq=False)
class _Text:
    """Has pydantic read a text with ``function`` alone, and JSON Schema tell its ``shape``."""

    function: Callable[[object], object]
    shape: Mapping[str, object]

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.function)

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, object]:
        return dict(self.shape)


def _matching(pattern: str) -> dict[str, object]:
    return {"type": "string", "pattern": f"^{pattern}$"}


SPAN_SHAPE = _matching(r"(\d+\s*[wdhms]\s*)+")
SpanField = Annotated[Span, _Text(span, _matching(r"-?\s*(\d+\s*[wdhms]\s*)+"))]
PositiveSpanField = Annotated[Span, _Text(positive_span, SPAN_SHAPE)]
WindowField = Annotated[Window, _Text(window, _matching(r"\d{1,2}:\d\d\s*[-–~]\s*\d{1,2}:\d\d"))]
PercentField = Annotated[float, _Text(percent, _matching(r"\d{1,3}(\.\d+)?\s*%"))]
NameField = Annotated[str, _Text(name, {**_matching(_NAME.pattern), "type": ["string", "integer"]})]
VersionField = Annotated[int, _Text(version, {"const": 1})]
OneOrMore = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])
]
