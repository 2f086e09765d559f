"""Aligo: Korean text messages and Alimtalk.

Sources: https://smartsms.aligo.in/admin/api/spec.html and https://smartsms.aligo.in/alimapi.html.
Beside -101 their lists of errors disagree, so an error refuses the request and nothing more is read
into it. There is no key against repeats, and a list names recipients only for a number (``mid``)
that Aligo gave, one for a whole request.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from remindctl.channels.aligo import answers
from remindctl.channels.aligo.forms import form, multipart
from remindctl.channels.http import AccountError, Facts
from remindctl.channels.phones import KOREA, WRITTEN, dialled, split
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.settings import Settings
from remindctl.model import FAMILY, Channel, Family, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Attempt, Question, Request, Response
    from remindctl.channels.provider import Account, Outgoing

__all__ = ["Aligo"]

TEXT_URL = "https://apis.aligo.in"
KAKAO_URL = "https://kakaoapi.aligo.in"

_PAGE = 500


class Aligo:
    """Sends a request for up to 500 messages that are of one kind, each with its own text.

    Attributes:
        facts: what it promises.
        exact: a look-up matches numbers, so what it does not find may still have been sent.
        falls_back: channels where it sends a text itself when the message does not arrive; its
            wording is ``fallback`` (subject, text) of ``Outgoing.extras``.
        look_up_size: how many questions fit into one look-up.
    """

    facts = Facts(batch_size=500, concurrency=2, timeout=timedelta(seconds=60))
    exact = False
    falls_back = frozenset({Channel.ALIMTALK})
    look_up_size = 1

    def __init__(
        self,
        key: str,
        user: str,
        sender: str,
        profile: str | None,
        text_url: str = TEXT_URL,
        kakao_url: str = KAKAO_URL,
        *,
        test: bool = False,
    ) -> None:
        self._key = key
        self._user = user
        self._sender = sender
        self._profile = profile
        self._test = test
        self._text_url = text_url.rstrip("/")
        self._kakao_url = kakao_url.rstrip("/")

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from api_key, user_id, sender, for Alimtalk sender_key, and test_mode.

        With ``test_mode: Y`` Aligo checks messages and delivers none.

        Raises:
            Refused: a setting is missing or wrong.
        """
        read = Settings(account)
        key = read.token("api_key", "api_key: ${ALIGO_API_KEY}")
        user = read.text("user_id", "user_id: your name at Aligo")
        sender = read.text("sender", 'sender: "0212345678", registered for sending', WRITTEN)
        profile = read.optional("sender_key", "sender_key: the key of your Kakao channel")
        test = read.optional("test_mode", "test_mode: Y, or N", "Y|N")
        base_url = read.web("base_url", f"base_url: {TEXT_URL}", TEXT_URL)
        read.checked()
        kakao_url = KAKAO_URL if base_url == TEXT_URL else base_url
        return cls(key, user, dialled(sender), profile, base_url, kakao_url, test=test == "Y")

    def group(self, message: Outgoing) -> str:
        """Name what all messages of one request have in common."""
        alike: tuple[str, ...] = (message.channel, message.subject or "")
        if message.channel is Channel.ALIMTALK:
            falls_back = "fallback" if message.extras.get("fallback") else ""
            alike = (message.channel, message.extras["template"], falls_back)
        elif message.channel is Channel.MMS:
            # Only one text goes with an image.
            alike += (message.extras["image"], message.text)
        return "\x1f".join(alike)

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``; what does not go to a Korean number is left out.

        Raises:
            AccountError: an Alimtalk needs sender_key, and there is none.
            NotSent: the messages are of several kinds, of one that Aligo has not, or all abroad.
        """
        domestic = [message for message in batch if _is_domestic(message)]
        if not domestic:
            raise NotSent("Aligo sends to Korean numbers only")
        first = domestic[0]
        if len({self.group(message) for message in domestic}) > 1:
            raise NotSent("Aligo takes messages of one kind in a request")
        if first.channel is Channel.ALIMTALK:
            return self._alimtalk(domestic)
        if FAMILY[first.channel] is not Family.TEXT:
            raise NotSent(f"Aligo carries no {first.channel}")
        if first.channel is Channel.MMS:
            return self._with_image(domestic, attempt.nonce)
        fields = self._text_fields(first) | {"cnt": str(len(domestic))}
        for number, message in enumerate(domestic, 1):
            fields |= {f"rec_{number}": split(message.to)[1], f"msg_{number}": message.text}
        return form(f"{self._text_url}/send_mass/", fields)

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``; a number of refusals does not tell which ones."""
        domestic = [message for message in batch if _is_domestic(message)]
        one = answers.sent(len(domestic), response)
        abroad = Receipt("", State.REJECTED, detail="Aligo sends to Korean numbers only")
        return [
            Receipt(message.id, given.state, given.provider_id, given.code, given.detail)
            for message in batch
            for given in (one if _is_domestic(message) else abroad,)
        ]

    def look_up(self, questions: Sequence[Question], attempt: Attempt) -> Request:
        """Ask what became of the request that the first question's message went with.

        Raises:
            NotSent: Aligo gave no number for it, and lists nothing without.
        """
        del attempt
        mid = questions[0].provider_id
        if not mid:
            raise NotSent("Aligo lists messages only by the number that it gave")
        if questions[0].channel == Channel.ALIMTALK:
            fields = self._kakao_fields() | {"mid": mid, "page": "1", "limit": str(_PAGE)}
            return form(f"{self._kakao_url}/akv10/history/detail/", fields)
        fields = {"key": self._key, "user_id": self._user, "mid": mid}
        fields |= {"page": "1", "page_size": str(_PAGE)}
        return form(f"{self._text_url}/sms_list/", fields)

    def found(self, questions: Sequence[Question], response: Response) -> Sequence[Receipt]:
        """Read the messages of one request, found by their numbers.

        Raises:
            AccountError: the account may not ask.
            Unreadable: it is no list.
        """
        return answers.listed(questions, response)

    def balance(self, attempt: Attempt) -> Request:
        """See ``HasBalance.balance``."""
        del attempt
        return form(f"{self._text_url}/remain/", {"key": self._key, "user_id": self._user})

    def told(self, response: Response) -> str:
        """Say how many messages of each kind are left.

        Raises:
            AccountError: none, or the account is refused.
            Unreadable: it does not say.
        """
        return answers.left(response)

    def _text_fields(self, first: Outgoing) -> dict[str, str]:
        fields = {
            "key": self._key,
            "user_id": self._user,
            "sender": self._sender,
            "msg_type": first.channel.upper(),
        }
        if first.subject:
            fields["title"] = first.subject
        return fields | ({"testmode_yn": "Y"} if self._test else {})

    def _with_image(self, batch: Sequence[Outgoing], nonce: str) -> Request:
        first = batch[0]
        image = Path(first.extras["image"])
        try:
            data = image.read_bytes()
        except OSError as error:
            raise NotSent(f"{image}: cannot be read: {error.strerror}") from None
        fields = self._text_fields(first) | {
            "receiver": ",".join(split(message.to)[1] for message in batch),
            "msg": first.text,
        }
        return multipart(f"{self._text_url}/send/", fields, image.suffix.lower(), data, nonce)

    def _kakao_fields(self) -> dict[str, str]:
        return {"apikey": self._key, "userid": self._user}

    def _alimtalk(self, batch: Sequence[Outgoing]) -> Request:
        if self._profile is None:
            raise AccountError("sender_key is missing: an Alimtalk names its Kakao channel")
        first = batch[0]
        fields = self._kakao_fields() | {
            "senderkey": self._profile,
            "tpl_code": first.extras["template"],
            "sender": self._sender,
            "failover": "Y" if first.extras.get("fallback") else "N",
        }
        if self._test:
            fields["testMode"] = "Y"
        for number, message in enumerate(batch, 1):
            fields |= {f"{key}_{number}": value for key, value in _alimtalk_fields(message)}
        return form(f"{self._kakao_url}/akv10/alimtalk/send/", fields)


def _alimtalk_fields(message: Outgoing) -> list[tuple[str, str]]:
    """Return the fields of one message; Aligo fills no variable and wants the buttons again."""
    extras = message.extras
    found = [
        ("receiver", split(message.to)[1]),
        ("subject", message.subject or extras["template"]),
        ("message", message.text),
    ]
    if extras.get("buttons"):
        buttons = {"button": [_button(button) for button in extras["buttons"]]}
        found.append(("button", json.dumps(buttons, ensure_ascii=False)))
    if fallback := extras.get("fallback"):
        found.append(("fsubject", fallback.get("subject") or message.subject or ""))
        found.append(("fmessage", fallback.get("text") or message.text))
    return found


def _button(button: Mapping[str, str]) -> dict[str, str]:
    if button["kind"] == "add_channel":
        return {"name": button["name"], "linkType": "AC", "linkTypeName": "채널 추가"}
    link = {"linkM": button["url"], "linkP": button["url"]}
    return {"name": button["name"], "linkType": "WL", "linkTypeName": "웹링크"} | link


def _is_domestic(message: Outgoing) -> bool:
    return split(message.to)[0] == KOREA
