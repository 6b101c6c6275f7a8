"""Fronts, and what lies beyond all mixes of given points; lower is better in each coordinate.

Shapes: n points, N points to mix, T coordinates.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reports.inference.student import FloatArray

BoolArray = npt.NDArray[np.bool_]

_BLOCK: Final = 2**22
_ROUNDING: Final = 1e-9
_NO_GAIN: Final = 1e-13
_NO_SHARE: Final = 1e-15


def front(points: npt.ArrayLike) -> BoolArray:
    """Which points ``[n, T]`` no other one dominates: ``[n]``.

    One point dominates another if it is better in one coordinate and worse in none.
    """
    table = np.asarray(points, dtype=np.float64)
    kept = np.empty(len(table), dtype=bool)
    rows = max(1, _BLOCK // max(1, table.size))
    for first in range(0, len(table), rows):
        mine = table[first : first + rows, None]
        dominated = np.all(table <= mine, axis=2) & np.any(table < mine, axis=2)
        kept[first : first + rows] = ~np.any(dominated, axis=1)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """How points lie to all convex combinations of others.

    Attributes:
        found: ``[n]``, which points no combination equals or dominates.
        weights: ``[n, T]``, for each of these weights that sum to 1 and make its weighted sum less
            than that of any of the others; 0 for the rest.
        mixes: ``[n, N]``, shares of the combination that comes nearest to it.
    """

    found: BoolArray
    weights: FloatArray
    mixes: FloatArray


def beyond_mixes(points: npt.ArrayLike, mixed: npt.ArrayLike) -> Beyond:
    """Which points no convex combination of others equals or dominates.

    Args:
        points: ``[n, T]``.
        mixed: ``[N, T]``, the points that are combined; at least one.
    """
    table = np.asarray(points, dtype=np.float64)
    others = np.asarray(mixed, dtype=np.float64)
    n_mixed, n_coordinates = others.shape
    size = max(1.0, float(np.abs(others).max()), float(np.abs(table).max(initial=0.0)))
    target = np.append(np.zeros(n_coordinates), 1.0)
    slack = np.vstack([np.eye(n_coordinates), np.zeros(n_coordinates)])
    weights, mixes = np.zeros_like(table), np.zeros((len(table), n_mixed))
    for row, point in enumerate(table):
        # sum_i share_i (mixed_i - point) + slack = 0 and sum_i share_i = 1, nothing negative. What
        # comes nearest, divided by its sum of shares, is the mix that comes nearest.
        away = np.vstack([(others - point).T / size, np.ones(n_mixed)])
        system = np.hstack([away, slack])
        nearest = _nearest(system, target)
        left = target - system @ nearest
        if np.linalg.norm(left) > _ROUNDING:
            normal = np.maximum(-left[:-1], 0.0)
            weights[row] = normal / normal.sum()
        mixes[row] = nearest[:n_mixed] / nearest[:n_mixed].sum()
    return Beyond(found=weights.sum(axis=1) > 0, weights=weights, mixes=mixes)


def _nearest(system: FloatArray, target: FloatArray) -> FloatArray:
    """The combination nearest to a target that has no negative coefficient: ``[k]``.

    The active-set method of Lawson and Hanson (1974).

    Args:
        system: ``[m, k]``, a column each to combine.
        target: ``[m]``.
    """
    n_columns = system.shape[1]
    used, found = np.zeros(n_columns, dtype=bool), np.zeros(n_columns)
    for _ in range(3 * n_columns):
        gain = np.where(used, -np.inf, system.T @ (target - system @ found))
        best = int(gain.argmax())
        if gain[best] <= _NO_GAIN:
            break
        used[best] = True
        while (falling := used & ((wanted := _fitted(system, target, used)) <= 0)).any():
            step = np.min(found[falling] / (found[falling] - wanted[falling]))
            found = found + step * (wanted - found)
            used &= found > _NO_SHARE
            found[~used] = 0.0
        found = wanted
    return found


def _fitted(system: FloatArray, target: FloatArray, used: BoolArray) -> FloatArray:
    """Least squares by the columns that are used."""
    wanted = np.zeros(system.shape[1])
    wanted[used] = np.linalg.lstsq(system[:, used], target, rcond=None)[0]
    return wanted
