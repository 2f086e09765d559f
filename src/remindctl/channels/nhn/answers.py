"""What NHN Cloud says when it is given something: messages, an image, a question for the account.

A request that was taken may still refuse recipients. The answers about text messages and Alimtalk
repeat our key; a Brand Message is known by its number, where that stands once in its request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remindctl.channels.http import AccountError, Unreadable
from remindctl.channels.nhn.codes import on_sending
from remindctl.channels.nhn.header import code_of, entries, nested, provider_id, read, sentence
from remindctl.channels.nhn.messages import grouping_key, recipient_number
from remindctl.channels.phones import digits_of
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.reading import detail
from remindctl.channels.verdicts import ON_SENDING, SUPPRESS, Verdict
from remindctl.model import FAMILY, Family, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Response
    from remindctl.channels.nhn.header import Answer
    from remindctl.channels.provider import Outgoing

_REQUEST_FAILED = "3"


def sent(batch: Sequence[Outgoing], response: Response) -> list[Receipt]:
    """Read the answer to a batch.

    Raises:
        AccountError: nothing was taken, for a reason that the next batch would share.
        Unreadable: nothing can be told from it.
    """
    family = FAMILY[batch[0].channel]
    answer = read(family, response)
    if family is Family.TEXT:
        data = nested(answer.fields, "body", "data")
        results = entries(data.get("sendResultList"))
    else:
        data = nested(answer.fields, "message")
        results = entries(data.get("sendResults"))
    if not results:
        return _without_results(family, batch, answer)
    taken = answer.good and str(data.get("statusCode")) != _REQUEST_FAILED
    result_of = _by_message(batch, results)
    receipts = [
        _receipt(family, message, result_of.get(message.id), data.get("requestId"), taken=taken)
        for message in batch
    ]
    if all(receipt.state not in {State.SENT, State.UNKNOWN} for receipt in receipts):
        for receipt in receipts:
            if receipt.code and on_sending(family, receipt.code) is Verdict.ACCOUNT:
                words = filter(None, ("NHN Cloud took nothing", receipt.code, receipt.detail))
                raise AccountError(": ".join(words))
    return receipts


def uploaded(family: Family, response: Response) -> str:
    """Read the id (text messages) or the address (Kakao) of an uploaded image.

    Raises:
        AccountError: the account may not upload.
        NotSent: the image was not taken.
    """
    try:
        answer = read(family, response)
    except Unreadable as error:
        raise NotSent(f"the upload of an image failed: {error}") from None
    if family is Family.TEXT:
        value = nested(answer.fields, "body", "data").get("fileId")
    else:
        value = nested(answer.fields, "image").get("imageUrl")
    if not answer.good or value is None:
        raise NotSent(sentence("NHN Cloud did not take an image", answer))
    return str(value)


def sender_stands(sender: str, response: Response) -> str:
    """Say how a number for sending stands.

    Raises:
        AccountError: it is not registered, or blocked.
        Unreadable: it is not told.
    """
    page = nested(_told(Family.TEXT, response).fields, "body")
    mine = [one for one in entries(page.get("data")) if digits_of(str(one.get("sendNo"))) == sender]
    if not any(one.get("useYn") != "N" for one in mine):
        raise AccountError("the sender is not registered: nothing can be sent")
    if any(one.get("blockYn") == "Y" for one in mine):
        raise AccountError("the sender is blocked: nothing can be sent")
    return "the sender is registered"


def profile_stands(response: Response) -> str:
    """Say how a Kakao channel stands.

    Raises:
        AccountError: it cannot send.
        Unreadable: it is not told.
    """
    profile = nested(_told(Family.KAKAO, response).fields, "sender")
    if "status" not in profile:
        raise Unreadable("an answer of NHN Cloud without a profile")
    active = {"status": "YSC03", "kakaoStatus": "A", "kakaoProfileStatus": "A"}
    if not active.items() <= profile.items() or profile.get("block") or profile.get("dormant"):
        raise AccountError("the Kakao channel is not active: nothing can be sent")
    return "the Kakao channel is active"


def _told(family: Family, response: Response) -> Answer:
    answer = read(family, response)
    if not answer.good:
        raise Unreadable(sentence("NHN Cloud did not answer", answer))
    return answer


def _without_results(family: Family, batch: Sequence[Outgoing], answer: Answer) -> list[Receipt]:
    """Read an answer that names no recipient; it does not say which of several is at fault."""
    if answer.good:
        raise Unreadable("an answer of NHN Cloud without recipients")
    verdict = on_sending(family, answer.code)
    if len(batch) > 1 and verdict is not Verdict.UNCLEAR:
        verdict = Verdict.LATER
    return [
        Receipt(one.id, ON_SENDING[verdict], None, answer.code, answer.said, SUPPRESS.get(verdict))
        for one in batch
    ]


def _by_message(
    batch: Sequence[Outgoing], results: Sequence[Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    of_key = {grouping_key(message.id): message.id for message in batch}
    of_number: dict[str, list[str]] = {}
    for message in batch:
        of_number.setdefault(recipient_number(message.to), []).append(message.id)
    found = {}
    for result in results:
        name = of_key.get(str(result.get("recipientGroupingKey")))
        if name is None:
            names = of_number.get(digits_of(str(result.get("recipientNo"))), [])
            name = names[0] if len(names) == 1 else None
        if name is not None:
            found[name] = result
    return found


def _receipt(
    family: Family,
    message: Outgoing,
    result: Mapping[str, Any] | None,
    request: object,
    *,
    taken: bool,
) -> Receipt:
    code = None if result is None else code_of(result)
    if result is None or code is None:
        return Receipt(message.id, State.UNKNOWN, detail="NHN Cloud did not say what became of it")
    verdict = on_sending(family, code)
    if verdict is Verdict.WAITING and not taken:
        verdict = Verdict.UNCLEAR
    return Receipt(
        message.id,
        ON_SENDING[verdict],
        provider_id(request, result.get("recipientSeq")),
        code,
        detail(result.get("resultMessage")),
        SUPPRESS.get(verdict),
    )
