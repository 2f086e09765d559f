"""NHN Cloud: Korean text messages, Alimtalk and Brand Message, and text messages abroad.

Sources: the API guides of SMS v3.0, Alimtalk v2.3, Brand Message v1.0 and Sender v2.3 at
https://docs.nhncloud.com. Every recipient carries our id as ``recipientGroupingKey``, by which the
lists of messages tell later what became of it; only Alimtalk knows a request that is repeated.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from remindctl.channels.http import AccountError, Facts, Preparation
from remindctl.channels.nhn import answers, results
from remindctl.channels.nhn.header import request_of
from remindctl.channels.nhn.messages import (
    entry,
    grouping_key,
    listing_path,
    sending_path,
    shared,
    upload_of,
)
from remindctl.channels.nhn.products import Product
from remindctl.channels.phones import WRITTEN, dialled
from remindctl.channels.provider import NotSent, Receipt
from remindctl.channels.settings import Settings
from remindctl.model import FAMILY, Channel, Family, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.channels.http import Attempt, Question, Request, Response
    from remindctl.channels.provider import Account, Outgoing

__all__ = ["Nhn"]

TEXT_URL = "https://sms.api.nhncloudservice.com"
KAKAO_URL = "https://kakaotalk-bizmessage.api.nhncloudservice.com"
BATCH_SIZE = 1_000
# For so long a request fails whose key was used before.
IDEMPOTENT_FOR = timedelta(minutes=10)
# Wide enough for a machine whose clock is wrong; a month may be asked for.
LOOK_UP_WINDOW = timedelta(days=1)
LISTED_FOR = timedelta(days=30)
# How long the uploaded image of a text message is kept is not told.
UPLOAD_KEPT = timedelta(hours=1)

_TEXT_KEYS = ("sms_app_key", "sms_secret_key")
_KAKAO_KEYS = ("kakao_app_key", "kakao_secret_key", "sender_key")
_CARRIED = frozenset({Family.TEXT, Family.KAKAO})
# Dates are written without a zone and are those of Korea, which has no summer time.
_KOREA_TIME = timezone(timedelta(hours=9))


class Nhn:
    """Sends a request for up to 1,000 messages that share its wording or its template.

    Attributes:
        facts: what it promises for every kind of request; ``facts_of`` says more.
        exact: a look-up finds a message by our own id.
        falls_back: channels where it sends a text itself when the message does not arrive; its
            wording is ``fallback`` (subject, text) of ``Outgoing.extras``.
        look_up_size: how many questions of different groups fit into one look-up.
    """

    facts = Facts(batch_size=BATCH_SIZE, timeout=timedelta(seconds=60))
    exact = True
    falls_back = frozenset({Channel.ALIMTALK})
    look_up_size = 1

    def __init__(
        self, text: Product | None, kakao: Product | None, sender: str, profile: str
    ) -> None:
        self._text = text
        self._kakao = kakao
        self._sender = sender
        self._profile = profile

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it from the settings of one product or both.

        Text messages take sms_app_key, sms_secret_key and sender, Kakao takes kakao_app_key,
        kakao_secret_key and sender_key, and sender where a text follows an Alimtalk.

        Raises:
            Refused: a setting is missing or wrong.
        """
        given, settings = account.settings, Settings(account)
        has_kakao = any(given.get(key) for key in _KAKAO_KEYS)
        has_text = any(given.get(key) for key in _TEXT_KEYS) or not has_kakao
        text_url = settings.web("base_url", TEXT_URL, TEXT_URL)
        kakao_url = settings.web("kakao_base_url", KAKAO_URL, KAKAO_URL)
        text = kakao = None
        profile = ""
        if has_text:
            app_key = settings.token("sms_app_key", "the app key of the product SMS")
            text = Product(text_url, app_key, settings.token("sms_secret_key", "its secret key"))
        if has_kakao:
            app_key = settings.token("kakao_app_key", "the app key of KakaoTalk Bizmessage")
            secret_key = settings.token("kakao_secret_key", "its secret key")
            kakao = Product(kakao_url, app_key, secret_key)
            profile = settings.token("sender_key", "the key of the Kakao channel")
        read = settings.text if has_text else settings.optional
        sender = read("sender", "the number registered for sending: 02-0000-0000", WRITTEN) or ""
        settings.checked()
        return cls(text, kakao, dialled(sender), profile)

    def group(self, message: Outgoing) -> str:
        """Name what all messages of one request must have in common."""
        if FAMILY[message.channel] not in _CARRIED:
            return str(message.channel)
        upload = upload_of(message)
        image = None if upload is None else _upload_key(*upload)
        common = (sending_path(message), shared(message, self._sender, self._profile, image))
        digest = hashlib.sha256(json.dumps(common, sort_keys=True).encode()).hexdigest()
        return f"{message.channel}:{digest}"

    def facts_of(self, group: str) -> Facts:
        """Return what NHN Cloud promises for the requests of a group."""
        if group.partition(":")[0] != Channel.ALIMTALK:
            return self.facts
        return replace(self.facts, repeat_safe_for=IDEMPOTENT_FOR)

    def needs(self, batch: Sequence[Outgoing], attempt: Attempt) -> Sequence[Preparation]:
        """Return the upload of each image of the batch, once.

        Raises:
            AccountError: the settings of the product are missing.
            NotSent: an image cannot be read.
        """
        uploads = dict.fromkeys(
            upload for message in batch if (upload := upload_of(message)) is not None
        )
        return [
            Preparation(_upload_key(*upload), self._upload(*upload, attempt.nonce))
            for upload in uploads
        ]

    def prepared(self, key: str, response: Response) -> tuple[str, timedelta | None]:
        """Read the id or the address of an uploaded image."""
        if key.startswith("MMS:"):
            return answers.uploaded(Family.TEXT, response), UPLOAD_KEPT
        return answers.uploaded(Family.KAKAO, response), None

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``.

        Raises:
            AccountError: the settings of the product are missing.
            NotSent: the messages are of several groups, or of a channel that NHN Cloud has not.
        """
        first = batch[0]
        if FAMILY[first.channel] not in _CARRIED:
            raise NotSent(f"NHN Cloud carries no {first.channel}")
        if len({self.group(message) for message in batch}) > 1:
            raise NotSent("NHN Cloud takes messages of one wording or template in a request")
        upload, image = upload_of(first), None
        if upload is not None:
            ready = attempt.ready[_upload_key(*upload)]
            image = int(ready) if first.channel is Channel.MMS else ready
        body = {
            **shared(first, self._sender, self._profile, image),
            "recipientList": [entry(message, self._sender) for message in batch],
        }
        repeated_as = None
        if first.channel is Channel.ALIMTALK:
            names = "\n".join(message.id for message in batch)
            repeated_as = hashlib.sha256(names.encode()).hexdigest()
        product = self._product(first.channel)
        return product.post(first.channel, sending_path(first), body, repeated_as=repeated_as)

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``."""
        return answers.sent(batch, response)

    def question_group(self, question: Question) -> str:
        """Name what all questions of one look-up have in common: the request they went with.

        A message whose request is not known is asked for alone.
        """
        request = request_of(question.provider_id) if question.provider_id else ""
        return f"{question.channel}:{request or question.id}"

    def look_up(self, questions: Sequence[Question], attempt: Attempt) -> Request:
        """Ask for the group of the first question.

        Raises:
            AccountError: the settings of the product are missing.
            NotSent: the message is older than what NHN Cloud lists.
        """
        first = questions[0]
        channel = Channel(first.channel)
        query = {"pageNum": "1", "pageSize": str(BATCH_SIZE)}
        if first.provider_id:
            query["requestId"] = request_of(first.provider_id)
        else:
            if attempt.at - first.at > LISTED_FOR - LOOK_UP_WINDOW:
                raise NotSent(f"NHN Cloud lists messages for {LISTED_FOR.days} days")
            date = f"%Y-%m-%d %H:%M{':%S' if FAMILY[channel] is Family.TEXT else ''}"
            at = first.at.astimezone(_KOREA_TIME)
            query["startRequestDate"] = (at - LOOK_UP_WINDOW).strftime(date)
            query["endRequestDate"] = (at + LOOK_UP_WINDOW).strftime(date)
            query["recipientGroupingKey"] = grouping_key(first.id)
        return self._product(channel).get(channel, listing_path(channel), query)

    def found(self, questions: Sequence[Question], response: Response) -> Sequence[Receipt]:
        """Read the list; a message of another group was not asked for and stays unknown.

        Raises:
            AccountError: the account may not ask.
            Unreadable: it is no list.
        """
        group = self.question_group(questions[0])
        asked = [question for question in questions if self.question_group(question) == group]
        rest = [question for question in questions if self.question_group(question) != group]
        return [
            *results.listed(asked, response),
            *(Receipt(question.id, State.UNKNOWN, detail="not asked for yet") for question in rest),
        ]

    def balance(self, attempt: Attempt) -> Request:
        """Ask for the sender or, without text messages, for the Kakao channel; bills come later."""
        del attempt
        if self._text is not None:
            return self._text.get(Channel.SMS, "sendNos", {"sendNo": self._sender})
        path = f"senders/{quote(self._profile, safe='')}"
        return self._product(Channel.ALIMTALK).get(Channel.ALIMTALK, path, {})

    def told(self, response: Response) -> str:
        """Say how the sender or the channel stands."""
        if self._text is not None:
            return answers.sender_stands(self._sender, response)
        return answers.profile_stands(response)

    def _upload(self, kind: str, path: str, nonce: str) -> Request:
        image = Path(path)
        try:
            data = image.read_bytes()
        except OSError as error:
            raise NotSent(f"{path}: cannot be read: {error.strerror}") from None
        suffix = image.suffix.lower()
        if kind == "MMS":
            body = {
                "fileName": f"image{suffix}",
                "createUser": "remindctl",
                "fileBody": base64.b64encode(data).decode("ascii"),
            }
            return self._product(Channel.MMS).post(Channel.MMS, "attachfile/binaryUpload", body)
        product = self._product(Channel.BRAND_MESSAGE)
        return product.post_image(Channel.BRAND_MESSAGE, "images", kind, suffix, data, nonce)

    def _product(self, channel: Channel) -> Product:
        is_text = FAMILY[channel] is Family.TEXT
        product = self._text if is_text else self._kakao
        if product is None:
            key = "sms_app_key" if is_text else "kakao_app_key"
            raise AccountError(f"{key} is missing: {channel} needs this product of NHN Cloud")
        return product


def _upload_key(kind: str, path: str) -> str:
    """Name an upload for the time of a run."""
    return f"{kind}:{path}"
