"""The suite as a whole, how it measures and tells, and that it does not time a wrong answer."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from benchmarks.__main__ import main
from benchmarks.agreement import DisagreementError, require_agreement
from benchmarks.analysis import ANALYZE, check
from benchmarks.columns import columns_read
from benchmarks.compare import Comparison, as_data, markdown
from benchmarks.generate import Form, shopify_orders, smartstore_orders
from benchmarks.interpreters import NOBODY, Interpreters
from benchmarks.measure import Command, run
from benchmarks.program import analyze
from benchmarks.suite import LARGE, Benchmark
from benchmarks.suite import run as run_benchmark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
LIBRARIES = [name for name in ("duckdb", "pandas") if find_spec(name)]


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


# Ratios, and what is told of them


def test_ratios_are_taken_round_by_round() -> None:
    one = Comparison(
        measure="wall time", unit="s", against="floor",
        base=(1000.0, 10_000.0, 2000.0), values=(2000.0, 15_000.0, 10_000.0), target=1.5,
    )  # fmt: skip
    assert one.ratios == (2.0, 1.5, 5.0)
    assert one.ratio == 2.0
    assert one.verdict == "missed by 0.50×"
    assert (
        "| floor: 2,000 s | 10,000 s | 2.00× | 1.50-5.00 | ≤ 1.5× | missed by 0.50× |"
        in markdown([one])
    )


@pytest.mark.parametrize(
    ("took", "verdict"), [(0.4, "met"), (0.5, "met"), (0.8, "missed by 0.75×")]
)
def test_a_target_may_be_a_speed(took: float, verdict: str) -> None:
    one = Comparison(
        measure="analyze", unit="s", against="pandas", base=(1.0,), values=(took,), speed_target=2.0
    )
    assert one.verdict == verdict
    assert as_data(one)["verdict"] == verdict
    assert "| ≥ 2× its speed, that is ≤ 0.5× |" in markdown([one])


def test_no_value_is_told_without_what_it_is_compared_with() -> None:
    with pytest.raises(ValueError, match="counterpart"):
        Comparison(measure="wall time", unit="s", against="floor", base=(), values=(1.0,))
    with pytest.raises(ValueError, match="either"):
        Comparison(
            measure="wall time", unit="s", against="floor", base=(1.0,), values=(1.0,),
            target=1.0, speed_target=1.0,
        )  # fmt: skip


# Agreement


def test_what_both_tell_must_be_the_same_to_six_decimals() -> None:
    found = {"counts": {"orders": 3, "gaps": 1}, "curve": [{"day": 1, "back": 0.5}], "more": 1}
    require_agreement("a peer", found, {"counts": {"orders": 3}, "curve": [{"back": 0.5000001}]})
    for other, told in (
        ({"counts": {"orders": 4}}, r"counts\.orders: 3 instead of 4 \(a peer\)"),
        ({"curve": [{"back": 0.51}]}, r"curve\[0\]\.back: 0.5 instead of 0.51"),
        ({"curve": []}, r"curve: 1 entries instead of 0"),
        ({"products": []}, r"products: None instead of \[\]"),
    ):
        with pytest.raises(DisagreementError, match=told):
            require_agreement("a peer", found, other)


def test_a_peer_that_finds_something_else_is_not_timed(tmp_path: Path) -> None:
    path = shopify_orders(200, folder=tmp_path).path
    liar = Command(("-c", 'print(\'{"interval_days": {"median": -1}}\')'))
    commands = {ANALYZE: analyze(path), "a liar": liar}
    with pytest.raises(
        DisagreementError, match=r"interval_days\.median: .* instead of -1 \(a liar"
    ):
        check(path, columns_read(path), commands, tmp_path / "output")


# Processes


def test_a_process_is_measured_and_one_that_fails_is_not(tmp_path: Path) -> None:
    output = tmp_path / "output"
    cost = run(("-c", "print(len(b'x' * 64 * 2**20))"), output)
    assert output.read_text() == "67108864\n"
    assert min(cost.cpu_seconds, cost.wall_seconds) > 0
    assert cost.peak_bytes > 64 * 2**20
    with pytest.raises(RuntimeError, match="exit code 3"):
        run(("-c", "import sys; sys.exit(3)"), output)
    with pytest.raises(RuntimeError, match="there is no no-such-python"):
        Command((), python="no-such-python").run(output)


@pytest.mark.skipif(sys.platform != "linux", reason="others do not keep the limit")
def test_memory_can_be_limited(tmp_path: Path) -> None:
    words = ("-c", "import time; kept = b'x' * (128 * 2**20); time.sleep(1)")
    with pytest.raises(RuntimeError, match="exit code -9"):
        Command(words, memory_bytes=96 * 2**20).run(tmp_path / "output")
    words = ("-c", "kept = b'x' * (128 * 2**20)")
    Command(words, memory_bytes=192 * 2**20).run(tmp_path / "output")


def test_a_library_is_that_of_the_first_interpreter_that_has_it() -> None:
    assert NOBODY.having("duckdb") is None
    assert "no interpreter that has it is given" in NOBODY.lacking("duckdb")
    nowhere = Interpreters(("no-such-python",))
    assert nowhere.having("pandas") is None
    assert "not to be imported by no-such-python" in nowhere.lacking("pandas")
    here = Interpreters(("no-such-python", sys.executable))
    assert [name for name in ("duckdb", "pandas") if here.having(name)] == LIBRARIES
    assert {*here.versions()} & {"duckdb", "pandas"} == {*LIBRARIES}


# The suite


def test_large_sizes_have_rounds_of_their_own() -> None:
    asked: list[tuple[Sequence[int], int]] = []

    def compare(
        sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
    ) -> Iterator[Comparison]:
        del folder, say
        asked.append((sizes, repeat))
        yield from ()

    one = Benchmark(compare, sizes=(1,), smallest=(1,))
    assert not list(run_benchmark(one, [LARGE, 5, 1, 5], (7, 2), ROOT, print))
    assert asked == [([1, 5], 7), ([LARGE], 2)]


def test_all_run_at_their_smallest_and_agree(tmp_path: Path) -> None:
    """Starting up is run below; sending, planning, rendering and fits by their own tests."""
    results = tmp_path / "results.json"
    names = ["analyze", "unchanged", "cp949", "xlsx", "limited", "customers"]
    done = benchmarks(
        *names, "--smallest", "--repeat", "1", "--data", str(tmp_path), "--json", str(results),
        "--peers", sys.executable,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    assert {"processor", "cores", "memory", "python", "polars", *LIBRARIES} <= document.keys()
    found = document["comparisons"]
    assert all(len(one["base"]) == len(one["values"]) > 0 for one in found)
    assert all(min(*one["base"], *one["values"]) > 0 for one in found)
    whole = {one["against"] for one in found if one["measure"] == "analyze, 2,000 lines: wall time"}
    assert whole == {"floor", *LIBRARIES}
    assert {one["measure"].split(":")[0] for one in found} == {
        "analyze, 2,000 lines",
        "analyze, 2,000 unchanged lines",
        "analyze, 2,000 Smartstore lines in CP949",
        "analyze, 2,000 lines in a workbook with a password",
        "analyze, 2,000 lines in 4 GiB",
        "customers, 2,000 lines of 384 people",
    }
    assert "| analyze, 2,000 lines: wall time | floor: " in done.stdout


def test_targets_are_told_in_one_line_each_and_failures_at_the_end(tmp_path: Path) -> None:
    smartstore_orders(2_000, Form.UTF_8, folder=tmp_path)
    [truth] = tmp_path.glob("*.json")
    truth.write_text(truth.read_text(encoding="utf-8").replace('"gaps": ', '"gaps": 9'), "utf-8")
    words = ["targets", "cp949", "startup", "--smallest", "--repeat", "1"]
    done = benchmarks(*words, "--data", str(tmp_path))
    assert done.returncode == 1, done.stderr
    told = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][2:]
    assert [cells[0] for cells in told] == [
        "| --help: wall time",
        "| run with nothing due, 100 lines: wall time",
    ]
    assert all(cells[-1].startswith(("met", "missed by")) for cells in told)
    assert "\ncp949 failed: a wrong answer is not worth timing: gaps: " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no-such"], "no benchmark is called no-such"),
        (["analyze", "--repeat", "0"], "at least one round"),
        (["analyze", "--lines", "0"], "--lines goes from 1 to"),
    ],
)
def test_what_cannot_be_run_is_refused(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert problem in capsys.readouterr().err
