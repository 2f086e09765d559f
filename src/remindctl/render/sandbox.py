"""Templates in a sandbox: what they may use, and their text for one row.

A template is someone's file and a customer's name is anyone's text. So a template reaches no
attribute but a few harmless ones, loops and grows within bounds, and a value is never a template.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType

MAX_OUTPUT = 100_000  # characters of one rendered text
MAX_RANGE = 1_000

_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int",
    "last", "length", "list", "lower", "max", "min", "round", "sort", "string", "sum",
    "title", "trim", "truncate", "unique", "upper", "urlencode",
)  # fmt: skip
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset({"upper", "lower", "title", "strip", "startswith", "endswith", "split"}),
    date: frozenset({"year", "month", "day", "hour", "minute", "weekday", "date"}),
    dict: frozenset({"get", "items", "keys", "values"}),
    LoopContext: frozenset({"index", "index0", "revindex", "first", "last", "length"}),
}
# What a template can raise when it meets a value it was not written for.
_FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class RenderError(Exception):
    """A template that cannot be filled for one row; message and hint are for the shop owner."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class _Missing(StrictUndefined):
    """A value that this customer does not have: false in a condition, an error in the text."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override] # "if the name is there" must work
        return False

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or f"{self._undefined_name} is empty for this customer"


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        allowed = (names for kind, names in _METHODS.items() if isinstance(obj, kind))
        return any(attr in names for names in allowed) and super().is_safe_attribute(
            obj, attr, value
        )

    def unsafe_undefined(self, obj: Any, attribute: str) -> StrictUndefined:
        hint = f".{attribute} may not be used in a template"
        return _Missing(hint, obj, attribute, SecurityError)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `format` to be refused like any method: a customer's value could be its pattern."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        repeats = operator != "+" and any(
            isinstance(side, str | list | tuple) for side in (left, right)
        )
        if repeats or operator == "**":
            raise SecurityError(f"`{operator}` is only for numbers")
        if operator == "+" and isinstance(left, str | list) and isinstance(right, str | list):
            _refuse_growth(len(left) + len(right))
        return super().call_binop(context, operator, left, right)


class _ConcatAsAdd(NodeTransformer):
    """Writes ``a ~ b`` as ``a|string + b|string``, so that its growth is seen like any other."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 (the visitor's naming)
        texts = [
            nodes.Filter(self.visit(part), "string", [], [], None, None, lineno=node.lineno)
            for part in node.nodes
        ]
        result: nodes.Expr = texts[0]
        for text in texts[1:]:
            result = nodes.Add(result, text, lineno=node.lineno)
        return result


def sandbox(filters: Mapping[str, Callable[..., str]], *, html: bool) -> _Sandbox:
    """Make the environment of templates.

    Args:
        filters: ours, besides the harmless ones of Jinja.
        html: escape values.
    """
    environment = _Sandbox(
        undefined=_Missing,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        cache_size=0,
    )
    jinja = {name: environment.filters[name] for name in _FILTERS}
    environment.filters = {**jinja, "join": _join, "replace": _replace, **filters}
    environment.globals = {"range": _short_range}
    return environment


def code_of(environment: _Sandbox, source: str) -> CodeType:
    """Compile a template's text.

    Raises:
        jinja2.TemplateSyntaxError: it is none, or names a filter that is not there.
    """
    return environment.compile(_ConcatAsAdd().visit(environment.parse(source)))


def compile_template(environment: _Sandbox, source: str) -> tuple[Template, frozenset[str]]:
    """Compile a template that ``check.problems`` has nothing against.

    Returns:
        the template, and the names it uses.
    """
    names = frozenset(meta.find_undeclared_variables(environment.parse(source)))
    code = code_of(environment, source)
    return Template.from_code(environment, code, environment.globals), names


def fill(template: Template, values: Mapping[str, object]) -> str:
    """Render a template.

    Raises:
        RenderError: a value is missing or of another kind than the template needs, or it grows over
            :data:`MAX_OUTPUT`.
    """
    pieces, size = [], 0
    try:
        for piece in template.generate(values):
            pieces.append(piece)
            size += len(piece)
            _refuse_growth(size)
    except UndefinedError as error:
        hint = 'give a word for it: {{ first_name | default("…") }}'
        raise RenderError(str(error), hint) from None
    except _FAILURES as error:
        raise RenderError(str(error)) from None
    return "".join(pieces)


def clean(value: object) -> object:
    """Make a customer's value one line of visible text; None where nothing is left.

    Line breaks become spaces. Control characters and invisible marks, such as those that turn the
    direction of writing, are taken out; the joiner inside of emoji stays.
    """
    if isinstance(value, str):
        if not value.isprintable():
            spaced = " ".join(value.split())
            value = "".join(c for c in spaced if c == "\u200d" or not _is_invisible(c))
        return value.strip() or None
    if isinstance(value, list):
        return [item for item in map(clean, value) if item is not None] or None
    if isinstance(value, dict):
        return {
            key: item for key, item in ((k, clean(v)) for k, v in value.items()) if item is not None
        }
    return value


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _shown(value: object) -> object:
    """Write what Python would write in its own way: 39000.0000, 30.0, ['a', 'b'], True."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(_shown(item)) for item in value)
    if value is None:
        raise RenderError("a value is empty for this customer")
    return value


def _refuse_growth(size: int) -> None:
    if size > MAX_OUTPUT:
        raise SecurityError(f"the text grows over {MAX_OUTPUT:,} characters")


def _join(values: Iterable[object], between: str = "") -> str:
    texts = [str(_shown(value)) for value in values]
    _refuse_growth(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _replace(value: object, old: str, new: str) -> str:
    text = str(value)
    _refuse_growth(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _short_range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_RANGE:
        raise SecurityError(f"range() goes to {MAX_RANGE:,} at most")
    return found
