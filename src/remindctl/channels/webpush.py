"""Web push: to browsers, through whichever push service a browser's subscription names.

An address is the JSON that the browser gave when somebody subscribed: ``{"endpoint": "https://…",
"keys": {"p256dh": "…", "auth": "…"}}``. The service worker is sent, encrypted, a JSON object with
``title``, ``body`` and, where there are such, ``url`` and ``image``.

Sources: RFC 8030 (protocol), RFC 8291 (encryption), RFC 8292 (VAPID); on refusals
https://web.dev/articles/push-notifications-web-push-protocol,
https://mozilla-services.github.io/autopush-rs/errors.html and Apple's "Sending web push
notifications in web apps and browsers".
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from remindctl.channels.http import AccountError, Facts, Request, Unreadable
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.push import TTL_SECONDS, image_url, missing_extra, replaces
from remindctl.channels.reading import detail
from remindctl.channels.settings import Settings
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from py_vapid import Vapid02
    from pywebpush import WebPusher

    from remindctl.channels.http import Attempt, Response
    from remindctl.channels.provider import Account, Outgoing

# A signature may be good for a day (RFC 8292); half of it bears with a clock that is off.
SIGNED_FOR = timedelta(hours=12)

GONE = frozenset({404, 410})
# What is signed, or how, is wrong: for one subscription as for the next.
STOPPING = frozenset({400, 401, 403})
# … but for these words of Google, Mozilla and Apple: it was made with another key, long ago.
OTHER_KEY = (
    "do not correspond to the credentials used to create",
    "VAPID public key mismatch",
    "VapidPkHashMismatch",
)
_TIMED_OUT = 408

# Of a subscription: an uncompressed point on P-256, and a secret (RFC 8291).
KEY_BYTES: Mapping[str, int] = {"p256dh": 65, "auth": 16}

_KEY_HINT = "private_key: ${VAPID_PRIVATE_KEY}, as `npx web-push generate-vapid-keys` prints it"


class WebPush:
    """Sends one message a request, signed with the shop's VAPID key.

    Attributes:
        facts: what push services promise; none of them knows a repeated message.
    """

    facts = Facts(concurrency=20)

    def __init__(
        self,
        vapid: Vapid02,
        pusher: type[WebPusher],
        subject: str,
        *,
        ttl: int = TTL_SECONDS,
        urgency: str = "normal",
        base_url: str | None = None,
    ) -> None:
        """``base_url`` stands instead of the origin of every subscription."""
        self._vapid = vapid
        self._pusher = pusher
        self._subject = subject
        self._how = {"TTL": str(ttl), "Urgency": urgency}
        self._base_url = base_url and base_url.rstrip("/")

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from private_key, subject and perhaps ttl (seconds) and urgency.

        Raises:
            Refused: a setting is missing or wrong, or the extra ``push`` is not installed.
        """
        try:
            from py_vapid import Vapid02  # noqa: PLC0415 (an extra)
            from pywebpush import WebPusher  # noqa: PLC0415 (as above)
        except ImportError:
            raise missing_extra(account) from None
        read = Settings(account)
        key = read.text("private_key", _KEY_HINT, r"[\s\S]+")
        shape = r"mailto:[^\s@]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+"
        subject = read.text("subject", "subject: mailto:hello@shop.example", shape)
        ttl = int(read.optional("ttl", "ttl: 86400 (seconds)", r"\d{1,7}") or TTL_SECONDS)
        levels = "very-low|low|normal|high"
        urgency = read.optional("urgency", levels.replace("|", ", "), levels) or "normal"
        hint = "base_url: http://127.0.0.1:8080"
        base_url = read.web("base_url", hint) if account.settings.get("base_url") else None
        vapid = _vapid(key, Vapid02)
        if key and vapid is None:
            read.wrong("private_key", "is no VAPID key", _KEY_HINT)
        read.checked()
        return cls(vapid, WebPusher, subject, ttl=ttl, urgency=urgency, base_url=base_url)

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``; the encryption differs each time.

        Raises:
            NotSent: the address is no subscription.
        """
        [message] = batch
        subscription = _subscription(message.to)
        parts = urlsplit(subscription["endpoint"])
        origin = f"{parts.scheme}://{parts.netloc}"
        claims = {
            "aud": origin,
            "exp": int((attempt.at + SIGNED_FOR).timestamp()),
            "sub": self._subject,
        }
        path = subscription["endpoint"].removeprefix(origin)
        return Request(
            url=(self._base_url or origin) + path,
            headers={
                **self._vapid.sign(claims),
                **self._how,
                "Topic": replaces(message),
                "Content-Encoding": "aes128gcm",
            },
            content=self._encrypted(subscription, _shown(message)),
        )

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``."""
        [message] = batch
        status, text = response.status, response.content.decode("utf-8", "replace")
        if 200 <= status < 300:
            return [Receipt(message.id, State.SENT, code=str(status))]
        if not 400 <= status < 500 or status == _TIMED_OUT:
            raise Unreadable(f"HTTP {status}")
        said = detail(text, message.to)
        if status in STOPPING and not any(words in text for words in OTHER_KEY):
            what = f"the push service refuses the request or its VAPID key: HTTP {status}"
            raise AccountError(f"{what}: {said}" if said else what)
        dead = "dead" if status in GONE else None
        return [Receipt(message.id, State.REJECTED, code=str(status), detail=said, suppress=dead)]

    def _encrypted(self, subscription: Mapping[str, Any], shown: bytes) -> bytes:
        try:
            body: bytes = self._pusher(subscription).encode(shown)["body"]
        except ValueError:
            raise NotSent("the keys of a push subscription are damaged") from None
        return body


def _vapid(key: str, made: type[Vapid02]) -> Vapid02 | None:
    """Read a private key: 32 bytes in base64url, or DER or PEM; None = it is none on P-256."""
    try:
        vapid = made.from_pem(key.strip().encode()) if "-----" in key else made.from_string(key)
        vapid.sign({"aud": "https://push.example", "exp": 1, "sub": "mailto:shop@push.example"})
    except (ValueError, TypeError, AttributeError):
        return None
    return vapid if vapid.private_key.curve.name == "secp256r1" else None


def _subscription(text: str) -> Mapping[str, Any]:
    """Read an address.

    Raises:
        NotSent: it is no subscription, or one that would not be sent over HTTPS.
    """
    try:
        found = json.loads(text)
        endpoint, keys = found["endpoint"], found["keys"]
        parts = urlsplit(endpoint)
        addressed = parts.scheme == "https" and parts.hostname and "@" not in parts.netloc
        keyed = all(len(_decoded(keys[name])) == size for name, size in KEY_BYTES.items())
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotSent("not a push subscription of a browser") from None
    if not (addressed and keyed):
        raise NotSent("not a push subscription of a browser")
    return {"endpoint": endpoint, "keys": keys}


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _shown(message: Outgoing) -> bytes:
    content = {
        "title": message.subject or "",
        "body": message.text,
        "url": message.extras.get("url"),
        "image": image_url(message),
    }
    given = {key: value for key, value in content.items() if value is not None}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()
