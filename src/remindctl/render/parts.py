"""A template taken apart into what all rows of a block can do together, and the rest."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Template, meta, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from remindctl.render.sandbox import MAPPING_METHODS, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from remindctl.render.sandbox import Sandbox

# Where a value is found in a row: a column, and a field of it.
Path = tuple[str, ...]

# Columns of structs: a template that names one of their fields is given only that field.
STRUCTS = frozenset({"anchor", "coupon", "facts"})
# Joins a path to one of Python's names; it may stand in them and stands in nobody's column.
_STEP = "·"
# What the function of a condition answers where it holds.
YES = "1"


@dataclass(frozen=True, slots=True)
class Function:
    """A part of a template as a function of the values at ``paths``.

    Attributes:
        number: its place in :attr:`Parts.calls`.
    """

    number: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A name alone, and the function that writes its value."""

    path: Path
    write: Function


@dataclass(frozen=True, slots=True)
class Choice:
    """An ``if``: the function of its condition, and what it chooses between."""

    test: Function
    then: tuple[Piece, ...]
    otherwise: tuple[Piece, ...]


Piece = str | Name | Function | Choice


@dataclass(frozen=True, slots=True)
class Parts:
    """A template in parts.

    Attributes:
        names: the columns that it takes from a row.
        pieces: what it writes, in order; a text is the same for everyone.
        calls: the functions.
    """

    names: frozenset[str]
    pieces: tuple[Piece, ...]
    calls: tuple[Callable[..., str], ...]


def take_apart(environment: Sandbox, source: str, constants: Mapping[str, object]) -> Parts:
    """Take a template apart that ``check.problems`` has nothing against.

    Args:
        environment: of the template.
        source: its text.
        constants: names that are the same for everyone.
    """
    tree = environment.parse(unicodedata.normalize("NFC", source))
    paths = _Paths(environment, tree, constants)
    tree = paths.visit(tree)
    free = meta.find_undeclared_variables(tree) - constants.keys()
    apart = _Apart(environment, {name: paths.known.get(name, (name,)) for name in free})
    # A name that is given a value in passing is known to all that follows.
    one = any(tree.find_all((nodes.Assign, nodes.AssignBlock)))
    pieces = (apart.function(tree.body),) if one else tuple(apart.pieces(tree.body))
    columns = {path[0] for path in apart.paths.values()}
    return Parts(frozenset(columns - constants.keys()), pieces, apart.calls(constants))


class _Paths(NodeTransformer):
    """Turns ``store.name`` into its value and ``anchor.product`` into a name of its own.

    Attributes:
        known: such a name → its path.
    """

    def __init__(
        self, environment: Sandbox, tree: nodes.Template, constants: Mapping[str, object]
    ) -> None:
        self._environment, self._constants = environment, constants
        self._given_here = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        self.known: dict[str, Path] = {}

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 (the visitor's naming)
        """Replace a chain of names that begins with a constant or a struct."""
        path = _chain(node)
        if not path or path[0] in self._given_here or path[-1] in MAPPING_METHODS:
            return self.generic_visit(node)
        value: object = None
        if path[0] in self._constants:
            value = self._constants
            for step in path:
                if not isinstance(value, Mapping):
                    return self.generic_visit(node)
                value = value.get(step)
            if isinstance(value, Mapping):
                return self.generic_visit(node)
        elif path[0] not in STRUCTS or len(path) > 2:
            return self.generic_visit(node)
        found: nodes.Expr
        if value is None:
            name = _STEP.join(path)
            self.known[name] = path
            found = nodes.Name(name, "load", lineno=node.lineno)
        else:
            found = nodes.Const(value, lineno=node.lineno)
        found.environment = self._environment
        return found


def _chain(node: nodes.Getattr) -> Path:
    """Return the names of ``a.b.c``; none where it does not begin with a name."""
    names, inner = [node.attr], node.node
    while isinstance(inner, nodes.Getattr):
        names.insert(0, inner.attr)
        inner = inner.node
    return (inner.name, *names) if isinstance(inner, nodes.Name) else ()


class _Apart:
    """Collects the parts of one template."""

    def __init__(self, environment: Sandbox, paths: Mapping[str, Path]) -> None:
        self._environment = environment
        self._context = nodes.EvalContext(environment)
        self._macros: list[nodes.Macro] = []
        self.paths = paths

    def pieces(self, body: Sequence[nodes.Node]) -> Iterator[Piece]:
        """Yield the pieces of some statements."""
        for node in body:
            if isinstance(node, nodes.Output):
                yield from map(self._output, node.nodes)
            elif isinstance(node, nodes.If):
                yield from self._choice(node)
            else:
                yield self.function([node])

    def function(self, body: Sequence[nodes.Node]) -> Function:
        """Make a function of some statements."""
        used = {name.name for node in body for name in _names(node)}
        names = sorted(used & self.paths.keys())
        number, line = len(self._macros), body[0].lineno if body else 1
        params = [nodes.Name(name, "param", lineno=line) for name in names]
        self._macros.append(nodes.Macro(_called(number), params, [], list(body), lineno=line))
        return Function(number, tuple(self.paths[name] for name in names))

    def calls(self, constants: Mapping[str, object]) -> tuple[Callable[..., str], ...]:
        """Compile the functions that were made."""
        tree = nodes.Template(list(self._macros), lineno=1)
        tree.set_environment(self._environment)
        code = self._environment.compile(tree)
        template = Template.from_code(self._environment, code, self._environment.globals)
        module: Any = template.make_module(dict(constants))
        # Called as a macro, it would sort out its arguments anew for every row.
        return tuple(
            getattr(module, _called(number))._func  # noqa: SLF001 (see above)
            for number in range(len(self._macros))
        )

    def _output(self, node: nodes.Expr) -> Piece:
        if isinstance(node, nodes.TemplateData):
            return node.data
        try:
            value = shown(node.as_const(self._context))
            return str(escape(value)) if self._environment.autoescape else str(value)
        except Exception:  # noqa: BLE001 (whatever it is, it is met again when a row is written)
            write = self.function([nodes.Output([node], lineno=node.lineno)])
            if isinstance(node, nodes.Name) and node.name in self.paths:
                return Name(self.paths[node.name], write)
            return write

    def _choice(self, node: nodes.If) -> Iterator[Piece]:
        otherwise = node.else_
        if node.elif_:
            first, *rest = node.elif_
            otherwise = [nodes.If(first.test, first.body, rest, node.else_, lineno=first.lineno)]
        condition: Any = node.test
        try:
            holds = bool(condition.as_const(self._context))
        except Exception:  # noqa: BLE001 (as above)
            yes = nodes.Output([nodes.TemplateData(YES, lineno=1)], lineno=1)
            test = self.function([nodes.If(node.test, [yes], [], [], lineno=node.lineno)])
            yield Choice(test, tuple(self.pieces(node.body)), tuple(self.pieces(otherwise)))
        else:
            yield from self.pieces(node.body if holds else otherwise)


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def _called(number: int) -> str:
    return f"part{number}"


def constant_texts(pieces: Sequence[Piece]) -> Iterator[str]:
    """Yield the texts of a template that are the same for everyone who gets them."""
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        elif isinstance(piece, Choice):
            yield from constant_texts((*piece.then, *piece.otherwise))
