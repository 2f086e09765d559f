"""What Aligo answers, read into receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remindctl.channels.http import AccountError, Unreadable
from remindctl.channels.phones import digits_of, split
from remindctl.channels.provider import Receipt
from remindctl.channels.reading import detail
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Question, Response

# A wrong key or an address (IP) that is not on the account's list.
ACCOUNT_CODES = frozenset({-101, -99})
# Words in what Aligo says of one message. The lists of its states are not published, so whatever
# has neither counts as on its way.
_ARRIVED = ("성공", "수신완료")
_LOST = ("실패", "불가")
_REQUEST_TIMEOUT = 408


def sent(size: int, response: Response) -> Receipt:
    """Read the one answer that all ``size`` messages of a request get; its id is empty.

    Raises:
        AccountError: the account is refused.
        Unreadable: nothing can be told from it.
    """
    answer, code = _read(response)
    if not _is_good(answer, code):
        said = detail(answer.get("message"))
        return Receipt("", State.FAILED, code=str(code), detail=said)
    info = answer.get("info")
    counts = info if isinstance(info, dict) else answer
    mid = counts.get("mid") or counts.get("msg_id")
    given = None if mid is None else str(mid)
    done, refused = (
        _number(counts.get(one, counts.get(other)))
        for one, other in (("success_cnt", "scnt"), ("error_cnt", "fcnt"))
    )
    if (done, refused) == (0, size):
        return Receipt("", State.FAILED, given, str(code), "Aligo took none of the request")
    if refused:
        why = f"Aligo refused {refused} of {size} and does not say which"
        return Receipt("", State.UNKNOWN, given, str(code), why)
    return Receipt("", State.SENT, given, str(code))


def listed(questions: Sequence[Question], response: Response) -> list[Receipt]:
    """Read the messages that went with the first question's request."""
    answer = _good(response)
    entries = answer.get("list") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Unreadable("Aligo's list is none")
    by_number: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        number = digits_of(str(entry.get("receiver") or entry.get("phone") or ""))
        by_number.setdefault(number, []).append(entry)
    mid, found = questions[0].provider_id, []
    for question in questions:
        mine = by_number.get(split(question.to)[1], []) if question.to else []
        if question.provider_id == mid and len(mine) == 1:
            found.append(_result(question, mine[0]))
    return found


def left(response: Response) -> str:
    """Read how many messages of each kind can still be sent."""
    answer = _good(response)
    counts = {kind: _number(answer.get(f"{kind}_CNT")) for kind in ("SMS", "LMS", "MMS")}
    said = ", ".join(f"{count or 0:,} {kind}" for kind, count in counts.items())
    if not any(counts.values()):
        raise AccountError(f"{said} left: nothing can be sent")
    return f"{said} left"


def _read(response: Response) -> tuple[Mapping[str, Any], int]:
    """Return an answer and its code, which is a text as often as a number.

    Raises:
        AccountError: the account is refused.
        Unreadable: it has none.
    """
    if response.status in {401, 403}:
        raise AccountError(f"Aligo refused the account: HTTP {response.status}")
    if 400 <= response.status < 500 and response.status != _REQUEST_TIMEOUT:
        return {}, response.status
    answer = response.json() if 200 <= response.status < 300 else None
    if not isinstance(answer, dict):
        raise Unreadable(f"HTTP {response.status} without an answer of Aligo")
    code = _number(answer.get("result_code", answer.get("code")))
    if code is None:
        raise Unreadable("an answer of Aligo without a code")
    if code in ACCOUNT_CODES:
        said = detail(answer.get("message")) or "no reason given"
        raise AccountError(f"Aligo refused the account: {code}: {said}")
    return answer, code


def _is_good(answer: Mapping[str, Any], code: int) -> bool:
    """Say whether it was taken: 1 for text messages, 0 for Kakao.

    Raises:
        Unreadable: a text message's code is neither that nor negative.
    """
    if "result_code" in answer and code != 1 and code >= 0:
        raise Unreadable(f"Aligo answered {code}")
    return code == (1 if "result_code" in answer else 0)


def _good(response: Response) -> Mapping[str, Any]:
    answer, code = _read(response)
    if not _is_good(answer, code):
        raise Unreadable(f"Aligo answered {code}")
    return answer


def _number(given: object) -> int | None:
    try:
        return int(str(given))
    except ValueError:
        return None


def _result(question: Question, entry: Mapping[str, Any]) -> Receipt:
    words = (entry.get(key) for key in ("sms_state", "status", "rslt_message"))
    said = detail(" ".join(str(word) for word in words if word))
    state = State.SENT
    # With `smid` a text message went out in its place.
    if any(word in (said or "") for word in _LOST) and not _number(entry.get("smid")):
        state = State.UNDELIVERED
    elif any(word in (said or "") for word in _ARRIVED):
        state = State.DELIVERED
    code = entry.get("rslt")
    return Receipt(
        question.id, state, question.provider_id, None if code is None else str(code), said
    )
