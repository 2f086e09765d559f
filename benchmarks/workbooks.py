"""``remindctl analyze`` on a workbook with a password, against calamine reading the plain one.

Calamine (through fastexcel, as remindctl has it) parses the columns that the analysis reads, as
text, keeps them, and ends: the floor of a workbook.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import program
from benchmarks.columns import columns_read
from benchmarks.generate import Form, smartstore_orders
from benchmarks.measure import Command, compared, in_turns
from benchmarks.workbook import MAX_LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.compare import Comparison

TARGET, TARGET_FROM = 1.3, 100_000


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare analysing an encrypted workbook with reading the plain one.

    Args:
        sizes: in lines; a workbook has no room for more than ``workbook.MAX_LINES``.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done.

    Raises:
        RuntimeError: a run failed, or the answer is not the file's own truth.
    """
    for size in sizes:
        if size > MAX_LINES:
            say(f"{size:,} lines in a workbook: left out, as it has room for {MAX_LINES:,}")
            continue
        say(f"{size:,} lines in a workbook: generating (unless kept), then {repeat} rounds")
        plain, encrypted = (
            smartstore_orders(size, form, folder=folder.resolve())
            for form in (Form.XLSX, Form.ENCRYPTED)
        )
        columns = columns_read(plain.path)
        commands = {
            "calamine": Command(("-m", "benchmarks.calamine", str(plain.path), *columns)),
            "analyze": program.analyze(encrypted.path),
        }
        with TemporaryDirectory() as temporary:
            output = Path(temporary) / "output"
            for command in commands.values():
                command.run(output)
            program.require_truth(program.analysis_in(output), encrypted.truth)
            costs = in_turns(commands, repeat, output)
        yield from compared(
            f"analyze, {size:,} lines in a workbook with a password",
            "calamine, the plain one",
            costs["calamine"],
            costs["analyze"],
            target=TARGET if size >= TARGET_FROM else None,
        )
