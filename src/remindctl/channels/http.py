"""Providers that are reached over HTTP, without any IO of their own.

A provider builds a request for a batch and reads the answer into one receipt per message.
``courier`` sends, waits, repeats and gives up for all of them, by the facts that each declares.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from remindctl.channels.provider import NotSent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from remindctl.channels.provider import Outgoing, Receipt


class AccountError(NotSent):
    """Nothing of the batch was sent, and nothing will be: no balance, a wrong key, no sender."""


class Unreadable(Exception):  # noqa: N818 (it names the answer)
    """The answer is none that the provider is known to give: the batch may have been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a provider promises, and what it takes.

    Attributes:
        batch_size: messages in one request.
        concurrency: requests at the same time; the configuration may say less or more.
        rate: requests a second at most; None = as many as go.
        timeout: how long to wait for an answer.
        repeat_safe_for: how long after the first attempt a repeated key is not sent twice; None =
            never.
        not_accepted: statuses that surely mean that nothing was accepted.
    """

    batch_size: int = 1
    concurrency: int = 10
    rate: float | None = None
    timeout: timedelta = timedelta(seconds=30)
    repeat_safe_for: timedelta | None = None
    not_accepted: frozenset[int] = frozenset({429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a request.

    Attributes:
        at: its instant.
        nonce: 32 hexadecimal digits that no other attempt has.
        ready: what :class:`Prepares` asked for, by key.
    """

    at: datetime
    nonce: str
    ready: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request; ``url`` is absolute."""

    method: str = "POST"
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    def json(self) -> Any:
        """Read the body.

        Raises:
            Unreadable: it is no JSON.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise Unreadable(f"HTTP {self.status} without JSON") from None


@runtime_checkable
class HttpProvider(Protocol):
    """A provider as data in, data out."""

    @property
    def facts(self) -> Facts:
        """What it promises."""

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """Build the request of a batch, anew for each attempt.

        Raises:
            NotSent: it cannot be built of these messages.
        """

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """Read an answer that says what became of the batch: any 2xx, and 4xx but ``not_accepted``.

        Raises:
            AccountError: the whole batch was refused, and every other would be.
            Unreadable: nothing can be told from it.
        """


@runtime_checkable
class Groups(Protocol):
    """A provider with several kinds of request."""

    def group(self, message: Outgoing) -> str:
        """Name the kind that a message needs; a batch holds one."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Something that a batch needs first: an uploaded image, a token.

    Attributes:
        key: under which ``Attempt.ready`` has it.
        request: that gets it.
    """

    key: str
    request: Request


@runtime_checkable
class Prepares(Protocol):
    """A provider that must ask for something before it can send."""

    def needs(self, batch: Sequence[Outgoing], attempt: Attempt) -> Sequence[Preparation]:
        """Return what the batch needs."""

    def prepared(self, key: str, response: Response) -> tuple[str, timedelta | None]:
        """Read the answer: the value, and for how long it may be used (None = the whole run).

        Raises:
            AccountError: it was refused for good.
            NotSent: it was refused for these messages.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A message whose fate is asked for.

    Attributes:
        id: of the message, as it was sent with.
        to: its address, where the shop's files still have it.
        provider_id: the provider's own name of it, if it gave one.
        at: when it was tried last.
    """

    id: str
    channel: str
    to: str | None
    provider_id: str | None
    at: datetime


@runtime_checkable
class LooksUp(Protocol):
    """A provider that can be asked later what became of messages.

    Attributes:
        exact: whether a look-up matches on our own id, so that finding nothing means not sent.
        look_up_size: questions in one request.
    """

    @property
    def exact(self) -> bool:
        """See the class."""

    @property
    def look_up_size(self) -> int:
        """See the class."""

    def look_up(self, questions: Sequence[Question], attempt: Attempt) -> Request:
        """Build the request that asks for them."""

    def found(self, questions: Sequence[Question], response: Response) -> Sequence[Receipt]:
        """Read the answer: a receipt for each message that was found; ``sent`` = no result yet."""


@runtime_checkable
class HasBalance(Protocol):
    """A provider that tells whether the account is ready, without sending."""

    def balance(self, attempt: Attempt) -> Request:
        """Build the request."""

    def told(self, response: Response) -> str:
        """Say in one line how the account stands.

        Raises:
            AccountError: it cannot send.
        """
