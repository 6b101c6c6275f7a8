"""Mean ranks of methods over problems, and how far apart they must lie (Nemenyi 1963).

Shapes: N problems, K methods.
"""

import functools
import itertools
import math
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from reports.inference.estimates import LEVEL
from reports.inference.student import FloatArray

_NODES: Final = 96
_REACH: Final = 8.0  # standard normal deviates: beyond lie 1e-15
_MOST_STEPS: Final = 50


def ranks(values: npt.ArrayLike, *, sign: float) -> FloatArray:
    """Rank 1 for the best; equal values share the mean of their ranks.

    Args:
        values: ``[..., K]``, none of them NaN.
        sign: +1 if lower is better, else -1.

    Returns:
        ``[..., K]``.
    """
    keys = sign * np.asarray(values, dtype=np.float64)
    mine, others = keys[..., :, None], keys[..., None, :]
    found: FloatArray = 0.5 + (others < mine).sum(axis=-1) + 0.5 * (others == mine).sum(axis=-1)
    return found


def rank_bounds(values: npt.ArrayLike, *, sign: float) -> tuple[FloatArray, FloatArray]:
    """The middle 95 % of the ranks of K methods over D draws.

    Methods that are equal in a draw hold all their places there, as none is ahead of another.

    Args:
        values: ``[D, K]``, none of them NaN.
        sign: +1 if lower is better, else -1.

    Returns:
        The lowest rank and the highest, ``[K]`` each.
    """
    keys = sign * np.asarray(values, dtype=np.float64)
    mine, others = keys[:, :, None], keys[:, None, :]
    first, last = 1 + (others < mine).sum(axis=-1), (others <= mine).sum(axis=-1)
    low: FloatArray = np.quantile(first, 0.025, axis=0, method="inverted_cdf")
    high: FloatArray = np.quantile(last, 0.975, axis=0, method="inverted_cdf")
    return low, high


def critical_difference(n_methods: int, n_problems: int, *, level: float = LEVEL) -> float:
    """How far apart two mean ranks must lie to be told apart, with all pairs at once.

    q / sqrt(2) * sqrt(K (K + 1) / (6 N)), where q is the quantile of the studentized range of K
    normal values (Nemenyi 1963; Demsar 2006). Of two methods it is the exact one of a sign test,
    which that formula misses where problems are few.

    Args:
        n_methods: K, at least 2.
        n_problems: N, at least 1.

    Returns:
        Infinity where two methods cannot be told apart, whatever the results.
    """
    if n_methods == 2:
        return _of_two(n_problems, 1 - level)
    return _of_one_problem(n_methods, level) / math.sqrt(n_problems)


def problems_to_tell(gap: float, n_methods: int, *, level: float = LEVEL) -> int | None:
    """About how many problems it takes until a difference of mean ranks is told.

    Returns:
        None where there is none.
    """
    if not gap > 0:
        return None
    wanted = math.ceil((_of_one_problem(n_methods, level) / gap) ** 2 - 1e-9)
    fewest = next(n for n in itertools.count(1) if critical_difference(n_methods, n) < n_methods)
    return max(wanted, fewest)


def _of_two(n_problems: int, error: float) -> float:
    """The least difference of two mean ranks that a two-sided sign test rejects."""
    tail, told = 0, math.inf
    for losses in range((n_problems + 1) // 2):
        tail += math.comb(n_problems, losses)
        if 2 * tail / 2**n_problems > error:
            break
        told = 1 - 2 * losses / n_problems
    return told


@functools.cache
def _of_one_problem(n_methods: int, level: float) -> float:
    """The critical difference over one problem, which falls with the root of their number."""
    low, high = 0.0, 2 * _REACH
    for _ in range(_MOST_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, n_methods) < level else (low, middle)
    return high * math.sqrt(n_methods * (n_methods + 1) / 12)


def _within(width: float, n_methods: int) -> float:
    """P(K standard normal values lie within a range of `width`), integrated over the highest."""
    highest, weights = _rule()
    below = [NormalDist().cdf(z) - NormalDist().cdf(z - width) for z in highest.tolist()]
    return float(n_methods * np.sum(weights * np.array(below) ** (n_methods - 1)))


@functools.cache
def _rule() -> tuple[FloatArray, FloatArray]:
    """Values of a standard normal variable, and weights that integrate over its density."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    highest = _REACH * nodes
    density = np.exp(-(highest**2) / 2) / math.sqrt(2 * math.pi)
    return highest, _REACH * weights * density
