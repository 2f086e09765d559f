"""NBD: buying at a gamma-distributed rate, for ever; what BG/NBD must beat (Ehrenberg 1959)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remindctl.predict.newton import estimate
from remindctl.predict.special import digamma, log_gamma, trigamma
from remindctl.rows import tally

if TYPE_CHECKING:
    import numpy.typing as npt

    from remindctl.predict.special import Floats


@dataclass(frozen=True, slots=True)
class NBD:
    """A fitted model; r and alpha are shape and rate of the gamma distribution.

    Attributes:
        log_likelihood: of the same events as that of BG/NBD, so the two can be compared.
        penalty: weight of the L2 penalty on the logarithms of the parameters; 0 = none.
    """

    r: float
    alpha: float
    log_likelihood: float
    penalty: float

    def expected_orders(self, t: npt.ArrayLike, x: npt.ArrayLike, age: npt.ArrayLike) -> Floats:
        """Return the expected number of orders in the next ``t``."""
        ahead, bought, now = (np.asarray(one, dtype=np.float64) for one in (t, x, age))
        return ahead * (self.r + bought) / (self.alpha + now)


def fit(x: npt.ArrayLike, age: npt.ArrayLike) -> NBD | None:
    """Fit by maximum likelihood to repeat purchase days and ages (T); None if nobody came back."""
    bought, now = np.asarray(x, dtype=np.float64), np.asarray(age, dtype=np.float64)
    repeaters = int(np.count_nonzero(bought))
    if not repeaters:
        return None
    distinct, x_counts = tally(bought)
    ages, customers = tally(now)
    _, orders = tally(now, weights=bought)
    total = float(len(bought))

    def likelihood(params: Floats) -> tuple[float, Floats, Floats]:
        r, alpha = params.tolist()
        times = customers * r + orders
        inverse = 1.0 / (alpha + ages)
        log_alpha, logs = np.log(alpha), np.log(alpha + ages)
        value = x_counts @ (log_gamma(r + distinct) - log_gamma(r))
        value += total * r * log_alpha - times @ logs
        slope = np.array(
            [
                x_counts @ (digamma(r + distinct) - digamma(r))
                + total * log_alpha
                - customers @ logs,
                total * r / alpha - times @ inverse,
            ]
        )
        crossed = total / alpha - customers @ inverse
        bend = np.array(
            [
                [x_counts @ (trigamma(r + distinct) - trigamma(r)), crossed],
                [crossed, times @ inverse**2 - total * r / alpha**2],
            ]
        )
        return float(value), slope, bend

    usual = np.array([0.5, 0.5 * float(now.sum()) / float(bought.sum())])
    # So few distinct numbers need no part of them to be fitted first.
    best = estimate(lambda _: likelihood, usual, repeaters)
    if best is None:
        return None
    r, alpha = best.params.tolist()
    return NBD(r, alpha, best.value, best.penalty)
