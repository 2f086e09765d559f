"""What NHN Cloud's lists say of messages that were handed in before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remindctl.channels.http import Unreadable
from remindctl.channels.nhn.codes import NO_SUCH_MESSAGES, ON_DELIVERY
from remindctl.channels.nhn.header import code_of, entries, nested, provider_id, read, sentence
from remindctl.channels.nhn.messages import grouping_key
from remindctl.channels.provider import Receipt
from remindctl.channels.reading import detail
from remindctl.channels.verdicts import SUPPRESS, Verdict
from remindctl.model import FAMILY, Channel, Family, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Question, Response

_ARRIVED = "1000"
# Requested (1) or under way (2) are the others.
_TEXT_LOST = frozenset({"0", "4", "5"})
_TEXT_DONE = "3"
_KAKAO_LOST = frozenset({"FAILED", "CANCEL"})
_KAKAO_DONE = "COMPLETED"
# How far the text message is that is sent in place of one by Kakao.
_FOLLOWED_BY_TEXT = frozenset({"RSC02", "RSC03"})
_TEXT_ARRIVED = "RSC04"
_ON_ANOTHER_PAGE = "NHN Cloud's list is longer than one page"
# A message that was refused at first and repeated is listed twice.
_RANK = {State.DELIVERED: 3, State.SENT: 2, State.UNDELIVERED: 1}


def listed(questions: Sequence[Question], response: Response) -> list[Receipt]:
    """Read a list of messages; one that would stand on another page of it stays unknown.

    Raises:
        AccountError: the account may not ask.
        Unreadable: it is no list.
    """
    family = FAMILY[Channel(questions[0].channel)]
    answer = read(family, response)
    if answer.code == NO_SUCH_MESSAGES:
        return []
    if not answer.good:
        raise Unreadable(sentence("NHN Cloud lists nothing", answer))
    if family is Family.TEXT:
        page, key, result = nested(answer.fields, "body"), "data", _text_result
    else:
        page = nested(answer.fields, "messageSearchResultResponse")
        key, result = "messages", _kakao_result
    if not isinstance(page.get(key), list) or not isinstance(page.get("totalCount"), int):
        raise Unreadable("an answer of NHN Cloud without a list")
    messages = entries(page[key])
    seen: dict[str, list[Receipt]] = {}
    for message in messages:
        seen.setdefault(str(message.get("recipientGroupingKey")), []).append(result(message))
    receipts = []
    for question in questions:
        if mine := seen.get(grouping_key(question.id)):
            best = max(mine, key=lambda receipt: _RANK[receipt.state])
            receipts.append(replace(best, id=question.id))
        elif page["totalCount"] > len(messages):
            receipts.append(Receipt(question.id, State.UNKNOWN, detail=_ON_ANOTHER_PAGE))
    return receipts


def _text_result(message: Mapping[str, Any]) -> Receipt:
    status, code = str(message.get("msgStatus")), code_of(message)
    lost = status in _TEXT_LOST or (status == _TEXT_DONE and code not in {None, _ARRIVED})
    if lost:
        return _receipt(Family.TEXT, message, State.UNDELIVERED)
    arrived = status == _TEXT_DONE
    return _receipt(Family.TEXT, message, State.DELIVERED if arrived else State.SENT)


def _kakao_result(message: Mapping[str, Any]) -> Receipt:
    status, code = message.get("messageStatus"), code_of(message)
    # Alimtalk and Brand Message name it differently.
    text = message.get("resendStatus") or message.get("resendStatusCode")
    state = State.SENT
    if text == _TEXT_ARRIVED or (status == _KAKAO_DONE and code in {None, _ARRIVED}):
        state = State.DELIVERED
    elif status in {_KAKAO_DONE, *_KAKAO_LOST} and text not in _FOLLOWED_BY_TEXT:
        unclear = ON_DELIVERY[Family.KAKAO].get(code or "") is Verdict.UNCLEAR
        state = State.SENT if unclear else State.UNDELIVERED
    return _receipt(Family.KAKAO, message, state)


def _receipt(family: Family, message: Mapping[str, Any], state: State) -> Receipt:
    """Write the receipt of a message whose name is not read yet."""
    code = code_of(message)
    verdict = ON_DELIVERY[family].get(code or "") if state is State.UNDELIVERED else None
    return Receipt(
        "",
        state,
        provider_id(message.get("requestId"), message.get("recipientSeq")),
        code,
        detail(message.get("resultCodeName")),
        None if verdict is None else SUPPRESS.get(verdict),
    )
