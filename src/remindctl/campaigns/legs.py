"""The legs of a campaign file: a channel, and the message in the form that this channel carries."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from remindctl.campaigns.fields import ImagePath, LayoutFile, TemplateFile, TemplateText
from remindctl.documents import (
    Finding,
    PositiveSpanField,
    Strict,
    all_wrong,
    did_you_mean,
    each,
    pick,
    wrong,
)
from remindctl.model import Channel

_FRIENDTALK = frozenset({"friendtalk", "friend_talk", "친구톡"})
_KAKAO = (Channel.ALIMTALK, Channel.BRAND_MESSAGE)
_SCREENS = (Channel.PUSH, Channel.ONSITE)
# Key → the channels that carry it; every channel carries a text.
CARRIED_BY: Mapping[str, tuple[Channel, ...]] = {
    "subject": (Channel.LMS, Channel.MMS, Channel.EMAIL, *_SCREENS, Channel.WEBHOOK),
    "title": _SCREENS,
    "html": (Channel.EMAIL,),
    "html_file": (Channel.EMAIL,),
    "layout": (Channel.EMAIL,),
    "image": (Channel.MMS, Channel.BRAND_MESSAGE, *_SCREENS),
    "buttons": _KAKAO,
    "template": _KAKAO,
    "variables": _KAKAO,
    "form": (Channel.BRAND_MESSAGE,),
    "targeting": (Channel.BRAND_MESSAGE,),
    "coupon": (Channel.BRAND_MESSAGE,),
    "url": (*_SCREENS, Channel.BRAND_MESSAGE),
    "show_for": (Channel.ONSITE,),
}
# Channel → the key it cannot do without, and why.
_NEEDS: Mapping[Channel, tuple[str, str, str]] = {
    Channel.EMAIL: ("subject", "an e-mail needs one", ""),
    Channel.PUSH: ("subject", "a push needs one", "its title: title: …"),
    Channel.ONSITE: ("subject", "an on-site message needs one", "its title: title: …"),
    Channel.ALIMTALK: ("template", "Alimtalk sends approved templates only", "its code"),
    Channel.MMS: ("image", "an mms has one", "without it, send it as lms"),
}
_ALIKE = (("text", "text_file"), ("html", "html_file"), ("subject", "title"))
ADD_CHANNEL = "채널 추가"
MMS_IMAGE_BYTES = 200_000
MAX_VARIABLES = 40
_PLACEHOLDER = re.compile(r"#\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class _Form:
    """What fits into one kind of Kakao bubble (the limits that senders' SDKs enforce)."""

    buttons: int
    buttons_beside_coupon: int
    button_name: int
    coupon_description: int = 0


_ALIMTALK = _Form(5, 5, 14)
_FORMS = {"text": _Form(5, 4, 14, 12), "image": _Form(5, 4, 14, 12), "wide": _Form(2, 2, 8, 18)}
# Kakao takes a coupon's title in these forms only.
_COUPON_TITLES = (
    re.compile(r"[1-9]\d{0,2}(?:,?\d{3}){0,2}원 할인 쿠폰"),
    re.compile(r"(?:100|[1-9]\d?)% 할인 쿠폰"),
    re.compile("배송비 할인 쿠폰"),
    re.compile(r"\S(?:.{0,5}\S)? 무료 쿠폰"),
    re.compile(r"\S(?:.{0,5}\S)? UP 쿠폰"),
)


def _channel(value: object) -> object:
    if isinstance(value, str) and value.casefold() in _FRIENDTALK:
        hint = "use brand_message: Kakao ended Friendtalk (친구톡) on 2025-12-31"
        raise wrong(f"{value!r} no longer exists", hint)
    return value


def _fixed(text: str) -> str:
    if not text.strip() or len(text.splitlines()) > 1:
        raise wrong("must be one line of text")
    if "{{" in text or "{%" in text or "#{" in text:
        raise wrong("is the same for everyone: it takes no variables")
    return text.strip()


def _coupon_title(text: str) -> str:
    if "{{" not in text and not any(form.fullmatch(text) for form in _COUPON_TITLES):
        hint = (
            "N원 할인 쿠폰, N% 할인 쿠폰, 배송비 할인 쿠폰, … 무료 쿠폰 or … UP 쿠폰"
            " (… up to 7 characters)"
        )
        raise wrong(f"{text!r} is not a title that Kakao takes", hint)
    return text


FixedText = Annotated[str, AfterValidator(_fixed)]


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


class LegEntry(Strict):
    """One channel of a chain, and the templates of its message.

    Attributes:
        channel: how this message travels.
        text: template of the body; of an Alimtalk the approved wording, with #{name} in it.
        text_file: a file that holds the text, inside the campaign's folder.
        subject: template of the title of an lms, mms, e-mail, push or on-site message.
        title: the same as subject, for push and on-site messages.
        html: template of the HTML of an e-mail.
        html_file: a file that holds the HTML, inside the campaign's folder.
        layout: an HTML file to put around the message, with {{ body }} where it belongs.
        image: a JPEG or PNG inside the campaign's folder.
        form: of a Brand Message: text, image (the default where there is one) or wide.
        targeting: of a Brand Message: I (friends of the channel); M or N where Kakao approved it.
        coupon: the coupon under a Brand Message.
        buttons: under a Kakao message.
        template: code of the template that Kakao approved.
        variables: name of each #{name} of the approved wording → template of its value.
        url: template of where a push, an on-site message or a Brand Message's image leads.
        show_for: how long an on-site message is shown.
    """

    channel: Annotated[Channel, BeforeValidator(_channel)]
    text: TemplateText | None = None
    text_file: TemplateFile | None = None
    subject: TemplateText | None = None
    title: TemplateText | None = None
    html: TemplateText | None = None
    html_file: TemplateFile | None = None
    layout: LayoutFile | None = None
    image: ImagePath | None = None
    form: Literal["text", "image", "wide"] | None = None
    targeting: Literal["I", "M", "N"] = "I"
    coupon: KakaoCouponEntry | None = None
    buttons: tuple[ButtonEntry, ...] = ()
    template: FixedText | None = None
    variables: Annotated[
        Mapping[str, TemplateText], Field(validate_default=True, max_length=MAX_VARIABLES)
    ] = Field(default={})
    url: TemplateText | None = None
    show_for: PositiveSpanField | None = None

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that the channel can carry what it is given, and is given what it needs."""
        del context
        there = {key for key, value in given.items() if value is not None}
        for one, other in _ALIKE:
            if one in there and other in there:
                yield Finding(f"says the same as `{one}`", "keep one of them", (other,))
        if not there & {"text", "text_file"}:
            yield Finding("is missing", "", ("text",))
        name = given.get("channel")
        if name in tuple(Channel):
            yield from _carried(Channel(name), there)
            yield from _bubble(Channel(name), given, there)

    @field_validator("image")
    @classmethod
    def _fits_into_an_mms(cls, image: ImagePath | None, info: ValidationInfo) -> ImagePath | None:
        mms = info.data.get("channel") is Channel.MMS
        if mms and image is not None and image.size > MMS_IMAGE_BYTES:
            size = f"{image.size / 1000:,.0f} kB, of {MMS_IMAGE_BYTES // 1000} that an mms holds"
            raise wrong(size, "make the image smaller")
        return image

    @field_validator("variables")
    @classmethod
    def _fill_the_approved_wording(
        cls, variables: Mapping[str, str], info: ValidationInfo
    ) -> Mapping[str, str]:
        file = info.data.get("text_file")
        text = file.text if file else info.data.get("text")
        if info.data.get("template") is None or text is None:
            return variables
        places = set(_PLACEHOLDER.findall(text))
        found = [
            Finding(f"lacks a value for #{{{name}}} of the text")
            for name in sorted(places - variables.keys())
        ]
        found += [
            Finding(f"#{{{name}}} is not in the text", did_you_mean(name, places), (name,))
            for name in variables
            if name not in places
        ]
        if found:
            raise all_wrong(found)
        return variables

    @property
    def body(self) -> str:
        """The text, wherever it stands."""
        return self.text_file.text if self.text_file else self.text or ""


def _carried(channel: Channel, there: Iterable[str]) -> Iterator[Finding]:
    keys = set(there)
    for key, channels in CARRIED_BY.items():
        if key in keys and channel not in channels:
            hint = f"it is for {', '.join(channels)}"
            yield Finding(f"{channel} has none", hint, (key,))
    if channel in _NEEDS:
        key, why, hint = _NEEDS[channel]
        if not keys & {key, *(other for one, other in _ALIKE if one == key)}:
            yield Finding(f"is missing: {why}", hint, (key,))


def _bubble(channel: Channel, given: Mapping[str, Any], there: set[str]) -> Iterator[Finding]:
    """Check what one Kakao bubble holds."""
    if channel not in _KAKAO:
        return
    if channel is Channel.ALIMTALK:
        yield from _approved(given)
    shape = given.get("form") or ("image" if "image" in there else "text")
    form = _ALIMTALK if channel is Channel.ALIMTALK else _FORMS.get(str(shape))
    if form is None:
        return
    yield from _buttons(channel, shape, form, given)
    if "variables" in there and "template" not in there:
        yield Finding("belong to an approved template", "name it: template: CODE", ("variables",))
    if channel is not Channel.BRAND_MESSAGE or "template" in there:
        return
    if (shape == "text") == ("image" in there):
        hint = "form: image, or form: wide" if shape == "text" else "image: FILE"
        what = "an image does not go with" if shape == "text" else "an image is missing for"
        yield Finding(f"{what} {shape!r}", hint, ("form",))
    if "url" in there and shape == "text":
        hint = "without an image, give the address to a button"
        yield Finding("leads from an image, and there is none", hint, ("url",))
    description = pick(given, "coupon", "description")
    if isinstance(description, str) and "{{" not in description:
        most = form.coupon_description
        if len(description) > most:
            what = f"has {len(description)} characters, of {most}"
            yield Finding(what, "shorten it", ("coupon", "description"))


def _approved(given: Mapping[str, Any]) -> Iterator[Finding]:
    text = given.get("text")
    if isinstance(text, str) and (found := re.search(r"\{\{|\{%", text)):
        line = text.count("\n", 0, found.start()) + 1
        hint = "write #{name} as in the approved wording, and its value under `variables`"
        yield Finding(f"`{found[0]}` has no place in an approved wording", hint, ("text",), line)


def _buttons(
    channel: Channel, shape: str, form: _Form, given: Mapping[str, Any]
) -> Iterator[Finding]:
    buttons = dict(each(given, "buttons"))
    coupon = given.get("coupon") is not None
    most = form.buttons_beside_coupon if coupon else form.buttons
    if len(buttons) > most:
        yield Finding(f"{len(buttons)} of them, {most} fit", "take some out", ("buttons",))
    adding = [number for number, button in buttons.items() if button.get("kind") == "add_channel"]
    # A wide bubble has it at its end, every other one at its head.
    place = max(buttons, default=0) if shape == "wide" else 0
    for number, button in buttons.items():
        name, keys = button.get("name"), ("buttons", number, "name")
        if isinstance(name, str) and len(name) > form.button_name:
            what = f"{name!r} has {len(name)} characters, of {form.button_name}"
            yield Finding(what, "shorten it", keys)
        if number not in adding:
            continue
        if channel is Channel.ALIMTALK and name != ADD_CHANNEL:
            yield Finding(f"the button that adds the channel is called {ADD_CHANNEL}", "", keys)
        if number != adding[0]:
            yield Finding("one button that adds the channel is enough", "", keys)
        elif number != place:
            where = "last" if shape == "wide" else "first"
            yield Finding(f"the button that adds the channel stands {where}", "", keys)
