"""Plain writing to stdout and stderr, for what must not wait for a terminal library."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from remindctl.errors import Problem


def write_data(text: str) -> None:
    """Write data to stdout, ended by a line break."""
    _write(sys.stdout, text)


def write_file(text: str) -> None:
    """Write data that is meant for a file to stdout, in UTF-8 whatever the locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    _write(sys.stdout, text)


def write_utf8(text: bytes, *, whatever_the_locale: bool = False) -> None:
    """Write long data that ends with a line break, without a copy where stdout is of UTF-8."""
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper) and os.linesep == "\n":
        if whatever_the_locale:
            stream.reconfigure(encoding="utf-8")
        if codecs.lookup(stream.encoding).name == "utf-8":
            stream.flush()
            stream.buffer.write(text)
            stream.buffer.flush()
            return
    write = write_file if whatever_the_locale else write_data
    write(text.decode())


def write_talk(text: str) -> None:
    """Write talk to stderr, ended by a line break."""
    _write(sys.stderr, text)


def write_problems(problems: Sequence[Problem]) -> None:
    """Write each problem with its hint to stderr, and their count last."""
    lines = []
    for problem in problems:
        lines.append(_on_one_line(str(problem)))
        if problem.hint:
            lines.append(f"  hint: {_on_one_line(problem.hint)}")
    lines.append(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}, nothing was done")
    write_talk("\n".join(lines))


def write_warnings(problems: Iterable[Problem]) -> None:
    """Write what stops nothing, but should be looked at, with its hints to stderr."""
    for problem in problems:
        hint = f"\n  hint: {_on_one_line(problem.hint)}" if problem.hint else ""
        write_talk(f"warning: {_on_one_line(str(problem))}{hint}")


def _on_one_line(text: str) -> str:
    """Show the control characters that a file's name or cells may hold, instead of obeying them."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _write(stream: TextIO, text: str) -> None:
    # A console that lacks a letter shows a question mark; that beats a traceback.
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")
    stream.write(text if text.endswith("\n") else f"{text}\n")
    stream.flush()
