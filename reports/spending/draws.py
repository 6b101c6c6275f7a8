"""Parametric draws of what methods reach, from the components of M10: ranks and ratios use them.

Shapes: D draws, m points of a curve, N trials, S seeds.
"""

import zlib
from typing import Final

import numpy as np

from reports.inference import Components
from reports.measures import FloatArray

N_DRAWS: Final = 2_000


class Draws:
    """Draws of several methods of one study; what a seed is worth is drawn for all of them at once.

    A draw of a method is its values, plus what other seeds would have been worth to all its trials
    alike, plus what they would have been worth to each trial by itself, which counts as much as it
    is likely to win. Both have the heavy tails of a variance that few seeds tell.
    """

    def __init__(self, n_seeds: int) -> None:
        rng = np.random.default_rng(0)
        df = n_seeds - 1
        self._n_seeds = n_seeds
        self._seeds = rng.standard_normal((N_DRAWS, n_seeds)) * _tails(rng, df)

    def of(
        self,
        search: str,
        layout: Components,
        values: FloatArray,
        shares: FloatArray,
        *,
        mixed: float,
    ) -> FloatArray:
        """Draws of a method's values, ``[D, m]``.

        Args:
            search: Sets its own noise apart from that of others, in whatever order they are drawn.
            layout: Its components, over the same S seeds as those of the others.
            values: ``[m]``, points of its curve.
            shares: ``[m, N]``, P(a trial is the winner) at each.
            mixed: How often the rest counts where one trial wins for certain, see `mixed_share`.
        """
        n, residual = self._n_seeds, layout.residual_variance
        means = np.asarray(layout.seed_means)
        worth = self._seeds @ (means - means.mean()) / np.sqrt((n - 1) * n)
        drawn: FloatArray = values + worth[:, None]
        if layout.n_trials > 1 and residual > 0:
            rng = np.random.default_rng([1, zlib.crc32(search.encode())])
            # As in `Components.variance`: seed means hold a share of the rest.
            together = mixed * shares @ shares.T - 1 / layout.n_trials
            noise = rng.standard_normal((N_DRAWS, len(values))) @ _root(together)
            tails = _tails(rng, (layout.n_trials - 1) * (n - 1))
            drawn += np.sqrt(residual / n) * noise * tails
        return drawn


def _tails(rng: np.random.Generator, df: int) -> FloatArray:
    """What turns normal draws into those of Student's t, ``[D, 1]``."""
    tails: FloatArray = np.sqrt(df / rng.chisquare(df, (N_DRAWS, 1)))
    return tails


def _root(covariance: FloatArray) -> FloatArray:
    """A symmetric root of a covariance ``[m, m]``, whose negative part counts as none."""
    values, vectors = np.linalg.eigh(covariance)
    root: FloatArray = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root
