"""What terminal and page both say of a message, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from remindctl.model import FAMILY, Channel, Family, Span
from remindctl.policy import REASONS
from remindctl.report.console import counted, money, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.report.preview.shown import Preview, Shown

CHANNELS: Mapping[Channel, str] = {
    Channel.SMS: "SMS",
    Channel.LMS: "LMS",
    Channel.MMS: "MMS",
    Channel.ALIMTALK: "Alimtalk",
    Channel.BRAND_MESSAGE: "Brand Message",
    Channel.EMAIL: "E-mail",
    Channel.PUSH: "Push",
    Channel.ONSITE: "On-site",
    Channel.WEBHOOK: "Webhook",
}

ADD_CHANNEL = "add_channel"
# What stands on the button, whatever it is called in the file.
ADD_CHANNEL_NAME = "채널 추가"

_UNITS: Mapping[str, str] = {
    "cp949": "byte",
    "utf-8": "byte",
    "gsm-7": "GSM-7 character",
    "ucs-2": "UCS-2 character",
    "characters": "character",
}
_ZONES: Mapping[str, str] = {
    "stated": "the zone they stated",
    "address": "the zone of their address",
    "phone": "the zone of their phone number",
    "store": "the store's zone",
    "strictest": "zone not known: the strictest hours",
}


_HELD_BY: Mapping[str, str] = {
    **REASONS,
    "another_leg": "the customer gets it by another channel",
}
_GROUNDS: Mapping[str, str] = {
    "consent": "the customer's consent",
    "existing_customer": "a purchase in the last 6 months",
    "onsite": "needs no consent on the shop's pages",
    "informational": "needs no consent, as information",
}
_REMOTE_PICTURE = re.compile(r"<img\b[^>]*\bsrc\s*=\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message, its name and address filled in; 채널 추가 has no address."""

    name: str
    url: str = ""
    adds_channel: bool = False


def buttons(shown: Shown) -> list[Button]:
    """Return the buttons in the order in which they stand."""
    return [
        Button(ADD_CHANNEL_NAME, adds_channel=True)
        if one.get("kind") == ADD_CHANNEL
        else Button(one["name"], one.get("url") or "")
        for one in shown.extras.get("buttons", ())
    ]


def links(shown: Shown) -> list[tuple[str, str]]:
    """Return what the reader can tap besides the text: (what, address)."""
    extras: Mapping[str, Any] = shown.extras
    coupon = extras.get("coupon") or {}
    found = [
        *((one.name, one.url) for one in buttons(shown)),
        ("coupon", coupon.get("url")),
        ("the message itself", extras.get("url")),
    ]
    return [(what, url) for what, url in found if url]


def whom(shown: Shown) -> str:
    """Name the recipient, masked: ``김*수, 010-****-1234``."""
    return ", ".join(part for part in (shown.customer, shown.to) if part) or "someone not named"


def when(shown: Shown) -> str:
    """Say when it is due on the recipient's clock: ``Sat 2026-11-21 16:00, Asia/Seoul``."""
    if shown.due_at is None:
        return "never"
    return f"{shown.due_at.astimezone(ZoneInfo(shown.zone)):%a %Y-%m-%d %H:%M}, {shown.zone}"


def zone_known(shown: Shown) -> str:
    """Say how the zone is known; empty where nobody told."""
    return _ZONES.get(shown.zone_source or "", "")


def held_now(shown: Shown) -> str:
    """Say what would hold the message now; empty where it would go out."""
    return f"held now: {_HELD_BY[shown.held_by]}" if shown.held_by else ""


def allowed(shown: Shown) -> str:
    """Say what allows it to be sent; empty where nobody told."""
    return _GROUNDS[shown.ground] if shown.ground else ""


def length(shown: Shown) -> str:
    """Say how long it is: ``74 of 90 bytes``, ``181 GSM-7 characters in 2 segments``."""
    if shown.units is None:
        return ""
    noun = _UNITS[shown.encoding]
    if shown.most is not None:
        return f"{number(shown.units)} of {counted(shown.most, noun)}"
    said = counted(shown.units, noun)
    if FAMILY[shown.channel] is Family.TEXT:
        return f"{said} in {counted(shown.parts, 'segment')}"
    return said


def cost(shown: Shown) -> str:
    """Write what it costs; empty where nobody told."""
    return "" if shown.cost is None else money(shown.cost, shown.store.currency)


def sender(shown: Shown) -> str:
    """Return what the recipient's screen names as the sender."""
    family, store = FAMILY[shown.channel], shown.store
    if family is Family.TEXT:
        return store.sender.get("phone") or store.name
    if family is Family.EMAIL and "email" in store.sender:
        return f"{store.name} <{store.sender['email']}>"
    return store.name


def remote_pictures(html: str) -> int:
    """Count the pictures that an e-mail would load from the network."""
    return len(_REMOTE_PICTURE.findall(html))


def coupon_code(shown: Shown) -> str:
    """Name the coupon of the step: ``SPRING, until 2026-12-31``."""
    if shown.code is None:
        return ""
    return shown.code + (f", until {shown.code_until}" if shown.code_until else "")


def settings(shown: Shown) -> list[tuple[str, str]]:
    """Return what the provider is told besides the message, and where it comes from."""
    extras: Mapping[str, Any] = shown.extras
    image = PurePath(extras["image"]).name if extras.get("image") else ""
    unsubscribe = site(extras["unsubscribe"]) if extras.get("unsubscribe") else ""
    brand = shown.channel is Channel.BRAND_MESSAGE
    found = [
        ("template", extras.get("template")),
        *((f"#{{{name}}}", value) for name, value in (extras.get("variables") or {}).items()),
        ("form", extras.get("form") if brand else None),
        ("targeting", extras.get("targeting") if brand else None),
        ("image", image),
        ("HTML", f"{number(len(shown.html.encode()))} bytes" if shown.html else None),
        ("shown for", Span(seconds=extras["show_for"]) if extras.get("show_for") else None),
        ("unsubscribe", unsubscribe),
        ("customer", shown.customer_key),
    ]
    return [(name, str(value)) for name, value in found if value]


def at(preview: Preview) -> str:
    """Write the instant of a preview on the store's clock."""
    return f"{preview.as_of.astimezone(ZoneInfo(preview.store.timezone)):%Y-%m-%d %H:%M %Z}"


def site(url: str) -> str:
    """Return the host of an address, which is what a browser shows of it."""
    return urlsplit(url).hostname or url


def summary(preview: Preview) -> str:
    """Say how many messages there are, and how many of them are shown."""
    made, unmade = len(preview.made), len(preview.unmade)
    said = [
        f"{counted(preview.planned, 'message')} would be sent"
        + (f", {number(preview.held)} held" if preview.held else "")
    ]
    shown = f"{made} shown" if made else "none to show"
    said.append(f"{shown}, and {counted(unmade, 'example')} held by content" if unmade else shown)
    return "; ".join(said) + "."
