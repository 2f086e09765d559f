"""What is not for anybody's eyes, taken out of what a server says before anyone reads it.

Some servers repeat a request in their complaint about it: its address, its headers, the login. What
a provider then keeps of the complaint would carry the secrets along, into outputs and the log.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BLOT = b"***"
# Anything shorter is found by chance in what must be read.
_LEAST = 8
_SCHEMES = ("basic", "bearer")


def forms(secrets: Iterable[str]) -> list[str]:
    """Return the ways in which secrets may be repeated: as they are, quoted, in Base64."""
    found = set()
    for secret in secrets:
        plain = secret.strip()
        encoded = base64.b64encode(plain.encode()).decode("ascii")
        found |= {plain, quote(plain, safe=""), json.dumps(plain)[1:-1], encoded}
    return sorted((one for one in found if len(one) >= _LEAST), key=len, reverse=True)


def blotted(content: bytes, private: Iterable[bytes], headers: Mapping[str, str]) -> bytes:
    """Take what is private, and the login in the headers of the request, out of an answer."""
    for one in private:
        content = content.replace(one, BLOT)
    scheme, _, login = headers.get("Authorization", "").partition(" ")
    if scheme.lower() in _SCHEMES and len(login) >= _LEAST:
        content = content.replace(login.encode(), BLOT)
    return content
