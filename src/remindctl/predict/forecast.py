"""What customers will do next, or what is missing to say so.

A forecast is made only when the data allow one, and never without the error that the same method
would have made on this store's own past.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NewType

import numpy as np
import polars as pl

from remindctl.frames import PERSON, conform
from remindctl.predict import bgnbd, gamma_gamma, nbd
from remindctl.predict.calibration import calibrate, expected_total, hold_out_days
from remindctl.predict.histories import alike, histories
from remindctl.survival import ENOUGH_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.intervals import PurchaseDays
    from remindctl.predict.bgnbd import BGNBD
    from remindctl.predict.calibration import Calibration
    from remindctl.predict.gamma_gamma import GammaGamma
    from remindctl.predict.histories import Histories, Ints
    from remindctl.predict.nbd import NBD
    from remindctl.predict.special import Floats

CustomerForecasts = NewType("CustomerForecasts", pl.DataFrame)

HORIZON_DAYS = 90
VALUE_DAYS = 365
YEARLY_DISCOUNT = 0.10

# What Klaviyo asks for before it shows the same kind of forecast.
ENOUGH_CUSTOMERS = 500
ENOUGH_DAYS = 180
RECENT_DAYS = 30
SEVERAL_ORDERS = 3

# A date farther off than this says no more than "no date".
_FARTHEST_DAYS = 3653
_DISCOUNT_STEP = 30

# With which probability the next order has come by then.
NEXT_ORDER_DATES: Mapping[str, float] = {
    "next_on_p25": 0.25,
    "next_on_median": 0.50,
    "next_on_p75": 0.75,
}

COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "p_alive": pl.Float64,
    "expected_orders_90d": pl.Float64,
    "p_none_90d": pl.Float64,
    "next_on_p25": pl.Date,
    "next_on_median": pl.Date,
    "next_on_p75": pl.Date,
    "expected_next_on": pl.Date,
    "order_value": pl.Float64,
    "value": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class NotEnough:
    """No forecast: ``missing`` says why, at least one sentence."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The fitted models of one store.

    Attributes:
        expected_orders: of all customers together in the ``HORIZON_DAYS`` after ``as_of``.
        order_value: None when ``no_order_value`` says why.
    """

    as_of: date
    model: BGNBD
    baseline: NBD
    calibration: Calibration
    expected_orders: float
    order_value: GammaGamma | None
    no_order_value: str


def predict(days: PurchaseDays, as_of: date) -> Prediction | NotEnough:
    """Fit the models to what was known on ``as_of``, and to its first part to see how far off.

    Args:
        days: the store's purchase days.
        as_of: the last day seen.
    """
    known = histories(days, as_of)
    if known.is_empty():
        return NotEnough((f"no customer with an order by {as_of}",))
    x, t_x, age, mean = (known[name].to_numpy() for name in ("x", "t_x", "age", "repeat_mean"))
    split = as_of - timedelta(days=hold_out_days(int(age.max())))
    earlier = histories(days, split)
    missing = _missing(known, earlier, split)
    if missing:
        return NotEnough(missing)
    model, baseline = bgnbd.fit(x, t_x, age), nbd.fit(x, age)
    calibration = calibrate(earlier, days, split, as_of)
    if model is None or baseline is None or calibration is None:
        return NotEnough(("these orders do not determine the parameters of the model",))
    paying = int(np.count_nonzero(mean > 0))
    values = gamma_gamma.fit(x, mean) if paying >= ENOUGH_EVENTS else None
    if values:
        reason = ""
    elif paying < ENOUGH_EVENTS:
        reason = f"{paying} customers came back and paid an amount; {ENOUGH_EVENTS} are needed"
    else:
        reason = (
            "the amounts do not determine a model: they hardly differ, or spread too widely "
            "to have a mean"
        )
    expected = expected_total(model, known, HORIZON_DAYS)
    return Prediction(as_of, model, baseline, calibration, expected, values, reason)


def _missing(known: Histories, earlier: Histories, split: date) -> tuple[str, ...]:
    """Say which conditions of a forecast these data do not meet; empty when they meet all."""
    span, waited, most = known.select(
        pl.col("age").max(),
        (pl.col("age") - pl.col("t_x")).min().alias("waited"),
        pl.col("x").max(),
    ).row(0)
    returned = int((earlier["x"] > 0).sum())
    missing = []
    if len(known) < ENOUGH_CUSTOMERS:
        missing.append(f"{len(known)} customers with an order; {ENOUGH_CUSTOMERS} are needed")
    if span < ENOUGH_DAYS:
        missing.append(f"{span} days of history; {ENOUGH_DAYS} are needed")
    if waited > RECENT_DAYS:
        missing.append(f"no order in the last {RECENT_DAYS} days; the newest is {waited} days old")
    if most + 1 < SEVERAL_ORDERS:
        missing.append(f"no customer with orders on {SEVERAL_ORDERS} days")
    if returned < ENOUGH_EVENTS:
        missing.append(
            f"customers who had come back by {split}: {returned}; {ENOUGH_EVENTS} are needed to "
            "check a forecast against what followed"
        )
    return tuple(missing)


def customer_forecasts(
    prediction: Prediction, known: Histories, *, margin: float = 1.0
) -> CustomerForecasts:
    """Forecast each customer's next orders.

    Args:
        prediction: of the same store and day.
        known: the histories as of that day.
        margin: what is left of an order's amount, as a share of it; 1 = revenue.

    Returns:
        one row per customer, in the order of ``known``:

        - person
        - p_alive: P(alive); null for customers with one purchase day, about whom the model knows
          nothing there.
        - expected_orders_90d: expected number of orders in the next 90 days.
        - p_none_90d: probability of no order in the next 90 days, the churn risk.
        - next_on_p25, next_on_median, next_on_p75: by which date the next order has come with
          probability 0.25, 0.5 and 0.75, as seen now; null where it never gets that likely, or
          not within ten years.
        - expected_next_on: the median as seen on the day of the latest order. It does not move
          away while the customer waits, so days overdue can be counted from it.
        - order_value: expected amount of one future order (gamma-gamma).
        - value: margin times the amounts expected within 365 days, discounted at 10% a year.
    """
    model = prediction.model
    x, t_x, age, mean = (known[name].to_numpy() for name in ("x", "t_x", "age", "repeat_mean"))
    alive = model.p_alive(x, t_x, age)
    group_x, group_age, group = alike(known)
    soon = model.expected_orders_if_alive(HORIZON_DAYS, group_x, group_age)[group]
    expected = model.next_order_quantile(0.50, x, t_x, t_x) - (age - t_x)
    columns = {
        "person": known["person"],
        "p_alive": pl.Series(np.where(x > 0, alive, np.nan), nan_to_null=True),
        "expected_orders_90d": alive * soon,
        "p_none_90d": model.p_none(HORIZON_DAYS, x, t_x, age),
        **next_order_dates(prediction, known).drop("person").to_dict(),
        "expected_next_on": _dates(prediction.as_of, expected),
    }
    if prediction.order_value:
        each = prediction.order_value.order_value(x, mean)
        orders = alive * _discounted_orders(model, group_x, group_age)[group]
        columns |= {"order_value": each, "value": margin * orders * each}
    return CustomerForecasts(conform(pl.DataFrame(columns), COLUMNS))


def next_order_dates(prediction: Prediction, known: Histories) -> pl.DataFrame:
    """Return person, next_on_p25, next_on_median and next_on_p75 of :func:`customer_forecasts`."""
    x, t_x, age = (known[name].to_numpy() for name in ("x", "t_x", "age"))
    waits = {
        name: prediction.model.next_order_quantile(share, x, t_x, age)
        for name, share in NEXT_ORDER_DATES.items()
    }
    dates = {name: _dates(prediction.as_of, wait) for name, wait in waits.items()}
    return pl.DataFrame({"person": known["person"], **dates})


def _dates(as_of: date, wait: Floats) -> pl.Series:
    """Return the first date on which ``wait`` days are over; null for NaN and for too many."""
    near = np.less_equal(wait, _FARTHEST_DAYS)
    days = pl.Series(np.where(near, np.ceil(wait), np.nan), nan_to_null=True)
    return (days.cast(pl.Int32) + (as_of - date(1970, 1, 1)).days).cast(pl.Date)


def _discounted_orders(model: BGNBD, x: Ints, age: Ints) -> Floats:
    """Sum the expected orders of living customers over a year, each discounted to now."""
    total, before = np.zeros(len(x)), np.zeros(len(x))
    for start in range(0, VALUE_DAYS, _DISCOUNT_STEP):
        end = min(start + _DISCOUNT_STEP, VALUE_DAYS)
        until = model.expected_orders_if_alive(end, x, age)
        middle_years = (start + end) / 2.0 / 365.0
        total += (until - before) * (1.0 + YEARLY_DISCOUNT) ** -middle_years
        before = until
    return total
