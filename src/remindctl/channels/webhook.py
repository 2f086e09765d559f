"""A web address of the shop's own, or of a provider that is not listed: one signed POST a message.

The request follows Standard Webhooks 1.0 (https://www.standardwebhooks.com), for which receivers
find libraries: ``webhook-id`` (the message, also as ``Idempotency-Key``), ``webhook-timestamp``
(Unix seconds of this try) and ``webhook-signature`` (``v1,`` and the base64 of the HMAC-SHA256 of
``id.timestamp.body``, by the secret after ``whsec_``). Its body is a JSON object:

=============  ===================================================================================
``type``       ``message.send``
``schema``     ``remindctl.message/1``
``timestamp``  when the message was due to leave (ISO 8601 with its offset)
``data``       the message:

               - ``id``: of this message for ever, as in ``webhook-id``;
               - ``key``: of the step and its occasion, shared by the legs of the step;
               - ``store``, ``campaign``, ``step``, ``customer_key``;
               - ``channel``: ``webhook``, or the channel that the store sends this way;
               - ``to`` and what it is, ``kind``: ``phone`` (E.164), ``email``, ``shop_id`` or
                 ``push_token``;
               - ``text``, and ``subject`` and ``html`` or null;
               - ``advertising``: true or false;
               - ``extras``: whatever the channel carries: ``image`` (the file's name),
                 ``buttons`` (each ``name``, ``kind``, ``url``), ``url``, ``template``,
                 ``variables``, ``approved_text``, ``form``, ``targeting``, ``coupon`` (``title``,
                 ``description``, ``url``), ``unsubscribe``, ``show_for`` (seconds).
=============  ===================================================================================

What the receiver answers decides:

======================  ==========================================================================
2xx                     taken; a JSON object may name it: ``{"id": "…"}``
400, 409, 413, 422      this message is refused for ever; ``{"code": "…"}`` is kept in the log
410                     the same, and nobody is at the address; the body may say
                        ``{"suppress": "refused"}`` where the person wants no more of it
401, 403, 404, 405,     nothing can be delivered here: the run stops
406, 407, 415
425, 429                not taken; sent again later, after ``Retry-After``
408, 3xx, 5xx, none     maybe taken: sent again with the same id
======================  ==========================================================================

Whatever was maybe taken is sent again for up to a day, so **a receiver must remember the ids that
it took for 24 hours**, and answer a known one as it did the first time, without acting on it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self

from remindctl.channels.http import AccountError, Facts, Request, Unreadable
from remindctl.channels.provider import Receipt
from remindctl.channels.reading import additions
from remindctl.channels.settings import Settings
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Attempt, Response
    from remindctl.channels.provider import Account, Outgoing

SCHEMA = "remindctl.message/1"
SECRET_BYTES = range(24, 65)

_REJECTED = frozenset({400, 409, 413, 422})
_GONE = 410
_STOPPING: Mapping[int, str] = {
    **dict.fromkeys((401, 403, 407), "the receiver does not accept the signature or the sender"),
    **dict.fromkeys((404, 405, 406, 415), "nobody takes messages at the address"),
}
# A name or a number, and no address.
_WORD = re.compile(r"[A-Za-z0-9_.:/=-]{1,128}")


class Webhook:
    """Sends the messages of any channel to one address."""

    facts = Facts(repeat_safe_for=timedelta(hours=24), not_accepted=frozenset({425, 429}))

    def __init__(self, url: str, key: bytes) -> None:
        self._url = url
        self._key = key

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from url (https, or http to this machine) and secret (``whsec_…``).

        Raises:
            Refused: a setting is missing or wrong.
        """
        read = Settings(account)
        url = read.web("url", "url: https://…")
        hint = "secret: ${WEBHOOK_SECRET}, whsec_ and the base64 of 24 to 64 random bytes"
        secret = read.text("secret", hint, r"[\s\S]+")
        key = _key(secret.strip())
        if secret and key is None:
            read.wrong("secret", "is no secret of Standard Webhooks", hint)
        read.checked()
        return cls(url, key or b"")

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``; only time and signature differ between two attempts."""
        [message] = batch
        body = json.dumps(_payload(message), ensure_ascii=False, separators=(",", ":")).encode()
        seconds = str(int(attempt.at.timestamp()))
        return Request(
            url=self._url,
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": message.id,
                "webhook-id": message.id,
                "webhook-timestamp": seconds,
                "webhook-signature": signature(self._key, message.id, seconds, body),
            },
            content=body,
        )

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``."""
        [message] = batch
        status, said = response.status, additions(response)
        if 200 <= status < 300:
            return [Receipt(message.id, State.SENT, _word(said.get("id")))]
        if status in _STOPPING:
            raise AccountError(f"{_STOPPING[status]} (HTTP {status})")
        if status not in _REJECTED and status != _GONE:
            raise Unreadable(f"HTTP {status}")
        code = _word(said.get("code")) or f"HTTP {status}"
        suppress = None
        if status == _GONE:
            suppress = "refused" if said.get("suppress") == "refused" else "dead"
        what = "nobody is at the address" if suppress == "dead" else "refused by the receiver"
        return [Receipt(message.id, State.REJECTED, None, code, what, suppress)]


def signature(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    """Sign a request by the symmetric scheme of Standard Webhooks."""
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode('ascii')}"


def _key(secret: str) -> bytes | None:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:  # binascii.Error too
        return None
    return key if secret.startswith("whsec_") and len(key) in SECRET_BYTES else None


def _payload(message: Outgoing) -> dict[str, Any]:
    extras = dict(message.extras)
    image = extras.get("image")
    if image and not image.startswith("https://"):
        # Where the file lies on this machine is nobody else's business.
        extras["image"] = PurePath(image).name
    return {
        "type": "message.send",
        "schema": SCHEMA,
        "timestamp": message.at.isoformat(),
        "data": {
            "id": message.id,
            "key": message.key,
            "store": message.store,
            "campaign": message.campaign,
            "step": message.step,
            "customer_key": message.customer_key,
            "channel": message.channel,
            "kind": message.kind,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "advertising": message.advertising,
            "extras": extras,
        },
    }


def _word(said: object) -> str | None:
    """Return a name that the receiver gives, unless it is more than a name."""
    given = str(said) if isinstance(said, str | int) else ""
    return given if _WORD.fullmatch(given) else None
