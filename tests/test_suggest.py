"""Suggested campaigns are whole: they load, plan on the examples, and never write over a file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from remindctl.analysis import Accounting, Analysis, analyse
from remindctl.campaigns import load_campaigns
from remindctl.cli.app import app
from remindctl.cycles import LEVELS
from remindctl.errors import Refused
from remindctl.frames import ORDERS, Orders, conform
from remindctl.model import Span
from remindctl.policy.reasons import REASONS
from remindctl.report.suggest import campaign_files
from remindctl.suggestions import suggestions
from remindctl.survival import ReturnCurve, curve

ROOT = Path(__file__).parents[1]
START = date(2024, 1, 1)


def analysed(
    rows: list[tuple[int, int, str | None]], days: int = 600, *, by: str = "product"
) -> Analysis:
    """Analyse paid lines of (person, day after START, product)."""
    lines = pl.DataFrame(
        [
            {
                "person": person,
                "ordered_on": START + timedelta(day),
                "order_id": f"{person}/{day}/{product}",
                "status": "paid",
                "amount": Decimal(100),
                "product": product,
                "category": product,
                "quantity": 2,
            }
            for person, day, product in rows
        ],
        schema_overrides=dict(ORDERS),
    )
    return analyse(
        Orders(conform(lines, ORDERS)),
        Accounting(len(lines)),
        START + timedelta(days),
        store="초록상점",
        layout="test",
        currency="KRW",
        timezone="Asia/Seoul",
        by=by,
    )


def soap(name: str = "비누") -> list[tuple[int, int, str | None]]:
    return [(n, day, name) for n in range(60) for day in (0, 30, 61)]


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def test_each_timing_becomes_a_file_that_says_where_it_comes_from(tmp_path: Path) -> None:
    analysis = analysed(soap())
    files = campaign_files(analysis, ["green"])
    assert list(files) == [
        "second_order.yaml", "reminder.yaml", "first_win_back.yaml", "win_back.yaml",
        "refill-비누.yaml",
    ]  # fmt: skip
    loaded = load_campaigns(write(tmp_path, files))
    for campaign, one in zip(loaded, analysis.suggestions, strict=True):
        [step] = campaign.steps
        assert campaign.stores == ("green",)
        assert (step.due.after, step.due.wait) == (one.after, Span(days=one.wait_days))
        comment = " ".join(re.findall("^# (.*)$", files[f"{campaign.name}.yaml"], re.MULTILINE))
        assert one.reason in comment
        assert f"Where the {one.wait_days} days come from: 초록상점, as of 2025-08-23" in comment
    refill = loaded[-1]
    # A quarter of all waits is over on day 30; three days for the parcel.
    assert refill.steps[0].due.wait == Span(days=27)
    assert "15.0 days per unit" in " ".join(files["refill-비누.yaml"].split(" # ")).replace(
        "\n# ", " "
    )
    assert refill.audience.where == "array_contains(last_products, '비누')"
    assert loaded[0].audience.where == "purchase_days = 1"


@pytest.mark.parametrize("by", LEVELS)
def test_refills_are_of_products_and_categories(by: str) -> None:
    files = campaign_files(analysed(soap(), by=by))
    where = [yaml.safe_load(text)["audience"]["where"] for text in files.values()]
    expected = {
        "product": ["array_contains(last_products, '비누')"],
        "category": ["favourite_category = '비누'"],
    }
    assert where[4:] == expected.get(by, [])


def test_what_lasts_no_longer_than_a_parcel_takes_is_not_called_for_early() -> None:
    quick = analysed([(n, day, "두부") for n in range(60) for day in (0, 2)])
    refill = next(one for one in quick.suggestions if one.item)
    assert refill.wait_days == 2
    assert "parcel" not in refill.reason


def test_too_little_suggests_nothing() -> None:
    assert campaign_files(analysed([])) == {}
    assert campaign_files(analysed([(n, 0, "a") for n in range(50)])) == {}
    assert campaign_files(analysed(soap()[:30])) == {}


@pytest.fixture(scope="module")
def suggested() -> Analysis:
    return analysed(soap())


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=70))
@example('O\'Neil "no. 1" \\ {{ x }} {% raw %} : # 비누\u00a0\u2028😀')
def test_any_product_name_makes_a_file_that_finds_exactly_its_buyers(
    tmp_path_factory: pytest.TempPathFactory, suggested: Analysis, name: str
) -> None:
    *others, refill_of_soap = suggested.suggestions
    named = replace(suggested, suggestions=(*others, replace(refill_of_soap, item=name)))
    files = campaign_files(named)
    folder = tmp_path_factory.mktemp("suggested")
    loaded = load_campaigns(write(folder, files))
    refills = [one for one in loaded if one.name.startswith("refill")]
    if not any(c.isprintable() and c != " " for c in name) or not refills:
        assert not refills
        assert any(not c.isprintable() or c == " " for c in name)
        return
    [refill] = refills
    assert refill.audience.where is not None
    people = pl.DataFrame({"last_products": [[name], [f"{name}x"], [], None]})
    found = people.select(pl.sql_expr(refill.audience.where).fill_null(value=False))
    assert found.to_series().to_list() == [True, False, False, False]


def test_items_whose_names_differ_by_signs_get_files_of_their_own() -> None:
    rows: list[tuple[int, int, str | None]]
    rows = [(n, day, name) for name in ("A b", "a-B", "…") for n, day, _ in soap()]
    names = [name for name in campaign_files(analysed(rows)) if name.startswith("refill")]
    assert len({name.casefold() for name in names}) == 3
    assert "refill-item.yaml" in names


def wave(back: int, still: int, day: int) -> ReturnCurve:
    return curve([day] * back + [400] * still, [True] * back + [False] * still)


@pytest.mark.parametrize(
    ("first", "wait", "said"),
    [
        # Most come on day 200: until then the chance is high once it is within 90 days.
        (wave(60, 40, 200), 200, "at or below 33%"),
        # Never above one in three: half of the best chance instead.
        (wave(30, 90, 50), 50, "at or below 12%, half of the 25% that it is at best"),
    ],
)
def test_a_win_back_starts_where_the_chance_stays_low(
    first: ReturnCurve, wait: int, said: str
) -> None:
    [found] = [
        one for one in suggestions({1: first}, "product", ()) if one.campaign == "first_win_back"
    ]
    assert found.wait_days == wait
    assert said in found.reason


def run(*words: str) -> tuple[str, str]:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("store", "as_of"),
    [("smartstore", "2026-10-31T16:30+09:00"), ("shopify", "2026-10-30T16:30-04:00")],
)
def test_suggestions_of_the_examples_plan_on_them(store: str, as_of: str, tmp_path: Path) -> None:
    example, folder = ROOT / "examples" / store, tmp_path / "new" / "campaigns"
    _, said = run("analyze", str(example), "--suggest", str(folder))
    written = sorted(folder.iterdir())
    assert said.count("wrote ") == len(written) > 10
    config = str(example / "remindctl.yaml")
    plan, _ = run(
        "run", str(folder), "--config", config, "--dry-run", "--as-of", as_of, "-o", "json"
    )
    runs = json.loads(plan)["runs"]
    assert {f"{one['campaign']}.yaml" for one in runs} == {path.name for path in written}
    assert sum(one["planned"] for one in runs) > 10
    held = {reason for one in runs for reason in one["held"]}
    assert held <= set(REASONS)
    assert held.isdisjoint({"content", "never_open"})
    before = {path: path.read_bytes() for path in written[1:]}
    written[0].unlink()
    with pytest.raises(Refused) as refused:
        run("analyze", str(example), "--suggest", str(folder))
    assert len(refused.value.problems) == len(written) - 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
