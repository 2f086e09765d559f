"""Firebase Cloud Messaging, HTTP v1: push messages to an app, by its registration tokens.

The app is shown title, text and image, and given ``url`` and ``campaign`` as data.

Sources: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages and
https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from remindctl.channels.fcm.service_account import ServiceAccount
from remindctl.channels.http import AccountError, Facts, Preparation, Request, Unreadable
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.push import TTL_SECONDS, image_url, missing_extra, replaces
from remindctl.channels.reading import detail, fields
from remindctl.channels.settings import Settings
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from remindctl.channels.http import Attempt, Response
    from remindctl.channels.provider import Account, Outgoing

BASE_URL = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"

# Error code → what becomes of the message, and of the token. QUOTA_EXCEEDED (429) and UNAVAILABLE
# (503) are waited out; after INTERNAL (500) nobody knows.
CODES: Mapping[str, tuple[State, str | None]] = {
    "UNREGISTERED": (State.REJECTED, "dead"),
    "INVALID_ARGUMENT": (State.REJECTED, None),
    "SENDER_ID_MISMATCH": (State.REJECTED, None),  # the token is one of another project
    "THIRD_PARTY_AUTH_ERROR": (State.FAILED, None),  # Apple's or the browser's key, in Firebase
}
# Without a code of the above: the service account may not send, or the project is not there.
STOPPING = frozenset({401, 403, 404})
# The words of INVALID_ARGUMENT where it is about the token.
BAD_TOKEN = "registration token"  # noqa: S105 (not a secret)
_TIMED_OUT = 408

_TOKEN = "token"  # noqa: S105 (the name of what is asked for)
_LABEL = re.compile(r"[A-Za-z0-9_.~%-]{1,50}")
_REGISTRATION = re.compile(r"[A-Za-z0-9_:-]+")
_HINT = "the JSON file from Firebase: Project settings > Service accounts > Generate new key"


class Fcm:
    """Sends one message a request.

    Attributes:
        facts: what it promises; it knows no repeated message.
    """

    facts = Facts(concurrency=50, not_accepted=frozenset({429, 503}))

    def __init__(
        self,
        google: ServiceAccount,
        *,
        project: str | None = None,
        ttl: int = TTL_SECONDS,
        base_url: str = BASE_URL,
    ) -> None:
        """``project`` is by default the account's own; ``ttl`` is in seconds."""
        self._google = google
        self._project = project or google.project
        self._ttl = ttl
        self._url = f"{base_url.rstrip('/')}/v1/projects/{self._project}/messages:send"

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from credentials (a file) and perhaps project and ttl (seconds).

        Raises:
            Refused: a setting is missing or wrong, or the extra ``push`` is not installed.
        """
        read = Settings(account)
        path = read.text("credentials", f"credentials: firebase.json, {_HINT}")
        ttl = int(read.optional("ttl", "ttl: 86400 (seconds)", r"\d{1,7}") or TTL_SECONDS)
        project = read.optional("project", "project: my-shop", r"[a-z0-9.:-]+")
        base_url = read.web("base_url", f"base_url: {BASE_URL}", BASE_URL)
        google = None
        try:
            google = ServiceAccount.of(account.folder / path, SCOPE)
        except ImportError:
            raise missing_extra(account) from None
        except OSError as error:
            if path:
                read.wrong("credentials", f"cannot be read: {error.strerror}", _HINT)
        except ValueError:
            read.wrong("credentials", "is no key of a service account", _HINT)
        read.checked()
        assert google is not None  # noqa: S101 (else something was wrong)
        return cls(google, project=project, ttl=ttl, base_url=base_url)

    def needs(self, batch: Sequence[Outgoing], attempt: Attempt) -> Sequence[Preparation]:
        """Return the request for an access token, the same for some minutes."""
        del batch
        return [Preparation(_TOKEN, self.balance(attempt))]

    def prepared(self, key: str, response: Response) -> tuple[str, timedelta | None]:
        """See ``Prepares.prepared``."""
        del key
        return self._google.token(response)

    def balance(self, attempt: Attempt) -> Request:
        """Ask for an access token: whoever gets one is known."""
        return self._google.request(attempt.at)

    def told(self, response: Response) -> str:
        """See ``HasBalance.told``."""
        self._google.token(response)
        return f"Google knows the service account of project {self._project}"

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``.

        Raises:
            NotSent: the address is no registration token.
        """
        [message] = batch
        if not _REGISTRATION.fullmatch(message.to):
            raise NotSent("not a registration token of an app")
        return Request(
            url=self._url,
            headers={
                "Authorization": f"Bearer {attempt.ready[_TOKEN]}",
                "Content-Type": "application/json",
            },
            content=json.dumps(
                {"message": self._written(message, attempt.at)},
                ensure_ascii=False,
                separators=(",", ":"),
            ).encode(),
        )

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``."""
        [message] = batch
        if 200 <= response.status < 300:
            name = fields(response).get("name")
            if not isinstance(name, str):
                raise Unreadable("FCM names no message")
            return [Receipt(message.id, State.SENT, provider_id=name)]
        if not 400 <= response.status < 500 or response.status == _TIMED_OUT:
            raise Unreadable(f"HTTP {response.status}")
        code, text = _error(response)
        said = detail(text, message.to)
        if code not in CODES and response.status in STOPPING:
            raise AccountError(f"FCM refuses the service account: {code}: {said or ''}".strip(": "))
        state, suppress = CODES.get(code, (State.REJECTED, None))
        if code == "INVALID_ARGUMENT" and BAD_TOKEN in text:
            suppress = "dead"
        return [Receipt(message.id, state, code=code, detail=said, suppress=suppress)]

    def _written(self, message: Outgoing, at: datetime) -> dict[str, Any]:
        url, image, label = message.extras.get("url"), image_url(message), message.campaign
        group = replaces(message)
        until = at + timedelta(seconds=self._ttl)
        entry: dict[str, Any] = {
            "token": message.to,
            "notification": _given(title=message.subject, body=message.text, image=image),
            "data": _given(campaign=message.campaign, url=url),
            "android": {"collapse_key": group, "priority": "normal", "ttl": f"{self._ttl}s"},
            "apns": {
                "headers": {
                    "apns-priority": "5",
                    "apns-collapse-id": group,
                    "apns-expiration": str(int(until.timestamp())),
                }
            },
            "webpush": {"headers": {"TTL": str(self._ttl), "Urgency": "normal", "Topic": group}},
        }
        if url is not None and url.startswith("https://"):
            entry["webpush"]["fcm_options"] = {"link": url}
        if _LABEL.fullmatch(label):
            entry["fcm_options"] = {"analytics_label": label}
        return entry


def _error(response: Response) -> tuple[str, str]:
    """Return code and words of a refusal."""
    try:
        error = fields(response).get("error")
    except Unreadable:
        error = None
    if not isinstance(error, dict):
        return f"HTTP {response.status}", ""
    found = error.get("details")
    parts = [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []
    codes = [part["errorCode"] for part in parts if isinstance(part.get("errorCode"), str)]
    code = codes[0] if codes else error.get("status")
    return str(code or f"HTTP {response.status}"), str(error.get("message") or "")


def _given(**values: str | None) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}
