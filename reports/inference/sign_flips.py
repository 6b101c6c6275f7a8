"""A test of paired differences that assumes no distribution: all signs are as likely."""

from typing import Final

import numpy as np
import numpy.typing as npt

FEWEST_SEEDS: Final = 6
"""With fewer, even the clearest result has p = 2 / 2^5 > 0.05: the test cannot decide."""

_EXACT_SEEDS: Final = 16
_DRAWS: Final = 2**16


def sign_flip_p(gaps: npt.ArrayLike) -> float | None:
    """Two-sided p-value of a mean of 0, over all ways to turn signs around.

    Beyond 16 seeds over 65,536 drawn ones, the same ones each time.

    Args:
        gaps: ``[S]``, differences seed by seed.

    Returns:
        None with fewer than six seeds: the test cannot decide. NaN if a difference is not finite.
    """
    values = np.asarray(gaps, dtype=np.float64)
    n_seeds = len(values)
    if n_seeds < FEWEST_SEEDS:
        return None
    if not np.isfinite(values).all():
        return float("nan")
    if n_seeds <= _EXACT_SEEDS:
        flips = (np.arange(2**n_seeds)[:, None] >> np.arange(n_seeds)) & 1
    else:
        flips = np.random.default_rng(0).integers(0, 2, size=(_DRAWS, n_seeds))
        flips[0] = 0  # as it was seen
    sums = np.abs((1 - 2 * flips) @ values)
    seen = abs(float(values.sum()))
    return float(np.mean(sums >= seen - 1e-12 * float(np.abs(values).sum())))
