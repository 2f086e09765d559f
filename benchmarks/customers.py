"""``remindctl customers`` with its predictions against ``analyze`` on the same file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from benchmarks import program
from benchmarks.agreement import require_agreement
from benchmarks.generate import shopify_orders
from benchmarks.measure import compared, in_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.compare import Comparison
    from benchmarks.measure import Command

ANALYZE, CUSTOMERS = "analyze", "customers"
TARGET, TARGET_FROM = 2.0, 1_000_000  # customers


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare the command that describes everyone with the one that describes the store.

    Args:
        sizes: of the files, in lines; there is a customer to about five.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done.

    Raises:
        RuntimeError: a run failed, or the two do not find as many customers and orders.
    """
    for size in sizes:
        say(f"customers of {size:,} lines: generating (unless kept), then {repeat} rounds")
        path = shopify_orders(size, folder=folder.resolve()).path
        commands = {ANALYZE: program.analyze(path), CUSTOMERS: program.customers(path)}
        with TemporaryDirectory() as temporary:
            output = Path(temporary) / "output"
            people = _checked(commands, output)
            costs = in_turns(commands, repeat, output)
        yield from compared(
            f"customers, {size:,} lines of {people:,} people", ANALYZE,
            costs[ANALYZE], costs[CUSTOMERS], target=TARGET if people >= TARGET_FROM else None,
        )  # fmt: skip


def _checked(commands: Mapping[str, Command], output: Path) -> int:
    """Return how many people there are; both commands must count the same buyers and orders."""
    commands[ANALYZE].run(output)
    store = program.analysis_in(output)
    commands[CUSTOMERS].run(output)
    listed = pl.read_csv(output, columns=["orders"])
    found = {"customers": listed.filter(pl.col("orders") > 0).height, "orders": listed.sum().item()}
    require_agreement(ANALYZE, found, {name: store["counts"][name] for name in found})
    return listed.height
