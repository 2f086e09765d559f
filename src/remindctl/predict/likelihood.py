"""The likelihood of BG/NBD, with its gradient and Hessian, for millions of customers at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remindctl.predict.special import digamma, log_gamma, trigamma
from remindctl.rows import tally

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from remindctl.predict.special import Floats

# Rows whose temporary arrays fit into the processor's cache.
_ROWS = 8192


@dataclass(frozen=True, eq=False)
class Sample:
    """Customers as the likelihood wants them: whoever has x = 0 is only counted per age.

    Attributes:
        waiting_ages, waiting: the distinct ages of those with x = 0, and how many there are.
        x, t_x, age: one entry per repeat customer.
        distinct_x, x_counts: the distinct x > 0, and how many repeat customers have each.
    """

    waiting_ages: Floats
    waiting: Floats
    x: Floats
    t_x: Floats
    age: Floats
    distinct_x: Floats
    x_counts: Floats

    @property
    def customers(self) -> float:
        """How many there are."""
        return float(self.waiting.sum()) + len(self.x)

    def thinned(self, every: int) -> Sample:
        """Take the first of ``every`` so many repeat customers, and that share of the others."""
        few = slice(None, None, every)
        return _of_parts(
            self.waiting_ages, self.waiting / every, self.x[few], self.t_x[few], self.age[few]
        )

    def usual_params(self) -> Floats:
        """Return r, α, a, b as many stores have them, with α at this sample's own pace."""
        r = 0.5
        time = float(self.waiting @ self.waiting_ages + self.age.sum())
        return np.array([r, r * time / float(self.x.sum()), 1.0, 3.0])


def sample(x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike) -> Sample:
    """Build a sample from one entry per customer."""
    bought, last, now = (np.asarray(one, dtype=np.float64) for one in (x, t_x, age))
    repeated = bought > 0
    ages, waiting = tally(now[~repeated])
    return _of_parts(
        ages, waiting.astype(np.float64), *(one[repeated] for one in (bought, last, now))
    )


def _of_parts(ages: Floats, waiting: Floats, x: Floats, t_x: Floats, age: Floats) -> Sample:
    distinct, counts = tally(x)
    return Sample(ages, waiting, x, t_x, age, distinct, counts.astype(np.float64))


def log_likelihood(params: Floats, of: Sample) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood at (r, α, a, b), its gradient and its Hessian."""
    r, alpha, a, b = (float(one) for one in params)
    n = of.customers
    value = n * r * np.log(alpha)
    slope = np.array([n * np.log(alpha), n * r / alpha, 0.0, 0.0])
    bend = np.zeros((4, 4))
    bend[0, 1] = n / alpha
    bend[1, 1] = -n * r / alpha**2

    now = alpha + of.waiting_ages
    logs = float(of.waiting @ np.log(now))
    value -= r * logs
    slope[0] -= logs
    slope[1] -= r * float(of.waiting @ (1.0 / now))
    bend[0, 1] -= float(of.waiting @ (1.0 / now))
    bend[1, 1] += r * float(of.waiting @ (1.0 / now**2))

    for start in range(0, len(of.x), _ROWS):
        rows = slice(start, start + _ROWS)
        block = _repeat_customers(params, of.x[rows], of.t_x[rows], of.age[rows])
        value += block[0]
        slope += block[1]
        bend += block[2]

    starts = np.array([[r], [b], [a + b]])
    value += float(_rises(log_gamma, starts, of) @ [1.0, 1.0, -1.0])
    by_r, by_b, by_both = _rises(digamma, starts, of).tolist()
    slope += [by_r, 0.0, -by_both, by_b - by_both]
    by_r, by_b, by_both = _rises(trigamma, starts, of).tolist()
    bend[0, 0] += by_r
    bend[2, 2] -= by_both
    bend[2, 3] -= by_both
    bend[3, 3] += by_b - by_both
    return float(value), slope, np.triu(bend) + np.triu(bend, 1).T


def _rises(function: Callable[[Floats], Floats], starts: Floats, of: Sample) -> Floats:
    """Sum f(start + x) - f(start) over the repeat customers, for a column of starts."""
    at = function(starts + np.concatenate([[0.0], of.distinct_x]))
    return np.asarray((at[:, 1:] - at[:, :1]) @ of.x_counts)


def _repeat_customers(
    params: Floats, x: Floats, t_x: Floats, age: Floats
) -> tuple[float, Floats, Floats]:
    """Sum ln[ (α+T)^-(r+x) + a/(b+x-1) · (α+t_x)^-(r+x) ] and its derivatives."""
    r, alpha, a, b = (float(one) for one in params)
    last, now = alpha + t_x, alpha + age
    log_last, times = np.log(last), r + x
    log_ratio = np.log(now) - log_last
    # Both powers as multiples of (α+t_x)^-(r+x): alive, or gone after the last order.
    alive = np.exp(-times * log_ratio)
    gone = a / (b + x - 1.0)
    both = alive + gone
    p = alive / both
    q = gone / both
    by_last, by_now, by_b = 1.0 / last, 1.0 / now, 1.0 / (b + x - 1.0)
    value = float(np.log(both).sum() - times @ log_last)
    slope = np.array(
        [
            -float(log_last.sum() + p @ log_ratio),
            -float(times @ (p * by_now + q * by_last)),
            float(q.sum()) / a,
            -float(q @ by_b),
        ]
    )
    # ∇² ln(u+w) = p·∇² ln u + q·∇² ln w + pq · (∇ ln u - ∇ ln w)(∇ ln u - ∇ ln w)ᵀ
    apart = np.stack([-log_ratio, times * (by_last - by_now), np.full_like(x, -1.0 / a), by_b])
    bend = (apart * (p * q)) @ apart.T
    bend[0, 1] -= float((p * by_now + q * by_last).sum())
    bend[1, 1] += float(times @ (p * by_now**2 + q * by_last**2))
    bend[2, 2] -= float(q.sum()) / a**2
    bend[3, 3] += float(q @ by_b**2)
    return value, slope, bend
