"""What one Kakao bubble holds: its buttons, its coupon, and the limits of its form."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from remindctl.campaigns.fields import FixedText, TemplateText
from remindctl.documents import Finding, Strict, each, pick, wrong
from remindctl.model import Channel
from remindctl.render.limits import BRAND_FORMS, COUPON_TITLE

KAKAO = (Channel.ALIMTALK, Channel.BRAND_MESSAGE)
ADD_CHANNEL = "채널 추가"


@dataclass(frozen=True, slots=True)
class _Form:
    """What fits into one kind of Kakao bubble (the limits that senders' SDKs enforce)."""

    buttons: int
    buttons_beside_coupon: int
    button_name: int


_ALIMTALK = _Form(5, 5, 14)
_FORMS = {"text": _Form(5, 4, 14), "image": _Form(5, 4, 14), "wide": _Form(2, 2, 8)}


def _coupon_title(text: str) -> str:
    if "{{" not in text and not re.fullmatch(COUPON_TITLE, text):
        hint = (
            "N원 할인 쿠폰, N% 할인 쿠폰, 배송비 할인 쿠폰, … 무료 쿠폰 or … UP 쿠폰"
            " (… up to 7 characters)"
        )
        raise wrong(f"{text!r} is not a title that Kakao takes", hint)
    return text


class ButtonEntry(Strict):
    """A button under a Kakao message.

    Attributes:
        name: what stands on it, the same for everyone.
        kind: link (the default) leads to url; add_channel adds the shop's Kakao channel.
        url: template of the address.
    """

    name: FixedText
    kind: Literal["link", "add_channel"] = "link"
    url: TemplateText | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that a link has an address and nothing else does."""
        del context
        adds, url = given.get("kind") == "add_channel", given.get("url")
        if adds and url is not None:
            yield Finding("a button that adds the channel has no address", "", ("url",))
        elif not adds and url is None:
            yield Finding("is missing: a button leads somewhere", "", ("url",))


class KakaoCouponEntry(Strict):
    """The coupon under a Brand Message.

    Attributes:
        title: in one of the forms that Kakao takes, such as `10% 할인 쿠폰` or `3000원 할인 쿠폰`.
        description: one short line: up to 12 characters, 18 in the wide form.
        url: template of the address it leads to.
    """

    title: Annotated[TemplateText, AfterValidator(_coupon_title)]
    description: TemplateText
    url: TemplateText | None = None


def bubble_findings(channel: Channel, given: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what one bubble cannot hold, of a leg as the user wrote it."""
    shape = given.get("form") or ("text" if given.get("image") is None else "image")
    form = _FORMS.get(str(shape)) if channel is Channel.BRAND_MESSAGE else _ALIMTALK
    if channel not in KAKAO or form is None:
        return
    yield from _button_findings(channel, shape, form, given)
    if given.get("variables") is not None and given.get("template") is None:
        yield Finding("belong to an approved template", "name it: template: CODE", ("variables",))
    if channel is Channel.ALIMTALK or given.get("template") is not None:
        yield from _approved(given)
    else:
        yield from _free_form(shape, given)


def _free_form(shape: str, given: Mapping[str, Any]) -> Iterator[Finding]:
    image, url = given.get("image") is not None, given.get("url") is not None
    if image and shape == "text":
        yield Finding("text holds no image", "form: image, or form: wide", ("form",))
    elif shape != "text" and not image:
        yield Finding(f"{shape} needs an image", "image: FILE", ("form",))
    if url and not image:
        hint = "without an image, give the address to a button"
        yield Finding("leads from an image, and there is none", hint, ("url",))
    description = pick(given, "coupon", "description")
    if isinstance(description, str) and "{{" not in description:
        *_, most = BRAND_FORMS[shape]
        yield from _too_long(description, most, ("coupon", "description"))


def _approved(given: Mapping[str, Any]) -> Iterator[Finding]:
    text = given.get("text")
    if isinstance(text, str) and (found := re.search(r"\{\{|\{%", text)):
        line = text.count("\n", 0, found.start()) + 1
        hint = "write #{name} as in the approved wording, and its value under `variables`"
        yield Finding(f"`{found[0]}` has no place in an approved wording", hint, ("text",), line)


def _button_findings(
    channel: Channel, shape: str, form: _Form, given: Mapping[str, Any]
) -> Iterator[Finding]:
    buttons = dict(each(given, "buttons"))
    most = form.buttons if given.get("coupon") is None else form.buttons_beside_coupon
    if len(buttons) > most:
        yield Finding(f"{len(buttons)} of them, and {most} fit", "take some out", ("buttons",))
    adding = [number for number, button in buttons.items() if button.get("kind") == "add_channel"]
    # A wide bubble has it at its end, every other one at its head.
    where, place = ("last", len(buttons) - 1) if shape == "wide" else ("first", 0)
    for number, button in buttons.items():
        name, keys = button.get("name"), ("buttons", number, "name")
        if isinstance(name, str):
            yield from _too_long(name, form.button_name, keys)
        if number not in adding:
            continue
        if channel is Channel.ALIMTALK and name != ADD_CHANNEL:
            yield Finding(f"the button that adds the channel is called {ADD_CHANNEL}", "", keys)
        if number != adding[0]:
            yield Finding("one button that adds the channel is enough", "", keys)
        elif number != place:
            yield Finding(f"the button that adds the channel stands {where}", "", keys)


def _too_long(text: str, most: int, keys: tuple[str | int, ...]) -> Iterator[Finding]:
    if len(text) > most:
        yield Finding(f"{text!r} has {len(text)} characters, of {most}", "shorten it", keys)
