"""Resend: e-mail over HTTP, up to 100 a request.

A batch carries a key made of the ids of its messages. For 24 hours Resend answers a known key as it
did the first time, without sending again, so a batch whose answer was lost may be repeated whole,
but not divided otherwise. A batch is *permissive*: one message that Resend finds invalid does not
hold up the others.

Sources: https://resend.com/docs/api-reference/emails/send-batch-emails,
https://resend.com/docs/api-reference/errors and
https://resend.com/docs/dashboard/emails/idempotency-keys.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from remindctl.channels.http import Facts, Request
from remindctl.channels.provider import NotSent
from remindctl.channels.resend import answers
from remindctl.channels.settings import Settings
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Attempt, Question, Response
    from remindctl.channels.provider import Account, Outgoing, Receipt

__all__ = ["Resend", "key_of"]

BASE_URL = "https://api.resend.com"
PAGE = 100  # the most that a list gives at once
# Due later than this, a message is scheduled there; less is the time that a run takes.
SCHEDULE_AHEAD = timedelta(minutes=5)

_ADDRESS = r"[^\s<>@,;]+@[^\s<>@,;]+"
_MAILBOX = rf"[^<>@\r\n]*<{_ADDRESS}>|{_ADDRESS}"
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Resend:
    """Sends from one address.

    Attributes:
        exact: without Resend's id, a look-up goes by address and time.
        look_up_size: how many questions fit into one look-up.
    """

    facts = Facts(batch_size=100, concurrency=4, rate=5.0, repeat_safe_for=timedelta(hours=24))
    exact = False
    look_up_size = 1

    def __init__(
        self, api_key: str, sender: str, reply_to: str | None = None, base_url: str = BASE_URL
    ) -> None:
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._sender = sender
        self._reply_to = reply_to
        self._base_url = base_url.rstrip("/")

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from api_key, from and, if replies go elsewhere, reply_to.

        Raises:
            Refused: a setting is missing or wrong.
        """
        read = Settings(account)
        key = read.token("api_key", "api_key: ${RESEND_API_KEY}")
        sender = read.text("from", "from: Shop <hello@shop.example>", _MAILBOX)
        reply_to = read.optional("reply_to", "reply_to: hello@shop.example", _MAILBOX)
        base_url = read.web("base_url", f"base_url: {BASE_URL}", BASE_URL)
        read.checked()
        return cls(key, sender, reply_to, base_url)

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``.

        Raises:
            NotSent: a message is no e-mail.
        """
        mails = [self._mail(message, attempt.at) for message in batch]
        headers = self._headers | {
            "Content-Type": "application/json",
            "Idempotency-Key": key_of(batch),
        }
        if len(mails) == 1:
            return self._post("/emails", headers, mails[0])
        return self._post("/emails/batch", headers | {"x-batch-validation": "permissive"}, mails)

    def _post(self, path: str, headers: Mapping[str, str], body: object) -> Request:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Request(url=self._base_url + path, headers=headers, content=content)

    def _mail(self, message: Outgoing, now: datetime) -> dict[str, Any]:
        if message.channel is not Channel.EMAIL:
            raise NotSent(f"Resend sends email, not {message.channel}")
        mail: dict[str, Any] = {
            "from": self._sender,
            "to": [message.to],
            "subject": message.subject or "",
            "text": message.text,
            "tags": [{"name": "campaign", "value": _tag(message.campaign)}],
        }
        if message.html is not None:
            mail["html"] = message.html
        if self._reply_to is not None:
            mail["reply_to"] = self._reply_to
        if headers := _unsubscribe(message.extras.get("unsubscribe")):
            mail["headers"] = headers
        if message.at - now >= SCHEDULE_AHEAD:
            mail["scheduled_at"] = message.at.isoformat()
        return mail

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``."""
        return answers.sent(batch, response)

    def look_up(self, questions: Sequence[Question], attempt: Attempt) -> Request:
        """Ask for one message by Resend's id, or else for the latest of all."""
        del attempt
        [question] = questions
        if question.provider_id is not None:
            return self._get(f"/emails/{quote(question.provider_id, safe='')}")
        return self._get(f"/emails?limit={PAGE}")

    def found(self, questions: Sequence[Question], response: Response) -> Sequence[Receipt]:
        """Read the answer; of several messages to an address at that time, none can be told.

        Raises:
            AccountError: the key may only send.
            Unreadable: it is neither a message nor a list.
        """
        [question] = questions
        return answers.found(question, response)

    def balance(self, attempt: Attempt) -> Request:
        """See ``HasBalance.balance``; Resend has none, but it tells the account's domains."""
        del attempt
        return self._get(f"/domains?limit={PAGE}")

    def told(self, response: Response) -> str:
        """Say whether the sender's domain is verified, if the key may ask.

        Raises:
            AccountError: it is not, or the key is not accepted.
            Unreadable: it is no list of domains.
        """
        domain = parseaddr(self._sender)[1].rpartition("@")[2].lower()
        return answers.verified(domain, response)

    def _get(self, path: str) -> Request:
        return Request(method="GET", url=self._base_url + path, headers=self._headers)


def key_of(batch: Sequence[Outgoing]) -> str:
    """Name a batch: the same for the same messages in the same order, whatever they say."""
    return hashlib.sha256("\n".join(message.id for message in batch).encode()).hexdigest()


def _tag(name: str) -> str:
    return name if _TAG.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:16]


def _unsubscribe(link: str | None) -> dict[str, str]:
    """Write the headers of RFC 2369 and, which RFC 8058 allows for https only, of one click."""
    if not link:
        return {}
    headers = {"List-Unsubscribe": f"<{link}>"}
    if link.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers
