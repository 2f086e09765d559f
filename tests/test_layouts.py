"""Every layout claims its own samples and no other's, and reads them as is written beside them.

A layout called ``NAME`` has a folder ``layouts/NAME`` with samples and one ``expected.json``: file
name → what reading it gives. Its lines are the rows of the canonical frame of its kind, for orders
and events joined with the person's. No test here knows a layout by name, so a new one needs none.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remindctl.errors import Refused
from remindctl.stores.identify import Claimed, claim_files
from remindctl.stores.layout import built_in
from remindctl.stores.load import Loaded, load
from remindctl.stores.query import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

ROOT = Path(__file__).parent / "layouts"
CLAIMED_BY_NONE = ROOT / "claimed-by-none"
FOLDERS = sorted(path.parent for path in ROOT.glob("*/expected.json"))
EXPECTED: dict[Path, dict[str, Any]] = {
    folder / name: expected
    for folder in FOLDERS
    for name, expected in json.loads((folder / "expected.json").read_text(encoding="utf-8")).items()
}
ORDERS_OF_NOBODY = next(
    path
    for path, expected in EXPECTED.items()
    if (expected["kind"], expected["people"], expected["rejects"]) == ("orders", 0, [])
)


def claim(path: Path) -> list[Claimed]:
    return claim_files([str(path)], list(built_in().values()), password=lambda _: None)


def plain(value: object) -> object:
    """Return a cell as JSON writes it; amounts without trailing zeros."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return value


def rows_of(frame: pl.DataFrame, columns: list[str]) -> list[list[object]]:
    return [[plain(value) for value in row] for row in frame.select(columns).rows()]


def table_of(loaded: Loaded, kind: str) -> pl.DataFrame:
    snapshot = loaded.snapshot
    if kind in ("customers", "consents"):
        return snapshot.customers if kind == "customers" else snapshot.consents
    told: pl.DataFrame = snapshot.orders if kind == "orders" else snapshot.events
    # Nulls join nothing: a row that names no one has no name and no address either.
    return told.join(snapshot.customers, on="person", how="left", maintain_order="left")


def in_any_order(rows: Iterable[object]) -> list[object]:
    return sorted(rows, key=lambda row: json.dumps(row, ensure_ascii=False))


def test_each_layout_has_samples_and_each_sample_an_expectation() -> None:
    assert {folder.name for folder in FOLDERS} == set(built_in())
    samples = {
        path
        for folder in FOLDERS
        for path in folder.iterdir()
        if path.name != "expected.json" and not path.name.endswith(".xlsx.csv")
    }
    assert samples == set(EXPECTED)


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name)
def test_a_sample_is_claimed_by_its_own_layout_alone(path: Path) -> None:
    assert [claimed.layout.layout for claimed in claim(path)] == [path.parent.name]


@pytest.mark.parametrize("path", sorted(CLAIMED_BY_NONE.iterdir()), ids=lambda path: path.name)
def test_what_is_no_order_customer_or_event_is_claimed_by_none(path: Path) -> None:
    with pytest.raises(Refused) as refused:
        claim(path)
    assert "no layout knows this file" in refused.value.problems[0].what


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name)
def test_a_sample_reads_as_expected(path: Path) -> None:
    expected = EXPECTED[path]
    (claimed,) = claim(path)
    # A store without any order is refused, so what holds none is read beside orders of nobody.
    others = [] if expected["kind"] == "orders" else claim(ORDERS_OF_NOBODY)
    loaded = load([claimed, *others], Settings(), store="shop")
    (source,) = (one for one in loaded.sources if one.name == claimed.table.name)
    table = table_of(loaded, expected["kind"])

    assert (source.kind, source.rows) == (expected["kind"], expected["rows"])
    assert in_any_order(rows_of(table, expected["columns"])) == in_any_order(expected["lines"])
    for column, value in expected.get("every", {}).items():
        assert table[column].to_list() == [value] * table.height, column
    rejects = loaded.rejects.select("row", "column", "reason").rows()
    assert [(row, column) for row, column, _ in rejects] == [
        (row, column) for row, column, _ in expected["rejects"]
    ]
    for (_, _, reason), (_, _, words) in zip(rejects, expected["rejects"], strict=True):
        assert words in reason
    assert loaded.snapshot.customers.height == expected["people"]
    if expected["kind"] != "consents":
        said = rows_of(loaded.snapshot.consents, ["kind", "value", "channel", "granted"])
        assert in_any_order(said) == in_any_order(expected["consents"])
    if "known_until" in expected:
        assert plain(claimed.known_until) == expected["known_until"]
