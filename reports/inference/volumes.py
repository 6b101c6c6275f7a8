"""How much of a box points leave behind them: hypervolumes; lower is better in each coordinate.

Shapes: n points, M coordinates, two or three.
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
    if len(corner) == 2 or not len(table):
        return _area(table, corner)
    table = table[np.argsort(table[:, -1], kind="stable")]
    ends = np.append(table[1:, -1], corner[-1])
    slices = zip(table[:, -1], ends, strict=True)
    return float(
        sum(
            (end - low) * _area(table[: at + 1, :2], corner)
            for at, (low, end) in enumerate(slices)
            if end > low
        )
    )


def _area(table: FloatArray, corner: FloatArray) -> float:
    """The same of points ``[n, 2]``, all of which beat the corner."""
    if not len(table):
        return 0.0
    across, up = table[np.lexsort((table[:, 1], table[:, 0]))].T
    lowest = np.minimum.accumulate(up)
    above = np.append(corner[1], lowest[:-1])
    return float(np.sum((corner[0] - across) * np.maximum(above - up, 0.0)))
