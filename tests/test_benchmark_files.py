"""The generated files: the same each time, shaped like the real ones, and with a known truth."""

from __future__ import annotations

import csv
import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

import polars as pl
import pytest
from benchmarks import program
from benchmarks.columns import columns_read
from benchmarks.expected import counts
from benchmarks.generate import PASSWORD, Form, shopify_orders, smartstore_orders
from benchmarks.history import MAX_LINES, OUTCOMES, history
from benchmarks.workbook import MAX_LINES as WORKBOOK_LINES
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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def sample(folder: Path) -> Sample:
    return shopify_orders(LINES, folder=folder)


@pytest.fixture(scope="module")
def smartstore(folder: Path) -> dict[Form, Sample]:
    return {form: smartstore_orders(LINES, form, folder=folder) for form in Form}


@pytest.fixture(scope="module")
def orders(sample: Sample) -> list[list[Row]]:
    """The rows of each run of one order name."""
    with sample.path.open(encoding="utf-8", newline="") as file:
        return [list(rows) for _, rows in groupby(csv.DictReader(file), lambda row: row["Name"])]


@pytest.fixture(scope="module")
def lines(smartstore: dict[Form, Sample]) -> list[Row]:
    with smartstore[Form.CP949].path.open(encoding="cp949", newline="") as file:
        notice, header, *rows = csv.reader(file)
    assert "엑셀 일괄발송" in notice[0]
    return [dict(zip(header, row, strict=True)) for row in rows]


def analyzed(path: Path) -> dict[str, Any]:
    words = ["analyze", str(path), "-o", "json", "--password-env", "PASSWORD"]
    environment = {"PASSWORD": PASSWORD, "REMINDCTL_CACHE": ""}
    result = CliRunner().invoke(app, words, env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    [store] = json.loads(result.stdout)["stores"]
    return dict(store)


def test_the_same_size_and_seed_give_the_same_file(
    sample: Sample, smartstore: dict[Form, Sample], tmp_path: Path
) -> None:
    again = shopify_orders(LINES, folder=tmp_path)
    other = shopify_orders(LINES, seed=1, folder=tmp_path)
    assert again.path.read_bytes() == sample.path.read_bytes()
    assert again.truth == sample.truth
    assert other.path.read_bytes() != sample.path.read_bytes()
    for form in (Form.CP949, Form.XLSX):
        twin = smartstore_orders(LINES, form, folder=tmp_path)
        assert twin.path.read_bytes() == smartstore[form].path.read_bytes()


def test_a_complete_file_is_kept_and_one_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    whole = shopify_orders(10, folder=tmp_path)
    content = whole.path.read_bytes()
    whole.path.write_bytes(b"kept")
    assert shopify_orders(10, folder=tmp_path).path.read_bytes() == b"kept"
    whole.path.with_name(f"{whole.path.name}.json").unlink()
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


def test_files_look_like_smartstores(lines: list[Row]) -> None:
    headers = json.loads((ROOT / "examples/generator/headers.json").read_text(encoding="utf-8"))
    assert list(lines[0]) == headers["smartstore_orders"]
    assert len({row["상품주문번호"] for row in lines}) == LINES == len(lines)
    assert {"구매확정", "반품", "취소", "미결제취소", "결제대기"} <= {
        row["주문상태"] for row in lines
    }
    assert any("철회" in row["주문세부상태"] for row in lines), "a withdrawn claim is none"
    assert any(row["구매자연락처"] == "010-0000-0000" for row in lines)
    assert any(row["구매자명"] != row["수취인명"] for row in lines), "a gift is the buyer's"
    assert any("," in row["상품가격"] for row in lines), "as Excel shows money"
    assert any("\n" in row["배송메세지"] for row in lines)


def test_all_forms_of_a_smartstore_download_hold_the_same_and_the_truth(
    smartstore: dict[Form, Sample],
) -> None:
    found = {form: analyzed(one.path) for form, one in smartstore.items()}
    program.require_truth(found[Form.UTF_8], smartstore[Form.UTF_8].truth)
    assert all(one == found[Form.UTF_8] for one in found.values())
    assert found[Form.UTF_8]["item_count"] > 200
    with pytest.raises(BadZipFile), ZipFile(smartstore[Form.ENCRYPTED].path):
        pass


def test_a_file_has_a_possible_number_of_lines(tmp_path: Path) -> None:
    for lines in (0, MAX_LINES + 1):
        with pytest.raises(ValueError, match="lines"):
            history(lines, seed=1)
    with pytest.raises(ValueError, match="1,048,574 lines, not 1,048,575"):
        smartstore_orders(WORKBOOK_LINES + 1, Form.XLSX, folder=tmp_path)


# The counts, worked out three ways: by whoever made the file, by plain polars, by remindctl


def test_analyze_finds_what_the_generator_put_in(sample: Sample) -> None:
    [claim] = claim_files([str(sample.path)], list(built_in().values()), password=lambda _: None)
    assert claim.layout.layout == "shopify-orders"
    program.require_truth(analyzed(sample.path), sample.truth)
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
