from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remindctl.errors import Refused
from remindctl.model import Campaign, Channel, Leg, Policy, Purpose, Store
from remindctl.render import RENDERED, CompiledLeg, blanks, compile_leg, international, korean
from remindctl.render.columns import ColumnTemplate
from remindctl.render.filters import filters
from remindctl.render.held import Held
from remindctl.render.sandbox import FAILURES, MAX_STEPS, Missing, sandbox
from remindctl.render.values import Rows, clean

GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678"},
    optout={"phone": "0808880000"},
    policy=Policy(preset="KR"),
)
# Its name has a character that UTF-8 and CP949 both write as two bytes.
CREAM = replace(GREEN, name="크림·숍")
SHOPIFY = replace(GREEN, name="Green Shop", country="US", policy=Policy(preset="US"))
WINBACK = Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=())
CONSTANTS = {"store": {"name": "초록 & 상점", "sender": {"phone": "02"}}}
SCHEMA: dict[str, Any] = {
    "name": pl.String,
    "orders": pl.Int64,
    "spent": pl.Decimal(18, 4),
    "share": pl.Float64,
    "tags": pl.List(pl.String),
    "last_on": pl.Date,
    "last_at": pl.Datetime("us", "UTC"),
    "vip": pl.Boolean,
    "anchor": pl.Struct({"product": pl.String, "quantity": pl.Int64}),
}

# Templates, as the owners of shops write them and as they should not ---------------------------

_VALUES = (
    "{{ name }}", "{{ orders }}", "{{ spent }}", "{{ share }}", "{{ tags }}", "{{ last_on }}",
    "{{ vip }}", "{{ anchor.product }}", "{{ anchor['product'] }}", "{{ anchor.quantity }}",
    "{{ store.name }}", "{{ store.sender.phone }}", "{{ store.get('name') }}",
    "{{ name | default('고객') }}", "{{ name or anchor.product or '?' }}", "{{ name[:2] }}",
    "{{ anchor.product | josa('은/는') }}", "{{ spent | money }}", "{{ last_on | date('%m/%d') }}",
    "{{ last_at | date }}", "{{ tags[0] }}", "{{ tags | join('·') }}", "{{ name ~ orders }}",
    "{{ orders * 2 + 1 }}", "{{ 1 / orders }}", "{{ orders ~ store.name }}", "{{ [name, 3] }}",
    "{{ 7 }}", "{{ 'é😀<&>' }}", "{{ name | length }}", "{{ share | string }}",
    "{{ name.upper() }}",
)  # fmt: skip
_FAILING = (
    "{{ store.sender.fax }}", "{{ unknown }}", "{{ name.__class__ }}", "{{ 1 / 0 }}",
    "{{ anchor.get('none') }}", "{{ anchor }}", "{{ store }}",
)  # fmt: skip
_TESTS = (
    "name", "orders > 2", "spent", "tags", "vip", "anchor.product", "anchor", "unknown",
    "store.name == '초록 & 상점'", "store.sender.fax", "orders > 2 and name", "not tags",
    "name is defined", "1 / orders", "'a' in tags", "orders", "share > 0.5", "true",
)  # fmt: skip
_TEXTS = ("님, ", "안녕\n", " \n\n\n", "é·", "😀", "<b>&", "(", " ")

# What always fails is rare: where a row fails, the rest of its text is not compared.
_leaf = st.sampled_from([*_VALUES, *_TEXTS]) | st.sampled_from([*_VALUES, *_FAILING])
_part = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.builds(
            "{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}".format,
            st.sampled_from(_TESTS), inner, st.sampled_from(_TESTS), inner, inner,
        ),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, st.sampled_from(_TESTS), inner),
        inner.map("{{% for t in tags %}}{{{{ loop.index }}}}{{{{ t }}}}{}{{% endfor %}}".format),
        inner.map("{{% for name in tags %}}{}{{% endfor %}}".format),
        inner.map("{{% set name = 'set' %}}{}".format),
        inner.map("{{% set kept %}}{}{{% endset %}}{{{{ kept }}}}".format),
        inner.map("{{% with orders = 9 %}}{}{{% endwith %}}".format),
        inner.map("{{% filter upper %}}{}{{% endfilter %}}".format),
    ),
    max_leaves=8,
)  # fmt: skip
_NASTY = ("", " ", "{{ 7*7 }}", "a\nb\u202e\x00", "e\u0301", "각", "<i>\"'&", "가·나", "££", "[[")
_nasty = st.one_of(
    st.just("김수민"), st.text(max_size=8), st.sampled_from(_NASTY), st.sampled_from((None, "a"))
)


def _sometimes(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


_rows = st.lists(
    st.fixed_dictionaries(
        {
            "name": _nasty,
            "orders": _sometimes(st.integers(0, 4)),
            "spent": _sometimes(st.decimals(0, 10**6, places=4)),
            "share": _sometimes(st.sampled_from([0.0, -0.0, 1.0, 0.75, 1e-7, 1e16])),
            "tags": st.none() | st.lists(_nasty, max_size=3),
            "last_on": _sometimes(st.dates(date(2020, 1, 1), date(2027, 1, 1))),
            "last_at": st.none()
            | st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (hypothesis adds the zone)
            "vip": st.none() | st.booleans(),
            "anchor": st.fixed_dictionaries(
                {"product": _nasty, "quantity": st.none() | st.integers(0, 9)}
            ),
        }
    ),
    min_size=1,
    max_size=5,
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def by_jinja(source: str, rows: pl.DataFrame, *, html: bool) -> list[str | None]:
    """Write a template row by row: the text, or None where a row fails."""
    environment = sandbox(filters(GREEN, WINBACK, Channel.LMS), html=html)
    template = environment.from_string(source)
    texts: list[str | None] = []
    for row in rows.iter_rows(named=True):
        values = {name: value for name, given in row.items() if (value := clean(given)) is not None}
        environment.steps = 0
        try:
            texts.append(template.render(CONSTANTS | values))
        except FAILURES:
            texts.append(None)
    return texts


def by_column(source: str, rows: pl.DataFrame, *, html: bool = False) -> list[str | None]:
    environment = sandbox(filters(GREEN, WINBACK, Channel.LMS), html=html)
    held = Held()
    filled = ColumnTemplate(environment, source, CONSTANTS).fill(Rows(rows), held).texts
    why = held.column(len(rows))
    return [None if problem else text for text, problem in zip(filled, why, strict=True)]


@settings(deadline=None, max_examples=150)
@given(_part, _rows, st.booleans())
@example("{% if name %}{% set a = 1 %}{% endif %}{{ a }}", [{"name": "가"}, {"name": None}], False)
@example("{{ share | string }}", [{"share": 0.0}, {"share": -0.0}], False)
@example("{% if orders > 2 %}{{ name }}{% endif %}.", [{"orders": 1}, {"orders": 3}], False)
@example("{% for anchor in tags %}{{ anchor.upper() }}{% endfor %}", [{"tags": ["a"]}], False)
@example("{% if 1 / orders %}a{% else %}b{% endif %}", [{"orders": 0}, {"orders": 1}], False)
def test_columns_write_what_jinja_writes_row_by_row(
    source: str, rows: list[dict[str, Any]], html: bool
) -> None:
    given = frame(rows)
    assert by_column(source, given, html=html) == by_jinja(source, given, html=html)


def test_a_struct_that_is_not_there_has_no_fields() -> None:
    rows = frame([{"anchor": None, "orders": 1}]).drop("vip")
    source = (
        "{% if anchor.product or coupon.code or vip %}x{% endif %}{{ anchor.url | default('-') }}"
    )
    assert by_column(source, rows) == ["-"]
    assert by_column("{{ anchor.product }}", rows) == [None]


# Whole messages --------------------------------------------------------------------------------


def leg(text: str, store: Store = GREEN, purpose: Purpose = Purpose.ADVERTISING) -> CompiledLeg:
    campaign = replace(WINBACK, purpose=purpose)
    return compile_leg(Leg(channel=Channel.LMS, text=text), store, campaign)


@settings(deadline=None, max_examples=60)
@given(_part, _rows, st.sampled_from([GREEN, CREAM, SHOPIFY]), st.booleans())
def test_a_message_does_not_depend_on_the_rows_beside_it(
    source: str, rows: list[dict[str, Any]], store: Store, advertising: bool
) -> None:
    purpose = Purpose.ADVERTISING if advertising else Purpose.INFORMATIONAL
    try:
        compiled = leg(source, store, purpose)
    except Refused:
        return
    given = frame(rows)
    together = compiled.render(given)
    assert together.equals(pl.concat(compiled.render(given[one]) for one in range(len(given))))
    assert dict(together.schema) == dict(RENDERED)
    measure = international if store is SHOPIFY else korean
    for row in together.iter_rows(named=True):
        assert (row["problem"] is None) == (row["problem_detail"] is None)
        assert (row["problem"] is None) == (row["text"] is not None)
        if row["problem"]:
            continue
        assert (row["encoding"], row["units"], row["parts"]) == measure(row["text"])
        if advertising and store is not SHOPIFY:
            assert row["text"].startswith(f"(광고){store.name}\n")
            assert row["text"].endswith("\n무료수신거부 0808880000")
        elif advertising:
            assert row["text"].endswith("\nReply STOP to opt out")
            assert "Green Shop" in row["text"]


def test_blocks_follow_one_another_and_a_failing_row_is_held_alone() -> None:
    size = 65_000
    names = [None if number % 9_999 == 7 else f"n{number}" for number in range(size)]
    rows = pl.DataFrame({"name": names})
    made = leg("{{ name }}님").render(rows)
    missing = {number for number, name in enumerate(names) if name is None}
    assert set(made["problem"].is_not_null().arg_true()) == missing
    assert made["text"][64_999] == "(광고)초록상점\nn64999님\n무료수신거부 0808880000"
    assert blanks(made) == {"name": len(missing)}


def test_rows_without_any_and_templates_without_names() -> None:
    assert leg("안녕").render(pl.DataFrame(schema={"name": pl.String})).is_empty()
    made = leg("안녕").render(frame([{}, {}]))
    assert made["text"].to_list() == ["(광고)초록상점\n안녕\n무료수신거부 0808880000"] * 2
    assert made["units"].to_list() == [len(made["text"][0].encode("cp949"))] * 2


def test_missing_values_are_counted_by_the_names_that_templates_call_them() -> None:
    rows = frame([
        {"name": "가", "anchor": {"product": None, "quantity": 1}},
        {"name": None, "anchor": None},
        {"name": "나", "anchor": {"product": "비누", "quantity": 1}},
        {"name": " ", "anchor": {"product": "비누", "quantity": 1}},
    ])  # fmt: skip
    made = leg("{{ name }}{{ anchor.product | josa('이/가') }}{{ name | default('') }}").render(
        rows
    )
    assert blanks(made) == {"name": 2, "anchor.product": 1}
    assert blanks(leg("{{ 1 / 0 }}").render(rows)) == {}


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("{{ anchor.product }}{{ store.name }}{{ campaign.name }}", {"anchor"}),
        ("{% for tag in tags %}{{ tag }}{{ name }}{% endfor %}", {"tags", "name"}),
        ("{% set kept = orders %}{{ kept }}", {"orders"}),
        ("{% if store.country == 'US' %}{{ name }}{% endif %}", {"name"}),
    ],
)
def test_a_leg_names_the_columns_it_wants(written: str, names: set[str]) -> None:
    assert leg(written).names - {"country"} >= names - {"name"}
    assert leg(written).names <= names | {"country"}


@pytest.mark.parametrize(
    "inside", ["", "{% if orders %}{% endif %}", "{% if orders and name %}{% endif %}"]
)
def test_loops_are_bounded_for_each_row_and_not_for_the_block(inside: str) -> None:
    steps = MAX_STEPS // 1_000 - 1
    loop = "{% for i in range(1000) %}{% for j in range(STEPS) %}INSIDE{% endfor %}{% endfor %}"
    loop = loop.replace("INSIDE", inside)
    rows = frame([{"orders": number, "name": "a"} for number in range(30)])
    texts = [str(number) for number in range(30)]
    assert by_column(loop.replace("STEPS", str(steps)) + "{{ orders }}", rows) == texts
    assert by_column(loop.replace("STEPS", str(steps + 1)), rows) == [None] * 30


def test_a_missing_value_looks_the_same_to_every_filter() -> None:
    with pytest.raises(FAILURES, match=r"anchor\.url is empty for this customer"):
        str(Missing(name="anchor.url"))
    rows = frame([{"spent": Decimal("1.5")}, {}])
    assert by_column("{{ spent | money }}", rows) == ["2원", None]
    assert by_column("{{ spent | default(0) | money }}", rows) == ["2원", "0원"]
