"""A gateway for text messages: what a package needs to add a provider, and nothing else.

remindctl sends the requests, waits, repeats and gives up; this file knows how one looks and what
an answer means.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from remindctl.channels import (
    AccountError,
    Facts,
    NotSent,
    Receipt,
    Request,
    Settings,
    Unreadable,
)
from remindctl.model import FAMILY, Family, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.channels import Account, Attempt, Outgoing, Response


class Gateway:
    """Sends one text message a request."""

    # The gateway knows a repeated id for a day, so what may have been lost is sent again.
    facts = Facts(concurrency=10, rate=50, repeat_safe_for=timedelta(days=1))

    def __init__(self, key: str, sender: str, base_url: str) -> None:
        self._key, self._sender, self._base_url = key, sender, base_url

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from api_key, sender and base_url; whatever is wrong is told together."""
        read = Settings(account)
        key = read.token("api_key", "api_key: ${GATEWAY_API_KEY}")
        sender = read.text("sender", "sender: +12025550100", r"\+\d{8,15}")
        base_url = read.web("base_url", "base_url: https://…", "https://gateway.example")
        read.checked()
        return cls(key, sender, base_url)

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:  # noqa: ARG002
        """Build the request of one message; ``attempt`` has the time and a nonce, if one signs."""
        [message] = batch
        if FAMILY[message.channel] is not Family.TEXT:
            raise NotSent(f"this gateway sends text messages, not {message.channel}")
        body = {"id": message.id, "from": self._sender, "to": message.to, "text": message.text}
        return Request(
            url=f"{self._base_url}/messages",
            headers={
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
            },
            content=json.dumps(body).encode(),
        )

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """Say what became of the message; 429 and 5xx never come here."""
        [message] = batch
        if response.status in (401, 402, 403):
            raise AccountError(f"the gateway refuses the account (HTTP {response.status})")
        said = response.json()
        if not isinstance(said, dict):
            raise Unreadable(f"HTTP {response.status} without a JSON object")
        if response.status == 200:
            return [Receipt(message.id, State.SENT, provider_id=str(said.get("id")))]
        if response.status == 422:
            code = str(said.get("code"))
            suppress = "refused" if code == "opted_out" else None
            return [Receipt(message.id, State.REJECTED, code=code, suppress=suppress)]
        raise Unreadable(f"HTTP {response.status}")
