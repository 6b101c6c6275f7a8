"""How alike two rankings are: Kendall's tau, and what of it seeds tell.

Shapes: K things that are ranked twice.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.inference.student import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two rankings of the same things.

    Attributes:
        tau: Kendall's tau-b; NaN where one of both ranks nothing.
        low: The least that it can be if each pair is in the order that is told of it, if any.
        high: The most.
        n_pairs: K (K - 1) / 2.
        n_alike: Pairs whose order is told in both rankings, and is the same.
        n_reversed: Pairs whose order is told in both, and is not.
    """

    tau: float
    low: float
    high: float
    n_pairs: int
    n_alike: int
    n_reversed: int


def kendall_tau(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Kendall's tau-b of two rankings ``[K]``; NaN where one of both ranks nothing."""
    one, other = _orders(first), _orders(second)
    untied = math.sqrt(float(np.sum(one != 0)) * float(np.sum(other != 0)))
    return float(np.sum(one * other)) / untied if untied else math.nan


def agreement(
    first: npt.ArrayLike, second: npt.ArrayLike, told: tuple[npt.ArrayLike, npt.ArrayLike]
) -> Agreement:
    """Tau, between what it would be at least and at most.

    A pair whose order is not told in both rankings may be alike or reversed in truth: the ends
    count all of them as the one or the other.

    Args:
        first: ``[K]``, values that make one ranking.
        second: ``[K]``, of the other one.
        told: For each, which pairs' order is told: ``[K, K]``.
    """
    alike = _orders(first) * _orders(second)
    known = np.asarray(told[0], dtype=bool) & np.asarray(told[1], dtype=bool)
    pairs = np.triu_indices(len(alike), k=1)
    signs, certain = alike[pairs], known[pairs]
    n_pairs, sure = len(signs), float(np.sum(signs[certain]))
    open_ = int(np.sum(~certain))
    tau = kendall_tau(first, second)
    return Agreement(
        tau=tau,
        low=float(np.fmin((sure - open_) / n_pairs, tau)),
        high=float(np.fmax((sure + open_) / n_pairs, tau)),
        n_pairs=n_pairs,
        n_alike=int(np.sum(signs[certain] > 0)),
        n_reversed=int(np.sum(signs[certain] < 0)),
    )


def _orders(values: npt.ArrayLike) -> FloatArray:
    """Sign of each difference, ``[K, K]``; equal ones, infinite or not, have none."""
    table = np.asarray(values, dtype=np.float64)
    above: FloatArray = (table[:, None] > table).astype(np.float64)
    return above - above.T
