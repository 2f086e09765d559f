"""BG/NBD: how often each customer buys, and whether they are still one (Fader, Hardie, Lee 2005).

A living customer buys at a rate λ of their own, gamma-distributed (r, α) among customers; after
each purchase they leave for good with a probability p of their own, beta-distributed (a, b).

Of a customer it needs x (repeat purchase days), t_x (age at the last one) and T (age now; here
``age``), both counted from the first purchase day. Any unit of time does, if it is one: α has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remindctl.predict.likelihood import log_likelihood, sample
from remindctl.predict.newton import estimate
from remindctl.predict.special import hyp2f1_slope, log_gamma

if TYPE_CHECKING:
    import numpy.typing as npt

    from remindctl.predict.newton import Likelihood
    from remindctl.predict.special import Floats


@dataclass(frozen=True, eq=False)
class BGNBD:
    """A fitted model; its methods take numbers or arrays, with times in ``unit``, and broadcast.

    Attributes:
        r, alpha: shape and rate of the gamma distribution of λ; a, b: of the beta one of p.
        log_likelihood: without the penalty.
        standard_errors: of r, alpha, a, b.
        customers, repeaters: all, and those with x > 0.
        penalty: weight of the L2 penalty on the logarithms of the parameters; 0 = none.
        evaluations: of the likelihood of all customers.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    standard_errors: tuple[float, ...]
    customers: int
    repeaters: int
    penalty: float
    evaluations: int
    unit: str

    def p_alive(self, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike) -> Floats:
        """Return P(alive): 1 wherever x = 0, because the model lets nobody leave before a repeat.

        That 1 is an assumption, not a finding: never show it as such. Regular, frequent buyers may
        be given up too early; their own gaps tell.
        """
        bought, last, now = _floats(x, t_x, age)
        repeated = bought > 0
        leaves = self.a / np.where(repeated, self.b + bought - 1.0, 1.0)
        stays = np.exp((self.r + bought) * np.log((self.alpha + last) / (self.alpha + now)))
        return np.where(repeated, stays / (leaves + stays), 1.0)

    def expected_orders(
        self, t: npt.ArrayLike, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike
    ) -> Floats:
        """Return the expected number of orders in the next ``t``."""
        return self.p_alive(x, t_x, age) * self.expected_orders_if_alive(t, x, age)

    def expected_orders_if_alive(
        self, t: npt.ArrayLike, x: npt.ArrayLike, age: npt.ArrayLike
    ) -> Floats:
        """Return the expected number of orders in the next ``t`` of someone known to be alive.

        Euler's transformation of the paper's formula. With c = a+b+x-1, e = a-1 and
        w = (α+T)/(α+T+t) it is c·(1 - wᵉ·₂F₁(c-x-r, e; c; 1-w))/e: no power grows with x, and
        what is 0/0 at a = 1 is a limit taken term by term.
        """
        ahead, bought, now = _floats(t, x, age)
        e = self.a - 1.0
        log_w = -np.log1p(ahead / (self.alpha + now))
        c = self.a + self.b + bought - 1.0
        direct = -log_w if e == 0.0 else -np.expm1(e * log_w) / e
        series = hyp2f1_slope(self.a + self.b - 1.0 - self.r, e, c, -np.expm1(log_w), e * log_w)
        return np.maximum(c * direct - series, 0.0)

    def p_none(
        self, t: npt.ArrayLike, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike
    ) -> Floats:
        """Return the probability of no order in the next ``t``."""
        ahead, bought, last, now = _floats(t, x, t_x, age)
        comes = -np.expm1(-(self.r + bought) * np.log1p(ahead / (self.alpha + now)))
        return 1.0 - self.p_alive(bought, last, now) * comes

    def next_order_quantile(
        self, q: npt.ArrayLike, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike
    ) -> Floats:
        """Return the time from now by which the next order has come with probability ``q``.

        NaN where it never gets that likely, because P(alive) is not above ``q``; infinite where
        the time is too long for a number.
        """
        share, bought, last, now = _floats(q, x, t_x, age)
        alive = self.p_alive(bought, last, now)
        reached = share < alive
        ratio = np.where(reached, share, 0.0) / np.where(reached, alive, 1.0)
        with np.errstate(over="ignore"):
            wait = (self.alpha + now) * np.expm1(-np.log1p(-ratio) / (self.r + bought))
        return np.where(reached, wait, np.nan)

    def count_probabilities(self, t: float, most: int) -> Floats:
        """Return P(X(t) = n) of a new customer's repeat orders, n = 0 … ``most``; t above 0."""
        n = np.arange(most + 1.0)
        r, a, b = self.r, self.a, self.b
        log_stay, log_buy = -np.log1p(t / self.alpha), -np.log1p(self.alpha / t)
        ever = np.exp(log_gamma(r + n) - log_gamma(r) - log_gamma(n + 1.0) + n * log_buy)
        if_never_leaving = np.exp(r * log_stay) * ever
        # B(a, b+n) / B(a, b): still there after n orders.
        survives = np.exp(log_gamma(b + n) - log_gamma(b) + log_gamma(a + b) - log_gamma(a + b + n))
        # Of those who would buy n times or more, whoever leaves at the n-th.
        leaves_now = survives[:-1] * a / (a + b + n[:-1])
        or_more = np.maximum(1.0 - np.cumsum(if_never_leaving)[:-1], 0.0)
        found: Floats = survives * if_never_leaving
        found[1:] += leaves_now * or_more
        return found


def fit(
    x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike, *, unit: str = "day"
) -> BGNBD | None:
    """Fit by maximum likelihood; None when these customers do not determine the parameters.

    Args:
        x: repeat purchase days of each customer, 0 included.
        t_x: age at the last one.
        age: age now, T.
        unit: what t_x and age are counted in.
    """
    everyone = sample(x, t_x, age)
    repeaters = len(everyone.x)
    if not repeaters:
        return None

    def likelihood_of(every: int) -> Likelihood:
        part = everyone.thinned(every)
        return lambda params: log_likelihood(params, part)

    best = estimate(likelihood_of, everyone.usual_params(), repeaters)
    if best is None:
        return None
    r, alpha, a, b = best.params.tolist()
    return BGNBD(
        r,
        alpha,
        a,
        b,
        log_likelihood=best.value,
        standard_errors=tuple(best.standard_errors.tolist()),
        customers=int(everyone.customers),
        repeaters=repeaters,
        penalty=best.penalty,
        evaluations=best.evaluations,
        unit=unit,
    )


def _floats(*numbers: npt.ArrayLike) -> list[Floats]:
    return [np.asarray(one, dtype=np.float64) for one in numbers]
