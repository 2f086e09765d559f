"""The document that ``analyze -o json`` prints, and the same numbers as a long CSV table."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remindctl.report.spreadsheet import harmless_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from remindctl.analysis import Analysis
    from remindctl.comparison import ComparedGroup, Comparison
    from remindctl.cycles import Cohort, ItemCycle, OrderStep

SCHEMA = "remindctl.analyze/1"
CSV_COLUMNS = ("store", "section", "item", "measure", "value")

# Hundreds of points per curve, for the HTML report's charts; the shares by day say the same.
_DRAWN = frozenset({"curve", "cells"})
_ITEM_SECTIONS = {
    "product": "products",
    "option": "options",
    "category": "categories",
    "sku": "skus",
}


def document(analyses: Sequence[Analysis]) -> dict[str, Any]:
    """Build the document from JSON's own types; ``as_of`` is the latest of the stores'.

    Shares are between 0 and 1, times in days, money in the store's currency; null: not reached or
    not known. Floats are rounded to 6 decimals.
    """
    latest = max((one.as_of for one in analyses), default=None)
    stores = [_store(one) for one in analyses]
    plain: dict[str, Any] = _plain({"schema": SCHEMA, "as_of": latest, "stores": stores})
    return plain


def to_json(analyses: Sequence[Analysis]) -> str:
    """Write the document as JSON with Korean text as it is."""
    return json.dumps(document(analyses), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def to_csv(analyses: Sequence[Analysis]) -> str:
    """Write one line per number: store, section, item, measure, value; empty: not known."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for store in document(analyses)["stores"]:
        for section, value in store.items():
            if section != "store":
                lines = ((store["store"], section, *row) for row in _long(value))
                writer.writerows(map(_harmless, line) for line in lines)
    return out.getvalue()


def _harmless(cell: object) -> object:
    return harmless_title(cell) if isinstance(cell, str) else cell


def _store(one: Analysis) -> dict[str, Any]:
    items = [{one.by: item.pop("name"), **item} for item in map(_fields, one.items)]
    return {
        "store": one.store,
        "layout": one.layout,
        "currency": one.currency,
        "timezone": one.timezone,
        "as_of": one.as_of,
        "period": asdict(one.period),
        "counts": asdict(one.counts),
        "excluded": asdict(one.excluded),
        "outliers": asdict(one.outliers),
        "left_truncation": asdict(one.left_truncation),
        "interval_days": {**asdict(one.interval_days), "benchmark": one.benchmark_days},
        "histogram": [asdict(bar) for bar in one.histogram],
        "by_order_number": [_order_step(step) for step in one.by_order_number],
        "golden_window": asdict(one.golden_window),
        "products": [],
        _ITEM_SECTIONS[one.by]: items,
        "item_count": one.item_count,
        "affinity": [asdict(pair) for pair in one.affinity],
        "cohorts": [_fields(cohort) for cohort in one.cohorts],
        "segments": [asdict(segment) for segment in one.segments],
        "due": [
            {"from": step.number, **asdict(step.thresholds), "customers": step.customers}
            for step in one.due
        ],
        "suggestions": [asdict(suggestion) for suggestion in one.suggestions],
        "notes": one.notes,
        "prediction": one.prediction,
        **({} if one.comparison is None else {"comparison": _comparison(one.comparison)}),
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {**asdict(found), "groups": [_fields(group) for group in found.groups]}


def _fields(one: OrderStep | ItemCycle | Cohort | ComparedGroup) -> dict[str, Any]:
    # Curves are for drawing, and asdict would first copy them point by point.
    kept: list[Any] = [(one_field.name, getattr(one, one_field.name)) for one_field in fields(one)]
    return {
        name: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        for name, value in kept
        if name not in _DRAWN
    }


def _order_step(step: OrderStep) -> dict[str, Any]:
    fields = _fields(step)
    return {"from": fields.pop("number"), **fields}


def _plain(value: Any) -> Any:
    """Turn dates, decimals, tuples and number keys into what JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return round(value, 6) if isinstance(value, float) else value


def _long(value: Any) -> Iterator[tuple[str, str, object]]:
    """Give (item, measure, value): a list's entries are items, named by their first field."""
    if not isinstance(value, list):
        yield from (("", measure, one) for measure, one in _flat(value))
        return
    for position, entry in enumerate(value, start=1):
        if isinstance(entry, dict):
            (_, name), *rest = entry.items()
            yield from ((str(name), measure, one) for measure, one in _flat(dict(rest)))
        else:
            yield str(position), "", entry


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Give (dotted path, value) of every number and text within."""
    nested: Mapping[str, Any]
    if isinstance(value, dict):
        nested = value
    elif isinstance(value, list):
        nested = {str(position): one for position, one in enumerate(value)}
    else:
        yield path, value
        return
    for name, one in nested.items():
        yield from _flat(one, f"{path}.{name}" if path else name)
