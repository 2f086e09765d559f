"""What Twilio answers, read into receipts.

Sources: https://www.twilio.com/docs/api/errors and, for the states of a message,
https://www.twilio.com/docs/messaging/api/message-resource.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from remindctl.channels.http import AccountError, Unreadable
from remindctl.channels.provider import Receipt
from remindctl.channels.reading import additions, detail, fields
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Question, Response
    from remindctl.channels.provider import Outgoing

# A message is created while its request runs; the two clocks may differ.
BEFORE, AFTER = timedelta(seconds=10), timedelta(minutes=2)


class Means(NamedTuple):
    """What an error code says of one message."""

    state: State
    detail: str
    suppress: str | None = None


# Of one message. Those from 30001 on come later, in the message itself.
ERRORS: Mapping[int, Means] = {
    21211: Means(State.REJECTED, "not a valid number", "dead"),
    21408: Means(State.REJECTED, "the account has not enabled texts to this country"),
    21608: Means(State.FAILED, "a trial account writes to verified numbers only"),
    21610: Means(State.REJECTED, "the recipient replied STOP to this sender", "refused"),
    21611: Means(State.FAILED, "the queue of the sender is full"),
    21612: Means(State.REJECTED, "no way from this sender to this number"),
    21614: Means(State.REJECTED, "not a mobile number", "dead"),
    21617: Means(State.REJECTED, "longer than 1,600 characters"),
    21635: Means(State.REJECTED, "a landline", "dead"),
    30001: Means(State.FAILED, "the queue overflowed"),
    30002: Means(State.FAILED, "the account was suspended"),
    30003: Means(State.REJECTED, "the handset could not be reached"),
    30005: Means(State.REJECTED, "unknown or inactive number", "dead"),
    30006: Means(State.REJECTED, "a landline, or a carrier that cannot be reached", "dead"),
    30007: Means(State.REJECTED, "filtered by the carrier"),
    30022: Means(State.FAILED, "over the rate of the registered sender (A2P 10DLC)"),
}

# Of every message: the sender, the key or the account.
ACCOUNT_ERRORS: Mapping[int, str] = {
    10001: "the account is not active",
    20003: "the account or its key was not accepted",
    20005: "the account is not active",
    20404: "there is no such account",
    21212: "`from` is not a valid number",
    21606: "`from` cannot send texts",
    21659: "`from` is no number of Twilio, or a short code of another country",
    21660: "`from` belongs to another account",
    21661: "`from` cannot send texts",
    21701: "there is no such messaging service",
    21705: "there is no such messaging service",
    63038: "the account has sent all that it may in 24 hours",
    90010: "the account is not active",
}
_REFUSING = frozenset({401, 403, 404})

STATUSES: Mapping[str, State] = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), State.SENT),
    **dict.fromkeys(("delivered", "partially_delivered", "read"), State.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), State.UNDELIVERED),
}


def sent(message: Outgoing, response: Response) -> Receipt:
    """Read the answer to a message.

    Raises:
        AccountError: the account was refused, not the message.
        Unreadable: nothing can be told from it.
    """
    if 200 <= response.status < 300:
        return _accepted(message.id, fields(response))
    code, said = _refusal(response)
    if code is None:
        raise Unreadable(f"HTTP {response.status} without a code")
    means = ERRORS.get(code) or Means(
        State.REJECTED, detail(said, message.to, message.text) or "refused"
    )
    return Receipt(message.id, means.state, None, str(code), means.detail, means.suppress)


def found(question: Question, response: Response) -> Sequence[Receipt]:
    """Read a message or a list of messages; see ``LooksUp.found``."""
    if response.status == 404 and question.provider_id is not None:
        return []
    if not 200 <= response.status < 300:
        code, _ = _refusal(response)
        raise Unreadable(f"HTTP {response.status}, code {code}")
    said = fields(response)
    if question.provider_id is not None:
        return [_result(question.id, said)]
    listed = said.get("messages")
    if not isinstance(listed, list):
        raise Unreadable("not a list of messages")
    candidates = [one for one in listed if _may_be(question, one)]
    if len(candidates) != 1 or said.get("next_page_uri"):
        return []
    return [_result(question.id, candidates[0])]


def balance(response: Response) -> str:
    """Read the balance; see ``HasBalance.told``."""
    if not 200 <= response.status < 300:
        code, _ = _refusal(response)
        raise Unreadable(f"HTTP {response.status}, code {code}")
    said = fields(response)
    if (given := said.get("balance")) is None:
        return "the account answers; its balance is that of its parent"
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Unreadable("the balance is no number")
    line = f"balance {amount} {detail(said.get('currency')) or ''}".rstrip()
    if amount <= 0:
        raise AccountError(f"{line}: add funds")
    return line


def _refusal(response: Response) -> tuple[int | None, str]:
    """Read an error: its code, and what Twilio says.

    Raises:
        AccountError: it concerns every message.
    """
    said = additions(response)
    given = said.get("code")
    code = given if isinstance(given, int) else None
    if code is not None and code in ACCOUNT_ERRORS:
        raise AccountError(f"{ACCOUNT_ERRORS[code]} (Twilio {code})")
    if response.status in _REFUSING and code not in ERRORS:
        raise AccountError(f"Twilio refuses the account: HTTP {response.status}, code {code}")
    return code, str(said.get("message", ""))


def _accepted(message_id: str, said: Mapping[str, Any]) -> Receipt:
    """Read the message that Twilio has made, which may have failed at once."""
    receipt = _result(message_id, said)
    if receipt.state is not State.UNDELIVERED:
        return replace(receipt, state=State.SENT)
    means = ERRORS.get(int(receipt.code)) if receipt.code else None
    return replace(receipt, state=means.state if means else State.REJECTED)


def _result(message_id: str, said: Mapping[str, Any]) -> Receipt:
    """Read how a message stands.

    Raises:
        Unreadable: it has no id, or a status that is not known.
    """
    sid, state = said.get("sid"), STATUSES.get(str(said.get("status")))
    code = said.get("error_code")
    if not isinstance(sid, str) or state is None or not isinstance(code, int | None):
        raise Unreadable("not a message as Twilio describes it")
    if state is not State.UNDELIVERED:
        return Receipt(message_id, state, sid)
    means = ERRORS.get(code) if code is not None else None
    return Receipt(
        message_id,
        state,
        sid,
        None if code is None else str(code),
        means.detail if means else detail(said.get("error_message") or said["status"]),
        means.suppress if means else None,
    )


def _may_be(question: Question, said: object) -> bool:
    if not isinstance(said, dict) or said.get("to") != question.to:
        return False
    if not str(said.get("direction")).startswith("outbound"):
        return False
    try:
        created = parsedate_to_datetime(str(said.get("date_created")))
    except ValueError:
        return False
    return created.tzinfo is not None and -BEFORE <= created - question.at <= AFTER
