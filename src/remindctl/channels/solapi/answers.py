"""What SOLAPI answers, read into receipts.

An answer of 200 may refuse any of its messages, and does not have to name those that it took.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remindctl.channels.http import AccountError, Unreadable
from remindctl.channels.phones import split
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.reading import detail, fields
from remindctl.channels.solapi.codes import CODES, on_look_up
from remindctl.channels.solapi.messages import ID_FIELD
from remindctl.channels.verdicts import ON_SENDING, SUPPRESS, Verdict
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Question, Response
    from remindctl.channels.provider import Outgoing

_ACCOUNT_STATUSES = frozenset({401, 402, 403})
_REQUEST_TIMEOUT = 408
# What a refused request held, as its refusal quotes it.
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
# The same signature twice: the first request with it may have arrived.
_ARRIVED_BEFORE = "DuplicatedSignature"
# A message that was refused at first and repeated is listed twice.
_RANK = {State.DELIVERED: 3, State.SENT: 2, State.UNDELIVERED: 1}


def sent(batch: Sequence[Outgoing], response: Response) -> list[Receipt]:
    """Read the answer to a batch.

    Raises:
        AccountError: nothing was taken, for a reason that the next batch would share.
        Unreadable: nothing can be told from it.
    """
    if not _is_good(response):
        code, said = _refusal(response)
        return [Receipt(one.id, State.FAILED, code=code, detail=said) for one in batch]
    answer = fields(response)
    failed = _entries(answer, "failedMessageList")
    refused = _refused(batch, failed)
    named = {
        name: _receipt(name, entry, Verdict.UNCLEAR if "statusCode" in entry else Verdict.WAITING)
        for entry in _entries(answer, "messageList")
        if (name := _name(entry)) is not None
    } | refused
    counted = len(refused) == len(failed) and _count(answer) == (len(batch), len(failed))
    rest = State.SENT if counted else State.UNKNOWN
    found = [named.get(one.id) or Receipt(one.id, rest) for one in batch]
    _stop_where_the_account_is_at_fault(found)
    return found


def listed(questions: Sequence[Question], response: Response, limit: int) -> list[Receipt]:
    """Read a list of messages; ``limit`` entries are asked for."""
    if not _is_good(response):
        raise Unreadable(_sentence("SOLAPI lists nothing", *_refusal(response)))
    answer = fields(response)
    entries = _entries(answer, "messageList")
    goes_on = bool(answer.get("nextKey")) or len(entries) >= limit
    seen: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        for name in (_name(entry), entry.get("messageId")):
            if isinstance(name, str):
                seen.setdefault(name, []).append(entry)
    found = []
    for question in questions:
        mine = seen.get(question.id) or seen.get(question.provider_id or "")
        if mine:
            results = [_result(question.id, entry) for entry in mine]
            found.append(max(results, key=lambda result: _RANK.get(result.state, 0)))
        elif goes_on:
            why = "SOLAPI's list is longer than one page"
            found.append(Receipt(question.id, State.UNKNOWN, detail=why))
    return found


def balance(response: Response) -> str:
    """Read how much there is left to send with."""
    if not _is_good(response):
        raise Unreadable(_sentence("SOLAPI tells no balance", *_refusal(response)))
    answer = fields(response)
    try:
        won, points = (float(answer.get(key) or 0) for key in ("balance", "point"))
    except (TypeError, ValueError):
        raise Unreadable("SOLAPI's balance is no number") from None
    said = f"balance ₩{won:,.0f}, {points:,.0f} points"
    if won + points <= 0:
        raise AccountError(f"{said}: nothing can be sent")
    return said


def uploaded(response: Response) -> str:
    """Read the id of an uploaded file.

    Raises:
        AccountError: the account is at fault.
        NotSent: the file was not taken.
    """
    what = "SOLAPI took no image"
    try:
        given = fields(response).get("fileId") if _is_good(response) else None
        refusal = () if _is_good(response) else _refusal(response)
    except Unreadable as error:
        raise NotSent(_sentence(what, str(error))) from None
    if isinstance(given, str):
        return given
    raise NotSent(_sentence(what, *refusal))


def _is_good(response: Response) -> bool:
    return 200 <= response.status < 300


def _refusal(response: Response) -> tuple[str, str | None]:
    """Return code and words of a request that was refused whole.

    Raises:
        AccountError: the account, its key or its balance is at fault.
        Unreadable: the request may have been taken.
    """
    if not 400 <= response.status < 500 or response.status == _REQUEST_TIMEOUT:
        raise Unreadable(f"HTTP {response.status}")
    try:
        answer = fields(response)
    except Unreadable:
        # A proxy's page; the status says enough.
        answer = {}
    code = str(answer.get("errorCode") or f"HTTP {response.status}")
    said = detail(_QUOTED.sub("…", str(answer.get("errorMessage") or "")))
    if code == _ARRIVED_BEFORE:
        raise Unreadable(code)
    if response.status in _ACCOUNT_STATUSES:
        raise AccountError(_sentence("SOLAPI refused the account", code, said))
    return code, said


def _refused(batch: Sequence[Outgoing], failed: Sequence[Mapping[str, Any]]) -> dict[str, Receipt]:
    """Return the receipts of what was not taken, by our ids.

    An entry without our id is known by its number, if one message only went there.
    """
    of_number: dict[str, list[str]] = {}
    if any(_name(entry) is None for entry in failed):
        for message in batch:
            of_number.setdefault(split(message.to)[1], []).append(message.id)
    found = {}
    for entry in failed:
        alike = of_number.get(str(entry.get("to")), [])
        name = _name(entry) or (alike[0] if len(alike) == 1 else None)
        if name is not None:
            found[name] = _receipt(name, entry, Verdict.REFUSED)
    return found


def _stop_where_the_account_is_at_fault(receipts: Sequence[Receipt]) -> None:
    if any(receipt.state in {State.SENT, State.UNKNOWN} for receipt in receipts):
        return
    for receipt in receipts:
        if CODES.get(receipt.code or "") is Verdict.ACCOUNT:
            raise AccountError(_sentence("SOLAPI took nothing", receipt.code, receipt.detail))


def _receipt(name: str, entry: Mapping[str, Any], otherwise: Verdict) -> Receipt:
    verdict = CODES.get(str(entry.get("statusCode")), otherwise)
    return _written(name, entry, verdict, ON_SENDING[verdict])


def _result(name: str, entry: Mapping[str, Any]) -> Receipt:
    replaced = bool(entry.get("replacement"))
    verdict, state = on_look_up(str(entry.get("statusCode")), replaced=replaced)
    return _written(name, entry, verdict, state)


def _written(name: str, entry: Mapping[str, Any], verdict: Verdict, state: State) -> Receipt:
    given, code = entry.get("messageId"), entry.get("statusCode")
    well = state in {State.SENT, State.DELIVERED}
    return Receipt(
        name,
        state,
        provider_id=given if isinstance(given, str) else None,
        code=None if code is None else str(code),
        detail=None if well else detail(entry.get("statusMessage") or entry.get("reason")),
        suppress=SUPPRESS.get(verdict),
    )


def _entries(answer: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the entries of a list, which some answers write as an object keyed by id."""
    found = answer.get(key) or []
    entries = list(found.values()) if isinstance(found, dict) else found
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Unreadable(f"{key} is no list of messages")
    return entries


def _name(entry: Mapping[str, Any]) -> str | None:
    own = entry.get("customFields")
    name = own.get(ID_FIELD) if isinstance(own, dict) else None
    return name if isinstance(name, str) else None


def _count(answer: Mapping[str, Any]) -> tuple[object, object]:
    """Return how many messages SOLAPI counted, and how many of them it refused."""
    group = answer.get("groupInfo")
    count = group.get("count") if isinstance(group, dict) else None
    if not isinstance(count, dict):
        return None, None
    return count.get("total"), count.get("registeredFailed")


def _sentence(what: str, *more: str | None) -> str:
    return ": ".join(filter(None, (what, *more)))
