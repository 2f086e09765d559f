"""The README is kept true: what it shows is what the program prints, knows and understands."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from remindctl.audience import ANCHORS, MESSAGE
from remindctl.audience.events import WELL_KNOWN
from remindctl.channels import PROVIDERS, Account, open_account
from remindctl.cli.app import app
from remindctl.config import ConfigFile
from remindctl.documents import parse
from remindctl.errors import Refused
from remindctl.model import Channel
from remindctl.policy import REASONS
from remindctl.render.filters import FILTER_NAMES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSCRIPTS = re.findall(r"```console\n\$ (remindctl .*)\n([\s\S]*?)```", README)
BLOCKS = re.split(r"^```", README, flags=re.MULTILINE)[1::2]
COMMANDS = sorted(
    {
        line.partition(" # ")[0].strip()
        for block in BLOCKS
        if block.startswith("\n")
        for line in block.splitlines()
        if line.startswith("remindctl ")
    }
)
EXAMPLE, ACCOUNTS = re.findall(r"```yaml\n([\s\S]*?)```", README)
AT = "--config examples/smartstore/remindctl.yaml --as-of 2026-10-31T16:30+09:00"
ANYTHING = "…"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the examples, so that what runs there writes nothing beside ours."""
    for name in ("examples", "campaigns"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


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


def table(head: str, column: int = 0) -> list[list[str]]:
    """Return the code words in a column of the table that begins with ``head``."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\| ---.*\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert found is not None
    return [re.findall(r"`([^`]+)`", row.split(" | ")[column]) for row in found[1].splitlines()]


@pytest.mark.parametrize(("command", "shown"), TRANSCRIPTS, ids=[c for c, _ in TRANSCRIPTS])
def test_a_transcript_is_what_is_printed(command: str, shown: str, folder: Path) -> None:
    assert shows(shown, run(command, folder))


def test_there_are_transcripts_of_what_people_look_at() -> None:
    assert [command.split()[1] for command, _ in TRANSCRIPTS] == ["analyze", "run", "explain"]
    assert all(len(shown.splitlines()) > 10 for _, shown in TRANSCRIPTS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_exists_with_its_options(command: str) -> None:
    _, *words = shlex.split(command)
    words = words[: words.index(">")] if ">" in words else words
    root: Any = get_command(app)
    found = root.commands[words.pop(0)].load()
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    options = {name for param in found.params for name in param.opts}
    assert {word for word in words if re.match(r"--[a-z]|-[a-z]$", word)} <= options


def test_the_campaign_that_explains_the_language_passes_check(folder: Path) -> None:
    (folder / "example.yaml").write_text(EXAMPLE, encoding="utf-8")
    (folder / "winback.txt").write_text("안녕하세요.\n", encoding="utf-8")
    assert "1 campaign: 0 problems" in run(f"remindctl check example.yaml {AT}", folder)


def test_every_anchor_channel_and_filter_is_named() -> None:
    anchors = {name for row in table("`after`") for name in row}
    assert anchors >= {*ANCHORS, MESSAGE}
    assert anchors <= {*ANCHORS, MESSAGE, *WELL_KNOWN, "birthday"}
    assert {name for row in table("channel") for name in row} == set(map(str, Channel))
    filters = {re.split(r"\(", name)[0] for row in table("filter") for name in row}
    assert filters == {*FILTER_NAMES, "truncate"}


def test_the_reasons_stand_in_the_order_of_the_gates() -> None:
    # Before its time and after it nobody is due, so a run never counts these.
    gates = [name for name in REASONS if name not in ("not_yet", "expired")]
    assert [name for row in table("reason") for name in row] == gates


@pytest.mark.parametrize("mark", ["first", "test"])
def test_the_two_commands_are_one_line_each(mark: str) -> None:
    found = re.search(rf"<!-- {mark} command -->\n```\n(.*)\n```", README)
    assert found is not None
    assert found[1].startswith("python3 -m venv")


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def problems(type_: str, settings: list[str]) -> dict[str, str]:
    """Return what is wrong with an account in which each of some settings is ``x``."""
    account = Account("a", dict.fromkeys(settings, "x"), Path(), io.StringIO())
    with pytest.raises(Refused) as refused:
        open_account(type_, account)
    return {str(one.place).rpartition(".")[2]: one.what for one in refused.value.problems}


def test_every_provider_is_in_the_table_with_the_settings_that_it_reads() -> None:
    rows = list(zip(table("type"), table("type", 2), strict=True))
    assert sorted(name for names, _ in rows for name in names) == sorted(PROVIDERS)
    for [type_, *more], cells in rows:
        if more:
            continue  # those that stay on this machine take whatever they are given
        settings = [cell.partition(":")[0] for cell in cells]
        assert "is no setting of this provider" not in problems(type_, settings).values(), type_
        assert set(problems(type_, [])) <= set(settings), type_


def test_the_accounts_that_are_shown_can_be_opened() -> None:
    facts = "name: A, timezone: Asia/Seoul, country: KR, currency: KRW, sources: {orders: a.csv}"
    before, accounts = ACCOUNTS.split("\nproviders:")
    channels = before[before.index("channels:") :].strip()
    text = f"stores:\n  green: {{{facts}, {channels}}}\nproviders:{accounts}"
    config = parse(text, "remindctl.yaml", ConfigFile).value
    assert set(config.stores["green"].channels.values()) == set(config.providers)
    for name, entry in config.providers.items():
        open_account(entry.type, Account(name, entry.settings, ROOT, io.StringIO()))


def test_the_provider_that_is_shown_is_the_example_that_is_tested() -> None:
    [shown] = re.findall(r"```python\n([\s\S]*?)```", README)
    package = ROOT / "examples" / "provider"
    assert (package / "remindctl_example_gateway.py").read_text(encoding="utf-8").endswith(shown)
    [entry] = re.findall(r"```toml\n([\s\S]*?)```", README)
    assert entry in (package / "pyproject.toml").read_text(encoding="utf-8")
