"""``remindctl analyze`` on a file that it has read before, against its first run.

Both are told beyond starting up: what the same command takes for a file of ten lines is taken off.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import program
from benchmarks.agreement import require_agreement
from benchmarks.compare import Comparison
from benchmarks.generate import shopify_orders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TARGET, TARGET_FROM = 0.15, 1_000_000
_FEW = 10
_LEAST_SECONDS = 0.001  # what a difference of two times is told as when it is lost in their noise


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare second runs with first ones on files of these numbers of lines.

    Args:
        sizes: in lines.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done.

    Raises:
        RuntimeError: a run failed, or the second one's answer is another.
    """
    few = program.analyze(shopify_orders(_FEW, folder=folder.resolve()).path)
    for size in sizes:
        say(f"{size:,} unchanged lines: generating (unless kept), then {repeat} rounds")
        path = shopify_orders(size, folder=folder.resolve()).path
        with TemporaryDirectory() as temporary:
            cache, output = Path(temporary) / "cache", Path(temporary) / "output"
            analyze = program.analyze(path, cache=cache)
            answers, rounds = [], []
            for _ in range(1 + repeat):
                shutil.rmtree(cache, ignore_errors=True)
                start_up = few.run(output).wall_seconds
                spent = []
                for _ in ("first", "second"):
                    took = analyze.run(output).wall_seconds
                    spent.append(max(_LEAST_SECONDS, took - start_up))
                    answers.append(program.analysis_in(output))
                rounds.append(spent)
        for answer in answers:
            require_agreement("the first run", answer, answers[0])
        first, second = zip(*rounds[1:], strict=True)
        yield Comparison(
            measure=f"analyze, {size:,} unchanged lines: wall time beyond start-up",
            unit="s",
            against="the first run",
            base=first,
            values=second,
            target=TARGET if size >= TARGET_FROM else None,
        )
