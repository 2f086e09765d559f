"""The commands are listed without importing them, and nobody notices."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.shop import Shop
from typer.main import get_command
from typer.testing import CliRunner

from remindctl.cli.app import app
from remindctl.cli.commands import COMMANDS, Deferred

if TYPE_CHECKING:
    from pathlib import Path

LISTED: Any = get_command(app)
PROBE = """
import sys
from remindctl.cli import main
try:
    main()
finally:
    print(*sorted(sys.modules))
"""


def loaded(*words: str | Path) -> set[str]:
    """Return the modules that a call imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, words)], capture_output=True, check=True, text=True
    )
    return set(done.stdout.splitlines()[-1].split())


def commands(*words: str) -> set[str]:
    """Return the modules of ``cli`` that a call imports."""
    prefix = "remindctl.cli."
    return {name.removeprefix(prefix) for name in loaded(*words) if name.startswith(prefix)}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_the_first_sentence_of_the_commands_own_help(name: str) -> None:
    listed = LISTED.commands[name]
    assert isinstance(listed, Deferred)
    real = listed.load()
    assert real.name == name
    assert listed.get_short_help_str(1000) == real.get_short_help_str(1000)
    assert (listed.hidden, listed.deprecated) == (real.hidden, real.deprecated)


def test_listing_commands_imports_none_of_them() -> None:
    assert commands("--help") == commands("--version") == {"app", "commands"}


def test_a_command_is_imported_alone() -> None:
    assert commands("schema", "--help") == {"app", "commands", "schema"}


def test_a_run_with_nothing_due_loads_nothing_that_sends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(tmp_path, capsys)
    call = ("run", tmp_path / "winback.yaml", "--config", tmp_path / "remindctl.yaml")
    sends = {"remindctl.channels", "remindctl.dispatch", "http.client"}
    shop.export(("김민수", "kim@example.com", 3.0, "yes"))
    assert not loaded(*call) & sends
    shop.export(("김민수", "kim@example.com", 30.1, "yes"))
    assert loaded(*call) >= {"remindctl.channels", "remindctl.dispatch"}


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
