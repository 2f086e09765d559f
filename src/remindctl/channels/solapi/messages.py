"""A message as SOLAPI takes it.

Sources: the requests that the SDKs solapi-python 5.0.3 and solapi-nodejs 6.0.1 send. What only
repeats a default of the server is left out; it tells SMS, LMS and MMS apart by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remindctl.channels.http import AccountError
from remindctl.channels.phones import KOREA, split
from remindctl.channels.provider import NotSent
from remindctl.model import FAMILY, Channel, Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.channels.provider import Outgoing

# Comes back with every answer about the message; a value holds 100 characters.
ID_FIELD = "remindctl"


def upload_of(message: Outgoing) -> tuple[str, str] | None:
    """Return what must be uploaded before it can be sent: SOLAPI's type of the file, and its path.

    The images of approved templates are with SOLAPI already.
    """
    path = message.extras.get("image")
    if path is None:
        return None
    if message.channel is Channel.MMS:
        return "MMS", path
    if message.channel is Channel.BRAND_MESSAGE and message.extras.get("template") is None:
        return ("BMS_WIDE" if message.extras.get("form") == "wide" else "BMS"), path
    return None


def upload_key(kind: str, path: str) -> str:
    """Name an upload for the time of a run."""
    return f"{kind}:{path}"


def written(
    message: Outgoing, sender: str, profile: str | None, ready: Mapping[str, str]
) -> dict[str, Any]:
    """Return an entry of ``messages``.

    Args:
        message: to be sent.
        sender: the registered number, digits only.
        profile: id of the Kakao channel.
        ready: ids of the uploaded images.

    Raises:
        AccountError: it needs a Kakao channel, and there is none.
        NotSent: SOLAPI does not carry the channel.
    """
    family = FAMILY[message.channel]
    country, number = split(message.to)
    upload = upload_of(message)
    image = None if upload is None else ready[upload_key(*upload)]
    entry: dict[str, Any] = {"to": number, "customFields": {ID_FIELD: message.id}}
    if country != KOREA:
        entry["country"] = country
    if family is Family.TEXT:
        entry |= {"from": sender, "text": message.text}
        if message.subject:
            entry["subject"] = message.subject
        if image is not None:
            entry["imageId"] = image
        return entry
    if family is not Family.KAKAO:
        raise NotSent(f"SOLAPI carries no {message.channel}")
    if profile is None:
        raise AccountError("pf_id is missing: a Kakao message names its channel")
    if message.channel is Channel.ALIMTALK:
        return entry | _alimtalk(message, sender, profile)
    if message.extras.get("template") is not None:
        options = _template(message, profile) | {"bms": {"targeting": _targeting(message)}}
        return entry | {"kakaoOptions": options}
    options = {"pfId": profile, "bms": _bubble(message, image)}
    return entry | {
        "from": sender,
        "type": "BMS_FREE",
        "text": message.text,
        "kakaoOptions": options,
    }


def _template(message: Outgoing, profile: str) -> dict[str, Any]:
    """Name an approved template; its wording, buttons and image are with SOLAPI."""
    variables = message.extras.get("variables", {})
    return {
        "pfId": profile,
        "templateId": message.extras["template"],
        "variables": {f"#{{{name}}}": str(value) for name, value in variables.items()},
    }


def _alimtalk(message: Outgoing, sender: str, profile: str) -> dict[str, Any]:
    """Write an Alimtalk, and the text that SOLAPI sends where Kakao does not deliver it.

    Without ``fallback`` nothing follows it; one without ``text`` repeats the wording of the
    template.
    """
    options = _template(message, profile)
    fallback = message.extras.get("fallback")
    if fallback is None:
        return {"kakaoOptions": options | {"disableSms": True}}
    entry: dict[str, Any] = {"from": sender, "kakaoOptions": options}
    if fallback.get("text"):
        # A long one without a subject is refused (1010).
        given = {key: fallback[key] for key in ("subject", "text") if fallback.get(key)}
        entry["replacements"] = [{"from": sender} | given]
    return entry


def _bubble(message: Outgoing, image: str | None) -> dict[str, Any]:
    extras = message.extras
    bubble: dict[str, Any] = {
        "targeting": _targeting(message),
        "chatBubbleType": extras.get("form", "text").upper(),
    }
    if image is not None:
        bubble["imageId"] = image
        if extras.get("url"):
            bubble["imageLink"] = extras["url"]
    if extras.get("buttons"):
        bubble["buttons"] = [_button(button) for button in extras["buttons"]]
    if coupon := extras.get("coupon"):
        bubble["coupon"] = {"title": coupon["title"], "description": coupon["description"]}
        if coupon.get("url"):
            bubble["coupon"]["linkMobile"] = coupon["url"]
    return bubble


def _button(button: Mapping[str, str]) -> dict[str, str]:
    if button["kind"] == "add_channel":
        # Kakao names this one itself.
        return {"linkType": "AC"}
    url = button["url"]
    return {"linkType": "WL", "name": button["name"], "linkMobile": url, "linkPc": url}


def _targeting(message: Outgoing) -> str:
    return str(message.extras.get("targeting", "I"))
