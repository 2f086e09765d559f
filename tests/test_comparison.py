"""Groups are fixed before they are watched, and a test says only what the data can."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from rich.console import Console

from remindctl.analysis import Accounting, Analysis, analyse
from remindctl.comparison import Comparison, Question, question
from remindctl.errors import Place, Refused
from remindctl.frames import ORDERS, Orders, conform
from remindctl.report.analysis_comparison import comparison
from remindctl.report.analysis_json import document

START = date(2024, 1, 1)
PLACE = Place("--compare")


def line(person: int, day: int, **fields: object) -> dict[str, object]:
    return {
        "person": person,
        "ordered_on": START + timedelta(day),
        "order_id": f"{person}/{day}",
        "status": "paid",
        "amount": Decimal(100),
        **fields,
    }


def analysed(lines: list[dict[str, object]], days: int, asked: str) -> Analysis:
    schema = {name: dtype for name, dtype in ORDERS.items() if any(name in one for one in lines)}
    orders = Orders(conform(pl.DataFrame(lines, schema_overrides=schema), schema))
    return analyse(
        orders,
        Accounting(len(lines)),
        START + timedelta(days),
        store="green",
        layout="test",
        currency="KRW",
        timezone="Asia/Seoul",
        compared=question(asked, PLACE),
    )


def compared(lines: list[dict[str, object]], days: int, asked: str) -> Comparison:
    found = analysed(lines, days, asked).comparison
    assert found is not None
    return found


def shop() -> list[dict[str, object]]:
    """80 buyers of tea, half back on day 20; 80 of soap, half back on day 60; 3 of both."""
    lines = []
    for n in range(160):
        product, back = ("차", 20) if n < 80 else ("비누", 60)
        lines.append(line(n, 0, product_id=product[0], product=product, discount_code=None))
        if n % 2:
            lines.append(line(n, back, product="덤", discount_code="LATER"))
    for n in range(200, 203):
        lines += [line(n, 0, order_id=f"{n}", product=name, discount_code="Welcome + VIP")
                  for name in ("차", "비누")]  # fmt: skip
    return lines


def test_groups_of_the_first_order_are_watched_from_it_on() -> None:
    found = compared(shop(), 100, "product=차,비누")
    tea, soap = found.groups
    assert [(one.name, one.customers, one.returned) for one in found.groups] == [
        ("차", 80, 40),
        ("비누", 80, 40),
    ]
    assert (found.in_both, found.enough, found.landmark) == (3, True, None)
    assert (tea.median, soap.median) == (20, 60)
    assert (tea.returned_within[30], soap.returned_within[30]) == (0.5, 0.0)
    # All of the first 40 returns are tea's, of 160 at risk; then soap's are, of 120.
    assert found.test.observed == 40
    assert found.test.expected == pytest.approx(40 * 80 / 160 + 40 * 40 / 120)
    # What they bought later makes no one a member.
    with pytest.raises(Refused, match=r"nobody is in product '덤'"):
        compared(shop(), 100, "product=차,덤")
    with pytest.raises(Refused, match="nobody is in discount 'later'"):
        compared(shop(), 100, "discount=none,later")


def test_a_product_is_found_by_its_id_too() -> None:
    assert [one.customers for one in compared(shop(), 100, "product=차,비").groups] == [83, 80]


def test_discount_codes_of_first_orders() -> None:
    lines = shop() + [line(n, 0, discount_code="welcome") for n in range(300, 310)]
    found = compared(lines, 100, "discount=WELCOME,none")
    assert [(one.name, one.customers) for one in found.groups] == [("WELCOME", 13), ("none", 160)]
    assert found.enough is False
    assert [one.customers for one in compared(lines, 100, "discount=vip,none").groups] == [3, 160]


def test_months_and_years_of_first_orders() -> None:
    lines = shop() + [line(n, day) for n in range(400, 440) for day in (366, 370)]
    found = compared(lines, 400, "month=2024-01,2025-01")
    assert [(one.customers, one.returned) for one in found.groups] == [(163, 80), (40, 40)]
    assert compared(lines, 400, "month=2024,2025").test == found.test
    assert found.test.p < 0.001


def test_a_segment_is_that_of_the_landmark_whatever_comes_later() -> None:
    lines = [line(n, day) for n in range(40) for day in (0, 10, 20, 30)]  # repeat on the landmark
    lines += [line(n, day) for n in range(40, 80) for day in (0, 130)]  # one_time, back later
    lines += [line(n, 130) for n in range(80, 90)]  # new only after it
    asked = f"segment=one_time,lapsed@{START + timedelta(100)}"
    found = compared(lines, 200, asked)
    once, lapsed = found.groups
    assert found.landmark == START + timedelta(100)
    assert str(found.landmark) in found.meaning
    # Watched from the landmark on: back on day 30 of that, not on day 130.
    assert (once.customers, once.returned, once.median) == (40, 40, 30)
    assert (lapsed.customers, lapsed.returned) == (40, 0)
    known = [one for one in lines if one["ordered_on"] <= found.landmark]  # type: ignore[operator]
    again = compared(known, 200, asked)
    assert [one.customers for one in again.groups] == [40, 40]
    # Without a landmark: the middle of short files, 180 days before the end of long ones.
    assert compared(lines, 200, "segment=one_time,lapsed").landmark == START + timedelta(100)
    assert compared(lines, 1000, "segment=one_time,lapsed").landmark == START + timedelta(820)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("colour=a,b", "cannot be compared by 'colour'"),
        ("product", "two different groups"),
        ("product=a", "two different groups"),
        ("product=a,a", "two different groups"),
        ("product=a,b,c", "two different groups"),
        ("product=a;", "two different groups"),
        ("segment=loyal,vip", "no segment 'vip'"),
        ("month=2024-13,2024", "no month '2024-13'"),
        ("segment=loyal,new@yesterday", "'yesterday' is no date"),
        ("segment=loyal,new@2023-12-31", "nothing to know then"),
        ("segment=loyal,new@2024-04-10", "nothing to watch after"),
        ("category=a,b", "the files name no category"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_way_out(asked: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        compared(shop(), 100, asked)
    assert refused.value.problems[0].place == PLACE


def test_names_with_commas_are_parted_by_a_semicolon() -> None:
    asked = question("product=Soap, green; Soap, blue", PLACE)
    assert asked == Question("product", ("Soap, green", "Soap, blue"), PLACE)


def printed(found: Comparison) -> str:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        comparison(console, found)
    return "\n".join(text.rstrip() for text in capture.get().splitlines())


def test_the_report_says_what_the_groups_are_and_no_more_than_the_test() -> None:
    assert printed(compared(shop(), 100, "product=차,비누")) == REPORT
    lines = shop() + [line(n, day) for n in range(400, 440) for day in (366, 370)]
    rare = printed(compared(lines, 400, "month=2024,2025"))
    assert "2025 come back sooner or more often (log-rank" in rare
    assert "p < 0.001" in rare
    few = printed(compared([*lines, line(500, 0, discount_code="x")], 400, "discount=x,none"))
    assert "Too few to tell: 0 returns in one group, 30 are needed in each." in few


REPORT = """
Comparing customers by product
  product  customers  back  in 30 d  in 90 d  in 365 d   half by day
  차              80    40      50%      50%         -  20 (20 to -)
  비누            80    40       0%      50%         -  60 (60 to -)
  Grouped by what they bought on the day of their first order, watched from then
  on. 3 customers who belong to both are in neither.
  No difference can be told from chance (log-rank chi-square 3.29, p = 0.070)."""


def test_the_json_has_both_groups_and_no_curve_points() -> None:
    store = document([analysed(shop(), 100, "product=차,비누")])["stores"][0]
    assert list(store["comparison"]) == [
        "by", "meaning", "landmark", "groups", "in_both", "enough", "test",
    ]  # fmt: skip
    assert store["comparison"]["groups"][0]["returned_within"]["30"] == 0.5
    assert "curve" not in store["comparison"]["groups"][0]
    assert store["comparison"]["test"]["observed"] == 40
