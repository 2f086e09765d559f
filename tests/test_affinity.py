"""What goes with what, and what each customer may like."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.affinity import MIN_SUPPORT, Pair, affinities, strongest
from remindctl.analysis import Accounting, analyse
from remindctl.frames import ORDERS, Orders, conform
from remindctl.recommendations import RECOMMENDED_ITEMS, recommendations
from remindctl.report.analysis_json import document
from remindctl.report.analysis_table import show
from remindctl.report.console import data_console

if TYPE_CHECKING:
    import random

START = date(2025, 1, 1)
END = START + timedelta(days=400)

Bought = tuple[int | None, int, str | None]


def orders(*lines: Bought, **more: object) -> Orders:
    rows = [
        {
            "order_id": f"{person}-{day}",
            "person": person,
            "ordered_on": START + timedelta(days=day),
            "ordered_at": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day),
            "status": "paid",
            "product": product,
            **more,
        }
        for person, day, product in lines
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return Orders(conform(frame, ORDERS))


def liked(frame: Orders, as_of: date = END) -> dict[int, list[str]]:
    return dict(recommendations(affinities(frame, as_of)).iter_rows())


def pairs(frame: Orders) -> dict[tuple[str, str], Pair]:
    return {(one.item, one.next_item): one for one in strongest(affinities(frame, END))}


# Five bought tea and later a cup; five others bought something else.
TEA_THEN_CUP: list[Bought] = [
    *((n, 0, "tea") for n in range(6)),
    *((n, 10, "cup") for n in range(5)),
    *((n, 0, f"other {n}") for n in range(10, 15)),
]


def test_lift_compares_the_buyers_of_an_item_with_everyone() -> None:
    # 5 of 6 tea buyers bought a cup, 5 of all 11 did; nobody bought tea after the cup.
    [(items, pair)] = pairs(orders(*TEA_THEN_CUP)).items()
    assert items == ("tea", "cup")
    assert (pair.buyers, pair.both, pair.share) == (6, 5, 5 / 6)
    assert pair.lift == pytest.approx(5 / 6 / (5 / 11))


def test_the_one_who_lacks_it_is_recommended_it_and_the_owners_are_not() -> None:
    assert liked(orders(*TEA_THEN_CUP)) == {5: ["cup"]}


def test_the_analysis_lists_the_strongest_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    analysis = analyse(
        orders(*TEA_THEN_CUP), Accounting(16), END,
        store="s", layout="l", currency="KRW", timezone="Asia/Seoul",
    )  # fmt: skip
    assert [(one.item, one.next_item) for one in analysis.affinity] == [("tea", "cup")]
    [pair] = document([analysis])["stores"][0]["affinity"]
    assert list(pair) == ["item", "next_item", "buyers", "both", "share", "lift"]
    show(data_console(), [analysis])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["tea", "cup", "6", "5", "(83%)", "1.8"] in rows


def test_support_below_the_minimum_says_nothing() -> None:
    assert MIN_SUPPORT == 5
    assert liked(orders(*TEA_THEN_CUP[:5], *TEA_THEN_CUP[6:10], *TEA_THEN_CUP[11:])) == {}


def test_what_is_owned_comes_back_only_if_it_is_used_up() -> None:
    again: list[Bought] = [(n, 40, "cup") for n in range(5)]
    assert liked(orders(*TEA_THEN_CUP, *again)) == {n: ["cup"] for n in range(6)}


def test_items_bought_together_go_both_ways() -> None:
    together: list[Bought] = [(n, 0, item) for n in range(5) for item in ("tea", "cup")]
    others: list[Bought] = [(9, 0, "cup"), (8, 0, "soap")]
    assert pairs(orders(*together, *others)).keys() == {("tea", "cup"), ("cup", "tea")}


def test_unpaid_later_and_nobodys_lines_count_for_nothing() -> None:
    frame = orders(*TEA_THEN_CUP)
    assert liked(frame, START + timedelta(days=9)) == {}
    assert liked(orders(*TEA_THEN_CUP, status="refunded")) == {}
    nobody: list[Bought] = [(None, day, product) for _, day, product in TEA_THEN_CUP]
    assert liked(orders(*nobody)) == {}
    assert liked(orders((0, 0, None))) == {}
    assert liked(Orders(frame.clear())) == {}
    assert liked(Orders(frame.drop("product", "product_id"))) == {}


def test_a_product_renamed_is_one_product_by_its_latest_name() -> None:
    lines = orders(*TEA_THEN_CUP).with_columns(
        pl.when(pl.col("product") == "cup").then(pl.lit("P1")).alias("product_id"),
        pl.when((pl.col("product") == "cup") & (pl.col("person") == 4))
        .then(pl.lit("mug"))
        .otherwise("product")
        .alias("product"),
    )
    assert liked(Orders(lines)) == {5: ["mug"]}


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 4), st.sampled_from("abcdef")),
        min_size=1,
        max_size=150,
    ),
    st.randoms(use_true_random=False),
)
def test_neither_row_order_nor_repeated_lines_change_what_is_recommended(
    lines: list[Bought], dice: random.Random
) -> None:
    found = liked(orders(*lines))
    shuffled = lines + lines[:3]
    dice.shuffle(shuffled)
    assert liked(orders(*shuffled)) == found
    owned: dict[int, set[str]] = {}
    days: dict[tuple[int, str], set[int]] = {}
    for person, day, product in lines:
        assert person is not None
        assert product is not None
        owned.setdefault(person, set()).add(product)
        days.setdefault((person, product), set()).add(day)
    again = {product for (_, product), seen in days.items() if len(seen) > 1}
    for person, names in found.items():
        assert 1 <= len(names) <= RECOMMENDED_ITEMS
        assert len(set(names)) == len(names)
        assert not set(names) & (owned[person] - again)
