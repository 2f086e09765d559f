"""The text of ``remindctl.yaml``, with a word on every key."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from remindctl.starter.templates import fill, template

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from remindctl.starter.facts import Facts

# (part of the store, key) → the fact that it says.
_SAYS: Mapping[tuple[str, str], str] = {
    ("stores", ""): "key",
    ("", "name"): "name",
    ("", "url"): "url",
    ("", "timezone"): "timezone",
    ("", "country"): "country",
    ("", "currency"): "currency",
    ("sender", "phone"): "phone",
    ("sender", "email"): "email",
    ("sender", "contact"): "contact",
    ("sender", "address"): "address",
    ("optout", "phone"): "optout_phone",
    ("optout", "url"): "optout_url",
}
# Key of `sender` and `optout` → an example, and what it is for.
_ROWS: Mapping[str, tuple[str, str]] = {
    "phone": ("0212345678", "text messages come from this number"),
    "email": ("hello@shop.example", "e-mails come from this address"),
    "contact": ("02-1234-5678", "customers reach you here"),
    "address": (
        "1 Main Street, Springfield",
        "postal; US law wants it in every advertising e-mail",
    ),
    "optout_phone": ("0808880000", "your 080 number: Korean law wants a free one in advertising"),
    "optout_url": (
        "https://shop.example/optout",
        "your page; every advertising e-mail links to it",
    ),
}
# Estimates in the currency of most shops that have it; the owner puts their own there.
_MONEY: Mapping[str, tuple[str, str]] = {
    "KRW": (
        "prices: {alimtalk: 8, brand_message: 15, sms: 18, lms: 45, mms: 90, email: 0, push: 0}",
        "recipients: 500, cost: 30000",
    ),
    "USD": ("prices: {sms: 0.0083, mms: 0.02, email: 0, push: 0}", "recipients: 500, cost: 25"),
}
_NO_MONEY = ("# prices: {sms: 0.07, email: 0}", "recipients: 500")
_CHANNELS: Mapping[str, tuple[str, ...]] = {
    "solapi": ("alimtalk", "brand_message", "sms", "lms", "mms"),
    "twilio": ("sms", "lms", "mms"),
    "smtp": ("email",),
}
_OUTBOX = """\
# No account yet: messages go to a file (.remindctl/outbox.ndjson), and nothing leaves this
# machine. With one, say which channel goes through it, and describe it under `providers` below:
#   channels: {email: smtp}"""
# Truths and nothings of YAML 1.1, Norway among them.
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_NOT_YET = "This version cannot send by those behind a # yet; take it away when it can."


def configuration(facts: Facts, *, served: Collection[str], pools: bool) -> str:
    """Write the configuration of a shop.

    Args:
        facts: the shop's.
        served: provider types that this version sends through; lines for others are comments.
        pools: whether there are files of coupon codes.
    """
    prices, ceiling = _MONEY.get(facts.currency, _NO_MONEY)
    korean = facts.preset == "KR"
    parts = {
        "key": bare(facts.key),
        "title": on_one_line(facts.name),
        "name": _text(facts.name),
        "url": f"url: {_text(facts.url)}" if facts.url else "# url: https://shop.example",
        "timezone": bare(facts.timezone),
        "country": bare(facts.country),
        "currency": bare(facts.currency),
        "sender": _section(
            "sender",
            {
                "phone": facts.phone,
                "email": facts.email,
                "contact": facts.contact,
                "address": facts.address,
            },
        ),
        "optout": _section("optout", _ways_out(facts)),
        "coupons": "coupons: coupons/*.csv" if pools else "# coupons: coupons/*.csv",
        "channels": _channels(facts, served),
        "prices": prices,
        "preset": facts.preset,
        "caps": ", {max: 1, per: 1d, channel: brand_message}" if korean else "",
        "ceiling": ceiling,
        "law": _LAW[facts.preset],
        "providers": _providers(facts.providers),
    }
    return fill(template("remindctl.yaml"), parts)


_LAW: Mapping[str, str] = {
    "KR": "(광고), name and free refusal are added; no advertising at night",
    "US": "name, STOP, address and opt-out link are added; texts by day",
    "EU": "consent before every advertisement, and a way out in each",
}


def blame(text: str, line: int) -> str | None:
    """Return the fact that stands in a line of :func:`configuration`, None if none does.

    Args:
        text: the configuration.
        line: from 1.
    """
    part = ""
    for row in text.splitlines()[:line]:
        indent = len(row) - len(row.lstrip())
        if (found := re.match(r"\s*(\w+):", row)) and indent in (0, 4):
            part = found[1] if indent == 0 or found[1] in ("sender", "optout") else ""
    row = text.splitlines()[line - 1] if line else ""
    indent = len(row) - len(row.lstrip())
    if indent == 2:
        return _SAYS.get((part, ""))
    key = re.match(r"\s*(\w+):", row)
    return _SAYS.get((part if indent == 6 else "", key[1])) if key and indent else None


def on_one_line(text: str) -> str:
    """Return what of a text can stand in a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def bare(text: str) -> str:
    """Write a name or code as YAML, without quotes where no reader takes it for something else."""
    simple = re.fullmatch("[A-Za-z][A-Za-z0-9_/-]*", text)
    return text if simple and text.lower() not in _WORDS else _text(text)


def _section(name: str, rows: Mapping[str, str]) -> str:
    lines = [f"{name}:" if any(rows.values()) else f"# {name}:"]
    for fact, value in rows.items():
        example, why = _ROWS[fact]
        key = fact.removeprefix("optout_")
        said = f"  {key}: {_text(value)}" if value else f"#   {key}: {_text(example)}"
        lines.append(f"{said}  # {why}")
    return "\n".join(lines)


def _ways_out(facts: Facts) -> dict[str, str]:
    # Only Korea asks for a number; elsewhere it would be one more thing to wonder about.
    phone = {"optout_phone": facts.optout_phone}
    shown = phone if facts.optout_phone or facts.preset == "KR" else {}
    return shown | {"optout_url": facts.optout_url}


def _channels(facts: Facts, served: Collection[str]) -> str:
    lines = []
    for channel, provider in _served(facts.providers).items():
        active = provider in served
        line = f"  {channel}: {provider}"
        lines.append(line if active else f"# {line}")
    if not lines:
        return _OUTBOX
    all_off = all(line.startswith("#") for line in lines)
    head = ["# Channels without a provider go to a file, .remindctl/outbox.ndjson."]
    if all_off or any(line.startswith("#") for line in lines):
        head.append(f"# {_NOT_YET}")
    return "\n".join([*head, "# channels:" if all_off else "channels:", *lines])


def _served(providers: Sequence[str]) -> dict[str, str]:
    """Give each channel to the first provider that carries it."""
    found: dict[str, str] = {}
    for provider in providers:
        for channel in _CHANNELS[provider]:
            found.setdefault(channel, provider)
    return found


def _providers(names: Sequence[str]) -> str:
    if not names:
        return template("provider-none.yaml").rstrip()
    entries = "\n\n".join(template(f"provider-{name}.yaml").rstrip() for name in names)
    return f"providers:\n{entries}"


def _text(value: str) -> str:
    """Quote a text for YAML: JSON's quotes are YAML's, but for what YAML does not print."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
