"""SOLAPI: Korean text messages, Alimtalk and Brand Message, and text messages abroad.

Source: https://docs.solapi.com (messages v4, storage v1, cash v1) and the vendor's own SDKs. It has
no key against repeats, so every message carries our id in ``customFields``, by which the list of
messages tells later what became of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from remindctl.channels.http import Facts, Preparation, Request
from remindctl.channels.phones import KOREA, WRITTEN, dialled, split
from remindctl.channels.provider import NotSent
from remindctl.channels.settings import Settings
from remindctl.channels.solapi import answers
from remindctl.channels.solapi.messages import upload_key, upload_of, written
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.channels.http import Attempt, Question, Response
    from remindctl.channels.provider import Account, Outgoing, Receipt

__all__ = ["Solapi"]

BASE_URL = "https://api.solapi.com"
# SOLAPI refuses a request whose clock is 15 minutes off, so a message that it took was created
# within these of the attempt.
LOOK_UP_WINDOW = timedelta(minutes=20)
LOOK_UP_LIMIT = 500


class Solapi:
    """Sends one request for up to 10,000 messages of all its channels.

    Attributes:
        facts: what it promises.
        exact: a look-up finds a message by our own id.
        falls_back: channels where it sends a text itself when the message does not arrive; its
            wording is ``fallback`` (subject, text) of ``Outgoing.extras``.
        look_up_size: how many questions fit into one look-up.
    """

    facts = Facts(batch_size=10_000, concurrency=2, timeout=timedelta(seconds=60))
    exact = True
    falls_back = frozenset({Channel.ALIMTALK})
    look_up_size = 100

    def __init__(
        self, key: str, secret: str, sender: str, profile: str | None, base_url: str = BASE_URL
    ) -> None:
        self._key = key
        self._secret = secret
        self._sender = sender
        self._profile = profile
        self._base_url = base_url.rstrip("/")

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from api_key, api_secret, sender and, for Kakao, pf_id.

        Raises:
            Refused: a setting is missing or wrong.
        """
        read = Settings(account)
        key = read.token("api_key", "api_key: ${SOLAPI_API_KEY}")
        secret = read.token("api_secret", "api_secret: ${SOLAPI_API_SECRET}")
        sender = read.text("sender", 'sender: "0212345678", registered for sending', WRITTEN)
        profile = read.optional("pf_id", "pf_id: KA01PF…, the id of your Kakao channel", r"[!-~]+")
        base_url = read.web("base_url", f"base_url: {BASE_URL}", BASE_URL)
        read.checked()
        return cls(key, secret, dialled(sender), profile, base_url)

    def needs(self, batch: Sequence[Outgoing], attempt: Attempt) -> Sequence[Preparation]:
        """Return the upload of each image of the batch, once.

        Raises:
            NotSent: an image cannot be read.
        """
        uploads = dict.fromkeys(
            upload for message in batch if (upload := upload_of(message)) is not None
        )
        return [self._upload(kind, path, attempt) for kind, path in uploads]

    def prepared(self, key: str, response: Response) -> tuple[str, timedelta | None]:
        """Read the id of an uploaded image, good for the whole run."""
        del key
        return answers.uploaded(response), None

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``."""
        body = {
            "messages": [
                written(message, self._sender, self._profile, attempt.ready) for message in batch
            ],
            "allowDuplicates": False,
            "showMessageList": True,
        }
        return self._post("/messages/v4/send-many/detail", body, attempt, attempt.nonce)

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``; where the request was refused whole, all have failed."""
        return answers.sent(batch, response)

    def look_up(self, questions: Sequence[Question], attempt: Attempt) -> Request:
        """Ask for messages by SOLAPI's ids or, where one lacks it, by number and time."""
        ids = [question.provider_id for question in questions]
        query: dict[str, str] = {"limit": str(LOOK_UP_LIMIT)}
        if all(ids):
            query |= {f"messageIds[{number}]": str(one) for number, one in enumerate(ids)}
        else:
            times = [question.at for question in questions]
            query["dateType"] = "CREATED"
            query["startDate"] = _utc(min(times) - LOOK_UP_WINDOW)
            query["endDate"] = _utc(max(times) + LOOK_UP_WINDOW)
            numbers = {question.to and split(question.to) for question in questions}
            only = numbers.pop() if len(numbers) == 1 else None
            # How a number abroad is listed is not documented, and what is missed would be repeated.
            if only and only[0] == KOREA:
                query["to"] = only[1]
        return self._get(f"/messages/v4/list?{urlencode(query)}", attempt)

    def found(self, questions: Sequence[Question], response: Response) -> Sequence[Receipt]:
        """Read the list; where it goes on, a message that is not on this page stays unknown.

        Raises:
            AccountError: the account may not ask.
            Unreadable: it is no list.
        """
        return answers.listed(questions, response, LOOK_UP_LIMIT)

    def balance(self, attempt: Attempt) -> Request:
        """See ``HasBalance.balance``."""
        return self._get("/cash/v1/balance", attempt)

    def told(self, response: Response) -> str:
        """Say the balance in won, and the points.

        Raises:
            AccountError: the key is wrong, or there is nothing to send with.
            Unreadable: it is no balance.
        """
        return answers.balance(response)

    def _upload(self, kind: str, path: str, attempt: Attempt) -> Preparation:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise NotSent(f"{path}: cannot be read: {error.strerror}") from None
        key = upload_key(kind, path)
        # One attempt makes several requests, and no two may bear the same signature.
        salt = hashlib.sha256(f"{attempt.nonce}{key}".encode()).hexdigest()[:32]
        body = {"type": kind, "file": base64.b64encode(data).decode("ascii")}
        return Preparation(key, self._post("/storage/v1/files", body, attempt, salt))

    def _post(self, path: str, body: object, attempt: Attempt, salt: str) -> Request:
        return Request(
            url=self._base_url + path,
            headers={**self._signed(attempt.at, salt), "Content-Type": "application/json"},
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def _get(self, path: str, attempt: Attempt) -> Request:
        headers = self._signed(attempt.at, attempt.nonce)
        return Request(method="GET", url=self._base_url + path, headers=headers)

    def _signed(self, at: datetime, salt: str) -> dict[str, str]:
        date = at.isoformat(timespec="seconds")
        signature = hmac.new(self._secret.encode(), (date + salt).encode(), hashlib.sha256)
        return {
            "Authorization": f"HMAC-SHA256 apiKey={self._key}, date={date}, salt={salt},"
            f" signature={signature.hexdigest()}"
        }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
