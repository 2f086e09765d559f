"""NHN Cloud's two products as an account has them, and how they are asked.

SMS carries text messages, KakaoTalk Bizmessage carries Alimtalk and Brand Message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from remindctl.channels.http import Request
from remindctl.model import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

_APIS: Mapping[Channel, str] = {
    **dict.fromkeys((Channel.SMS, Channel.LMS, Channel.MMS), "sms/v3.0/appKeys"),
    Channel.ALIMTALK: "alimtalk/v2.3/appkeys",
    Channel.BRAND_MESSAGE: "brand-message/v1.0/appkeys",
}


@dataclass(frozen=True, slots=True)
class Product:
    """One product of an account.

    Attributes:
        base_url: where it is reached.
        app_key: names the account.
        secret_key: proves it.
    """

    base_url: str
    app_key: str
    secret_key: str = field(repr=False)

    def get(self, channel: Channel, path: str, query: Mapping[str, str]) -> Request:
        """Ask a question."""
        url = self._url(channel, path) + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        return Request(method="GET", url=url, headers=self._headers())

    def post(
        self, channel: Channel, path: str, body: object, *, repeated_as: str | None = None
    ) -> Request:
        """Post JSON; of two requests with the same ``repeated_as`` the second one fails."""
        headers = {**self._headers(), "Content-Type": "application/json;charset=UTF-8"}
        if repeated_as is not None:
            headers["X-NC-API-IDEMPOTENCY-KEY"] = repeated_as
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Request(url=self._url(channel, path), headers=headers, content=content)

    def post_image(
        self, channel: Channel, path: str, kind: str, suffix: str, image: bytes, nonce: str
    ) -> Request:
        """Post an image as a form; ``nonce`` does not stand in it."""
        boundary = f"remindctl-{nonce}"
        media = "image/png" if suffix == ".png" else "image/jpeg"
        content = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="imageType"\r\n\r\n{kind}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="image";'
            f' filename="image{suffix}"\r\nContent-Type: {media}\r\n\r\n'
        ).encode()
        content += image + f"\r\n--{boundary}--\r\n".encode()
        headers = {
            **self._headers(),
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        return Request(url=self._url(channel, path), headers=headers, content=content)

    def _url(self, channel: Channel, path: str) -> str:
        base = self.base_url.rstrip("/")
        return f"{base}/{_APIS[channel]}/{quote(self.app_key, safe='')}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"X-Secret-Key": self.secret_key}
