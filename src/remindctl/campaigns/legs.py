"""The legs of a campaign file: a channel, and the message in the form that this channel carries."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from remindctl.campaigns.fields import (
    FixedText,
    HtmlFile,
    HtmlText,
    ImagePath,
    LayoutFile,
    TemplateFile,
    TemplateText,
)
from remindctl.campaigns.kakao import KAKAO, ButtonEntry, KakaoCouponEntry, bubble_findings
from remindctl.documents import (
    Finding,
    PositiveSpanField,
    Strict,
    all_wrong,
    did_you_mean,
    one_of,
    wrong,
)
from remindctl.model import Channel

MMS_IMAGE_BYTES = 200_000
MAX_VARIABLES = 40

_FRIENDTALK = frozenset({"friendtalk", "friend_talk", "친구톡"})
_SCREENS = (Channel.PUSH, Channel.ONSITE)
# Key → the channels that carry it; every channel carries a text.
_CARRIED_BY: Mapping[str, tuple[Channel, ...]] = {
    "subject": (Channel.LMS, Channel.MMS, Channel.EMAIL, *_SCREENS, Channel.WEBHOOK),
    "title": _SCREENS,
    "html": (Channel.EMAIL,),
    "html_file": (Channel.EMAIL,),
    "layout": (Channel.EMAIL,),
    "image": (Channel.MMS, Channel.BRAND_MESSAGE, *_SCREENS),
    "form": (Channel.BRAND_MESSAGE,),
    "targeting": (Channel.BRAND_MESSAGE,),
    "coupon": (Channel.BRAND_MESSAGE,),
    "buttons": KAKAO,
    "template": KAKAO,
    "variables": KAKAO,
    "url": (*_SCREENS, Channel.BRAND_MESSAGE),
    "show_for": (Channel.ONSITE,),
}
# What someone who writes this key for that channel had better do.
_INSTEAD: Mapping[tuple[str, Channel], str] = {
    ("subject", Channel.SMS): "take it out, or send it as lms",
    ("title", Channel.EMAIL): "an e-mail has a subject",
    ("image", Channel.SMS): "send it as mms",
    ("image", Channel.LMS): "send it as mms",
    ("image", Channel.EMAIL): "show it from the web, in html: <img src=…>",
    ("url", Channel.EMAIL): "write it into the text",
    ("buttons", Channel.EMAIL): "write a link into html",
}
# What a channel cannot do without: its keys, each with why, and a way out.
_NEEDS: Mapping[Channel, tuple[tuple[str, str, str], ...]] = {
    Channel.EMAIL: (("subject", "an e-mail needs one", ""),),
    Channel.PUSH: (("subject", "a push has one", "its title: title: …"),),
    Channel.ONSITE: (
        ("subject", "an on-site message has one", "its title: title: …"),
        ("show_for", "an on-site message ends", "how long it is shown: show_for: 7d"),
    ),
    Channel.ALIMTALK: (("template", "Alimtalk sends approved templates only", "its code"),),
    Channel.MMS: (("image", "an mms has one", "without it, send it as lms"),),
}
# Two keys for one thing.
_SAME = (("text", "text_file"), ("html", "html_file"), ("subject", "title"))
_PLACEHOLDER = re.compile(r"#\{([^{}]*)\}")


def _channel(value: object) -> object:
    if isinstance(value, str) and value.casefold() in _FRIENDTALK:
        hint = "use brand_message: Kakao ended Friendtalk (친구톡) on 2025-12-31"
        raise wrong(f"{value!r} no longer exists", hint)
    return value


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

    model_config = ConfigDict(json_schema_extra=one_of("text", "text_file"))

    channel: Annotated[Channel, BeforeValidator(_channel)]
    text: TemplateText | None = None
    text_file: TemplateFile | None = None
    subject: TemplateText | None = None
    title: TemplateText | None = None
    html: HtmlText | None = None
    html_file: HtmlFile | None = None
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
        """Check that the channel carries what it is given, and is given what it needs."""
        del context
        there = {key for key, value in given.items() if value is not None}
        for one, other in _SAME:
            if {one, other} <= there:
                yield Finding(f"says the same as `{one}`", "keep one of them", (other,))
        if not there & {"text", "text_file"}:
            yield Finding("is missing", "", ("text",))
        if (name := given.get("channel")) in tuple(Channel):
            yield from _carried(Channel(name), there)
            yield from bubble_findings(Channel(name), given)

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


def _carried(channel: Channel, there: set[str]) -> Iterator[Finding]:
    for key, channels in _CARRIED_BY.items():
        if key in there and channel not in channels:
            hint = _INSTEAD.get((key, channel), f"it is for {', '.join(channels)}")
            yield Finding(f"{channel} has none", hint, (key,))
    for key, why, hint in _NEEDS.get(channel, ()):
        if not there & {key, *(other for one, other in _SAME if one == key)}:
            yield Finding(f"is missing: {why}", hint, (key,))
