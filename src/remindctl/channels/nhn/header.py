"""The frame of every answer of NHN Cloud: did it do what was asked, and what is inside.

An answer of 200 may refuse what was asked, and some errors are said by the status alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remindctl.channels.http import AccountError, Unreadable
from remindctl.channels.nhn.codes import ARRIVED_BEFORE, on_sending
from remindctl.channels.reading import detail
from remindctl.channels.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.channels.http import Response
    from remindctl.model import Family

_ACCOUNT_STATUSES = frozenset({401, 403})
_REQUEST_TIMEOUT = 408


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that can be read.

    Attributes:
        good: NHN Cloud did what was asked, as far as it can be done for all recipients together.
        code: its result code.
        said: the same for a person.
        fields: what is inside.
    """

    good: bool
    code: str
    said: str | None
    fields: Mapping[str, Any]


def read(family: Family, response: Response) -> Answer:
    """Read an answer of the product that carries a family of channels.

    Raises:
        AccountError: the account is at fault.
        Unreadable: it is none, or nobody knows whether the request was carried out.
    """
    refused = 400 <= response.status < 500
    if response.status in _ACCOUNT_STATUSES:
        raise AccountError(f"NHN Cloud refused the account: HTTP {response.status}")
    if response.status == _REQUEST_TIMEOUT or not (refused or 200 <= response.status < 300):
        raise Unreadable(f"HTTP {response.status}")
    try:
        fields = response.json()
    except Unreadable:
        if not refused:
            raise
        fields = None
    header = nested(fields, "header")
    good, code = header.get("isSuccessful"), code_of(header)
    if not isinstance(good, bool) or code is None:
        if refused:
            return Answer(good=False, code=f"HTTP {response.status}", said=None, fields={})
        raise Unreadable("an answer without the header of NHN Cloud")
    answer = Answer(
        good=good and not refused,
        code=code,
        said=detail(header.get("resultMessage")),
        fields=fields,
    )
    verdict = None if answer.good else on_sending(family, code)
    if verdict is Verdict.ACCOUNT:
        raise AccountError(sentence("NHN Cloud refused the account", answer))
    if verdict is Verdict.UNCLEAR and code != ARRIVED_BEFORE:
        raise Unreadable(sentence("NHN Cloud failed", answer))
    return answer


def nested(fields: object, *keys: str) -> Mapping[str, Any]:
    """Return an object within objects; where there is none, an empty one."""
    for key in keys:
        fields = fields.get(key) if isinstance(fields, dict) else None
    return fields if isinstance(fields, dict) else {}


def entries(found: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list; where there is none, nothing."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def code_of(fields: Mapping[str, Any]) -> str | None:
    """Return the result code, which is a number as often as a text."""
    code = fields.get("resultCode")
    return None if code is None else str(code)


def provider_id(request: object, sequence: object) -> str | None:
    """Name one message of a request; ``request_of`` takes the name apart."""
    return None if request is None or sequence is None else f"{request}/{sequence}"


def request_of(provider_id: str) -> str:
    """Return the request that a message went with."""
    return provider_id.partition("/")[0]


def sentence(what: str, answer: Answer) -> str:
    """Say what happened, with NHN Cloud's own reason."""
    return ": ".join(filter(None, (what, answer.code, answer.said)))
