"""``remindctl analyze`` against the floor, and against DuckDB and pandas doing the same analysis.

The floor is the same columns of the same file parsed and kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import program
from benchmarks.agreement import require_agreement
from benchmarks.columns import columns_read
from benchmarks.compare import Comparison
from benchmarks.generate import shopify_orders
from benchmarks.interpreters import NOBODY
from benchmarks.measure import Command, compared, in_turns, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.interpreters import Interpreters
    from benchmarks.measure import Cost

FLOOR, ANALYZE = "floor", "analyze"
PEERS = {"duckdb": 2.0, "pandas": 5.0}  # how many times their speed is good enough
WALL_TARGET, PEAK_TARGET = 1.5, 0.3
# What is promised, and from which size on: below it, starting up weighs more than reading.
TARGETS_FROM, PEAK_FROM = 1_000_000, 10_000_000


def benchmark(
    sizes: Sequence[int],
    repeat: int,
    folder: Path,
    say: Callable[[str], None],
    *,
    peers: Interpreters = NOBODY,
) -> Iterator[Comparison]:
    """Check and measure ``analyze`` on files of these numbers of lines.

    Args:
        sizes: in lines.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done, and why a comparison is left out.
        peers: where DuckDB and pandas are.

    Raises:
        RuntimeError: a contestant failed, or two found different things.
    """
    for library in PEERS:
        if peers.having(library) is None:
            say(peers.lacking(library))
    for size in sizes:
        say(f"{size:,} lines: generating (unless kept), warming up, checking the answers")
        path = shopify_orders(size, folder=folder.resolve()).path
        columns = columns_read(path)
        floor = Command(("-m", "benchmarks.floor", str(path), *columns))
        analyses = {ANALYZE: program.analyze(path), **peer_commands(path, peers)}
        with TemporaryDirectory() as temporary:
            output = Path(temporary) / "output"
            floor.run(output)
            check(path, columns, analyses, output)
            contestants = {FLOOR: floor, **analyses}
            say(f"measuring {', '.join(contestants)}: {repeat} rounds")
            costs = in_turns(contestants, repeat, output)
        yield from _compared(size, path.stat().st_size, costs)


def peer_commands(path: Path, peers: Interpreters) -> dict[str, Command]:
    """Return how each library that is there analyses a file."""
    return {
        library: Command(("-m", f"benchmarks.peers.analyze_{library}", str(path)), python=python)
        for library in PEERS
        if (python := peers.having(library)) is not None
    }


def check(
    path: Path, columns: Sequence[str], commands: Mapping[str, Command], output: Path
) -> None:
    """Run every contestant once, and compare what it found with what ``analyze`` finds.

    Args:
        path: the file.
        columns: what ``analyze`` reads of it.
        commands: :data:`ANALYZE` and others, each writing a part of the same document; not the
            floor, which finds nothing.
        output: overwritten.

    Raises:
        RuntimeError: a contestant failed, or two found different things.
    """
    run(("-m", "benchmarks.expected", str(path), *columns), output)
    expected = json.loads(output.read_text(encoding="utf-8"))
    commands[ANALYZE].run(output)
    found = program.analysis_in(output)
    program.require_truth(found, expected)
    for name, command in commands.items():
        if name != ANALYZE:
            command.run(output)
            require_agreement(name, found, json.loads(output.read_text(encoding="utf-8")))


def _compared(
    size: int, file_bytes: int, costs: Mapping[str, Sequence[Cost]]
) -> Iterator[Comparison]:
    what, own = f"analyze, {size:,} lines", costs[ANALYZE]
    promised = size >= TARGETS_FROM
    yield from compared(what, FLOOR, costs[FLOOR], own, target=WALL_TARGET if promised else None)
    for library, speed in PEERS.items():
        if library in costs:
            target = speed if promised else None
            yield from compared(what, library, costs[library], own, speed_target=target)
    yield Comparison(
        measure=f"{what}: peak memory",
        unit="MiB",
        against="the file",
        base=(file_bytes / 2**20,) * len(own),
        values=tuple(one.peak_mib for one in own),
        target=PEAK_TARGET if size >= PEAK_FROM else None,
    )
