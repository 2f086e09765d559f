"""Other Python interpreters, which have the libraries that remindctl is compared with."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cached_property

LIBRARIES = ("duckdb", "pandas", "lifetimes", "lifelines")
_IMPORT = """
import importlib, sys
print(importlib.import_module(sys.argv[1]).__version__)
"""


@dataclass(frozen=True)
class Interpreters:
    """Some interpreters; each library is that of the first one that has it.

    Several may be needed: lifetimes wants a numpy that a present pandas does not.
    """

    paths: tuple[str, ...] = ()

    def having(self, library: str) -> str | None:
        """Return the interpreter that can import one of :data:`LIBRARIES`."""
        found = self._found[library]
        return found[0] if found else None

    @cached_property
    def _found(self) -> dict[str, tuple[str, str] | None]:
        return {library: self._first(library) for library in LIBRARIES}

    def _first(self, library: str) -> tuple[str, str] | None:
        answers = ((path, imported(path, library)) for path in self.paths)
        return next(((path, version) for path, version in answers if version), None)

    def lacking(self, library: str) -> str:
        """Say why a library is not compared with."""
        if not self.paths:
            return f"{library} is not compared with: no interpreter that has it is given"
        return f"{library} is not compared with: not to be imported by {', '.join(self.paths)}"

    def versions(self) -> dict[str, str]:
        """Return the version of each library that is there."""
        return {name: found[1] for name, found in self._found.items() if found}


NOBODY = Interpreters()


def imported(python: str, library: str) -> str:
    """Import a library and return its version, or nothing where that fails."""
    try:
        done = python_run(python, "-c", _IMPORT, library)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def python_run(
    python: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run an interpreter that sees nothing of this checkout unless ``environment`` says so."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [python, *arguments], env={**inherited, **environment}, capture_output=True, text=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
