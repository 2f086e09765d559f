"""YAML text → a tree of texts that knows the line and column of every key and value.

Nothing is resolved by its look: every value stays the text the user wrote, only ``null``, ``~`` and
nothing become None. Duplicate keys, tags, second documents and alias bombs are problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from remindctl.errors import Place, Problem, Refused, refuse

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32
MAX_VALUES = 10_000  # aliases count for what they stand for

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Compiling these ranges takes milliseconds, and the library has done so.
_UNPRINTABLE: re.Pattern[str] = yaml.reader.Reader.NON_PRINTABLE
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(slots=True)
class Node:
    """One value, the lines it takes (from 1) and its children, each with the place of its key."""

    line: int
    column: int
    last_line: int = 0
    style: str | None = None
    text: str | None = None
    items: list[Node] | None = None
    entries: dict[str, tuple[Node, Node]] | None = None
    size: int = 1

    @property
    def in_block(self) -> bool:
        """Whether this is text whose first line stands below its key."""
        return self.style in ("|", ">")

    def source_line(self, line: int, lines: tuple[str, ...]) -> int:
        """Return the file's line that holds the start of the text's ``line`` (both from 1)."""
        if self.text is None or self.style == "|":
            return self.line + (line if self.style == "|" else 0)
        # Elsewhere lines are folded: follow the pieces of the file through the text.
        position = breaks = 0
        for number in range(self.line + self.in_block, min(self.last_line, len(lines)) + 1):
            start = self.column - 1 if number == self.line else 0
            piece = lines[number - 1][start:].strip().strip("\"'")
            found = self.text.find(piece, position) if piece else -1
            if found < 0:
                continue
            breaks += self.text.count("\n", position, found)
            if breaks + 1 >= line:
                return number
            position = found + len(piece)
        return self.line

    def plain(self) -> Any:
        """Return the value as dicts, lists, texts and None."""
        if self.entries is not None:
            return {key: child.plain() for key, (_, child) in self.entries.items()}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return None if self.style is None and self.text in _NULLS else self.text


class _Reader:
    """Builds the tree from the parser's events; collects what YAML allows and we do not."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, Node] = {}
        self._values = 0

    def problem(self, mark: Any, what: str, hint: str = "") -> Problem:
        return Problem(Place(self.path, mark.line + 1, mark.column + 1), what, hint)

    def document(self) -> Node:
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            raise refuse("the file is empty", path=self.path)
        root = self._node(next(self._events), depth=0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise Refused(
                [self.problem(after.start_mark, "a second document begins", "one document a file")]
            )
        return root

    def _node(self, event: Any, depth: int) -> Node:
        mark = event.start_mark
        if depth > MAX_DEPTH:
            raise Refused([self.problem(mark, f"nested deeper than {MAX_DEPTH} levels")])
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        node = Node(mark.line + 1, mark.column + 1, event.end_mark.line + 1)
        if event.tag is not None:
            hint = "leave it out; put text that looks like something else in quotes"
            self.problems.append(self.problem(mark, f"the tag {event.tag} is not supported", hint))
        if isinstance(event, yaml.ScalarEvent):
            node.text, node.style = event.value, event.style or None
            if found := _UNPRINTABLE.search(event.value):
                self.problems.append(self.problem(mark, *_invisible(found)))
        elif isinstance(event, yaml.SequenceStartEvent):
            node.items = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                node.items.append(self._node(item, depth + 1))
            node.size += sum(item.size for item in node.items)
        else:
            node.entries = {}
            while not isinstance(key := next(self._events), yaml.MappingEndEvent):
                self._entry(node.entries, key, depth + 1)
            node.size += sum(child.size for _, child in node.entries.values())
        # Known only from here on: an alias inside of what it names is refused as an unknown name.
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _entry(self, entries: dict[str, tuple[Node, Node]], event: Any, depth: int) -> None:
        key = self._node(event, depth)
        value = self._node(next(self._events), depth)
        if key.text is None:
            hint = 'a value that begins with { or [ is text only in quotes: "{{ name }}"'
            self.problems.append(self.problem(event.start_mark, "a key must be one word", hint))
        elif key.text in entries:
            first = entries[key.text][0].line
            hint = f"it stands already in line {first}; keep one of them"
            self.problems.append(
                self.problem(event.start_mark, f"`{key.text}` is there twice", hint)
            )
        else:
            entries[key.text] = (key, value)

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            hint = "a value that begins with * is text only in quotes"
            raise Refused([self.problem(event.start_mark, f"*{event.anchor} names nothing", hint)])
        self._count(event, node.size)
        return node

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            what = f"the file holds more than {MAX_VALUES:,} values, its aliases written out"
            raise Refused([self.problem(event.start_mark, what)])


# What the parser says → what it means to someone who writes a campaign, and the way out.
_SYNTAX = (
    ("\t", "a tab where spaces belong", "indent with spaces"),
    ("mapping values are not allowed", "a second `: ` in one value", "put the value in quotes"),
    (
        "did not find expected key",
        "this does not belong to the lines above it",
        'check the indentation; a value that begins with " or { is text only in quotes as a whole',
    ),
    ("did not find expected '-'", "a list item is missing here", "begin each item with `- `"),
    ("did not find expected ',' or", "a bracket is not closed", "close it, or quote the value"),
    ("could not find expected ':'", "a key without its `:`", "write `key: value`"),
    ("unexpected end of stream", "a quote is not closed", "close it"),
    ("cannot start any token", "no value begins with this character", "put the value in quotes"),
)


def decode(data: bytes, path: str) -> str:
    """Read the bytes of a file as UTF-8, the encoding of every YAML file here.

    Raises:
        Refused: they are not UTF-8; the place is that of the first byte that is not.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what, hint = "the file is not UTF-8 text", "save it again with the encoding UTF-8"
        raise refuse(what, hint, path=path, line=line) from None


def read_tree(text: str, path: str) -> tuple[Node, list[Problem]]:
    """Read one document; problems that leave the tree usable are returned beside it.

    Raises:
        Refused: the text is too long, empty, not YAML, or holds more than one document.
    """
    if len(text) > MAX_CHARACTERS:
        raise refuse(f"the file is longer than {MAX_CHARACTERS:,} characters", path=path)
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise refuse(*_invisible(found), path=path, line=line, column=column)
    reader = _Reader(text, path)
    try:
        return reader.document(), reader.problems
    except yaml.MarkedYAMLError as error:
        said = error.problem or error.context or "not valid YAML"
        mark = error.context_mark if "end of stream" in said else error.problem_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        if mark and _character(text, mark.line, mark.column) == "\t":
            said = "\t"
        for sign, what, hint in _SYNTAX:
            if sign in said:
                raise Refused([*reader.problems, Problem(place, what, hint)]) from None
        raise Refused([*reader.problems, Problem(place, f"not valid YAML: {said}")]) from None


def _invisible(found: re.Match[str]) -> tuple[str, str]:
    return f"an invisible control character (U+{ord(found[0]):04X})", "delete it"


def _character(text: str, line: int, column: int) -> str:
    return "".join(text.splitlines()[line : line + 1])[column : column + 1]
