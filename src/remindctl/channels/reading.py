"""What a provider says in its answers: read as data, and repeated without anybody's address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remindctl.channels.http import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.channels.http import Response

DETAIL_CHARACTERS = 120

_ADDRESSES = re.compile(r"https?://\S+|[^\s<>'\"`]+@[^\s<>'\"`]+|\+?\d(?:[ .()-]{0,2}\d){5,}")


def fields(response: Response) -> Mapping[str, Any]:
    """Read an answer that is a JSON object.

    Raises:
        Unreadable: it is none.
    """
    said = response.json()
    if not isinstance(said, dict):
        raise Unreadable(f"HTTP {response.status} without a JSON object")
    return said


def additions(response: Response) -> Mapping[str, Any]:
    """Read what an answer adds to its status, which may be nothing."""
    try:
        return fields(response)
    except Unreadable:
        return {}


def detail(said: object, *private: str | None) -> str | None:
    """Shorten what was said to a person, leaving out addresses, links and the ``private`` texts."""
    text = str(said or "")
    for one in private:
        text = text.replace(one, "…") if one else text
    text = " ".join(_ADDRESSES.sub("…", text).split())
    return text[: DETAIL_CHARACTERS - 1] + "…" if len(text) > DETAIL_CHARACTERS else text or None
