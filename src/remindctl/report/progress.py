"""A sign of life on a terminal while something takes longer than a blink; nothing elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show ``what`` with a spinner on stderr while the block runs, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from remindctl.report.console import talk_console  # noqa: PLC0415 (loads the terminal library)

    with talk_console().status(f"{what} …"):
        yield
