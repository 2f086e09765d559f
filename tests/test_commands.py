"""The commands are listed without importing them, and nobody notices."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from remindctl.cli.app import app
from remindctl.cli.commands import COMMANDS, Deferred

LISTED: Any = get_command(app)
PROBE = """
import sys
from remindctl.cli import main
try:
    main()
finally:
    print(*sorted(n.rpartition(".")[2] for n in sys.modules if n.startswith("remindctl.cli.")))
"""


def loaded(*words: str) -> set[str]:
    """Return the modules of ``cli`` that a call imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], capture_output=True, check=True, text=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_the_first_sentence_of_the_commands_own_help(name: str) -> None:
    listed = LISTED.commands[name]
    assert isinstance(listed, Deferred)
    real = listed.load()
    assert real.name == name
    assert listed.get_short_help_str(1000) == real.get_short_help_str(1000)
    assert (listed.hidden, listed.deprecated) == (real.hidden, real.deprecated)


def test_listing_commands_imports_none_of_them() -> None:
    assert loaded("--help") == loaded("--version") == {"app", "commands"}


def test_a_command_is_imported_alone() -> None:
    assert loaded("schema", "--help") == {"app", "commands", "schema"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --help", "Usage: remindctl run [OPTIONS] "),
        ("log show -h", "Usage: remindctl log show [OPTIONS]"),
        ("optout --help", "Usage: remindctl optout [OPTIONS] COMMAND [ARGS]..."),
        ("rn", "No such command 'rn'. Did you mean 'run'?"),
        ("log sow", "No such command 'sow'. Did you mean 'show'?"),
        ("schema", "Usage: remindctl schema [OPTIONS] "),
    ],
)
def test_help_and_usage_errors_name_the_real_command(words: str, said: str) -> None:
    done = CliRunner().invoke(app, words.split(), prog_name="remindctl")
    assert said in done.output


def test_a_shell_completes_names_and_options_of_commands() -> None:
    def completed(line: str) -> str:
        environment = {
            "_REMINDCTL_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        }
        return CliRunner().invoke(app, prog_name="remindctl", env=environment).stdout

    assert set(completed("remindctl ").split()) >= set(COMMANDS)
    assert "--dry-run" in completed("remindctl run --")
    assert "purge" in completed("remindctl log p")
