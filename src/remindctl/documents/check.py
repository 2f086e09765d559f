"""A tree of texts → a pydantic model, or every problem of the file in plain English."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from remindctl.documents.strict import Strict
from remindctl.documents.tree import Node, read_tree
from remindctl.errors import Place, Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic_core import ErrorDetails


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    lines: tuple[str, ...]

    def place(self, node: Node, line: int = 1) -> Place:
        if node.text is None or (line == 1 and not node.in_block):
            return Place(self.path, node.line, node.column)
        number = node.source_line(line, self.lines)
        shown = self.lines[number - 1] if number <= len(self.lines) else ""
        return Place(self.path, number, len(shown) - len(shown.lstrip()) + 1)


@dataclass(frozen=True, slots=True)
class Located(Generic[M]):
    """A checked document that can still say where each of its values stands.

    Attributes:
        value: the model.
        path: the file's name, as problems show it.
    """

    value: M
    path: str
    _root: Node
    _file: _File

    def place(self, *keys: str | int, line: int = 1) -> Place:
        """Return where the value under ``keys`` stands, or else its nearest parent.

        Args:
            *keys: the way from the top: mapping keys and list positions from 0.
            line: a line within the value's text, from 1; also inside of a block (``|``, ``>``).
        """
        return self._file.place(_walk(self._root, keys)[0], line)

    def key_place(self, *keys: str | int) -> Place:
        """Return where the last of ``keys`` itself stands, or else its nearest parent's key."""
        _, key = _walk(self._root, keys)
        return self._file.place(key)


def parse(
    text: str, path: str, model: type[M], context: Mapping[str, object] | None = None
) -> Located[M]:
    """Read ``text`` as one YAML document of ``model``.

    Args:
        text: the whole file, decoded.
        path: its name, for problems.
        model: what it must be; usually derived from :class:`Strict`.
        context: what the model's validators need to know besides the file.

    Raises:
        Refused: with every problem of the file, in the order of their places.
    """
    text = text.removeprefix("\ufeff")
    root, problems = read_tree(text, path)
    file = _File(path, tuple(text.splitlines()))
    if root.entries is None:
        what = "the file must be a list of `key: value` lines at its top"
        raise Refused([*problems, Problem(file.place(root), what)])
    try:
        value = model.model_validate(root.plain(), context=dict(context or {}))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            problems.extend(_problems(detail, root, file, model))
    else:
        if not problems:
            return Located(value, path, root, file)
    raise Refused(sorted(set(problems)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of ``known``, or else all of them (up to twelve)."""
    names = {name.casefold(): name for name in sorted(known, reverse=True)}
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{names[near[0]]}`?"
    return f"known: {', '.join(sorted(names.values()))}" if 0 < len(names) <= 12 else ""


def _walk(root: Node, keys: Sequence[str | int]) -> tuple[Node, Node]:
    """Follow ``keys`` as far as they go; names that pydantic adds on the way are passed over."""
    value = key = root
    for step in keys:
        if value.entries is not None and step in value.entries:
            key, value = value.entries[str(step)]
        elif value.items is not None and isinstance(step, int) and step < len(value.items):
            key = value = value.items[step]
    return value, key


def _models(annotation: Any, keys: Sequence[str | int]) -> Iterable[type[BaseModel]]:
    """Yield the models that may stand at ``keys`` below ``annotation``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _models(arguments[0], keys)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not keys:
            yield annotation
            return
        for name, field in annotation.model_fields.items():
            if keys[0] in (name, field.alias):
                yield from _models(field.annotation, keys[1:])
    elif origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _models(arguments[1], keys[1:])
    elif origin in (list, tuple, set, frozenset):
        for argument in arguments:
            yield from _models(argument, keys[1:])
    else:
        for argument in arguments:
            yield from _models(argument, keys)


_QUOTED = re.compile(r"'([^']*)'")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "date": "a date such as 2026-12-31",
    "datetime": "a date and time such as 2026-12-31T16:00:00+09:00",
    "time": "a time of day such as 16:00",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "dict": "a group of `key: value` lines",
    "mapping": "a group of `key: value` lines",
    "model": "a group of `key: value` lines",
    "dataclass": "a group of `key: value` lines",
}


def _problems(
    detail: ErrorDetails, root: Node, file: _File, model: type[BaseModel]
) -> Iterator[Problem]:
    keys, kind, given = detail["loc"], detail["type"], detail["input"]
    value, key = _walk(root, keys)
    is_key = bool(keys) and keys[-1] == "[key]"
    value = key if is_key else value
    context = detail.get("ctx", {})
    names = [step for step in keys if isinstance(step, str) and step != "[key]"]
    name = names[-1] if names else "the file"
    if _is_echo(detail):
        return
    if kind == "missing":
        # The walk stops at the parent, so `key` is the parent's.
        yield Problem(file.place(key), f"`{keys[-1]}` is missing")
    elif kind == "extra_forbidden":
        yield Problem(file.place(key), *_unknown_key(str(keys[-1]), model, keys[:-1]))
    elif given is None and value.plain() is None:
        yield Problem(file.place(key), f"`{name}` has no value")
    elif kind == "wrong":
        for finding in context["findings"]:
            node, _ = _walk(value, finding.keys)
            named = name if not finding.keys else str(finding.keys[-1])
            what = f"`{named}`: {_cut(finding.what)}"
            place = finding.elsewhere or file.place(node, finding.line)
            yield Problem(place, what, finding.hint)
    elif kind in ("enum", "literal_error"):
        hint = did_you_mean(str(given), _QUOTED.findall(context["expected"]))
        of = "" if is_key else f"`{name}`: "
        yield Problem(file.place(value), f"{of}{_shown(given)} is not known here", hint)
    else:
        yield Problem(file.place(value), f"`{name}` {_said(detail)}")


def _said(detail: ErrorDetails) -> str:
    kind = detail["type"]
    wanted = _KINDS.get(kind.split("_", 1)[0])
    if wanted and kind.endswith(("_type", "_parsing", "_number")):
        return f"must be {wanted}, not {_shown(detail['input'])}"
    if kind == "too_short":
        return f"needs at least {detail['ctx']['min_length']}"
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{said[:1].lower()}{said[1:]}"


def _is_echo(detail: ErrorDetails) -> bool:
    """Of a list of wrong items pydantic says "too short" as well: it counts only the right ones."""
    given = detail["input"]
    wanted = detail.get("ctx", {}).get("min_length", 0)
    return detail["type"] == "too_short" and isinstance(given, list) and len(given) >= wanted


def _unknown_key(key: str, model: type[BaseModel], keys: Sequence[str | int]) -> tuple[str, str]:
    models = list(_models(model, keys))
    for found in models:
        if issubclass(found, Strict) and key in found.refused_keys:
            return f"`{key}`: {found.refused_keys[key]}", ""
    known = [field.alias or name for found in models for name, field in found.model_fields.items()]
    return f"unknown key `{_cut(key, 80)}`", did_you_mean(key, known)


def _shown(given: object) -> str:
    if isinstance(given, dict):
        return "a group of keys"
    if isinstance(given, list):
        return "a list"
    return repr(_cut(str(given), 40))


def _cut(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
