"""A prediction as the mapping that the JSON document of ``analyze`` holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from remindctl.predict.forecast import HORIZON_DAYS, VALUE_DAYS, YEARLY_DISCOUNT, Prediction

if TYPE_CHECKING:
    from remindctl.predict.bgnbd import BGNBD
    from remindctl.predict.calibration import Calibration
    from remindctl.predict.forecast import NotEnough
    from remindctl.predict.gamma_gamma import GammaGamma

_ONE_TIME_NOTE = (
    "P(alive) is blank for customers with one purchase day: the model takes it for 1, as it lets "
    "nobody leave before a second purchase"
)
_PENALTY_NOTE = (
    "these orders alone do not determine the parameters of {what}: they are held near usual values "
    "(L2 penalty of weight {weight:g} on their logarithms)"
)


def document(prediction: Prediction | NotEnough) -> dict[str, object]:
    """Return plain values with no NaN or infinity among them; ``skipped`` where there is no model.

    ``error`` is forecast / actual - 1: -0.12 means 12% too low, None that nothing was ordered.
    """
    if not isinstance(prediction, Prediction):
        return {"skipped": "not enough data: " + "; ".join(prediction.missing)}
    model, baseline, values = prediction.model, prediction.baseline, prediction.order_value
    fits = [("BG/NBD", model.penalty), ("NBD", baseline.penalty)]
    if values:
        fits.append(("gamma-gamma", values.penalty))
    notes = [_PENALTY_NOTE.format(what=name, weight=one) for name, one in fits if one]
    return {
        "model": "bg/nbd",
        "params": _params(model),
        "standard_errors": dict(zip(_params(model), model.standard_errors, strict=True)),
        "log_likelihood": model.log_likelihood,
        "unit": model.unit,
        "customers": model.customers,
        "repeat_customers": model.repeaters,
        "expected_orders": {"days": HORIZON_DAYS, "orders": prediction.expected_orders},
        "calibration": _calibration(prediction.calibration),
        "baseline": {
            "model": "nbd",
            "params": {"r": baseline.r, "alpha": baseline.alpha},
            "log_likelihood": baseline.log_likelihood,
        },
        "order_value": _order_value(values)
        if values
        else {"skipped": "not enough data: " + prediction.no_order_value},
        "notes": [_ONE_TIME_NOTE, *notes],
    }


def _params(model: BGNBD) -> dict[str, float]:
    return {"r": model.r, "alpha": model.alpha, "a": model.a, "b": model.b}


def _calibration(one: Calibration) -> dict[str, object]:
    return {
        "fitted_until": one.fitted_until.isoformat(),
        "days": one.days,
        "customers": one.customers,
        "orders": one.orders,
        "bg/nbd": asdict(one.model),
        "nbd": asdict(one.nbd),
        "average_rate": asdict(one.average_rate),
        "no_order_share": {"actual": one.silent, "expected": one.silent_expected},
    }


def _order_value(one: GammaGamma) -> dict[str, object]:
    return {
        "model": "gamma-gamma",
        "params": {"p": one.p, "q": one.q, "v": one.v},
        "log_likelihood": one.log_likelihood,
        "customers": one.customers,
        "mean": one.mean,
        "correlation_with_orders": one.correlation,
        "value": {"days": VALUE_DAYS, "yearly_discount": YEARLY_DISCOUNT},
    }
