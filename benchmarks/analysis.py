"""``remindctl analyze`` against the floor: the same columns of the same file parsed and kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from polars.io.plugins import register_io_source

from benchmarks.compare import Comparison
from benchmarks.generate import shopify_orders
from benchmarks.measure import in_turns, run
from remindctl.cycles import ITEM_COLUMNS
from remindctl.stores.identify import claim_files
from remindctl.stores.layout import built_in
from remindctl.stores.load import load
from remindctl.stores.query import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from benchmarks.measure import Cost

FLOOR, ANALYZE = "floor", "analyze"
# What is promised, and from which size on: below it, starting up weighs more than reading.
WALL_TARGET, PEAK_TARGET, TARGETS_AT = 2.0, 1.5, 1_000_000
GROWTH_TARGET, GROWTH_FROM, GROWTH_TO = 1.2, 1_000_000, 10_000_000

_HEAD_ROWS = 1000


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> list[Comparison]:
    """Check and measure ``analyze`` on files of these numbers of lines.

    Args:
        sizes: in lines, ascending.
        repeat: rounds, after one that is not counted.
        folder: where the generated files are kept.
        say: told what is being done.

    Raises:
        RuntimeError: a contestant failed, or ``analyze`` counted wrongly.
    """
    contestants: dict[tuple[int, str], Sequence[str]] = {}
    with TemporaryDirectory() as temporary:
        output = Path(temporary) / "output"
        for size in sizes:
            say(f"{size:,} lines: generating (unless kept), warming up, checking the counts")
            path = shopify_orders(size, folder=folder.resolve()).path
            columns = columns_read(path)
            floor = ("-m", "benchmarks.floor", str(path), *columns)
            analyze = ("-m", "remindctl", "analyze", str(path), "-o", "json")
            run(floor, output)
            run(("-m", "benchmarks.expected", str(path), *columns), output)
            expected = json.loads(output.read_text(encoding="utf-8"))
            run(analyze, output)
            check(json.loads(output.read_text(encoding="utf-8")), expected)
            contestants |= {(size, FLOOR): floor, (size, ANALYZE): analyze}
        say(f"measuring, {repeat} rounds")
        costs = in_turns(contestants, repeat, output)
    return [*_against_the_floor(sizes, costs), *_growth(costs)]


def columns_read(path: Path) -> list[str]:
    """Return the columns of a file that ``analyze`` parses, found by watching it read the head."""
    [claim] = claim_files([str(path)], list(built_in().values()), password=lambda _: None)
    head = claim.table.rows.head(_HEAD_ROWS).collect()
    asked: set[str] = set()

    def watched(
        columns: list[str] | None, predicate: pl.Expr | None, _rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = columns if columns is not None else head.columns
        asked.update(wanted)
        rows = head if predicate is None else head.filter(predicate)
        yield rows.select(wanted)

    table = replace(claim.table, rows=register_io_source(watched, schema=head.schema))
    compact = Settings(compact=frozenset(ITEM_COLUMNS["product"]))
    load([replace(claim, table=table)], compact, store="benchmark")
    return [name for i, name in enumerate(claim.table.header) if f"c{i}" in asked]


def check(document: dict[str, object], expected: dict[str, int]) -> None:
    """Compare what ``analyze -o json`` printed with what was counted without it.

    Raises:
        RuntimeError: names every count that differs.
    """
    store = document["stores"][0]  # type: ignore[index]
    counted = {**store["counts"], **store["excluded"]}
    wrong = [
        f"{name}: {counted.get(name)} instead of {count}"
        for name, count in expected.items()
        if counted.get(name) != count
    ]
    if wrong:
        raise RuntimeError(f"a wrong answer is not worth timing: {'; '.join(wrong)}")


def _against_the_floor(
    sizes: Sequence[int], costs: dict[tuple[int, str], list[Cost]]
) -> Iterator[Comparison]:
    for size in sizes:
        floor, analyze = costs[size, FLOOR], costs[size, ANALYZE]
        wall, peak = (WALL_TARGET, PEAK_TARGET) if size == TARGETS_AT else (None, None)
        for measure, unit, value, target in (
            ("wall time", "s", _wall_seconds, wall),
            ("CPU time", "s", _cpu_seconds, None),
            ("peak memory", "MiB", _peak_mib, peak),
        ):
            yield Comparison(
                measure=f"{size:,} lines: {measure}",
                unit=unit,
                against="floor",
                base=tuple(map(value, floor)),
                values=tuple(map(value, analyze)),
                target=target,
            )


def _growth(costs: dict[tuple[int, str], list[Cost]]) -> Iterator[Comparison]:
    few, many = costs.get((GROWTH_FROM, ANALYZE)), costs.get((GROWTH_TO, ANALYZE))
    if few and many:
        yield Comparison(
            measure=f"{GROWTH_TO:,} lines: wall time per line",
            unit="µs",
            against=f"{GROWTH_FROM:,} lines",
            base=tuple(one.wall_seconds / GROWTH_FROM * 1e6 for one in few),
            values=tuple(one.wall_seconds / GROWTH_TO * 1e6 for one in many),
            target=GROWTH_TARGET,
        )


def _wall_seconds(cost: Cost) -> float:
    return cost.wall_seconds


def _cpu_seconds(cost: Cost) -> float:
    return cost.cpu_seconds


def _peak_mib(cost: Cost) -> float:
    return cost.peak_bytes / 2**20
