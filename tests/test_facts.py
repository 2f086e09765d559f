"""Facts of a product: what a message may say of it, and when it is too old to be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.audience import FACTS, facts
from remindctl.frames import EVENTS, ORDERS, Events, Orders, conform
from remindctl.model import Span

NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOAP = {"product_id": "s", "product": "soap"}

Rows = list[dict[str, Any]]


def event(hours: float, name: str = "product_view", **more: object) -> dict[str, Any]:
    return {"person": 0, "event": name, "occurred_at": NOW - hours * HOUR, **SOAP, **more}


def order(hours: float, **more: object) -> dict[str, Any]:
    values = {"person": 0, "status": "paid", "ordered_at": NOW - hours * HOUR, **SOAP}
    return {**values, **more}


def said(
    wanted: dict[str, Span],
    *,
    events: Rows | None = None,
    orders: Rows | None = None,
    known: dict[str, float] | None = None,
    rows: Rows | None = None,
) -> list[dict[str, Any]]:
    """Tell the facts of each row; ``known``: how many hours ago the files of a source end."""
    schema = {"product_id": pl.String, "product": pl.String}
    ends = {"orders": 0.0, "events": 0.0} if known is None else known
    return facts(
        pl.DataFrame(rows or [SOAP], schema=schema),
        wanted,
        Orders(conform(pl.DataFrame(orders or None, infer_schema_length=None), ORDERS)),
        Events(conform(pl.DataFrame(events or None, infer_schema_length=None), EVENTS)),
        NOW,
        {source: NOW - hours * HOUR for source, hours in ends.items()},
    ).to_dicts()


AN_HOUR, A_DAY = Span(seconds=3600), Span(days=1)


@pytest.mark.parametrize(
    ("events", "stock"),
    [
        ([event(0.5, stock=3)], 3),
        # The latest of anyone counts, and only while it is fresh.
        ([event(0.5, stock=3, person=None), event(0.9, stock=9), event(0.1, stock=None)], 3),
        ([event(0.2, stock=7), event(-1, stock=1)], 7),
        ([event(1, stock=3)], 3),
        ([event(1.1, stock=3)], None),
        ([event(0.5, stock=3, product_id="t")], None),
        # Nothing left is nothing to hurry for.
        ([event(0.5, stock=0), event(0.9, stock=4)], None),
        ([], None),
    ],
)
def test_the_stock_is_what_was_seen_last(events: Rows, stock: int | None) -> None:
    [told] = said({"stock": AN_HOUR}, events=events)
    assert told == {"stock": stock, "stale": None if stock else "stock"}


@pytest.mark.parametrize(
    ("orders", "events", "buyers"),
    [
        ([order(1), order(2, person=1), order(3, person=1)], [], 2),
        ([order(1)], [event(2, "purchase"), event(2, "purchase", person=2)], 2),
        ([order(1, status="cancelled"), order(25), order(-1), order(2, product_id="t")], [], None),
        ([], [event(25, "purchase"), event(1)], None),
    ],
)
def test_buyers_are_different_people_within_the_age(
    orders: Rows, events: Rows, buyers: int | None
) -> None:
    [told] = said({"buyers": A_DAY}, orders=orders, events=events)
    assert told == {"buyers": buyers, "stale": None if buyers else "buyers"}


@pytest.mark.parametrize(
    ("known", "buyers", "viewers"),
    [
        ({"orders": 0, "events": 0}, 2, 1),
        ({"orders": 24, "events": 24}, 2, 1),
        ({"orders": 25, "events": 0}, 1, 1),
        ({"orders": 0, "events": 25}, 1, None),
        ({"orders": 0}, 1, None),
        ({"orders": 25, "events": 25}, None, None),
    ],
)
def test_a_source_that_ends_before_the_time_counted_tells_nothing(
    known: dict[str, float], buyers: int | None, viewers: int | None
) -> None:
    events = [event(2), event(3), event(2, "purchase", person=5)]
    wanted = {"viewers": A_DAY, "buyers": A_DAY}
    [told] = said(wanted, orders=[order(1)], events=events, known=known)
    assert (told["buyers"], told["viewers"]) == (buyers, viewers)
    assert told["stale"] == ("viewers" if viewers is None else "buyers" if buyers is None else None)


def test_each_row_is_told_of_its_own_product() -> None:
    events = [event(0.1, stock=3), event(0.1, stock=5, product_id=None, product="comb")]
    rows: Rows = [
        {"product_id": None, "product": "comb"},
        {"product_id": None, "product": None},
        {**SOAP},
        {**SOAP},
    ]
    told = said({"stock": AN_HOUR}, events=[*events, event(0.1, stock=8, **NAMELESS)], rows=rows)
    assert [row["stock"] for row in told] == [5, None, 3, 3]
    assert [row["stale"] for row in told] == [None, "stock", None, None]
    assert said({}, rows=rows) == [{"stale": None}] * 4


NAMELESS: dict[str, Any] = {"product_id": None, "product": None}


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-5, 50), st.integers(0, 3), st.sampled_from(["s", "t"]))),
    st.integers(1, 40),
)
def test_a_fact_never_grows_with_a_shorter_age(
    seen: list[tuple[float, int, str]], hours: int
) -> None:
    events = [event(ago, person=person, product_id=product) for ago, person, product in seen]
    events += [{**one, "event": "purchase"} for one in events]
    long, short = Span(seconds=3600 * hours), Span(seconds=1800 * hours)
    counts = [name for name in FACTS if name != "stock"]
    [more] = said(dict.fromkeys(counts, long), events=events)
    [less] = said(dict.fromkeys(counts, short), events=events)
    for name in counts:
        assert (less[name] or 0) <= (more[name] or 0)
        assert less[name] is None or less[name] >= 1
