"""What the single-task networks' own seeds add to the error of a comparison with them (M10).

Shapes: M metrics, m of them of one task, S seeds of the single-task networks.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reports.inference.estimates import MeanSquare
from reports.inference.student import FloatArray


def delta_m_slopes(
    metrics: npt.ArrayLike, baseline: npt.ArrayLike, signs: npt.ArrayLike
) -> FloatArray:
    """How delta_m changes with the baseline, ``[M]``: by -(100/M) o_j m_j / (B_j |B_j|).

    Args:
        metrics: ``[M]``, a method's values.
        baseline: ``[M]``, the single-task networks' means.
        signs: ``[M]``, +1 where lower is better, else -1.
    """
    values, base, sign = np.array([metrics, baseline, signs], dtype=np.float64)
    slopes: FloatArray = -100 / len(values) * sign * values / (base * np.abs(base))
    return slopes


def baseline_part(slopes: Sequence[float], values: FloatArray) -> MeanSquare:
    """Variance that the networks of one task give to a comparison with them.

    The metrics of a run err together, so that runs are summed up, and what the sums vary by counts.

    Args:
        slopes: ``[m]``, by how much the compared number changes with each metric's mean.
        values: ``[S, m]``, the metrics of the networks, at least two.
    """
    n_seeds = len(values)
    sums = values @ np.asarray(slopes)
    return MeanSquare(value=float(np.var(sums, ddof=1)), weight=1 / n_seeds, df=n_seeds - 1)
