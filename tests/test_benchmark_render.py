from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from benchmarks import planning
from benchmarks.render import LABELLED, benchmark, check, customers

if TYPE_CHECKING:
    from pathlib import Path


def test_both_write_the_same_texts_and_a_wrong_one_is_not_timed(tmp_path: Path) -> None:
    said: list[str] = []
    wall, cpu = benchmark([300], 1, tmp_path, said.append)
    assert (wall.against, wall.target, len(wall.ratios)) == ("template.render", None, 1)
    assert cpu.measure == "300 messages of 200 characters: cpu time"
    assert said == ["300 messages: comparing the texts, then 1 rounds"]
    frame = customers(2)
    with pytest.raises(RuntimeError, match="a wrong answer is not worth timing"):
        check(frame, [LABELLED, LABELLED])


def test_plans_and_dry_runs_write_what_the_loop_writes(tmp_path: Path) -> None:
    found = list(planning.benchmark([300], 1, tmp_path, lambda _: None))
    assert [(one.measure.split(":")[0], one.against) for one in found] == [
        *[("plan of 300 due customers against 1,500 past messages", "template.render")] * 2,
        *[("dry run to NDJSON, 300 messages", "the plan")] * 2,
    ]
    assert not list(tmp_path.iterdir())
    frame = customers(20)
    other = frame.with_columns(pl.col("days") + 1)
    with pytest.raises(RuntimeError, match="a wrong answer is not worth timing"):
        planning.check(frame, planning.world(other))
