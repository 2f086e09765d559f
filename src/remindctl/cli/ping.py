"""Tell a monitor that a run ended well, or did not; a run that never ends tells nothing.

The address is asked for as https://healthchecks.io and its likes want it: as it is after a run that
ended well, with ``/fail`` after any other.
"""

from __future__ import annotations

from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import typer

from remindctl.errors import refuse
from remindctl.report.stream import write_talk

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_SECONDS = 10
# A higher exit code is that of a signal, which whoever sent it knows of.
_LAST_OF_OURS = 3
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _NoRedirect(HTTPRedirectHandler):
    """An answer that sends elsewhere is none: the other place may not be safe."""

    def redirect_request(self, *_: object) -> None:
        """Go nowhere."""


@contextmanager
def pinging(url: str | None) -> Iterator[None]:
    """Tell the monitor at ``url``, if any, how the block ended; its silence changes nothing.

    Raises:
        Refused: the address is none that may be asked.
    """
    if url is None:
        yield
        return
    _check(url)
    try:
        yield
    except typer.Abort:
        raise
    except typer.Exit as ended:
        if ended.exit_code <= _LAST_OF_OURS:
            _tell(url, failed=ended.exit_code != 0)
        raise
    except Exception:
        _tell(url, failed=True)
        raise
    _tell(url, failed=False)


def _check(url: str) -> None:
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    # The address is told to nobody: whoever has it can speak for the run.
    if not is_safe or not parts.hostname or not url.isascii() or not url.isprintable():
        hint = "https://…, or http:// on this machine"
        raise refuse("is no address that may be asked", hint, path="--ping")


def _tell(url: str, *, failed: bool) -> None:
    parts = urlsplit(url)
    if failed:
        parts = parts._replace(path=parts.path.rstrip("/") + "/fail")
    asked = Request(urlunsplit(parts), headers={"User-Agent": "remindctl"})  # noqa: S310 (checked)
    try:
        with build_opener(_NoRedirect).open(asked, timeout=TIMEOUT_SECONDS):
            pass
    except HTTPError as error:
        write_talk(f"warning: the monitor at {parts.hostname} answered HTTP {error.code}")
        error.close()
    except (OSError, HTTPException, ValueError) as error:
        write_talk(
            f"warning: no answer of the monitor at {parts.hostname} ({type(error).__name__})"
        )
