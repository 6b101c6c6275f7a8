"""What makes values of trials differ from seed to seed: the two-way layout trial x seed (M10).

Shapes: q trials, S seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reports.inference.estimates import MeanSquare, satterthwaite
from reports.inference.student import FloatArray

# By simulation (`python -m benchmarks.coverage`): with it intervals cover what they say.
_OF_MIXING: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Value of a trial under a seed = the trial's + the seed's + a rest.

    Attributes:
        seed_means: ``[S]``, mean over the trials.
        residual_variance: s_e^2, of the rest; 0 with one trial, which has none apart from its seed.
        n_trials: q.
    """

    seed_means: tuple[float, ...]
    residual_variance: float
    n_trials: int

    @classmethod
    def of(cls, values: npt.ArrayLike) -> "Components":
        """From a layout ``[q, S]`` without gaps."""
        table = np.asarray(values, dtype=np.float64)
        n_trials, n_seeds = table.shape
        by_seed = table.mean(axis=0)
        rest = table - table.mean(axis=1, keepdims=True) - (by_seed - by_seed.mean())
        df = (n_trials - 1) * (n_seeds - 1)
        return cls(
            seed_means=tuple(by_seed.tolist()),
            residual_variance=float(np.sum(rest**2)) / df if df else 0.0,
            n_trials=n_trials,
        )

    @property
    def n_seeds(self) -> int:
        """S."""
        return len(self.seed_means)

    @property
    def seed_variance(self) -> float:
        """s_a^2, of what a seed is worth to all trials alike; at least 0."""
        if self.n_seeds < 2:
            return float("nan")
        mean_square = float(np.var(self.seed_means, ddof=1))
        return max(0.0, mean_square - self.residual_variance / self.n_trials)

    def variance(self, winner_shares: npt.ArrayLike = 1.0) -> tuple[FloatArray, FloatArray]:
        """Variance of a winner's mean over the seeds, and its degrees of freedom, both ``[...]``.

        (s_a^2 + s_e^2 * sum_r p_r^2) / S

        Args:
            winner_shares: ``[...]``, the sum of squares of the probabilities p_r with which each
                trial is the winner; 1 where there is one winner, more by `mixed_share` where seeds
                chose several for each other.
        """
        return satterthwaite(variance_parts((self, winner_shares)))


def mixed_share(choices: Sequence[int]) -> float:
    """How often s_e^2 counts in a cross-fitted mean: 1 + 0.3 m.

    m is the mean number of other seeds that chose another trial. Seeds that choose for each other
    share data: where they waver between trials, scores lie further from the truth than independent
    ones would.

    Args:
        choices: ``[S]``, for each seed the trial that the others chose.
    """
    chosen = np.asarray(choices)
    others = np.sum(chosen[:, None] != chosen, axis=1)
    return 1.0 + _OF_MIXING * float(np.mean(others))


def mixing_parts(*sides: tuple[Components, npt.ArrayLike]) -> list[MeanSquare]:
    """What mixing alone adds to the variance of a mean over the seeds, or of a difference of two.

    Args:
        sides: Layouts over the same seeds, each with its `mixed_share`.
    """
    return [
        MeanSquare(
            value=layout.residual_variance,
            weight=(np.asarray(share) - 1) / layout.n_seeds,
            df=(layout.n_trials - 1) * (layout.n_seeds - 1),
        )
        for layout, share in sides
        if layout.n_trials > 1 and layout.n_seeds > 1
    ]


def variance_parts(*sides: tuple[Components, npt.ArrayLike]) -> list[MeanSquare]:
    """Mean squares of the variance of a winner's mean, or of the difference of two winners' means.

    What a seed is worth to both of two methods cancels in their difference: its seed effects are
    those of the difference of the seed means.

    Args:
        sides: One layout, or two over the same seeds, each with its winner shares as in
            `Components.variance`.

    Returns:
        None with one seed.
    """
    layouts = [layout for layout, _ in sides]
    n_seeds = layouts[0].n_seeds
    if n_seeds < 2:
        return []
    means = np.array([layout.seed_means for layout in layouts])
    of_seeds = float(np.var(means[0] if len(means) == 1 else means[0] - means[1], ddof=1))
    rest = [(layout, np.asarray(shares)) for layout, shares in sides if layout.n_trials > 1]
    # Seed means hold a share of the rest, which is taken off again. Only where that would leave
    # less than nothing for the seeds and little of the rest counts, seeds are worth nothing.
    held = sum(layout.residual_variance / layout.n_trials for layout in layouts)
    apart = np.asarray(of_seeds >= held)
    for layout, shares in rest:
        apart = apart | (shares * layout.n_trials >= 1)
    seeds = MeanSquare(value=of_seeds, weight=apart / n_seeds, df=n_seeds - 1)
    return [seeds] + [
        MeanSquare(
            value=layout.residual_variance,
            weight=(shares - apart / layout.n_trials) / n_seeds,
            df=(layout.n_trials - 1) * (n_seeds - 1),
        )
        for layout, shares in rest
    ]
