"""What can go wrong because of something a user did, as data.

A :class:`Problem` says where, what and one way out. Code that reads a file collects every problem
of that file and raises :class:`Refused` once, with all of them. Only ``cli`` turns a ``Refused``
into an exit code, and only ``report`` prints it. Any other exception that reaches ``cli`` is a bug
(exit 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the user's own material a problem lies; lines and columns count from 1, 0 = unknown.

    In a spreadsheet or CSV, ``line`` is the row as Excel numbers it, the header row included.
    """

    path: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.path]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: its place, what it is, and one hint what to do about it.

    Attributes:
        warning: it stops nothing, but a person should look at it.
    """

    place: Place
    what: str
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        where = str(self.place)
        return f"{where}: {self.what}" if where else self.what


class Refused(Exception):  # noqa: N818 (it names the outcome: refused, nothing was done)
    """Nothing was done, because of these problems (exit code 2).

    Attributes:
        problems: at least one, in the order of their places.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        if not self.problems:
            raise ValueError("Refused needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self.problems))


def refuse(what: str, hint: str = "", *, path: str = "", line: int = 0, column: int = 0) -> Refused:
    """Build a :class:`Refused` of one problem, to be raised by the caller."""
    return Refused([Problem(Place(path, line, column), what, hint)])
