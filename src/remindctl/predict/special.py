"""The special functions of the purchase models on arrays: ln Γ, its derivatives, and a ₂F₁ series.

numpy has none of them, and importing scipy takes longer than fitting the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# From here on the asymptotic series below are exact to the last digit.
_SHIFT = 10
_HALF_LOG_TAU = 0.5 * np.log(2.0 * np.pi)
# Bernoulli numbers B₂, B₄, … B₁₄.
_BERNOULLI = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6])
_EVEN = np.arange(2.0, 15.0, 2.0)

# Terms of the series that are summed at a time, at first, and numbers held in memory at most.
_BLOCK = 32
_NUMBERS = 131_072
_EPSILON = 2.0**-53
# Sums beyond this are scaled down by it, long before a block of terms could overflow.
_LARGE = 1e100


def log_gamma(z: npt.ArrayLike) -> Floats:
    """Return ln Γ(z) for z > 0, to 1e-14 of the larger of 1 and the value (Stirling's series)."""
    at, below = _shifted(z)
    series = _even_series(1.0 / at, _BERNOULLI / (_EVEN * (_EVEN - 1))) * at
    stirling = (at - 0.5) * np.log(at) - at + _HALF_LOG_TAU + series
    return np.asarray(stirling - np.log(below.prod(axis=-1)))


def digamma(z: npt.ArrayLike) -> Floats:
    """Return the derivative of ln Γ for z > 0, to 1e-14 of the larger of 1 and the value."""
    at, below = _shifted(z, np.inf)
    series = _even_series(1.0 / at, _BERNOULLI / _EVEN)
    return np.asarray(np.log(at) - 0.5 / at - series - (1.0 / below).sum(axis=-1))


def trigamma(z: npt.ArrayLike) -> Floats:
    """Return the second derivative of ln Γ for z > 0, to 1e-14 of the value."""
    at, below = _shifted(z, np.inf)
    series = _even_series(1.0 / at, _BERNOULLI)
    return np.asarray((1.0 + 0.5 / at + series) / at + (1.0 / below**2).sum(axis=-1))


def _shifted(z: npt.ArrayLike, filler: float = 1.0) -> tuple[Floats, Floats]:
    """Move arguments that are too small for the series up by ``_SHIFT``.

    Returns:
        the moved arguments, and for each the numbers z, z+1, … below it (else the filler).
    """
    at = np.asarray(z, dtype=np.float64)
    small = at < _SHIFT
    below = np.where(small[..., None], at[..., None] + np.arange(_SHIFT), filler)
    return np.where(small, at + _SHIFT, at), below


def _even_series(inverse: Floats, coefficients: Floats) -> Floats:
    """Return Σ cₖ · inverse^(2k), k from 1."""
    square = inverse * inverse
    total = np.zeros_like(inverse)
    for coefficient in coefficients[::-1]:
        total = square * (coefficient + total)
    return total


def hyp2f1_slope(
    a: float, b: float, c: npt.ArrayLike, z: npt.ArrayLike, log_weight: npt.ArrayLike = 0.0
) -> Floats:
    """Return e^log_weight · c/b · (₂F₁(a, b; c; z) - 1), finite also where b or c is 0.

    The plain series, as far as the last digit needs it: some 40 terms at z = 0.4, 4,000 at 0.99.

    Args:
        a: any number.
        b: any number.
        c: above -1.
        z: 0 or more, below 1.
        log_weight: of a factor that may be as small as the series is large.
    """
    needs = (np.asarray(one, dtype=np.float64) for one in (c, z, log_weight))
    below, at, weight = np.broadcast_arrays(*needs)
    if at.size and not (at.min() >= 0 and at.max() < 1 and below.min() > -1):
        raise ValueError("hyp2f1_slope needs 0 <= z < 1 and c > -1")
    found = np.empty(at.size)
    flat_c, flat_z = below.ravel(), at.ravel()
    for start in range(0, at.size, _NUMBERS // _BLOCK):
        rows = slice(start, start + _NUMBERS // _BLOCK)
        total, log_scale = _summed(a, b, flat_c[rows, None], flat_z[rows, None])
        found[rows] = total * np.exp(log_scale + weight.ravel()[rows])
    return found.reshape(at.shape)


def _summed(a: float, b: float, c: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Sum the series in blocks of terms, each row until its tail cannot change the sum.

    Returns:
        the sums, and the logarithms of what to multiply them with.
    """
    term = a * z
    total, log_scale = term[:, 0].copy(), np.zeros(len(term))
    rows = np.arange(len(total))
    done, block = 0, _BLOCK
    while len(rows):
        n = done + np.arange(1.0, block + 1.0)
        ratios = (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z
        terms = term * np.cumprod(ratios, axis=1)
        total[rows] += terms.sum(axis=1)
        term = terms[:, -1:]
        # Beyond here the terms shrink at least as fast as a geometric series of this ratio.
        shrink = np.maximum(np.abs(ratios[:, -1]), z[:, 0])
        size = np.abs(term[:, 0])
        more = size * shrink > _EPSILON * np.abs(total[rows]) * (1.0 - shrink)
        large = rows[size > _LARGE]
        total[large] /= _LARGE
        log_scale[large] += np.log(_LARGE)
        term = np.where(size[:, None] > _LARGE, term / _LARGE, term)
        rows, term, c, z = rows[more], term[more], c[more], z[more]
        done += block
        # Few slow rows are left: take them in larger strides, once they can no longer overflow.
        block = min(2 * block, _NUMBERS // max(len(rows), 1)) if shrink.max() < 1 else _BLOCK
    return total, log_scale
