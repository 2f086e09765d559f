"""The rules of the house are checked by tools, so that a broken one fails like any other test."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "ruff check": ("ruff", ["-m", "ruff", "check", "--no-cache", "."]),
    "ruff format": ("ruff", ["-m", "ruff", "format", "--no-cache", "--check", "."]),
    "mypy": ("mypy", ["-m", "mypy"]),
    "import-linter": (
        "importlinter",
        ["-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
    ),
}


@pytest.mark.parametrize("tool", COMMANDS)
def test_the_tool_finds_nothing(tool: str) -> None:
    module, words = COMMANDS[tool]
    if importlib.util.find_spec(module) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{module} is not installed, and CI must run it")
        pytest.skip(f"{module} is not installed: pip install -e '.[test]'")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_no_module_has_a_name_that_says_nothing() -> None:
    said_nothing = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc"}
    modules = [path for path in (ROOT / "src").rglob("*.py") if path.stem in said_nothing]
    assert modules == []


def test_modules_are_read_in_one_sitting() -> None:
    long = {
        path.name: count
        for path in (ROOT / "src").rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
