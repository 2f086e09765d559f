"""``remindctl analyze`` on a Smartstore download that Excel saved as CP949, against UTF-8."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import program
from benchmarks.agreement import require_agreement
from benchmarks.generate import Form, smartstore_orders
from benchmarks.measure import compared, in_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.compare import Comparison

TARGET, TARGET_FROM = 3.0, 1_000_000


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare the two encodings of the same rows.

    Args:
        sizes: in lines.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done.

    Raises:
        RuntimeError: a run failed, or the answers are not the same and the file's own truth.
    """
    for size in sizes:
        say(f"{size:,} Smartstore lines: generating (unless kept), then {repeat} rounds")
        samples = {
            form: smartstore_orders(size, form, folder=folder.resolve())
            for form in (Form.UTF_8, Form.CP949)
        }
        commands = {form: program.analyze(sample.path) for form, sample in samples.items()}
        with TemporaryDirectory() as temporary:
            output = Path(temporary) / "output"
            answers = {}
            for form, command in commands.items():
                command.run(output)
                answers[form] = program.analysis_in(output)
                program.require_truth(answers[form], samples[form].truth)
            require_agreement("in UTF-8", answers[Form.CP949], answers[Form.UTF_8])
            costs = in_turns(commands, repeat, output)
        yield from compared(
            f"analyze, {size:,} Smartstore lines in CP949", "in UTF-8",
            costs[Form.UTF_8], costs[Form.CP949], target=TARGET if size >= TARGET_FROM else None,
        )  # fmt: skip
