"""The settings of one account, read key by key; whatever is wrong with them is told together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from remindctl.errors import Place, Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remindctl.channels.provider import Account

# What can stand in a header as it is: a line end that came along in a secret cannot.
_TOKEN = re.compile(r"[!-~]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Settings:
    """Reads an account; ``checked`` comes last and raises what was found on the way.

    Until then a setting that is missing or wrong reads as an empty text. No value is ever repeated
    in a problem: it may be a secret.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._read: set[str] = set()
        self._problems: list[Problem] = []

    def text(self, key: str, hint: str, shape: str = ".+") -> str:
        """Return a setting that must be there, in a shape (a pattern); ``hint`` shows one."""
        if not self._given(key):
            self.wrong(key, "is missing", hint)
            return ""
        return self.optional(key, hint, shape) or ""

    def optional(self, key: str, hint: str, shape: str = ".+") -> str | None:
        """Return a setting that may be absent."""
        given = self._given(key)
        if given is not None and not re.fullmatch(shape, given):
            self.wrong(key, "is not what it should be", hint)
            return None
        return given

    def token(self, key: str, hint: str) -> str:
        """Return a secret that goes into a header."""
        given = self.text(key, hint, r"[\s\S]+").strip()
        if given and not _TOKEN.fullmatch(given):
            self.wrong(key, "holds a blank, a line end or a letter outside ASCII", hint)
        return given

    def web(self, key: str, hint: str, default: str | None = None) -> str:
        """Return an address that may be sent to: https, or plain http to this machine."""
        given = self._given(key) or default
        if given is None:
            self.wrong(key, "is missing", hint)
            return ""
        try:
            parts = urlsplit(given)
            host = parts.hostname
        except ValueError:
            parts, host = urlsplit(""), None
        safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
        if not (safe and host and _TOKEN.fullmatch(given)):
            self.wrong(key, "is no address that messages may be sent to", hint)
        return given

    def wrong(self, key: str, what: str, hint: str) -> None:
        """Note a problem of a setting."""
        place = Place(f"providers.{self._account.name}.{key}")
        self._problems.append(Problem(place, what, hint))

    def checked(self) -> None:
        """Say what is wrong, keys that nobody reads among it.

        Raises:
            Refused: with all of it.
        """
        hint = f"it has {_listed(self._read)}"
        for key in self._account.settings:
            if key not in self._read:
                self.wrong(key, "is no setting of this provider", hint)
        if self._problems:
            raise Refused(self._problems)

    def _given(self, key: str) -> str | None:
        self._read.add(key)
        return self._account.settings.get(key) or None


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))
