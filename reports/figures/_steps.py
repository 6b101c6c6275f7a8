"""Step functions as outlines: a value holds until the next cost is spent."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def band(x: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The closed outline of the area between two step functions, shapes `[n]` to `[4n - 1]`.

    Points where a bound is not finite are left out; nothing is left of a band of none.
    """
    kept = np.isfinite(low) & np.isfinite(high)
    x, low, high = x[kept], low[kept], high[kept]
    if not x.size:
        return x, low
    across = np.repeat(x, 2)[1:]
    upper, lower = np.repeat(high, 2)[:-1], np.repeat(low, 2)[:-1]
    outline_x = np.concatenate([across, across[::-1], across[:1]])
    outline_y = np.concatenate([upper, lower[::-1], upper[:1]])
    return outline_x, outline_y
