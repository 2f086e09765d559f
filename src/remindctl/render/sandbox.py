"""The sandbox of templates: what they may use, and how far they may go.

A template is someone's file and a customer's name is anyone's text. So a template reaches no
attribute but a few harmless ones, loops and grows within bounds, and a value is never a template.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2.runtime import Context

MAX_OUTPUT = 100_000  # characters of one rendered text
MAX_RANGE = 1_000
MAX_STEPS = 10_000  # of a loop and those inside of it
MAX_BITS = 256  # of a product

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
MAPPING_METHODS = _METHODS[dict]
# Filters that no template can name, because of their blanks.
_COUNTED, _FLAT = "counted loop", "flat item"


class Unwritable(Exception):  # noqa: N818 (it names the value)
    """A value that cannot stand in a text; the message is for the owner of the shop."""


# What a template can raise when it meets a value it was not written for.
FAILURES = (
    Unwritable,
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Missing(StrictUndefined):
    """A value that this customer does not have: false in a condition, an error in the text."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override] # "if the name is there" must work
        return False

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or missing(str(self._undefined_name))


def missing(name: str) -> str:
    """Say that a customer has no value of this name."""
    return f"{name} is empty for this customer"


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of templates.

    Attributes:
        steps: that loops went since it was set to 0, as whoever writes a text does before.
    """

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    steps = 0

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow a few attributes by name."""
        allowed = (names for kind, names in _METHODS.items() if isinstance(obj, kind))
        return any(attr in names for names in allowed) and super().is_safe_attribute(
            obj, attr, value
        )

    def unsafe_undefined(self, obj: Any, attribute: str) -> StrictUndefined:
        """Say which attribute may not be used."""
        hint = f".{attribute} may not be used in a template"
        return Missing(hint, obj, attribute, SecurityError)

    def wrap_str_format(self, value: Any) -> None:
        """Leave `format` to be refused like any method: a customer's value could be its pattern."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Keep texts and numbers from growing without end."""
        lists = any(isinstance(side, list | tuple) for side in (left, right))
        texts = any(isinstance(side, str) for side in (left, right))
        if operator == "**" or lists or (texts and operator != "+"):
            raise SecurityError(f"`{operator}` is only for numbers")
        if isinstance(left, str) and isinstance(right, str):
            _refuse_growth(len(left) + len(right))
        if operator == "*":
            _refuse_bits(left, right)
        return super().call_binop(context, operator, left, right)

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """Join the pieces of a text or of a block."""
        found = list(pieces)
        _refuse_growth(sum(map(len, found)))
        return "".join(found)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Bounded(self).visit(source), *args, **kwargs)


class _Bounded(NodeTransformer):
    """Rewrites a template so that what grows or goes on is seen while it does."""

    def __init__(self, environment: Sandbox) -> None:
        self._environment = environment

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 (the visitor's naming)
        """Write ``a ~ b`` as ``a|string + b|string``."""
        texts = [self._through("string", self.visit(part)) for part in node.nodes]
        result: nodes.Expr = texts[0]
        for text in texts[1:]:
            result = nodes.Add(result, text, lineno=node.lineno, environment=self._environment)
        return result

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        """Count the steps of a loop before it goes them."""
        self.generic_visit(node)
        node.iter = self._through(_COUNTED, node.iter)
        return node

    def visit_List(self, node: nodes.List | nodes.Tuple) -> nodes.Expr:  # noqa: N802
        """Keep lists out of lists: written out, a few of them are longer than the universe."""
        self.generic_visit(node)
        node.items = [self._flat(item) for item in node.items]
        return node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        """As for a list, but not where names are given values."""
        return self.visit_List(node) if node.ctx == "load" else node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Pair:  # noqa: N802
        """As for a list."""
        self.generic_visit(node)
        node.value = self._flat(node.value)
        return node

    def _flat(self, item: nodes.Expr) -> nodes.Expr:
        return item if isinstance(item, nodes.Const) else self._through(_FLAT, item)

    def _through(self, name: str, value: Any) -> nodes.Filter:
        found = nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)
        found.environment = self._environment
        return found


def sandbox(filters: Mapping[str, Callable[..., str]], *, html: bool) -> Sandbox:
    """Make the environment of templates.

    Args:
        filters: ours, besides the harmless ones of Jinja.
        html: escape values.
    """
    environment = Sandbox(
        undefined=Missing,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
        cache_size=0,
    )
    jinja = {name: environment.filters[name] for name in _FILTERS}
    ours = {"join": _join, "replace": _replace, _COUNTED: _counted, _FLAT: _flat}
    environment.filters = {**jinja, **ours, **filters}
    environment.globals = {"range": _short_range}
    return environment


def shown(value: object) -> object:
    """Write what Python would write in its own way: 39000.0000, 30.0, ['a', 'b'], True."""
    if type(value) is str:
        return value
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return _join(value, ", ")
    if isinstance(value, dict):
        raise Unwritable("a value has several parts: name one of them, as in anchor.product")
    if value is None:
        raise Unwritable("a value is empty for this customer")
    return value


def _refuse_growth(size: int) -> None:
    if size > MAX_OUTPUT:
        raise SecurityError(f"the text grows over {MAX_OUTPUT:,} characters")


def _refuse_bits(*factors: object) -> None:
    if sum(factor.bit_length() for factor in factors if isinstance(factor, int)) > MAX_BITS:
        raise SecurityError("the number grows beyond all bounds")


def _join(values: Iterable[object], between: str = "") -> str:
    texts = [str(shown(value)) for value in values]
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


# Given the context, a filter is not applied ahead of time to what never changes.
@pass_context
def _counted(context: Context, values: Iterable[object]) -> list[object]:
    found = list(values)
    environment: Any = context.environment
    environment.steps += len(found)
    if environment.steps > MAX_STEPS:
        raise SecurityError(f"the loops go more than {MAX_STEPS:,} steps")
    return found


@pass_context
def _flat(context: Context, item: object) -> object:
    del context
    if isinstance(item, list | tuple | dict):
        raise SecurityError("a list may not hold a list")
    return item
