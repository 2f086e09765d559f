from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
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
