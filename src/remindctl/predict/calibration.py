"""How far off a forecast would have been: fit on the first part of the history, see the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.predict import bgnbd, nbd
from remindctl.predict.histories import alike

if TYPE_CHECKING:
    from datetime import date

    from remindctl.intervals import PurchaseDays
    from remindctl.predict.bgnbd import BGNBD
    from remindctl.predict.histories import Histories

# The rest is the second half of the history, and no more than what a forecast is asked for.
_LONGEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model foretold for the hold-out days.

    Attributes:
        orders: in total.
        error: orders / actual orders - 1; None where there were none.
    """

    orders: float
    error: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Forecasts made on ``fitted_until`` for the days after it, against what happened.

    Attributes:
        days: length of the hold-out.
        customers: those with an order by ``fitted_until``; nobody else's orders count.
        orders: purchase days of theirs in the hold-out.
        model: BG/NBD; nbd: the same without leaving; average_rate: everybody goes on at the
            average rate of all.
        silent: share of the customers with no order in the hold-out.
        silent_expected: the mean of P(no order) over the customers, by BG/NBD.
    """

    fitted_until: date
    days: int
    customers: int
    orders: int
    model: Forecast
    nbd: Forecast
    average_rate: Forecast
    silent: float
    silent_expected: float


def expected_total(model: BGNBD, known: Histories, ahead: int) -> float:
    """Return the expected orders of all customers together in the next ``ahead`` days."""
    x, age, group = alike(known)
    alive = model.p_alive(*(known[name].to_numpy() for name in ("x", "t_x", "age")))
    return float(alive @ model.expected_orders_if_alive(ahead, x, age)[group])


def hold_out_days(span: int) -> int:
    """Return how many of the last days of ``span`` a forecast is checked on."""
    return min(span - span // 2, _LONGEST_DAYS)


def calibrate(
    known: Histories, days: PurchaseDays, fitted_until: date, as_of: date
) -> Calibration | None:
    """Check forecasts on the days up to ``as_of``; None where the first part cannot be fitted.

    Args:
        known: the histories as of ``fitted_until``.
        days: all purchase days.
        fitted_until: the last day that the models may know.
        as_of: the last day to compare with.
    """
    x, t_x, age = (known[name].to_numpy() for name in ("x", "t_x", "age"))
    model, plain = bgnbd.fit(x, t_x, age), nbd.fit(x, age)
    if model is None or plain is None:
        return None
    ahead = (as_of - fitted_until).days
    later = days.filter(pl.col("on") > fitted_until, pl.col("on") <= as_of).join(
        known, on="person", how="semi"
    )
    actual = len(later)

    def forecast(orders: float) -> Forecast:
        return Forecast(orders, orders / actual - 1.0 if actual else None)

    return Calibration(
        fitted_until=fitted_until,
        days=ahead,
        customers=len(known),
        orders=actual,
        model=forecast(expected_total(model, known, ahead)),
        nbd=forecast(float(plain.expected_orders(ahead, x, age).sum())),
        average_rate=forecast(float(x.sum() / age.sum() * ahead * len(known))),
        silent=1.0 - later["person"].n_unique() / len(known),
        silent_expected=float(model.p_none(ahead, x, t_x, age).mean()),
    )
