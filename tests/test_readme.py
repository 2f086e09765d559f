"""The README is kept true: what it shows is what the program prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSCRIPTS = re.findall(r"```console\n\$ (remindctl .*)\n([\s\S]*?)```", README)
ANYTHING = "…"


def run(command: str, folder: Path) -> str:
    """Run a command of the README where the examples lie, 80 columns wide."""
    words = shlex.split(command)
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def shows(shown: str, printed: str) -> bool:
    """Tell whether ``shown`` is what was printed; a line with only an ellipsis stands for any."""
    lines = [line.rstrip() for line in shown.rstrip().splitlines()]
    pattern = "".join(
        r"(?:.*\n)*?" if line == ANYTHING else re.escape(line) + r"\n" for line in lines
    )
    text = "\n".join(line.rstrip() for line in printed.rstrip().splitlines()) + "\n"
    return re.fullmatch(pattern, text) is not None


@pytest.mark.parametrize(("command", "shown"), TRANSCRIPTS, ids=[c for c, _ in TRANSCRIPTS])
def test_a_transcript_is_what_is_printed(command: str, shown: str, tmp_path: Path) -> None:
    for name in ("examples", "campaigns"):
        (tmp_path / name).symlink_to(ROOT / name)
    assert shows(shown, run(command, tmp_path))


def test_there_are_transcripts_of_both_jobs() -> None:
    assert [command.split()[1] for command, _ in TRANSCRIPTS] == ["analyze", "run"]
    assert all(len(shown.splitlines()) > 10 for _, shown in TRANSCRIPTS)


@pytest.mark.parametrize("mark", ["first", "test"])
def test_the_two_commands_are_one_line_each(mark: str) -> None:
    found = re.search(rf"<!-- {mark} command -->\n```\n(.*)\n```", README)
    assert found is not None
    assert found[1].startswith("python3 -m venv")


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
