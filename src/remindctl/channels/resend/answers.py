"""What Resend answers, read into receipts.

Sources: https://resend.com/docs/api-reference/errors and, for batches in which single messages are
refused, https://resend.com/docs/dashboard/emails/batch-validation-modes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

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

SENDING_ONLY = "restricted_api_key"
# Errors by name, where every other message would meet them too.
ACCOUNT_ERRORS: Mapping[str, str] = {
    "missing_api_key": "the API key is not accepted",
    "invalid_api_key": "the API key is not accepted",
    SENDING_ONLY: "the API key is for sending only",
    "not_found": "there is no Resend at base_url",
    "method_not_allowed": "there is no Resend at base_url",
    "daily_quota_exceeded": "the account has sent all that it may in a day",
    "monthly_quota_exceeded": "the account has sent all that it may in a month",
}
# Statuses that say the same, whatever the name.
_REFUSING: Mapping[int, str] = {
    401: "the API key is not accepted",
    403: "the domain of `from` is not verified, or the API key is not accepted",
    404: "there is no Resend at base_url",
    405: "there is no Resend at base_url",
}
# A key that is known: its first request still runs, or had another body.
CONCURRENT = "concurrent_idempotent_requests"
OTHER_BODY = "invalid_idempotent_request"

# What happened to a message last, and what that says of its address.
EVENTS: Mapping[str, tuple[State, str | None]] = {
    **dict.fromkeys(("queued", "scheduled", "sent", "delivery_delayed"), (State.SENT, None)),
    **dict.fromkeys(("delivered", "opened", "clicked"), (State.DELIVERED, None)),
    **dict.fromkeys(("failed", "canceled"), (State.UNDELIVERED, None)),
    "bounced": (State.UNDELIVERED, "dead"),
    "suppressed": (State.UNDELIVERED, "refused"),
    "complained": (State.DELIVERED, "refused"),
}


def sent(batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
    """Read the answer to a batch.

    Where it was refused whole, nothing of it was sent, and nobody knows for whose sake.

    Raises:
        AccountError: the account was refused, not the messages.
        Unreadable: nothing can be told from it.
    """
    if 200 <= response.status < 300:
        said = fields(response)
        if len(batch) > 1:
            return _each(batch, said)
        return [Receipt(batch[0].id, State.SENT, _id(said))]
    name, said_of_it = _refusal(response)
    if name == CONCURRENT:
        raise Unreadable("the first request with this key still runs")
    if name == OTHER_BODY:
        state, why = State.UNKNOWN, "sent before in other words, and maybe accepted then"
    else:
        state = State.REJECTED if len(batch) == 1 else State.FAILED
        private = [part for message in batch for part in (message.to, message.text)]
        why = detail(said_of_it, *private) or "refused"
    return [Receipt(message.id, state, None, name, why) for message in batch]


def found(question: Question, response: Response) -> Sequence[Receipt]:
    """Read a message or a list of messages; see ``LooksUp.found``."""
    if response.status == 404 and question.provider_id is not None:
        return []
    if not 200 <= response.status < 300:
        raise Unreadable(f"HTTP {response.status}: {_refusal(response)[0]}")
    said = fields(response)
    if question.provider_id is not None:
        return [_result(question.id, said)]
    listed = said.get("data")
    if not isinstance(listed, list):
        raise Unreadable("not a list of messages")
    candidates = [mail for mail in listed if _may_be(question, mail)]
    return [_result(question.id, mail) for mail in candidates] if len(candidates) == 1 else []


def verified(domain: str, response: Response) -> str:
    """Read the list of domains; see ``HasBalance.told``."""
    if additions(response).get("name") == SENDING_ONLY:
        return f"the API key only sends, so it cannot be asked whether {domain} is verified"
    if not 200 <= response.status < 300:
        raise Unreadable(f"HTTP {response.status}: {_refusal(response)[0]}")
    listed = fields(response).get("data")
    if not isinstance(listed, list):
        raise Unreadable("not a list of domains")
    entry = {"name": domain, "status": "verified"}
    if not any(isinstance(one, dict) and entry.items() <= one.items() for one in listed):
        raise AccountError(f"{domain} is not verified at Resend")
    return f"{domain} is verified"


def _each(batch: Sequence[Outgoing], said: Mapping[str, Any]) -> list[Receipt]:
    """Read the answer to a batch: ids of the accepted in their order, errors by position.

    Raises:
        Unreadable: they do not add up to the batch.
    """
    accepted, errors = said.get("data"), said.get("errors") or []
    if not isinstance(accepted, list) or not isinstance(errors, list):
        raise Unreadable("not the answer to a batch")
    refused = {
        one["index"]: one.get("message")
        for one in errors
        if isinstance(one, dict) and isinstance(one.get("index"), int)
    }
    places = [place for place in range(len(batch)) if place not in refused]
    if len(places) != len(accepted) or len(places) + len(errors) != len(batch):
        raise Unreadable("not as many answers as messages")
    ids = dict(zip(places, map(_id, accepted), strict=True))
    return [
        Receipt(message.id, State.SENT, ids[place])
        if place in ids
        else Receipt(
            message.id,
            State.REJECTED,
            code="validation_error",
            detail=detail(refused[place], message.to, message.text),
        )
        for place, message in enumerate(batch)
    ]


def _id(said: object) -> str:
    given = said.get("id") if isinstance(said, dict) else None
    if not isinstance(given, str):
        raise Unreadable("a message without an id")
    return given


def _refusal(response: Response) -> tuple[str, str]:
    """Read an error: its name, and what Resend says.

    Raises:
        AccountError: it concerns every message.
        Unreadable: it is no error of Resend.
    """
    said = additions(response)
    name = str(said.get("name", ""))
    if why := ACCOUNT_ERRORS.get(name) or _REFUSING.get(response.status):
        raise AccountError(f"{why} (HTTP {response.status})")
    if not name:
        raise Unreadable(f"HTTP {response.status} without a name")
    return name, str(said.get("message", ""))


def _may_be(question: Question, mail: object) -> bool:
    if not isinstance(mail, dict) or question.to is None or mail.get("to") != [question.to]:
        return False
    try:
        created = datetime.fromisoformat(str(mail.get("created_at")))
    except ValueError:
        return False
    return created.tzinfo is not None and -BEFORE <= created - question.at <= AFTER


def _result(message_id: str, mail: Mapping[str, Any]) -> Receipt:
    event = str(mail.get("last_event"))
    if event not in EVENTS:
        raise Unreadable("a message in a state that is not known")
    state, suppress = EVENTS[event]
    code = None if state is State.SENT else event
    return Receipt(message_id, state, _id(mail), code, None, suppress)
