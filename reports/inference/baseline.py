"""What the single-task networks' own seeds add to the error of a comparison with them (M10).

Shapes: M metrics.
"""

import numpy as np
import numpy.typing as npt

from reports.inference.estimates import MeanSquare


def delta_m_parts(
    metrics: npt.ArrayLike,
    baseline: npt.ArrayLike,
    variances: npt.ArrayLike,
    n_seeds: npt.ArrayLike,
) -> list[MeanSquare]:
    """Variance that the baseline gives to delta_m: (100/M)^2 sum_j (m_j/B_j^2)^2 s_Bj^2 / S_B.

    Args:
        metrics: ``[M]``, a method's values.
        baseline: ``[M]``, the single-task networks' means.
        variances: ``[M]``, of the single-task networks from seed to seed.
        n_seeds: ``[M]``, how many seeds those are, each at least 2.
    """
    table = np.array([metrics, baseline, variances, n_seeds], dtype=np.float64)
    n_metrics = table.shape[1]
    return [
        MeanSquare(
            value=variance,
            weight=(100 / n_metrics * value / base**2) ** 2 / seeds,
            df=seeds - 1,
        )
        for value, base, variance, seeds in table.T.tolist()
    ]
