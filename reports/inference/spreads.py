"""How far methods are apart beyond what seeds make of them, and estimates that leave seeds out.

Shapes: A methods, S seeds.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from reports.inference.components import Components
from reports.inference.differences import mean_of
from reports.inference.estimates import Estimate
from reports.inference.student import FloatArray


def spread_squared(values: npt.ArrayLike) -> float:
    """Variance over methods of their true means: that of the seed means less s_e^2/S.

    What a seed is worth to all methods alike is in neither. It is unbiased, so it may be negative.

    Args:
        values: ``[A, S]``, both at least 2.
    """
    table = np.asarray(values, dtype=np.float64)
    n_seeds = len(table[0])
    of_seeds = Components.of(table).residual_variance / n_seeds
    return float(np.var(table.mean(axis=1), ddof=1)) - of_seeds


def jackknifed(statistic: Callable[[FloatArray], float], values: npt.ArrayLike) -> Estimate:
    """A statistic of values by seed with the error that its seeds give it, by leaving each out.

    The mean of the pseudo-values S f - (S - 1) f_(-s), with t(S - 1) (Tukey 1958).

    Args:
        statistic: Of values ``[..., S]`` and ``[..., S - 1]``.
        values: ``[..., S]``.

    Returns:
        Without a standard error below three seeds, of which two are left to tell one from.
    """
    table = np.asarray(values, dtype=np.float64)
    n_seeds = table.shape[-1]
    whole = statistic(table)
    if n_seeds < 3:
        return Estimate(value=whole, standard_error=np.nan, df=0, n_seeds=n_seeds)
    without = [statistic(np.delete(table, seed, axis=-1)) for seed in range(n_seeds)]
    return mean_of(n_seeds * whole - (n_seeds - 1) * np.array(without))
