"""How much of a box points leave behind them: hypervolumes; lower is better in each coordinate.

Shapes: n points, M coordinates, two or more.
"""

import numpy as np
import numpy.typing as npt

from reports.inference.student import FloatArray


def hypervolume(points: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Volume that is beaten by points ``[n, M]`` and beats a reference point ``[M]``; exact.

    Points that do not beat the reference in every coordinate count for nothing.
    """
    corner = np.asarray(reference, dtype=np.float64)
    table = np.asarray(points, dtype=np.float64).reshape(-1, len(corner))
    table = table[(table < corner).all(axis=1)]
    return _volume(table, corner)


def _volume(table: FloatArray, corner: FloatArray) -> float:
    """The same of points ``[n, M]``, all of which beat the corner.

    By the recursion of While, Bradstreet and Barone (IEEE Trans. Evol. Comput. 16, 2012): each
    point adds its own box, less what points before it in the last coordinate beat there. These
    fill the slice between the point and the corner, so that one coordinate less is left.
    """
    if len(corner) == 2 or not len(table):
        return _area(table, corner)
    table = table[np.argsort(table[:, -1], kind="stable")]
    if len(corner) == 3:
        return _stacked(table, corner)
    volume = 0.0
    for at, (*point, low) in enumerate(table):
        beaten = _unbeaten(np.maximum(table[:at, :-1], point))
        own = float(np.prod(corner[:-1] - point)) - _volume(beaten, corner[:-1])
        volume += float(corner[-1] - low) * own
    return volume


def _stacked(table: FloatArray, corner: FloatArray) -> float:
    """Volume of points ``[n, 3]`` by height: slices, each with the area of all points below it."""
    ends = np.append(table[1:, -1], corner[-1])
    slices = zip(table[:, -1], ends, strict=True)
    return float(
        sum(
            (end - low) * _area(table[: at + 1, :2], corner)
            for at, (low, end) in enumerate(slices)
            if end > low
        )
    )


def _unbeaten(table: FloatArray) -> FloatArray:
    """Those of points ``[n, M]`` that no other one beats, equal ones once."""
    table = np.unique(table, axis=0)
    n_below = (table[:, None, :] <= table[None]).all(axis=2).sum(axis=0)
    unbeaten: FloatArray = table[n_below == 1]  # by itself
    return unbeaten


def _area(table: FloatArray, corner: FloatArray) -> float:
    """The same of points ``[n, 2]``, all of which beat the corner."""
    if not len(table):
        return 0.0
    across, up = table[np.lexsort((table[:, 1], table[:, 0]))].T
    lowest = np.minimum.accumulate(up)
    above = np.append(corner[1], lowest[:-1])
    return float(np.sum((corner[0] - across) * np.maximum(above - up, 0.0)))
