"""Every benchmark by its name, and the sizes that its targets are for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from benchmarks import (
    analysis,
    customers,
    encodings,
    limited,
    log,
    models,
    planning,
    render,
    sending,
    startup,
    unchanged,
    workbooks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from benchmarks.compare import Comparison
    from benchmarks.interpreters import Interpreters

# From this size on a round takes minutes.
LARGE = 10_000_000


class Compare(Protocol):
    """Takes sizes, rounds, a folder for files, and whom to tell what is being done."""

    def __call__(
        self, sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None], /
    ) -> Iterable[Comparison]:
        """Check every contestant's answer, then measure."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark.

    Attributes:
        compare: what runs it.
        sizes: those that the targets are for, in lines or messages; it may have but one.
        smallest: sizes at which it is quick and nothing is left out.
        line_bytes: room on the disk for each line of its files.
    """

    compare: Compare
    sizes: tuple[int, ...]
    smallest: tuple[int, ...]
    line_bytes: int = 0

    def room(self, sizes: Sequence[int]) -> int:
        """Return the bytes that its files may need."""
        return self.line_bytes * sum(sizes)


def suite(peers: Interpreters) -> dict[str, Benchmark]:
    """Return the benchmarks by name.

    Args:
        peers: where the libraries are that some compare with.
    """
    million = 1_000_000
    few = (1_000,)
    analyze = partial(analysis.benchmark, peers=peers)
    return {
        "analyze": Benchmark(analyze, (million, 10 * million), (2_000,), 550),
        "unchanged": Benchmark(unchanged.benchmark, (million, 10 * million), (2_000,), 550),
        "cp949": Benchmark(encodings.benchmark, (million,), (2_000,), 1400),
        "limited": Benchmark(limited.benchmark, (30 * million,), (2_000,), 550),
        "xlsx": Benchmark(workbooks.benchmark, (100_000,), (2_000,), 600),
        "customers": Benchmark(customers.benchmark, (5_400_000,), (2_000,), 550),
        "models": Benchmark(partial(models.benchmark, peers=peers), (million,), few),
        "render": Benchmark(render.benchmark, (million,), few),
        "plan": Benchmark(planning.benchmark, (million,), few),
        "log": Benchmark(log.benchmark, (million,), few),
        "send": Benchmark(sending.benchmark, (100_000, million), (20, 40)),
        "startup": Benchmark(startup.benchmark, (100,), (100,)),
    }


def run(
    benchmark: Benchmark,
    sizes: Sequence[int],
    rounds: tuple[int, int],
    folder: Path,
    say: Callable[[str], None],
) -> Iterable[Comparison]:
    """Run a benchmark at these sizes.

    Args:
        benchmark: which.
        sizes: in any order.
        rounds: how many below :data:`LARGE`, and how many from there on.
        folder: for its files.
        say: told what is being done.
    """
    ordered = sorted(set(sizes))
    small = [size for size in ordered if size < LARGE]
    for part, repeat in zip((small, ordered[len(small) :]), rounds, strict=True):
        if part:
            yield from benchmark.compare(part, repeat, folder, say)
