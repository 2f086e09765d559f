"""Twilio: SMS and MMS through the Messages resource, one message a request.

Twilio knows no repeated keys, so a message whose answer was lost stays unknown. It can be asked for
messages to a number at a time, which finds others as well: what it does not find may still have
been sent.

Sources: https://www.twilio.com/docs/messaging/api/message-resource and, for the balance,
https://www.twilio.com/docs/usage/api.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode

from remindctl.channels.http import Facts, Request
from remindctl.channels.provider import NotSent
from remindctl.channels.settings import Settings
from remindctl.channels.twilio import answers
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.channels.http import Attempt, Question, Response
    from remindctl.channels.provider import Account, Outgoing, Receipt

__all__ = ["Twilio"]

BASE_URL = "https://api.twilio.com"
CHANNELS = frozenset({Channel.SMS, Channel.LMS, Channel.MMS})
# 1 to 36,000 seconds.
VALIDITY = "[1-9][0-9]{0,3}|[12][0-9]{4}|3[0-5][0-9]{3}|36000"
# The least time ahead for which Twilio takes a scheduled message.
SCHEDULE_AHEAD = timedelta(minutes=5)


class Twilio:
    """Sends as one number (``from``), through a messaging service, or both.

    Attributes:
        exact: a look-up goes by number and time.
        look_up_size: how many questions fit into one look-up.
    """

    facts = Facts()
    exact = False
    look_up_size = 1

    def __init__(
        self,
        account_sid: str,
        login: tuple[str, str],
        sender: Mapping[str, str],
        *,
        options: Mapping[str, str] | None = None,
        media_url: str | None = None,
        base_url: str = BASE_URL,
    ) -> None:
        self._path = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}"
        token = base64.b64encode(":".join(login).encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {token}", "Accept": "application/json"}
        self._sender = sender
        self._options = options or {}
        self._media_url = media_url

    @classmethod
    def of(cls, account: Account) -> Self:
        """Build it.

        It reads account_sid; auth_token, or api_key and api_secret; from, messaging_service or
        both; and, if wanted, media_url (the web folder that holds the images of campaigns),
        status_callback (told what becomes of messages) and validity_period (seconds that a message
        may wait in the queue).

        Raises:
            Refused: a setting is missing or wrong.
        """
        read = Settings(account)
        sid = read.text("account_sid", "account_sid: AC…, 34 characters", "AC[0-9a-fA-F]{32}")
        if "api_key" in account.settings:
            user = read.token("api_key", "api_key: ${TWILIO_API_KEY}, with its api_secret")
            password = read.token("api_secret", "api_secret: ${TWILIO_API_SECRET}")
            read.optional("auth_token", "leave it out beside an api_key", r"[\s\S]+")
        else:
            user, password = sid, read.token("auth_token", "auth_token: ${TWILIO_AUTH_TOKEN}")
        sender = {
            "From": read.optional("from", "from: +12025550100", r"\S(.*\S)?"),
            "MessagingServiceSid": read.optional(
                "messaging_service", "messaging_service: MG…, 34 characters", "MG[0-9a-fA-F]{32}"
            ),
        }
        if not any(account.settings.get(key) for key in ("from", "messaging_service")):
            read.wrong("from", "is missing", "from: +12025550100, or messaging_service: MG…")
        callback = "status_callback: https://…"
        options = {
            "StatusCallback": read.optional("status_callback", callback, r"https://\S+"),
            "ValidityPeriod": read.optional(
                "validity_period", "validity_period: 3600 (seconds, up to 36000)", VALIDITY
            ),
        }
        media = read.optional("media_url", "media_url: https://…", r"https://\S+")
        base_url = read.web("base_url", f"base_url: {BASE_URL}", BASE_URL)
        read.checked()
        return cls(
            sid,
            (user, password),
            {key: value for key, value in sender.items() if value},
            options={key: value for key, value in options.items() if value},
            media_url=media,
            base_url=base_url,
        )

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        """See ``HttpProvider.request``; a message that is due later is scheduled there.

        Raises:
            NotSent: not a text message, an image that is not on the web, or no service to schedule.
        """
        [message] = batch
        if message.channel not in CHANNELS:
            raise NotSent(f"Twilio sends sms, lms and mms, not {message.channel}")
        form = [
            ("To", message.to),
            *self._sender.items(),
            # Twilio's messages have no subject.
            ("Body", "\n".join(filter(None, (message.subject, message.text)))),
            *self._media(message.extras.get("image")),
            *self._options.items(),
            *self._schedule(message.at, attempt.at),
        ]
        return Request(
            url=f"{self._path}/Messages.json",
            headers={**self._headers, "Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
        )

    def _media(self, image: str | None) -> list[tuple[str, str]]:
        if image is None:
            return []
        if not image.startswith("https://"):
            if self._media_url is None:
                raise NotSent(
                    f"Twilio fetches images from the web: put {PurePath(image).name} there and name"
                    " the folder, media_url: https://…"
                )
            image = f"{self._media_url.rstrip('/')}/{quote(PurePath(image).name)}"
        return [("MediaUrl", image)]

    def _schedule(self, due: datetime, now: datetime) -> list[tuple[str, str]]:
        if due - now < SCHEDULE_AHEAD:
            return []
        if "MessagingServiceSid" not in self._sender:
            raise NotSent("Twilio schedules through a messaging service: messaging_service: MG…")
        return [("ScheduleType", "fixed"), ("SendAt", _utc(due))]

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        """See ``HttpProvider.receipts``."""
        [message] = batch
        return [answers.sent(message, response)]

    def look_up(self, questions: Sequence[Question], attempt: Attempt) -> Request:
        """Ask for one message, by Twilio's own id or else by its number and time.

        Raises:
            NotSent: neither is known.
        """
        del attempt
        [question] = questions
        if question.provider_id is not None:
            url = f"{self._path}/Messages/{quote(question.provider_id, safe='')}.json"
        elif question.to is not None:
            since = _utc(question.at - answers.BEFORE)
            query = urlencode({"To": question.to, "DateSent>": since, "PageSize": 20})
            url = f"{self._path}/Messages.json?{query}"
        else:
            raise NotSent("the number is no longer in the shop's files")
        return Request(method="GET", url=url, headers=self._headers)

    def found(self, questions: Sequence[Question], response: Response) -> Sequence[Receipt]:
        """Read the answer; of several messages to the number at that time, none can be told.

        Raises:
            AccountError: the account may not ask.
            Unreadable: it is neither a message nor a list.
        """
        [question] = questions
        return answers.found(question, response)

    def balance(self, attempt: Attempt) -> Request:
        """See ``HasBalance.balance``."""
        del attempt
        return Request(method="GET", url=f"{self._path}/Balance.json", headers=self._headers)

    def told(self, response: Response) -> str:
        """See ``HasBalance.told``; a subaccount has no balance of its own.

        Raises:
            AccountError: the key is wrong, or the account has nothing left.
            Unreadable: it is no balance.
        """
        return answers.balance(response)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
