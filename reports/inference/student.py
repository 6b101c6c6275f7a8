"""Student's t, for any degrees of freedom from 1, whole or not.

With t = sqrt(df) tan(angle), its density becomes a power of a cosine: smooth and on a finite range,
so that one Gauss-Legendre rule integrates it to the last digits.
"""

import functools
import math
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_NODES: Final = 96
_MOST_STEPS: Final = 200


def t_cdf(t: npt.ArrayLike, df: npt.ArrayLike) -> FloatArray:
    """P(T <= t).

    Args:
        t: ``[...]``, any real numbers.
        df: ``[...]``, degrees of freedom, each at least 1; broadcast against `t`.
    """
    at, freedom = np.broadcast_arrays(_floats(t), _floats(df))
    half = _half(np.arctan(np.abs(at) / np.sqrt(freedom)), freedom)
    below: FloatArray = 0.5 + np.sign(at) * half
    return below


def t_quantile(level: npt.ArrayLike, df: npt.ArrayLike) -> FloatArray:
    """The t below which T lies with probability `level`.

    Args:
        level: ``[...]``, probabilities above 0 and below 1.
        df: ``[...]``, degrees of freedom, each at least 1; broadcast against `level`.
    """
    wanted, freedom = np.broadcast_arrays(_floats(level), _floats(df))
    missing = np.abs(wanted - 0.5)
    angle = np.zeros(wanted.shape)
    # The integral is concave in the angle: Newton's steps come from below and never overshoot.
    for _ in range(_MOST_STEPS):
        step = (missing - _half(angle, freedom)) / _density(angle, freedom)
        angle = angle + step
        if np.all(np.abs(step) <= 1e-15 * (1 + angle)):
            break
    found: FloatArray = np.sign(wanted - 0.5) * np.sqrt(freedom) * np.tan(angle)
    return found


@functools.lru_cache(maxsize=2**12)
def t_of(level: float, df: float) -> float:
    """`t_quantile` of one probability: few degrees of freedom are asked for, each many times."""
    return float(t_quantile(level, df))


def _half(angle: FloatArray, df: FloatArray) -> FloatArray:
    """Probability between 0 and an angle."""
    nodes, weights = _rule()
    points = angle[..., None] * nodes
    area: FloatArray = angle * np.sum(weights * _density(points, df[..., None]), axis=-1)
    return area


def _density(angle: FloatArray, df: FloatArray) -> FloatArray:
    # cos(angle)^(df - 1); the cosine itself is too coarse near 1, where many df lie
    density: FloatArray = _factor(df) * np.exp((1 - df) / 2 * np.log1p(np.tan(angle) ** 2))
    return density


def _factor(df: FloatArray) -> FloatArray:
    """Gamma((df + 1)/2) / Gamma(df/2) / sqrt(pi), what the density is at an angle of 0."""
    few = np.minimum(df, 100.0)
    small = np.exp(_log_gamma((few + 1) / 2) - _log_gamma(few / 2))
    # Gammas of large numbers differ by less than they are rounded to; their ratio has a series.
    x = 1 / np.maximum(df, 100.0)
    series = 1 - x / 4 + x**2 / 32 + 5 * x**3 / 128 - 21 * x**4 / 2048 - 399 * x**5 / 8192
    large = np.sqrt(df / 2) * series
    ratio: FloatArray = np.where(df <= 100.0, small, large) / math.sqrt(math.pi)
    return ratio


def _log_gamma(x: FloatArray) -> FloatArray:
    return np.array([math.lgamma(value) for value in x.ravel()]).reshape(x.shape)


@functools.cache
def _rule() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2


def _floats(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)
