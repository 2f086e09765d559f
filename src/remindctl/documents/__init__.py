"""The YAML door: text in, a checked value out, every problem of the file at its line and column.

The model decides what a value is, never its look: a plain ``0212345678``, ``21:00``, ``on`` or
``2026-12-31`` reaches the model as the very text the user wrote, and becomes a number, a boolean or
a date only where the model says so.
"""

from remindctl.documents.check import Located, did_you_mean, parse
from remindctl.documents.fields import (
    SPAN_SHAPE,
    Finding,
    NameField,
    OneOrMore,
    PercentField,
    PositiveSpanField,
    SpanField,
    VersionField,
    WindowField,
    all_wrong,
    positive_span,
    span,
    wrong,
)
from remindctl.documents.strict import Strict, each, one_of, pick
from remindctl.documents.tree import decode

__all__ = [
    "SPAN_SHAPE",
    "Finding",
    "Located",
    "NameField",
    "OneOrMore",
    "PercentField",
    "PositiveSpanField",
    "SpanField",
    "Strict",
    "VersionField",
    "WindowField",
    "all_wrong",
    "decode",
    "did_you_mean",
    "each",
    "one_of",
    "parse",
    "pick",
    "positive_span",
    "span",
    "wrong",
]
