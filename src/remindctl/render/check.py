"""What is wrong with a template, found before there is any customer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import TemplateSyntaxError, meta, nodes

from remindctl.documents import did_you_mean
from remindctl.render.filters import FILTER_NAMES
from remindctl.render.labels import hand_made
from remindctl.render.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from remindctl.errors import Place

MAX_NESTED_LOOPS = 2

_REFUSED_NODES: Mapping[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
}
# What Jinja gives to macros, which no template of ours has.
_NOT_NAMES = frozenset({"caller", "kwargs", "varargs"})


class TemplateProblem(NamedTuple):
    """One thing wrong with a template: the line within it, from 1, what it is, and a way out."""

    line: int
    what: str
    hint: str = ""


def problems(
    source: str, known: Mapping[str, Any] | None = None, *, html: bool = True
) -> Iterator[TemplateProblem]:
    """Say what is wrong with a template, without any data.

    Args:
        source: the template.
        html: whether it can show pictures.
        known: names it may use → the names below them, or None where none are told; without
            ``known`` any name will do.
    """
    environment = sandbox(dict.fromkeys(FILTER_NAMES, lambda *_: ""), html=False)
    try:
        tree = environment.parse(source)
        environment.compile(source)
    except TemplateSyntaxError as error:
        hint = _way_out(error, environment.filters)
        yield TemplateProblem(error.lineno, f"not a template: {error.message}", hint)
        return
    except (RecursionError, SyntaxError, MemoryError):  # Python's own limits on what Jinja writes
        yield TemplateProblem(1, "not a template: it is nested too deeply")
        return
    if known is not None:
        yield from _unknown_names(tree, known)
    yield from _hand_made(tree)
    yield from _refused(tree)
    for picture in () if html else tree.find_all(nodes.Filter):
        if picture.name == "qr":
            hint = 'it is for html: <img src="{{ … | qr }}">'
            yield TemplateProblem(picture.lineno, "a text cannot show a QR code", hint)


def _refused(tree: nodes.Template) -> Iterator[TemplateProblem]:
    for kind, tag in _REFUSED_NODES.items():
        for node in tree.find_all(kind):
            yield TemplateProblem(node.lineno, f"`{{% {tag} %}}` may not be used in a template")
    for name in tree.find_all(nodes.Name):
        if name.name in _NOT_NAMES:
            yield TemplateProblem(name.lineno, f"`{name.name}` is not known in templates")
    for attribute in tree.find_all(nodes.Getattr):
        if attribute.attr.startswith("_"):
            what = f"`.{attribute.attr}` may not be used in a template"
            yield TemplateProblem(attribute.lineno, what)
    for loop in tree.find_all(nodes.For):
        if loop.recursive or _depth(loop) > MAX_NESTED_LOOPS:
            what = f"loops may not be recursive or more than {MAX_NESTED_LOOPS} deep"
            yield TemplateProblem(loop.lineno, what)


def _unknown_names(tree: nodes.Template, known: Mapping[str, Any]) -> Iterator[TemplateProblem]:
    used = {node.name for node in tree.find_all(nodes.Name)}
    # Jinja counts `self`, the template, as known.
    undeclared = meta.find_undeclared_variables(tree) | (used & {"self"})
    for name in sorted(undeclared - known.keys()):
        line = min(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
        hint = did_you_mean(name, known)
        yield TemplateProblem(line, f"`{name}` is not known in templates", hint)
    for node in tree.find_all(nodes.Getattr):
        path, inner = [node.attr], node.node
        while isinstance(inner, nodes.Getattr):
            path.insert(0, inner.attr)
            inner = inner.node
        if not isinstance(inner, nodes.Name):
            continue
        below = known.get(inner.name)
        for step in path[:-1]:
            below = below.get(step) if below else None
        if below is not None and node.attr not in below:
            what = f"`{inner.name}.{'.'.join(path)}` is not known in templates"
            yield TemplateProblem(node.lineno, what, did_you_mean(node.attr, below))


def _hand_made(tree: nodes.Template) -> Iterator[TemplateProblem]:
    begins = tree.body[0] if tree.body and isinstance(tree.body[0], nodes.Output) else None
    first = next(begins.iter_child_nodes(), None) if begins else None
    pieces: list[tuple[nodes.Node, Any]] = []
    pieces += [(piece, piece.data) for piece in tree.find_all(nodes.TemplateData)]
    pieces += [(piece, piece.value) for piece in tree.find_all(nodes.Const)]
    for piece, text in pieces:
        found = hand_made(text, head=piece is first) if isinstance(text, str) else None
        if found:
            line = piece.lineno + text.count("\n", 0, text.find(found))
            hint = "take it out: what the law asks for is added where it belongs"
            yield TemplateProblem(line, f"`{found}` is written by hand", hint)


def _depth(loop: nodes.For) -> int:
    return 1 + max((_depth(inner) for inner in _loops_inside(loop)), default=0)


def _loops_inside(loop: nodes.For) -> Iterator[nodes.For]:
    for part in loop.body:
        if isinstance(part, nodes.For):
            yield part
        yield from part.find_all(nodes.For)


def _way_out(error: TemplateSyntaxError, filters: Iterable[str]) -> str:
    said = str(error.message)
    if match := re.match(r"No filter named '(\w+)'", said):
        return did_you_mean(match[1], filters)
    return "{{ name }} writes a value, {% if … %} … {% endif %} makes a choice"


def line_of(place: Place, line: int) -> Place:
    """Return the place of a line of a template that begins at ``place``."""
    return place if line == 1 else replace(place, line=place.line + line - 1, column=0)
