"""The grid of a three-task weight simplex, and the hexagons that tile it.

On a triangular lattice of step h the cell around a point is a hexagon whose corners are the
centres of the six triangles that meet there: the point plus h/3 times the permutations of
(1, 1, -2) and (-1, -1, 2).
"""

import numpy as np
from numpy.typing import NDArray

_STEPS = (0.5, 1 / 3, 0.25, 0.2, 0.125, 0.1, 0.05, 0.04, 0.025, 0.02, 0.0125, 0.01)
_CORNERS = np.array(
    [(1, 1, -2), (2, -1, -1), (1, -2, 1), (-1, -1, 2), (-2, 1, 1), (-1, 2, -1)], dtype=np.float64
)
_MOSTLY = 0.8  # stages that hold the weights at an anchor add a few points off the grid


def on_grid(weights: NDArray[np.float64], step: float) -> NDArray[np.bool_]:
    """Which rows of `weights` `[N, 3]` are multiples of the step, shape `[N]`."""
    cells = weights / step
    close: NDArray[np.bool_] = np.all(np.abs(cells - np.round(cells)) < 1e-6, axis=1)
    return close


def step_of(weights: NDArray[np.float64]) -> float | None:
    """The widest usual step whose grid holds most of the points; None if there is none.

    Args:
        weights: Points of the simplex, shape `[N, 3]`.
    """
    if len(weights) < 3:
        return None
    return next((step for step in _STEPS if on_grid(weights, step).mean() >= _MOSTLY), None)


def hexagons(weights: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """The closed outlines of the cells, shape `[N, 7, 3]`, held inside the simplex."""
    corners = weights[:, None, :] + step / 3 * _CORNERS
    inside = np.clip(corners, 0.0, None)
    inside /= inside.sum(axis=-1, keepdims=True)
    return np.concatenate([inside, inside[:, :1]], axis=1)
