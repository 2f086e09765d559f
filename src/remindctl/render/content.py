"""What a message carries beside its text: its templates, and the JSON that a provider is given."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import polars as pl

from remindctl.model import FAMILY, Channel, Family, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.model import Leg, Span


PLACEHOLDER = re.compile(r"#\{([^{}]*)\}")


class Slot(str):
    """Where a template's text belongs, by the key of the template."""

    __slots__ = ()


def templates(leg: Leg) -> dict[str, tuple[str, str]]:
    """Return the templates beside text, subject and HTML: key → source and where it stands."""
    found = {}
    if leg.url is not None:
        found["url"] = (leg.url, "url")
    for number, button in enumerate(leg.buttons):
        if button.url is not None:
            found[f"buttons.{number}.url"] = (button.url, "buttons")
    for name, source in leg.variables.items():
        found[variable(name)] = (source, "variables")
    if leg.coupon is not None:
        for key in ("title", "description", "url"):
            if (source := getattr(leg.coupon, key)) is not None:
                found[f"coupon.{key}"] = (source, "coupon")
    return found


def variable(name: str) -> str:
    """Return the key of a variable of an approved template, which is how its wording names it."""
    return f"#{{{name}}}"


def placeholders(wording: str) -> list[str]:
    """Return the names of the variables in an approved wording."""
    return PLACEHOLDER.findall(wording)


def shape(leg: Leg, purpose: Purpose) -> dict[str, object]:
    """Return what a provider is given, with a :class:`Slot` for whatever differs."""
    found: dict[str, object] = {}
    if leg.image is not None:
        found["image"] = leg.image
    if leg.buttons:
        found["buttons"] = [
            {"name": button.name, "kind": button.kind}
            | ({} if button.url is None else {"url": Slot(f"buttons.{number}.url")})
            for number, button in enumerate(leg.buttons)
        ]
    if leg.url is not None:
        found["url"] = Slot("url")
    if FAMILY[leg.channel] is Family.KAKAO and leg.template is not None:
        found["template"] = leg.template
        found["variables"] = {name: Slot(variable(name)) for name in leg.variables}
    if leg.channel is Channel.ALIMTALK:
        found["approved_text"] = leg.text.strip("\n")
    if leg.channel is Channel.BRAND_MESSAGE:
        found |= {"form": leg.form, "targeting": leg.targeting}
    if leg.coupon is not None:
        given = {"title", "description", "url"} if leg.coupon.url else {"title", "description"}
        found["coupon"] = {key: Slot(f"coupon.{key}") for key in sorted(given)}
    if leg.show_for is not None:
        found["show_for"] = _seconds(leg.show_for)
    if leg.channel is Channel.EMAIL and purpose is Purpose.ADVERTISING:
        found["unsubscribe"] = Slot("unsubscribe")
    return found


def as_json(value: object) -> pl.Expr:
    """Write a shape as JSON, from columns that have the keys of its slots and texts of one line."""
    signs = {"\\": "\\\\", '"': '\\"'}
    return pl.concat_str(
        [
            pl.col(part).str.replace_many(signs) if isinstance(part, Slot) else pl.lit(part)
            for part in _parts(value)
        ]
    )


def _parts(value: object) -> Iterator[str]:
    """Yield the pieces of the JSON, slots between their quotes."""
    if isinstance(value, Slot):
        yield '"'
        yield value
        yield '"'
    elif isinstance(value, dict):
        for number, (key, item) in enumerate(value.items()):
            yield f"{', ' if number else '{'}{json.dumps(key, ensure_ascii=False)}: "
            yield from _parts(item)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield ", " if number else "["
            yield from _parts(item)
        yield "]" if value else "[]"
    else:
        yield json.dumps(value, ensure_ascii=False)


def _seconds(span: Span) -> int:
    return span.days * 86_400 + span.seconds
