"""The recipes for schedulers: each is what its reader takes, and runs commands that there are."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from cronsim import CronSim
from typer.main import get_command

from remindctl.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parents[1] / "examples" / "scheduling"
PROGRAM = "/opt/remindctl/bin/remindctl"


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def runs(words: Sequence[str]) -> None:
    """Let the program read a command line, without running it."""
    root: Any = get_command(app)
    command = root.commands[words[0]]
    command.make_context(words[0], list(words[1:]))


def test_the_crontab_is_one_and_its_lines_run() -> None:
    lines = [line for line in text("crontab").splitlines() if line and line[0] != "#"]
    settings = [line for line in lines if re.match(r"\w+=", line)]
    jobs = [line.split(maxsplit=5) for line in lines if line not in settings]
    assert len(jobs) == 3
    for job in jobs:
        next(CronSim(" ".join(job[:5]), datetime(2025, 1, 1, tzinfo=UTC)))
        assert "%" not in job[5]  # which cron takes for the end of a line
        subprocess.run(["/bin/sh", "-n", "-c", job[5]], check=True)
        before, program, words = job[5].partition(f"{PROGRAM} ")
        assert before == "cd /srv/shop && set -a && . ./.env && set +a && "
        assert program
        runs(shlex.split(words))


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text("remindctl.service"))
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program == PROGRAM
    runs(words)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("remindctl.service", "remindctl.timer"):
        (tmp_path / name).write_text(text(name).replace(PROGRAM, sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    complaints = [line for line in done.stderr.splitlines() if "remindctl" in line]
    assert complaints == [], done.stderr


def test_the_job_of_kubernetes_runs_one_at_a_time_and_holds_no_secret() -> None:
    claim, job = yaml.safe_load_all(text("kubernetes-cronjob.yaml"))
    spec = job["spec"]
    next(CronSim(spec["schedule"], datetime(2025, 1, 1, tzinfo=ZoneInfo(spec["timeZone"]))))
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    runs(container["args"])
    assert "env" not in container
    assert container["envFrom"] == [{"secretRef": {"name": "remindctl"}}]
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
    state = volumes["state"]["persistentVolumeClaim"]["claimName"]
    assert state == claim["metadata"]["name"]


def test_the_image_hands_signals_to_the_program() -> None:
    said = dict(
        line.split(maxsplit=1)
        for line in text("Containerfile").splitlines()
        if re.match("[A-Z]+ ", line)
    )
    assert json.loads(said["ENTRYPOINT"]) == ["remindctl"]
    runs(json.loads(said["CMD"]))
    assert said["USER"] == "10001"
    extras = re.search(r"remindctl\[([a-z,]+)\]", said["RUN"])
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert extras is not None
    assert all(f"\n{extra} = [" in project for extra in extras[1].split(","))


def test_no_recipe_shows_a_secret_on_a_command_line() -> None:
    for path in FOLDER.iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            if "remindctl run" in line or "remindctl check" in line:
                assert not re.search(r"(?i)(password|secret|token|key)=|--ping", line), line
