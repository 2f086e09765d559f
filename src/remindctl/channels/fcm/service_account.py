"""A Google service account, and the access token that it is given for an hour.

Source: https://developers.google.com/identity/protocols/oauth2/service-account#httprest.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from remindctl.channels.http import AccountError, Request, Unreadable
from remindctl.channels.provider import NotSent
from remindctl.channels.reading import detail, fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from remindctl.channels.http import Response

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANTED_FOR = timedelta(hours=1)
# A token is not used in its last minutes, and a request for one is good for as long.
MARGIN = timedelta(minutes=5)

_SAFE = re.compile(r"https://[!-~]+|http://(?:localhost|127\.0\.0\.1)[:/][!-~]*")


class ServiceAccount:
    """Asks for access to one scope.

    Attributes:
        project: where the account is at home.
    """

    def __init__(
        self,
        project: str,
        email: str,
        token_url: str,
        scope: str,
        sign: Callable[[Mapping[str, Any]], str],
    ) -> None:
        """``sign`` makes a JSON Web Token of claims, with the account's key."""
        self.project = project
        self._claims = {"iss": email, "scope": scope, "aud": token_url}
        self._sign = sign
        # Signing takes a millisecond, and every message needs the token.
        self._grant = lru_cache(maxsize=1)(self._signed)

    @classmethod
    def of(cls, path: Path, scope: str) -> ServiceAccount:
        """Read the file that Google gives out for an account.

        Raises:
            ImportError: google-auth is not installed.
            OSError: the file cannot be read.
            ValueError: it is none of a service account.
        """
        from google.auth import crypt, jwt  # noqa: PLC0415 (an extra)

        given = json.loads(path.read_text("utf-8"))
        keys = ("project_id", "client_email", "token_uri", "private_key")
        texts = [given.get(key) for key in keys] if isinstance(given, dict) else [None]
        if not all(isinstance(text, str) and text for text in texts):
            raise ValueError("not the key of a service account")
        project, email, token_url, _ = map(str, texts)
        if not _SAFE.fullmatch(token_url):
            raise ValueError("not an address for secrets")
        read: Any = crypt.RSASigner.from_service_account_info
        encode: Any = jwt.encode
        signer = read(given)
        return cls(
            project, email, token_url, scope, lambda claims: str(encode(signer, claims), "ascii")
        )

    def request(self, at: datetime) -> Request:
        """Ask for a token; the same request for some minutes."""
        form = {"grant_type": GRANT, "assertion": self._grant(at.timestamp() // _SECONDS)}
        return Request(
            url=self._claims["aud"],
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode("ascii"),
        )

    def token(self, response: Response) -> tuple[str, timedelta]:
        """Read a token, and for how long it may be used.

        Raises:
            AccountError: Google does not know the account or its key, or the clock is wrong.
            NotSent: Google does not answer as it should.
        """
        try:
            said = fields(response)
        except Unreadable as error:
            raise NotSent(f"no access token from Google: {error}") from None
        token, seconds = said.get("access_token"), said.get("expires_in")
        if response.status == 200 and isinstance(token, str) and isinstance(seconds, int):
            return token, max(timedelta(seconds=seconds) - MARGIN, timedelta(seconds=1))
        why = ": ".join(str(said[key]) for key in ("error", "error_description") if said.get(key))
        what = f"Google gives the service account no access: {detail(why) or response.status}"
        raise (AccountError if 400 <= response.status < 500 else NotSent)(what)

    def _signed(self, since: float) -> str:
        issued = datetime.fromtimestamp(since * _SECONDS, UTC)
        times = {"iat": issued, "exp": issued + GRANTED_FOR}
        return self._sign(
            {**self._claims, **{key: int(time.timestamp()) for key, time in times.items()}}
        )


_SECONDS = MARGIN.total_seconds()
