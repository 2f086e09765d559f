"""``remindctl analyze`` on more lines than memory holds comfortably: it finishes, and as fast."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import program
from benchmarks.compare import Comparison
from benchmarks.generate import shopify_orders
from benchmarks.measure import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MEMORY_BYTES = 4 * 2**30
FEW, TARGET, TARGET_FROM = 1_000_000, 1.3, 30_000_000


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare the time of a line with that in a file of :data:`FEW` lines, under the same limit.

    As in a container, only memory counts that the kernel could not take back: not the pages of the
    file that are in use. Who goes beyond is killed.

    Args:
        sizes: in lines.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done.

    Raises:
        RuntimeError: a run failed, for example for want of memory, or counted wrongly.
    """
    for size in sizes:
        few = min(FEW, max(1, size // 2))
        say(f"{size:,} lines in {MEMORY_BYTES / 2**30:.0f} GiB: generating (unless kept), checking")
        samples = {lines: shopify_orders(lines, folder=folder.resolve()) for lines in (few, size)}
        commands = {
            lines: program.analyze(sample.path, memory_bytes=MEMORY_BYTES)
            for lines, sample in samples.items()
        }
        with TemporaryDirectory() as temporary:
            output = Path(temporary) / "output"
            for lines, command in commands.items():
                command.run(output)
                program.require_truth(program.analysis_in(output), samples[lines].truth)
            say(f"measuring, {repeat} rounds")
            costs = in_turns(commands, repeat, output)
        what = f"analyze, {size:,} lines in {MEMORY_BYTES / 2**30:.0f} GiB"
        yield Comparison(
            measure=f"{what}: wall time a line",
            unit="µs",
            against=f"{few:,} lines",
            base=tuple(one.wall_seconds / few * 1e6 for one in costs[few]),
            values=tuple(one.wall_seconds / size * 1e6 for one in costs[size]),
            target=TARGET if size >= TARGET_FROM else None,
        )
        yield Comparison(
            measure=f"{what}: peak memory",
            unit="MiB",
            against="the limit",
            base=(MEMORY_BYTES / 2**20,) * repeat,
            values=tuple(one.peak_mib for one in costs[size]),
        )
