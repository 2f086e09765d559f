"""Requests with forms, as Aligo takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from remindctl.channels.http import Request

if TYPE_CHECKING:
    from collections.abc import Mapping


def form(url: str, fields: Mapping[str, str]) -> Request:
    """Post fields."""
    return Request(
        url=url,
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        content=urlencode(fields).encode("ascii"),
    )


def multipart(
    url: str, fields: Mapping[str, str], suffix: str, image: bytes, nonce: str
) -> Request:
    """Post fields with an image; ``nonce`` stands in none of them."""
    boundary = f"remindctl-{nonce}"
    kind = "image/png" if suffix == ".png" else "image/jpeg"
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    disposition = f'Content-Disposition: form-data; name="image1"; filename="image{suffix}"'
    parts.append(f"{disposition}\r\nContent-Type: {kind}\r\n\r\n".encode() + image)
    border = f"--{boundary}".encode()
    content = b"".join(border + b"\r\n" + part + b"\r\n" for part in parts) + border + b"--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Request(url=url, headers=headers, content=content)
