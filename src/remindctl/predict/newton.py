"""Maximum likelihood by Newton's method, on the logarithms of positive parameters.

In logarithms no step leaves the allowed range, and a change of unit only shifts a parameter: the
path to the optimum, and so every digit of the result, is the same in days and in weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from remindctl.predict.special import Floats

    # Parameters → log-likelihood, its gradient, its Hessian.
    Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]

# Of this many customers who came back, a part is climbed first: its peak is so near that of all
# that few more steps reach it.
MANY = 20_000
_PART = 10_000

# With fewer customers who came back than this a fit is held near usual values by an L2 penalty.
ENOUGH_REPEATERS = 300
PENALTY = 1.0

_STEPS = 100
_HALVINGS = 30
# Steps that would gain less log-likelihood than this are taken on trust: two of them, as the first
# is so long, where the peak is flat, that what it misses shows in the result.
_GAIN = 1e-8
# No step multiplies or divides a parameter by more than e^2.
_LONGEST = 2.0
# Parameters this far from usual ones (a factor of 1,100) are running away to 0 or infinity.
_FARTHEST = 7.0


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the likelihood is highest.

    Attributes:
        params: the parameters themselves.
        value: the log-likelihood there, without the penalty.
        standard_errors: of ``params``, from the curvature (with the penalty) there.
        evaluations: how often the likelihood was computed.
        penalty: the weight of the L2 penalty on the logarithms; 0 = none.
    """

    params: Floats
    value: float
    standard_errors: Floats
    evaluations: int
    penalty: float


def estimate(
    likelihood_of: Callable[[int], Likelihood], usual: Floats, repeaters: int
) -> Optimum | None:
    """Find the peak, with the penalty only where ``repeaters`` are few or it is not found without.

    Args:
        likelihood_of: n → what to maximise, smooth, of positive parameters: the likelihood of every
            n-th customer, 1 = of all.
        usual: what the parameters usually are, for this data's units.
        repeaters: how many customers the fit really rests on.
    """
    everyone, start = likelihood_of(1), usual
    if repeaters > MANY:
        every = -(-repeaters // _PART)
        part = likelihood_of(every)
        near = maximise(part, usual, usual) or maximise(part, usual, usual, penalty=PENALTY / every)
        start = near.params if near else usual
    best = None
    if repeaters >= ENOUGH_REPEATERS:
        best = maximise(everyone, start, usual)
    return best or maximise(everyone, start, usual, penalty=PENALTY)


def maximise(
    likelihood: Likelihood, start: Floats, centre: Floats, *, penalty: float = 0.0
) -> Optimum | None:
    """Climb from ``start``; None when a parameter runs away from ``centre``, or on flat ground.

    The penalty w takes w/2 · Σ (ln parameter - ln centre)² off the log-likelihood.
    """
    middle, at = np.log(centre), np.log(start)

    def evaluate(logs: Floats) -> tuple[float, float, Floats, Floats]:
        params = np.exp(logs)
        plain, slope, bend = likelihood(params)
        away = logs - middle
        gradient = params * slope - penalty * away
        hessian = np.outer(params, params) * bend + np.diag(params * slope - penalty)
        return plain, plain - 0.5 * penalty * float(away @ away), gradient, hessian

    plain, value, gradient, hessian = evaluate(at)
    evaluations, trusted = 1, False
    for _ in range(_STEPS):
        curvature, axes = np.linalg.eigh(-hessian)
        # Against a valley (negative curvature) the same length uphill is the safe step.
        steepness = np.maximum(np.abs(curvature), 1e-10 * np.abs(curvature).max() + 1e-300)
        step = axes @ ((axes.T @ gradient) / steepness)
        gain = 0.5 * float(gradient @ step)
        if gain < _GAIN:
            if curvature[0] <= 0 or np.abs(step).max() > _LONGEST:
                return None
            if trusted:
                errors = np.sqrt(np.einsum("ij,j,ij->i", axes, 1.0 / curvature, axes))
                params = np.exp(at + step)
                return Optimum(params, plain, params * errors, evaluations, penalty)
        trusted = gain < _GAIN
        # On the very peak the step is nothing at all.
        step *= _LONGEST / max(_LONGEST, float(np.abs(step).max()))
        for _ in range(_HALVINGS):
            tried = evaluate(at + step)
            evaluations += 1
            # What is lost to rounding is no loss.
            if trusted or tried[1] > value - 1e-14 * abs(value):
                break
            step *= 0.5
        else:
            return None
        at = at + step
        plain, value, gradient, hessian = tried
        if float(np.abs(at - middle).max()) > _FARTHEST:
            return None
    return None
