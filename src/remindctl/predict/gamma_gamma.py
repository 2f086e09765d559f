"""Gamma-gamma: what one order of each customer is worth (Fader, Hardie 2013).

A customer's orders scatter around a mean of their own (gamma, shape p); the means differ between
customers (gamma, q and v). It assumes that how much people spend has nothing to do with how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remindctl.predict.newton import estimate
from remindctl.predict.special import digamma, log_gamma, trigamma
from remindctl.rows import tally

if TYPE_CHECKING:
    import numpy.typing as npt

    from remindctl.predict.newton import Likelihood
    from remindctl.predict.special import Floats

# Rows whose temporary arrays fit into the processor's cache.
_ROWS = 8192


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """A fitted model.

    Attributes:
        p, q, v: its parameters; v is in the currency of the amounts.
        customers: repeat customers with a positive mean, which it was fitted to.
        correlation: of their x and mean value, which the model takes for 0; None if all are equal.
        penalty: weight of the L2 penalty on the logarithms of the parameters; 0 = none.
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    customers: int
    correlation: float | None
    penalty: float

    @property
    def mean(self) -> float:
        """The mean value of an order over all customers."""
        return self.p * self.v / (self.q - 1.0)

    def order_value(self, x: npt.ArrayLike, mean: npt.ArrayLike) -> Floats:
        """Return the expected value of a future order after ``x`` repeat orders of that mean.

        Between the customer's own mean and everybody's; the latter where x = 0. A negative mean
        counts as 0.
        """
        bought = np.asarray(x, dtype=np.float64)
        own = np.where(bought > 0, np.maximum(np.asarray(mean, dtype=np.float64), 0.0), 0.0)
        return self.p * (self.v + bought * own) / (self.p * bought + self.q - 1.0)


def fit(x: npt.ArrayLike, mean: npt.ArrayLike) -> GammaGamma | None:
    """Fit by maximum likelihood to the customers who came back and paid something.

    Args:
        x: repeat purchase days, one entry per customer.
        mean: the mean amount of these days, without the first purchase; any number where x = 0.

    Returns:
        None when there are no such customers, or order values spread so widely (q of 1 or less)
        that they have no mean.
    """
    bought, own = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    counted = (bought > 0) & (own > 0)
    bought, own = bought[counted], own[counted]
    if not len(bought):
        return None
    # p·v / (q-1) is then the mean of what is seen.
    usual = np.array([4.0, 4.0, 0.75 * float(own.mean())])
    best = estimate(lambda every: _likelihood(bought[::every], own[::every]), usual, len(bought))
    if best is None or best.params[1] <= 1.0:
        return None
    p, q, v = best.params.tolist()
    return GammaGamma(p, q, v, best.value, len(bought), _correlation(bought, own), best.penalty)


def _likelihood(bought: Floats, own: Floats) -> Likelihood:
    n, spent = float(len(bought)), bought * own
    distinct, x_counts = tally(bought)
    log_spent, log_own = float(bought @ np.log(spent)), float(np.log(own).sum())

    def of_amounts(v: float) -> Floats:
        """Sum ln(spent + v) and its inverse and squared inverse, plain and times x."""
        sums = np.zeros((2, 3))
        for start in range(0, len(bought), _ROWS):
            x, wide = bought[start : start + _ROWS], spent[start : start + _ROWS] + v
            inverse = 1.0 / wide
            terms = np.stack([np.log(wide), inverse, inverse**2])
            sums += np.stack([terms.sum(axis=1), terms @ x])
        return sums

    def likelihood(params: Floats) -> tuple[float, Floats, Floats]:
        p, q, v = params.tolist()
        plain, by_x = of_amounts(v)
        own_shape = p * distinct
        # Each customer's amounts count p·x + q times.
        logs, inverse, square = p * by_x + q * plain
        value = x_counts @ (log_gamma(own_shape + q) - log_gamma(own_shape))
        value += n * (q * np.log(v) - log_gamma(q)) + p * log_spent - log_own - logs
        rise = digamma(own_shape + q)
        slope = np.array(
            [
                (x_counts * distinct) @ (rise - digamma(own_shape)) + log_spent - by_x[0],
                x_counts @ rise + n * (np.log(v) - digamma(q)) - plain[0],
                n * q / v - inverse,
            ]
        )
        turn = trigamma(own_shape + q)
        pq, pv, qv = (x_counts * distinct) @ turn, -by_x[1], n / v - plain[1]
        bend = np.array(
            [
                [(x_counts * distinct**2) @ (turn - trigamma(own_shape)), pq, pv],
                [pq, x_counts @ turn - n * trigamma(q), qv],
                [pv, qv, square - n * q / v**2],
            ]
        )
        return float(value), slope, bend

    return likelihood


def _correlation(one: Floats, other: Floats) -> float | None:
    """Return Pearson's correlation, None where one of the two does not vary."""
    first, second = one - one.mean(), other - other.mean()
    spread = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / spread if spread > 0 else None
