from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from benchmarks.log import CAPS_SPEED, WRITING_SPEED, benchmark, check

if TYPE_CHECKING:
    from pathlib import Path


def test_every_contestant_writes_and_finds_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    found = benchmark([30, 200], 1, tmp_path, said.append)
    told = {(one.measure, one.against): one.speed_target for one in found}
    each = [
        ("{0} claims and outcomes", "executemany", WRITING_SPEED),
        ("caps of {0} people, {1} messages in the log", "an anti-join", CAPS_SPEED),
        ("the whole past of {0} people", "a join", None),
    ]
    assert told == {
        (f"{what.format(size, size * 3)}: {unit} time", against): speed if unit == "wall" else None
        for size in (30, 200)
        for what, against, speed in each
        for unit in ("wall", "cpu")
    }
    assert len(said) == 4
    assert list(tmp_path.iterdir()) == []


def test_logs_that_differ_in_one_row_are_not_compared(tmp_path: Path) -> None:
    for name, rows in (("a", 2), ("b", 3)):
        with closing(sqlite3.connect(tmp_path / name)) as connection, connection:
            for table in ("claims", "identifiers"):
                connection.execute(f"CREATE TABLE {table} (x)")
            numbers = [(n,) for n in range(rows)]
            connection.executemany("INSERT INTO identifiers VALUES (?)", numbers)
    check(tmp_path / "a", tmp_path / "a")
    for one, other in ("ab", "ba"):
        with pytest.raises(RuntimeError, match="identifiers"):
            check(tmp_path / one, tmp_path / other)
