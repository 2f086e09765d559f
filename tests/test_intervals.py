"""The statistics against numbers computed elsewhere (6-MP trial of 1963, CDNOW), and their laws."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.frames import Orders
from remindctl.intervals import (
    LATER_ORDERS,
    due_thresholds,
    gap_statistics,
    gaps,
    purchase_days,
    return_curves,
    thresholds_of,
    timing,
    waits,
)
from remindctl.survival import ReturnCurve, busiest_days, curve, curves, log_rank, pool

CDNOW = Path(__file__).parent / "data" / "cdnow" / "CDNOW_sample.txt"
END = date(1998, 6, 30)
START = date(2024, 1, 1)

# Weeks of remission; True: the remission ended, False: it still lasted when last seen.
TREATED = [
    *[(6, True)] * 3, (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
    (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True),
    (25, False), (32, False), (32, False), (34, False), (35, False),
]  # fmt: skip
CONTROL = [
    (week, True) for week in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
]

Wait = tuple[int, bool]


def of(sample: list[Wait]) -> ReturnCurve:
    return curve([days for days, _ in sample], [ended for _, ended in sample])


def orders(
    *rows: tuple[int | None, int | None, str], amount: int = 10, text: bool = True
) -> Orders:
    """Build paid order lines from (person, day, order id)."""
    return Orders(
        pl.DataFrame(
            {
                "person": [person for person, _, _ in rows],
                "ordered_on": [
                    None if day is None else START + timedelta(day) for _, day, _ in rows
                ],
                "status": ["paid"] * len(rows),
                "order_id": [order for _, _, order in rows],
                "amount": [amount] * len(rows),
            },
            schema_overrides={
                "person": pl.UInt32,
                "ordered_on": pl.Date,
                "order_id": pl.String,
                "amount": pl.Decimal(18, 4),
            },
        ).with_columns(pl.col("order_id") if text else pl.col("order_id").hash())
    )


@pytest.fixture(scope="module")
def cdnow() -> Orders:
    fields = [line.split() for line in CDNOW.read_text().splitlines()]
    return Orders(
        pl.DataFrame(
            {
                "person": [int(one[1]) for one in fields],
                "ordered_on": [one[2] for one in fields],
                "status": ["paid"] * len(fields),
                "order_id": range(len(fields)),
                "amount": [one[4] for one in fields],
            }
        ).with_columns(
            pl.col("person").cast(pl.UInt32),
            pl.col("ordered_on").str.to_date("%Y%m%d"),
            pl.col("amount").cast(pl.Decimal(18, 4)),
        )
    )


@pytest.fixture(scope="module")
def cdnow_curves(cdnow: Orders) -> dict[int, ReturnCurve]:
    return return_curves(purchase_days(cdnow), END)


# -- why the plain average is wrong


def completed_mean(mean: float, observed: float) -> float:
    """Give E[T | T < c] of an exponential gap."""
    return mean - observed * math.exp(-observed / mean) / (1 - math.exp(-observed / mean))


def completed_median(mean: float, observed: float) -> float:
    return -mean * math.log(1 - (1 - math.exp(-observed / mean)) / 2)


@pytest.mark.parametrize(
    ("mean", "observed", "expected"),
    [
        (60, 30, 13.755178),
        (60, 90, 34.150477),
        (60, 180, 50.568775),
        (60, 365, 59.165692),
        (30, 90, 25.284387),
    ],
)
def test_completed_gaps_understate_the_wait_as_the_closed_form_says(
    mean: float, observed: float, expected: float
) -> None:
    assert completed_mean(mean, observed) == pytest.approx(expected, abs=5e-7)
    # Every gap from a fine grid of the exponential's quantiles, in thousandths of a day.
    p = (np.arange(200_000) + 0.5) / 200_000
    wait = -mean * np.log1p(-p)
    seen = pl.Series(np.ceil(wait[wait < observed] * 1000).astype(np.int64))
    found = gap_statistics(seen)
    assert found.mean is not None
    assert found.median is not None
    assert found.mean / 1000 == pytest.approx(expected, rel=1e-3)
    assert found.median / 1000 == pytest.approx(completed_median(mean, observed), rel=1e-3)


def test_exposure_and_kaplan_meier_recover_what_completed_gaps_lose() -> None:
    assert completed_median(60, 90) == pytest.approx(29.504034, abs=5e-7)
    true = np.random.default_rng(1).exponential(60, 200_000)
    returned = true < 90
    assert true[returned].mean() == pytest.approx(34.150477, rel=5e-3)
    assert np.minimum(true, 90).sum() / returned.sum() == pytest.approx(60, rel=1e-2)
    # Waits in whole days, rounded up: a return on the 42nd day counts as day 42.
    wait = curve(np.minimum(np.ceil(true), 90).astype(np.int64), returned)
    assert wait.quantile(0.5) == math.ceil(60 * math.log(2))
    assert wait.within(90) == pytest.approx(0.77687, abs=2e-3)


# -- the 6-MP trial


def test_kaplan_meier_gives_the_published_table_of_the_treated() -> None:
    # t, at risk, events, S, se, low, high, H, se(H)
    expected = [
        (6, 21, 3, 0.857143, 0.076360, 0.619718, 0.951552, 0.142857, 0.082479),
        (7, 17, 1, 0.806723, 0.086935, 0.563147, 0.922809, 0.201681, 0.101306),
        (10, 15, 1, 0.752941, 0.096350, 0.503200, 0.889362, 0.268347, 0.121274),
        (13, 12, 1, 0.690196, 0.106815, 0.431610, 0.849066, 0.351681, 0.147146),
        (16, 11, 1, 0.627451, 0.114054, 0.367511, 0.804912, 0.442590, 0.172963),
        (22, 7, 1, 0.537815, 0.128234, 0.267779, 0.746791, 0.585447, 0.224331),
        (23, 6, 1, 0.448179, 0.134591, 0.188052, 0.680143, 0.752114, 0.279468),
    ]
    assert table(of(TREATED)) == [pytest.approx(row, abs=6e-7) for row in expected]


def test_kaplan_meier_gives_the_published_table_of_the_controls() -> None:
    expected = [
        (1, 21, 2, 0.904762, 0.064056, 0.670046, 0.975294, 0.095238),
        (2, 19, 2, 0.809524, 0.085689, 0.568905, 0.923889, 0.200501),
        (3, 17, 1, 0.761905, 0.092943, 0.519391, 0.893257, 0.259325),
        (4, 16, 2, 0.666667, 0.102869, 0.425350, 0.825044, 0.384325),
        (5, 14, 2, 0.571429, 0.107990, 0.337977, 0.749241, 0.527182),
        (8, 12, 4, 0.380952, 0.105971, 0.183067, 0.577789, 0.860515),
        (11, 8, 2, 0.285714, 0.098581, 0.116561, 0.481820, 1.110515),
        (12, 6, 2, 0.190476, 0.085689, 0.059482, 0.377435, 1.443849),
        (15, 4, 1, 0.142857, 0.076360, 0.035657, 0.321162, 1.693849),
        (17, 3, 1, 0.095238, 0.064056, 0.016259, 0.261250, 2.027182),
        (22, 2, 1, 0.047619, 0.046471, 0.003324, 0.197045, 2.527182),
    ]
    control = of(CONTROL)
    assert [row[:8] for row in table(control)[:-1]] == [
        pytest.approx(row, abs=6e-7) for row in expected
    ]
    assert (control.survival[23], control.survival_se[23], control.band(23)) == (0, 0, None)
    assert (control.low[23], control.high[23]) == (0, control.high[22])
    assert control.cumulative_hazard[23] == pytest.approx(3.527182, abs=6e-7)


def table(wait: ReturnCurve) -> list[tuple[float, ...]]:
    columns = (
        wait.at_risk, wait.events, wait.survival, wait.survival_se, wait.low, wait.high,
        wait.cumulative_hazard, wait.cumulative_hazard_se,
    )  # fmt: skip
    days = np.flatnonzero(wait.events)
    return [(int(day), *(float(column[day]) for column in columns)) for day in days]


def test_medians_means_and_log_rank_of_the_trial() -> None:
    treated, control = of(TREATED), of(CONTROL)
    assert (treated.quantile(0.5), treated.quantile_interval(0.5)) == (23, (13, None))
    assert treated.quantile(0.75) is None
    assert (control.quantile(0.5), control.quantile_interval(0.5)) == (8, (4, 11))
    assert treated.rmst(20) == pytest.approx(16.116527, abs=6e-7)
    assert treated.rmst(35) == pytest.approx(23.287395, abs=6e-7)
    assert treated.rmst(36) is None
    assert control.rmst(23) == pytest.approx(8.666667, abs=6e-7)
    assert control.rmst(99) == pytest.approx(8.666667, abs=6e-7)
    test = log_rank(treated, control)
    assert test.observed == 9
    assert (test.expected, test.variance, test.chi_square) == pytest.approx(
        (19.250501, 6.256961, 16.792941), abs=6e-7
    )
    assert test.p == pytest.approx(4.1688e-05, abs=6e-10)
    assert log_rank(control, treated).chi_square == pytest.approx(test.chi_square)
    assert log_rank(pool([]), pool([])).p == 1


# -- CDNOW


def test_completed_gaps_of_cdnow(cdnow: Orders) -> None:
    days = purchase_days(cdnow)
    waiting = waits(days, END)
    gap = gaps(waiting)
    found = gap_statistics(gap)
    assert (len(cdnow), len(days), days["person"].n_unique()) == (6919, 6696, 2357)
    assert (days["orders"].sum(), (waiting["number"] == 2).sum()) == (6919, 1139)
    assert (found.n, gap.sum()) == (4339, 307_464)
    assert found.mean == pytest.approx(70.860567, abs=6e-7)
    assert (found.p25, found.median, found.p75, found.p90, found.max) == (12, 34, 90.5, 196, 532)


@pytest.mark.parametrize(
    ("number", "n", "events", "completed", "quantiles", "median_ci"),
    [
        (1, 2357, 1139, (107.8850, 55.0), (59, 224, None, None, None), (472, None)),
        (2, 1139, 736, (89.9864, 49.5), (32, 75, 139, None, None), (117, 164)),
        (3, 736, 527, (75.1157, 43.0), (23, 50, 81, 270, 359), (66, 97)),
        (4, 527, 378, (56.1825, 34.5), (20, 39, 60, 208, 330), (51, 68)),
        (5, 378, 283, (55.3145, 37.0), (19, 38, 54, 146, 196), (46, 63)),
    ],
)
def test_quantiles_of_cdnow_by_order_number(
    cdnow: Orders,
    cdnow_curves: dict[int, ReturnCurve],
    number: int,
    n: int,
    events: int,
    completed: tuple[float, float],
    quantiles: tuple[int | None, ...],
    median_ci: tuple[int, int | None],
) -> None:
    wait = cdnow_curves[number]
    assert (wait.n, wait.returned) == (n, events)
    found = waits(purchase_days(cdnow), END).filter("returned", pl.col("number") == number)["wait"]
    assert (found.mean(), found.median()) == pytest.approx(completed, abs=6e-5)
    assert tuple(wait.quantile(p) for p in (0.25, 0.40, 0.50, 0.75, 0.80)) == quantiles
    assert wait.quantile_interval(0.5) == median_ci


@pytest.mark.parametrize(
    ("number", "survival", "last", "hazard_90", "exposure_mean"),
    [
        (1, (0.826050, 0.708528, 0.544336), (0.510379, 532), 0.343589, 645.2248),
        (2, (0.755263, 0.570348, 0.330617), (0.293048, 512), 0.559172, 279.9810),
        (3, (0.708186, 0.477868, 0.198814), (0.182878, 403), 0.734207, 168.6414),
        (4, (0.656322, 0.390756, 0.188432), (0.179459, 383), 0.932930, 133.6058),
        (5, (0.659058, 0.366803, 0.126032), (0.100826, 398), 0.995016, 105.3993),
    ],
)
def test_curves_of_cdnow_by_order_number(
    cdnow_curves: dict[int, ReturnCurve],
    number: int,
    survival: tuple[float, ...],
    last: tuple[float, int],
    hazard_90: float,
    exposure_mean: float,
) -> None:
    wait = cdnow_curves[number]
    assert wait.survival[[30, 90, 365]] == pytest.approx(survival, abs=6e-7)
    assert (wait.survival[-1], np.flatnonzero(wait.events)[-1]) == pytest.approx(last, abs=6e-7)
    assert wait.cumulative_hazard[90] == pytest.approx(hazard_90, abs=6e-7)
    # The sum of those at risk over the days 1, 2, … is the time observed.
    assert wait.at_risk[1:].sum() / wait.returned == pytest.approx(exposure_mean, abs=6e-5)


def test_the_first_days_of_cdnow(cdnow_curves: dict[int, ReturnCurve]) -> None:
    wait = cdnow_curves[1]
    assert wait.events[:6].tolist() == [0, 29, 22, 22, 15, 16]
    assert wait.at_risk[:6].tolist() == [2357, 2357, 2328, 2306, 2284, 2269]
    assert wait.within(3) == pytest.approx(0.030972, abs=6e-7)
    for day, at_risk, events, se, low, high in (
        (30, 1954, 7, 0.007808, 0.810136, 0.840764),
        (90, 1671, 1, 0.009360, 0.689729, 0.726424),
    ):
        assert (wait.at_risk[day], wait.events[day]) == (at_risk, events)
        assert wait.survival_se[day] == pytest.approx(se, abs=6e-7)
        assert (wait.low[day], wait.high[day]) == pytest.approx((low, high), abs=6e-7)
        assert wait.band(day) == pytest.approx((1 - high, 1 - low), abs=6e-7)
    # An order on the last day: counted, but never seen waiting.
    assert [cdnow_curves[k].n - cdnow_curves[k].at_risk[1] for k in (1, 2, 3)] == [0, 1, 1]
    busiest = busiest_days(wait)
    assert busiest is not None
    assert (busiest.from_day, busiest.to_day) == (1, 7)
    assert busiest.daily_rate == pytest.approx(145 / 16026)


# -- laws

samples = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)
histories = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 60), st.sampled_from("abcdef")), max_size=40
)


@given(samples)
def test_a_curve_falls_within_0_and_1_and_its_band_holds_it(sample: list[Wait]) -> None:
    wait = of(sample)
    assert wait.n == len(sample)
    assert wait.at_risk[0] == wait.n
    assert np.all((wait.survival >= 0) & (wait.survival <= 1))
    assert np.all(np.diff(wait.survival) <= 0)
    assert np.all((wait.low <= wait.survival + 1e-12) & (wait.survival <= wait.high + 1e-12))
    for p in (0.1, 0.25, 0.5, 0.75, 1.0):
        day, (low, high) = wait.quantile(p), wait.quantile_interval(p)
        if day is None:
            assert wait.survival[-1] > 1 - p
        else:
            assert wait.survival[day] <= 1 - p + 1e-9
            assert low is not None
            assert low <= day
            assert high is None or high >= day


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_without_censoring_the_curve_is_the_plain_share(days: list[int]) -> None:
    wait = curve(days, [True] * len(days))
    for day in range(45):
        assert wait.within(day) == pytest.approx(sum(one <= day for one in days) / len(days))
    assert wait.rmst(max(days)) == pytest.approx(sum(days) / len(days))


@given(samples, samples)
def test_curves_split_and_pooled_are_the_curve_of_all(one: list[Wait], other: list[Wait]) -> None:
    everyone = [*one, *other]
    groups = np.array([0] * len(one) + [7] * len(other))
    split = curves(
        groups, np.array([days for days, _ in everyone]), np.array([ended for _, ended in everyone])
    )
    assert list(split) == [0, 7]
    for found, expected in (
        (split[0], of(one)),
        (split[7], of(other)),
        (pool(split.values()), of(everyone)),
    ):
        assert found.n == expected.n
        assert found.at_risk.tolist() == expected.at_risk.tolist()
        assert found.events.tolist() == expected.events.tolist()


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_the_kind_of_order_id_do_not_matter(
    rows: list[tuple[int, int, str]], random: object
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    expected = purchase_days(orders(*rows))
    assert purchase_days(orders(*shuffled, text=False)).equals(expected)
    by_hand = {(person, day): set[str]() for person, day, _ in rows}
    for person, day, order in rows:
        by_hand[person, day].add(order)
    assert expected.select("person", "on", "orders").rows() == [
        (person, START + timedelta(day), len(ids)) for (person, day), ids in sorted(by_hand.items())
    ]
    assert expected["amount"].sum() == 10 * len(rows)


@given(histories, st.integers(-1, 61))
def test_what_happens_later_never_changes_what_was_known(
    rows: list[tuple[int, int, str]], day: int
) -> None:
    known = [row for row in rows if row[1] <= day]
    as_of = START + timedelta(day)
    now, then = (waits(purchase_days(orders(*some)), as_of) for some in (rows, known))
    assert now.equals(then)
    assert now["returned"].sum() == len(now) - now["person"].n_unique()


# -- edges


def test_only_paid_dated_lines_of_someone_are_purchases() -> None:
    lines = orders((1, 0, "a"), (None, 0, "b"), (1, None, "c"), (1, 3, "d"), (2**32 - 1, 0, "e"))
    unpaid = Orders(
        lines.with_columns(
            pl.when(order_id="d").then(pl.lit("refunded")).otherwise("status").alias("status")
        )
    )
    early = Orders(unpaid.with_columns(pl.lit(date(1899, 12, 31)).alias("ordered_on")))
    assert purchase_days(unpaid).select("person", "on").rows() == [(1, START), (2**32 - 1, START)]
    assert purchase_days(early)["on"].unique().to_list() == [date(1899, 12, 31)]


def test_nobody_and_one_single_order_are_no_special_case() -> None:
    nobody = purchase_days(orders())
    assert return_curves(nobody, START) == {}
    assert gap_statistics(gaps(waits(nobody, START))).mean is None
    assert {one.basis for one in due_thresholds({}).values()} == {"none"}
    one = return_curves(purchase_days(orders((1, 0, "a"))), START)[1]
    assert (one.n, one.returned, one.follow_up, one.quantile(0.5)) == (1, 0, 0, None)
    assert (one.within(0), one.within(1), one.band(0), one.rmst(1)) == (0, None, (0, 0), None)
    assert busiest_days(one) is None
    assert (pool([]).n, pool([]).within(0), pool([]).within(1)) == (0, 0, None)


def test_thresholds_are_quantiles_among_those_who_come_back(
    cdnow_curves: dict[int, ReturnCurve],
) -> None:
    first = due_thresholds(cdnow_curves)[1]
    assert first.horizon_days == 543
    assert cdnow_curves[1].at_risk[543] >= 30 > cdnow_curves[1].at_risk[544]
    assert first.returned is not None
    assert first.returned == pytest.approx(1 - 0.510379, abs=6e-7)
    assert (first.due_days, first.late_days, first.lapsed_days) == (38, 168, 314)
    for days, share in ((38, 0.40), (168, 0.75), (314, 0.90)):
        back, before = cdnow_curves[1].within(days), cdnow_curves[1].within(days - 1)
        assert back is not None
        assert before is not None
        assert before < share * first.returned <= back
    everyone = thresholds_of(curve(range(1, 101), [True] * 100), "all")
    assert everyone is not None
    # After day 91 fewer than a tenth still wait, which is not trusted any more.
    assert everyone.horizon_days == 91
    assert everyone.returned == pytest.approx(0.91)


def test_thin_order_numbers_borrow_the_curve_of_a_wider_group() -> None:
    def waited(days: int, people: int) -> ReturnCurve:
        return curve([days] * people, [True] * people)

    found = due_thresholds({1: waited(50, 40), 2: waited(20, 35), 3: waited(10, 29)})
    assert [(found[k].basis, found[k].due_days) for k in (1, 2)] == [
        ("order_number", 50),
        ("order_number", 20),
    ]
    # 35 of the 64 later returns took 20 days, 29 took 10.
    assert (found[3].basis, found[3].due_days, found[3].late_days) == ("later_orders", 10, 20)
    assert found[LATER_ORDERS] == found[3]
    store = due_thresholds({1: waited(50, 20), 2: waited(20, 20)})
    assert {(one.basis, one.lapsed_days) for one in store.values()} == {("store", 50)}
    assert due_thresholds({1: waited(50, 29)})[1].basis == "none"
    # First orders never borrow from later ones alone.
    assert due_thresholds({1: waited(50, 29), 2: waited(20, 40)})[1].basis == "store"


def test_quantiles_fall_on_the_day_that_completes_the_share() -> None:
    for n in range(1, 60):
        wait = curve(range(1, n + 1), [True] * n)
        assert [wait.quantile(k / n) for k in range(1, n + 1)] == list(range(1, n + 1))


def test_what_is_known_of_those_who_waited_in_vain() -> None:
    wait = curve([10, 20, 30, 30], [True, True, True, False])
    assert wait.after_waiting(10, 10) == pytest.approx(1 / 3)
    assert wait.after_waiting(10, 21) is None
    everyone_back = curve([5, 6], [True, True])
    assert everyone_back.after_waiting(5, 90) == 1
    assert everyone_back.after_waiting(6, 1) is None


def test_a_thin_tail_is_never_the_busiest_week() -> None:
    one_a_day = [(day, True) for day in range(1, 36)] + [(50, False)] * 365
    last_of_all = [(99, True), (100, True)]
    busiest = busiest_days(of(one_a_day + last_of_all))
    assert busiest is not None
    assert (busiest.from_day, busiest.to_day) == (29, 35)


def test_timing_names_each_day_of_waiting() -> None:
    wait = curve([10] * 40 + [20] * 40 + [30] * 20, [True] * 100)
    thresholds = due_thresholds({1: wait})
    days = pl.DataFrame({"waited": [9, 10, 19, 20, 30, 31], "number": [1, 1, 50, 1, 1, 2]})
    states = days.select(timing(pl.col("number"), pl.col("waited"), thresholds).alias("state"))
    assert states["state"].to_list() == ["not_due", "due", "due", "late", "late", "lapsed"]
    silent = days.select(timing(pl.col("number"), pl.col("waited"), due_thresholds({})).alias("s"))
    assert silent["s"].null_count() == 6
