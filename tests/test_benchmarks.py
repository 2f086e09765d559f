from __future__ import annotations

import csv
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from benchmarks.analysis import check, columns_read
from benchmarks.compare import Comparison, markdown
from benchmarks.expected import counts
from benchmarks.generate import shopify_orders
from benchmarks.history import MAX_LINES, OUTCOMES, history
from typer.testing import CliRunner

from remindctl.cli.app import app
from remindctl.stores.identify import claim_files
from remindctl.stores.layout import built_in

if TYPE_CHECKING:
    from benchmarks.generate import Sample

ROOT = Path(__file__).parents[1]
LINES = 2_000
# What a Shopify export fills on the rows of an order after its first.
CONTINUED = {
    "Name", "Email", "Created at", "Phone", "Vendor",
    *(f"Lineitem {what}" for what in ("quantity", "name", "price", "compare at price", "sku",
      "requires shipping", "taxable", "fulfillment status", "discount")),
}  # fmt: skip

Row = dict[str, str]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return shopify_orders(LINES, folder=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def orders(sample: Sample) -> list[list[Row]]:
    """The rows of each run of one order name."""
    with sample.path.open(encoding="utf-8", newline="") as file:
        return [list(rows) for _, rows in groupby(csv.DictReader(file), lambda row: row["Name"])]


def analyzed(path: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["analyze", str(path), "-o", "json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


# The generated files


def test_the_same_size_and_seed_give_the_same_file(sample: Sample, tmp_path: Path) -> None:
    again = shopify_orders(LINES, folder=tmp_path)
    other = shopify_orders(LINES, seed=1, folder=tmp_path)
    assert again.path.read_bytes() == sample.path.read_bytes()
    assert again.truth == sample.truth
    assert other.path.read_bytes() != sample.path.read_bytes()


def test_a_complete_file_is_kept_and_one_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    whole = shopify_orders(10, folder=tmp_path)
    content = whole.path.read_bytes()
    whole.path.write_bytes(b"kept")
    assert shopify_orders(10, folder=tmp_path).path.read_bytes() == b"kept"
    whole.path.with_suffix(".json").unlink()
    assert shopify_orders(10, folder=tmp_path).path.read_bytes() == content


def test_files_look_like_shopifys(sample: Sample, orders: list[list[Row]]) -> None:
    headers = json.loads((ROOT / "examples/generator/headers.json").read_text(encoding="utf-8"))
    assert list(orders[0][0]) == headers["shopify_orders"]
    assert sum(map(len, orders)) == LINES == sample.truth["rows"]
    assert len({rows[0]["Name"] for rows in orders}) == len(orders), "an order's rows are together"
    created = [rows[0]["Created at"] for rows in orders]
    assert [at[:10] for at in created] == sorted((at[:10] for at in created), reverse=True)
    for first, *continued in orders:
        assert first["Financial Status"]
        assert float(first["Total"]) > 0
        for row in continued:
            assert {name for name, cell in row.items() if cell} <= CONTINUED
            assert [row[name] for name in ("Email", "Created at")] == [
                first[name] for name in ("Email", "Created at")
            ]


def test_files_hold_what_makes_real_ones_hard(orders: list[list[Row]]) -> None:
    firsts = [rows[0] for rows in orders]
    assert {row["Created at"][-5:] for row in firsts} == {"-0400", "-0500"}
    assert {row["Financial Status"] for row in firsts} == {one.financial_status for one in OUTCOMES}
    assert any(row["Cancelled at"] and row["Financial Status"] == "paid" for row in firsts)
    assert any("\n" in row["Notes"] and '"' in row["Notes"] for row in firsts)
    assert any(not row["Email"] and row["Phone"] for row in firsts)
    assert any(not row["Email"] and not row["Phone"] and not row["Billing Phone"] for row in firsts)
    assert any(row["Email"].isupper() for row in firsts)
    shapes = {row["Billing Phone"][:4] for row in firsts}
    assert {"", "(555", "'+1 ", "+155"} <= shapes
    assert 2.0 < LINES / len(orders) < 2.4


@pytest.mark.parametrize("lines", [0, MAX_LINES + 1])
def test_a_history_has_a_possible_number_of_lines(lines: int) -> None:
    with pytest.raises(ValueError, match="lines"):
        history(lines, seed=1)


# The counts, worked out three ways: by whoever made the file, by plain polars, by remindctl


def test_analyze_finds_what_the_generator_put_in(sample: Sample) -> None:
    [claim] = claim_files([str(sample.path)], list(built_in().values()), password=lambda _: None)
    assert claim.layout.layout == "shopify-orders"
    check(analyzed(sample.path), sample.truth)
    assert all(sample.truth.values()), "nothing is tested by what does not occur"


def test_the_plain_count_reads_the_columns_of_the_floor_and_agrees(sample: Sample) -> None:
    lines = pl.scan_csv(sample.path, infer_schema=False).select(columns_read(sample.path))
    assert counts(lines) == sample.truth


def test_the_floor_reads_every_column_that_the_analysis_depends_on(
    sample: Sample, tmp_path: Path
) -> None:
    read = columns_read(sample.path)
    rows = pl.read_csv(sample.path, infer_schema=False)
    rest = [name for name in rows.columns if name not in read]
    without = tmp_path / "without.csv"
    rows.with_columns(pl.lit(None, pl.String).alias(name) for name in rest).write_csv(without)
    assert len(read) < len(rest)
    assert analyzed(without) == analyzed(sample.path)


def test_a_wrong_answer_is_not_timed(sample: Sample) -> None:
    document = analyzed(sample.path)
    with pytest.raises(RuntimeError, match=r"gaps: .* instead of 1"):
        check(document, {**sample.truth, "gaps": 1})


# Measuring and telling


def test_ratios_are_taken_round_by_round() -> None:
    one = Comparison(
        measure="wall time", unit="s", against="floor",
        base=(1000.0, 10_000.0, 2000.0), values=(2000.0, 15_000.0, 10_000.0), target=1.5,
    )  # fmt: skip
    assert one.ratios == (2.0, 1.5, 5.0)
    assert one.ratio == 2.0
    assert one.verdict == "missed by 0.50"
    assert (
        "| floor: 2,000 s | 10,000 s | 2.00× | 1.50-5.00 | ≤ 1.5× | missed by 0.50 |"
        in markdown([one])
    )


def test_no_value_is_told_without_what_it_is_compared_with() -> None:
    with pytest.raises(ValueError, match="counterpart"):
        Comparison(measure="wall time", unit="s", against="floor", base=(), values=(1.0,))


def test_the_smallest_benchmark_runs(tmp_path: Path) -> None:
    arguments = ["analyze", "--lines", str(LINES), "--repeat", "1", "--data", str(tmp_path)]
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments, "--json", str(results)],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text(encoding="utf-8"))["comparisons"]
    assert [one["measure"] for one in found] == [
        f"2,000 lines: {measure}" for measure in ("wall time", "CPU time", "peak memory")
    ]
    assert all(len(one["base"]) == len(one["values"]) == 1 for one in found)
    assert all(one["base"][0] > 0 and one["values"][0] > 0 for one in found)
    assert "| 2,000 lines: wall time | floor: " in done.stdout
