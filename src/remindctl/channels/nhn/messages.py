"""A message as NHN Cloud takes it: what a request says once, and the entry of a recipient.

A text message and a free Brand Message have one wording for all recipients of a request; a template
has one for each, by its variables. Sources: the API guides of SMS v3.0, Alimtalk v2.3 and Brand
Message v1.0 at https://docs.nhncloud.com.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from remindctl.channels.phones import KOREA, digits_of, split
from remindctl.model import FAMILY, Channel, Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.channels.provider import Outgoing

KEY_CHARACTERS = 100
SMS_BYTES = 90
TITLE_BYTES = 40

# How the bubbles of a Brand Message are called where its image is uploaded.
BRAND_IMAGES: Mapping[str, str] = {"image": "IMAGE", "wide": "WIDE_IMAGE"}

_SEND: Mapping[Channel, str] = {
    Channel.SMS: "sender/sms",
    Channel.LMS: "sender/mms",
    Channel.MMS: "sender/mms",
    Channel.ALIMTALK: "messages",
    Channel.BRAND_MESSAGE: "freestyle-messages",
}
_SEND_ADVERTISING: Mapping[Channel, str] = {
    Channel.SMS: "sender/ad-sms",
    Channel.LMS: "sender/ad-mms",
    Channel.MMS: "sender/ad-mms",
}
# Advertising is listed with the rest.
_LIST: Mapping[Channel, str] = {**_SEND, Channel.BRAND_MESSAGE: "messages"}


def grouping_key(name: str) -> str:
    """Return what NHN Cloud keeps of our name of a message: itself, or its hash if it is long."""
    if len(name) <= KEY_CHARACTERS:
        return name
    return hashlib.sha256(name.encode()).hexdigest()


def recipient_number(phone: str) -> str:
    """Write a number as its entry has it: dialled at home in Korea, with its code abroad."""
    country, number = split(phone)
    return number if country == KOREA else digits_of(phone)


def sending_path(message: Outgoing) -> str:
    """Return where a message is sent, below the app key."""
    if message.channel is Channel.BRAND_MESSAGE and message.extras.get("template") is not None:
        return "basic-messages"
    path = _SEND[message.channel]
    return _SEND_ADVERTISING.get(message.channel, path) if message.advertising else path


def listing_path(channel: Channel) -> str:
    """Return where the messages of a channel are listed, below the app key."""
    return _LIST[channel]


def upload_of(message: Outgoing) -> tuple[str, str] | None:
    """Return what must be uploaded before it can be sent: NHN Cloud's type of it, and its path.

    The images of approved templates are with NHN Cloud already.
    """
    path: str | None = message.extras.get("image")
    if path is None:
        return None
    if message.channel is Channel.MMS:
        return "MMS", path
    if message.channel is Channel.BRAND_MESSAGE and message.extras.get("template") is None:
        return BRAND_IMAGES.get(message.extras.get("form", "image"), "IMAGE"), path
    return None


def shared(message: Outgoing, sender: str, profile: str, image: str | int | None) -> dict[str, Any]:
    """Return what the request of a message says for all its recipients.

    Args:
        message: one of them.
        sender: the registered number, digits only.
        profile: key of the Kakao channel.
        image: id (text message) or address (Brand Message) of the uploaded image.
    """
    if FAMILY[message.channel] is Family.TEXT:
        body: dict[str, Any] = {"body": message.text, "sendNo": sender}
        if message.channel is not Channel.SMS:
            body["title"] = message.subject or _cut(message.text.partition("\n")[0], TITLE_BYTES)
        return body if image is None else {**body, "attachFileIdList": [image]}
    template = message.extras.get("template")
    if template is not None:
        return {"senderKey": profile, "templateCode": template}
    return {"senderKey": profile, **_bubble(message, image)}


def entry(message: Outgoing, sender: str) -> dict[str, Any]:
    """Return the entry of ``recipientList`` of a message."""
    found: dict[str, Any] = {"recipientGroupingKey": grouping_key(message.id)}
    number = recipient_number(message.to)
    if FAMILY[message.channel] is Family.TEXT:
        abroad = split(message.to)[0] != KOREA
        return {("internationalRecipientNo" if abroad else "recipientNo"): number, **found}
    found |= {"recipientNo": number, "resendParameter": _fallback(message, sender)}
    if message.channel is Channel.BRAND_MESSAGE:
        found["targeting"] = str(message.extras.get("targeting", "I"))
    if variables := message.extras.get("variables"):
        found["templateParameter"] = {name: str(value) for name, value in variables.items()}
    return found


def _fallback(message: Outgoing, sender: str) -> dict[str, Any]:
    """Say what NHN Cloud sends as a text where Kakao does not deliver.

    What the console of the account prescribes holds where a request says nothing. A Brand Message
    has no such text: it would go out without a look at the hours and consents of its own channel.
    """
    given = message.extras.get("fallback")
    if given is None or message.channel is not Channel.ALIMTALK:
        return {"isResend": False}
    # Without a number the one that the console names is used.
    found: dict[str, Any] = {"isResend": True} | ({"resendSendNo": sender} if sender else {})
    text, subject = given.get("text"), given.get("subject")
    if split(message.to)[0] != KOREA:
        found["resendType"] = "SMS"
    elif text:
        is_short = not subject and _bytes(text) <= SMS_BYTES
        found["resendType"] = "SMS" if is_short else "LMS"
    if subject:
        found["resendTitle"] = subject
    if text:
        found["resendContent"] = text
    return found


def _bubble(message: Outgoing, image: str | int | None) -> dict[str, Any]:
    extras = message.extras
    bubble: dict[str, Any] = {
        "chatBubbleType": extras.get("form", "text").upper(),
        "content": message.text,
    }
    if image is not None:
        link = {"imageLink": extras["url"]} if extras.get("url") else {}
        bubble["image"] = {"imageUrl": image, **link}
    if extras.get("buttons"):
        bubble["buttons"] = [_button(button) for button in extras["buttons"]]
    if coupon := extras.get("coupon"):
        bubble["coupon"] = {"title": coupon["title"], "description": coupon["description"]}
        if coupon.get("url"):
            bubble["coupon"]["linkMo"] = coupon["url"]
    return bubble


def _button(button: Mapping[str, str]) -> dict[str, str]:
    if button["kind"] == "add_channel":
        # No other name is allowed.
        return {"name": "채널 추가", "type": "AC"}
    url = button["url"]
    return {"name": button["name"], "type": "WL", "linkMo": url, "linkPc": url}


def _bytes(text: str) -> int:
    return len(text.encode("cp949", "replace"))


def _cut(text: str, size: int) -> str:
    return text.encode("cp949", "ignore")[:size].decode("cp949", "ignore")
