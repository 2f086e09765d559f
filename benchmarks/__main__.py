"""``python -m benchmarks``, from the root of the repository; see README.md."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.compare import as_data, markdown
from benchmarks.generate import DATA
from benchmarks.history import MAX_LINES
from benchmarks.interpreters import NOBODY, Interpreters
from benchmarks.machine import machine
from benchmarks.suite import run, suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.compare import Comparison

TARGETS = "targets"


def main(words: Sequence[str] | None = None) -> None:
    """Run the named benchmarks, all by default, and print a Markdown table.

    With ``targets`` it has only what has a target, one line for each.
    """
    parser = _parser()
    arguments = parser.parse_args(words)
    peers = Interpreters(tuple(arguments.peers))
    chosen, names = suite(peers), list(arguments.names)
    only_targets = TARGETS in names
    unknown = sorted({*names} - {*chosen, TARGETS})
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}")
    if named := [name for name in names if name != TARGETS]:
        chosen = {name: chosen[name] for name in named}
    large = arguments.repeat if arguments.repeat_large is None else arguments.repeat_large
    if min(arguments.repeat, large) < 1:
        parser.error("there is at least one round")
    if not all(0 < lines <= MAX_LINES for lines in arguments.lines or ()):
        parser.error(f"--lines goes from 1 to {MAX_LINES:,}")
    sizes = {
        name: arguments.lines or (one.smallest if arguments.smallest else one.sizes)
        for name, one in chosen.items()
    }
    arguments.data.mkdir(parents=True, exist_ok=True)
    needed = max(one.room(sizes[name]) for name, one in chosen.items())
    free = shutil.disk_usage(arguments.data).free
    if needed > free:
        parser.error(f"the files may need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} are free")
    conditions = {**machine(), **peers.versions(), "rounds": arguments.repeat}
    if large != arguments.repeat:
        conditions["rounds_of_the_largest"] = large
    found: list[Comparison] = []
    failed: dict[str, str] = {}
    for name, one in chosen.items():
        try:
            found += run(one, sizes[name], (arguments.repeat, large), arguments.data, _say)
        except RuntimeError as error:
            failed[name] = str(error)
            _say(f"{name} failed: {error}")
    _report(found, failed, conditions, only_targets=only_targets)
    if arguments.json:
        told = [as_data(one) for one in found]
        document = {**conditions, "comparisons": told, "failed": failed}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        arguments.json.write_text(text, encoding="utf-8")
    sys.exit(1 if failed else 0)


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(suite(NOBODY))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {names}; {TARGETS}: see above"
    )
    parser.add_argument(
        "--lines", nargs="+", type=int, metavar="N",
        help="order lines of the generated files, or messages; default: what the targets are for",
    )  # fmt: skip
    parser.add_argument(
        "--smallest", action="store_true", help="as few as will do: for correctness, not for time"
    )
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="rounds; default: %(default)s"
    )
    parser.add_argument(
        "--repeat-large", type=int, metavar="N",
        help="rounds from 10,000,000 lines on; default: as the others",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, default=DATA, metavar="DIR",
        help="keeps the files; default: %(default)s",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every value here")
    parser.add_argument(
        "--peers", nargs="+", default=[], metavar="PYTHON",
        help="interpreters with duckdb, pandas, lifetimes and lifelines; the first that has a "
        "library is taken; default: not compared with",
    )  # fmt: skip
    return parser


def _report(
    found: list[Comparison],
    failed: Mapping[str, str],
    conditions: Mapping[str, object],
    *,
    only_targets: bool,
) -> None:
    shown = [one for one in found if one.has_target or not only_targets]
    print("; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in conditions.items()))
    print(f"\n{markdown(shown)}")
    for name, why in failed.items():
        print(f"\n{name} failed: {why}")


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
