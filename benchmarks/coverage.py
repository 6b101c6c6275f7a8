"""Do the intervals of a comparison cover? Studies are simulated and judged as real ones are.

    python -m benchmarks.coverage --measure digits --storage sqlite:///digits.db
    python -m benchmarks.coverage --studies 10000

The first prints how the runs of a stored study vary, the second what share of intervals holds the
truth. Shapes: R simulated studies, N trials, S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reports.inference import Components, MeanSquare, variance_parts
from reports.inference.estimates import satterthwaite
from reports.inference.student import t_quantile

FloatArray = npt.NDArray[np.float64]

PAIRED_FROM: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How values of a method's trials vary, in points of delta_m.

    Attributes:
        n_trials: N.
        trial_sd: From trial to trial, in the mean over all seeds there could be.
        split_sd: By how much a trial's mean on test differs from that on validation.
        seed_sd: What a seed is worth to all trials alike: s_a.
        shared: Share of the seeds' variance that other methods have, too.
        residual_sd: What is left: s_e.
        correlation: Of what is left on test with what is left on validation.
    """

    n_trials: int
    trial_sd: float
    split_sd: float
    seed_sd: float
    residual_sd: float
    shared: float = 0.0
    correlation: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Studies of one method.

    Attributes:
        validation: ``[R, N, S]``.
        test: ``[R, N, S]``.
        truth: ``[R, N]``, mean test values over all seeds there could be.
    """

    validation: FloatArray
    test: FloatArray
    truth: FloatArray

    @property
    def winners(self) -> npt.NDArray[np.int64]:
        """``[R]``, the trials that all seeds choose."""
        return np.argmin(self.validation.mean(axis=2), axis=1)

    def cross_fit(self) -> FloatArray:
        """``[R, S]``: for each seed the test value of the trial that the others choose."""
        n_seeds = self.test.shape[2]
        total = self.validation.sum(axis=2)
        at = [np.argmin(total - self.validation[:, :, s], axis=1) for s in range(n_seeds)]
        rows = np.arange(len(total))
        return np.stack([self.test[rows, at[s], s] for s in range(n_seeds)], axis=1)

    def layouts(self) -> Iterator[Components]:
        """One a study: test values of the best max(4, N/3) trials."""
        n_best = max(4, math.ceil(self.test.shape[1] / 3))
        order = np.argsort(self.validation.mean(axis=2), axis=1)[:, :n_best]
        for rows, table in zip(order, self.test, strict=True):
            yield Components.of(table[rows])


def simulate(
    method: Method, *, n_studies: int, shared: FloatArray, rng: np.random.Generator
) -> Simulated:
    """Make studies up.

    Args:
        shared: ``[R, 1, S]``, standard normal: what seeds are worth to all methods.
    """
    n_seeds = shared.shape[2]
    shape = (n_studies, method.n_trials, n_seeds)
    own = rng.normal(size=(n_studies, 1, n_seeds))
    seeds = method.shared**0.5 * shared + (1 - method.shared) ** 0.5 * own
    rest = rng.normal(size=shape)
    other = rng.normal(size=shape)
    c = method.correlation
    means = method.trial_sd * rng.normal(size=shape[:2])
    truth = means + method.split_sd * rng.normal(size=shape[:2])
    return Simulated(
        validation=means[..., None] + method.seed_sd * seeds + method.residual_sd * rest,
        test=truth[..., None]
        + method.seed_sd * seeds
        + method.residual_sd * (c * rest + (1 - c**2) ** 0.5 * other),
        truth=truth,
    )


def covered(values: FloatArray, variances: FloatArray, dfs: FloatArray, truth: FloatArray) -> float:
    """Share of 95 % intervals that hold the truth; all ``[R]``."""
    half = t_quantile(0.975, dfs) * np.sqrt(variances)
    return float(np.mean(np.abs(values - truth) <= half))


def of_values(studies: Simulated) -> float:
    """Coverage of a method's cross-fitted value, where the truth is that of its winner."""
    spread = [components.variance() for components in studies.layouts()]
    variances, dfs = (np.array(column, dtype=float) for column in zip(*spread, strict=True))
    rows = np.arange(len(variances))
    truth = studies.truth[rows, studies.winners]
    return covered(studies.cross_fit().mean(axis=1), variances, dfs, truth)


def of_differences(a: Simulated, b: Simulated) -> float:
    """Coverage of the difference of two methods' cross-fitted values."""
    gaps = a.cross_fit() - b.cross_fit()
    n_seeds = gaps.shape[1]
    rows = np.arange(len(gaps))
    truth = a.truth[rows, a.winners] - b.truth[rows, b.winners]
    if n_seeds >= PAIRED_FROM:
        parts = [
            [MeanSquare(value=float(square), weight=1 / n_seeds, df=n_seeds - 1)]
            for square in gaps.var(axis=1, ddof=1)
        ]
    else:
        layouts = zip(a.layouts(), b.layouts(), strict=True)
        parts = [variance_parts((one, 1.0), (other, 1.0)) for one, other in layouts]
    spread = [satterthwaite(one) for one in parts]
    variances, dfs = (np.array(column, dtype=float) for column in zip(*spread, strict=True))
    return covered(gaps.mean(axis=1), variances, dfs, truth)
