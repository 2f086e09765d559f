"""``python -m benchmarks``, from the root of the repository; see README.md."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from functools import partial
from pathlib import Path

from benchmarks import analysis, models, planning, render, sending
from benchmarks.compare import as_data, machine, markdown
from benchmarks.generate import DATA
from benchmarks.history import MAX_LINES

BENCHMARKS = {
    "analyze": analysis.benchmark,
    "models": models.benchmark,
    "render": render.benchmark,
    "plan": planning.benchmark,
    "send": sending.benchmark,
}
_BYTES_PER_LINE = 550


def main() -> None:
    """Run the named benchmarks and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    names = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {names}; default: all")
    parser.add_argument(
        "--lines",
        nargs="+",
        type=int,
        default=[100_000, 1_000_000],
        metavar="N",
        help="order lines of the generated files, or messages; default: %(default)s",
    )
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="rounds; default: %(default)s"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        metavar="DIR",
        help="keeps the files; default: %(default)s",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every value here")
    parser.add_argument(
        "--peers",
        metavar="PYTHON",
        help="an interpreter with lifetimes and lifelines, for models; default: not compared with",
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there is {names}")
    if arguments.repeat < 1 or not all(0 < lines <= MAX_LINES for lines in arguments.lines):
        parser.error(f"--repeat starts at 1, --lines goes from 1 to {MAX_LINES}")
    sizes = sorted(set(arguments.lines))
    arguments.data.mkdir(parents=True, exist_ok=True)
    needed, free = sum(sizes) * _BYTES_PER_LINE, shutil.disk_usage(arguments.data).free
    if needed > free:
        parser.error(f"the files may need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} are free")
    conditions = {**machine(), "rounds": arguments.repeat}
    benchmarks = BENCHMARKS | {"models": partial(models.benchmark, peers=arguments.peers)}
    comparisons = [
        comparison
        for name in arguments.names or BENCHMARKS
        for comparison in benchmarks[name](sizes, arguments.repeat, arguments.data, _say)
    ]
    print("; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in conditions.items()))
    print(f"\n{markdown(comparisons)}")
    if arguments.json:
        document = {**conditions, "comparisons": [as_data(one) for one in comparisons]}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        arguments.json.write_text(text, encoding="utf-8")


def _say(what: str) -> None:
    print(what, file=sys.stderr)


if __name__ == "__main__":
    main()
