"""Do the intervals of a comparison cover? Studies are simulated and judged as real ones are.

    python -m benchmarks.coverage
    python -m benchmarks.coverage --measure digits5 --storage sqlite:///weighbridge.db

The first prints what share of 95 % intervals holds the truth, which is the mean over all seeds
there could be of the configurations that a value is made of; the second how the values of a stored
study vary, which is what is simulated. `METHODS` are those of `digits` with five seeds, of
`multimnist`, and of `quickstart`, which is on `diamonds`.

Shapes: R simulated studies, N trials, S seeds.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, starmap
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from reports._eligible import eligible
from reports._spread import baseline_values
from reports.frames import StudyFrames, load
from reports.inference import (
    Components,
    Estimate,
    estimated,
    mixed_share,
    mixing_parts,
    paired,
    pooled,
    variance_parts,
)
from reports.inference.student import t_quantile
from storage import Reader

FloatArray = npt.NDArray[np.float64]

PAIRED_FROM: Final = 5
SEEDS: Final = (3, 5, 10)


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


METHODS: Final = MappingProxyType(
    {
        "digits scalarization": Method(
            n_trials=40,
            trial_sd=45.0,
            split_sd=6.0,
            seed_sd=7.0,
            residual_sd=18.0,
            shared=0.8,
            correlation=0.9,
        ),
        "digits uw-so": Method(
            n_trials=12,
            trial_sd=0.0,
            split_sd=0.0,
            seed_sd=20.0,
            residual_sd=23.0,
            shared=0.8,
            correlation=0.88,
        ),
        "digits ew": Method(
            n_trials=3,
            trial_sd=86.0,
            split_sd=22.0,
            seed_sd=6.0,
            residual_sd=40.0,
            shared=0.8,
            correlation=0.94,
        ),
        "multimnist scalarization": Method(
            n_trials=42,
            trial_sd=4.0,
            split_sd=0.0,
            seed_sd=2.7,
            residual_sd=2.1,
            shared=0.9,
            correlation=0.5,
        ),
        "multimnist uw-so": Method(
            n_trials=14,
            trial_sd=0.4,
            split_sd=0.0,
            seed_sd=3.8,
            residual_sd=3.4,
            shared=0.9,
            correlation=0.45,
        ),
        "multimnist ew": Method(
            n_trials=4,
            trial_sd=11.5,
            split_sd=2.8,
            seed_sd=4.5,
            residual_sd=2.4,
            shared=0.9,
            correlation=0.5,
        ),
        "diamonds scalarization": Method(
            n_trials=32,
            trial_sd=0.09,
            split_sd=0.13,
            seed_sd=0.15,
            residual_sd=0.32,
            shared=0.8,
            correlation=0.45,
        ),
        "diamonds uw-so": Method(
            n_trials=15,
            trial_sd=1.05,
            split_sd=0.14,
            seed_sd=0.4,
            residual_sd=0.39,
            shared=0.8,
            correlation=0.5,
        ),
        "diamonds ew": Method(
            n_trials=5,
            trial_sd=3.4,
            split_sd=0.41,
            seed_sd=0.0,
            residual_sd=0.55,
            shared=0.8,
            correlation=0.81,
        ),
    }
)
PAIRS: Final = (
    ("digits uw-so", "digits scalarization"),
    ("digits uw-so", "digits ew"),
    ("multimnist uw-so", "multimnist scalarization"),
    ("multimnist uw-so", "multimnist ew"),
    ("diamonds uw-so", "diamonds scalarization"),
    ("diamonds uw-so", "diamonds ew"),
)


@dataclass(frozen=True, kw_only=True)
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

    @cached_property
    def choices(self) -> npt.NDArray[np.int64]:
        """``[R, S]``: for each seed the trial that the others choose."""
        total = self.validation.sum(axis=2)
        n_seeds = self.validation.shape[2]
        others = [total - self.validation[:, :, seed] for seed in range(n_seeds)]
        return np.stack([np.argmin(left, axis=1) for left in others], axis=1)

    @property
    def scores(self) -> FloatArray:
        """``[R, S]``, their test values."""
        rows = np.arange(len(self.test))[:, None]
        return self.test[rows, self.choices, np.arange(self.test.shape[2])]

    @property
    def true_values(self) -> FloatArray:
        """``[R]``, what the values would be over all seeds."""
        values: FloatArray = np.take_along_axis(self.truth, self.choices, axis=1).mean(axis=1)
        return values

    @cached_property
    def layouts(self) -> list[tuple[Components, float]]:
        """``[R]``, of the best max(4, N/3) trials, with how often the rest counts."""
        n_best = max(4, math.ceil(self.test.shape[1] / 3))
        best = np.argsort(self.validation.mean(axis=2), axis=1)[:, :n_best]
        tables = zip(self.test, best, self.choices, strict=True)
        return [(Components.of(table[rows]), mixed_share(chosen)) for table, rows, chosen in tables]


def simulate(method: Method, shared: FloatArray, rng: np.random.Generator) -> Simulated:
    """Make studies up.

    Args:
        shared: ``[R, 1, S]``, standard normal: what seeds are worth to all methods.
    """
    n_studies, _, n_seeds = shared.shape
    shape = (n_studies, method.n_trials, n_seeds)
    own, rest, other = (rng.normal(size=s) for s in (shared.shape, shape, shape))
    seeds = method.seed_sd * (method.shared**0.5 * shared + (1 - method.shared) ** 0.5 * own)
    c = method.correlation
    means = method.trial_sd * rng.normal(size=shape[:2])
    truth = means + method.split_sd * rng.normal(size=shape[:2])
    left = method.residual_sd * (c * rest + (1 - c**2) ** 0.5 * other)
    return Simulated(
        validation=means[..., None] + seeds + method.residual_sd * rest,
        test=truth[..., None] + seeds + left,
        truth=truth,
    )


def coverage(estimates: Sequence[Estimate], truth: FloatArray) -> float:
    """Share of 95 % intervals that hold the truth; both ``[R]``."""
    table = np.array([(e.value, e.standard_error, e.df) for e in estimates])
    half = t_quantile(0.975, table[:, 2]) * table[:, 1]
    return float(np.mean(np.abs(table[:, 0] - truth) <= half))


def of_values(studies: Simulated) -> float:
    """Coverage of a method's cross-fitted value."""
    n_seeds = studies.test.shape[2]
    values = zip(studies.scores.mean(axis=1).tolist(), studies.layouts, strict=True)
    found = [estimated(v, variance_parts(layout), n_seeds=n_seeds) for v, layout in values]
    return coverage(found, studies.true_values)


def of_differences(a: Simulated, b: Simulated) -> float:
    """Coverage of the difference of two methods' cross-fitted values."""
    both = zip(a.scores, b.scores, a.layouts, b.layouts, strict=True)
    return coverage(list(starmap(_difference, both)), a.true_values - b.true_values)


def _difference(
    one: FloatArray, other: FloatArray, a: tuple[Components, float], b: tuple[Components, float]
) -> Estimate:
    if len(one) >= PAIRED_FROM:
        return paired(one, other, more=mixing_parts(a, b))
    return pooled(float(np.mean(one - other)), a, b)


def coverages(n_studies: int, n_seeds: int, seed: int = 0) -> dict[str, float]:
    """Coverage of the values of all methods, and of the differences of pairs."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_studies, 1, n_seeds))
    made = {name: simulate(method, shared, rng) for name, method in METHODS.items()}
    values = {name: of_values(studies) for name, studies in made.items()}
    return values | {f"{a} - {b}": of_differences(made[a], made[b]) for a, b in PAIRS}


def measured(frames: StudyFrames, search: str) -> str:
    """How the values of a stored search vary, in the terms of `Method`."""
    trials = eligible(frames, search)
    scored = np.isfinite(trials.keys).all(axis=1) & np.isfinite(trials.test).all(axis=1)
    keys, test = trials.keys[scored], trials.test[scored]
    n_trials, n_seeds = keys.shape
    best = np.argsort(keys.mean(axis=1))[: max(4, math.ceil(n_trials / 3))]
    keys, test = keys[best], test[best]
    rests = [t - t.mean(axis=1, keepdims=True) - t.mean(axis=0) + t.mean() for t in (keys, test)]
    shared = np.cov(*(rest.ravel() for rest in rests))
    on_validation, on_test = Components.of(keys), Components.of(test)
    correlation = float(shared[0, 1] / np.sqrt(shared[0, 0] * shared[1, 1]))
    # What is left of a run is in means over seeds, too, and is taken off.
    left = np.array([on_validation.residual_variance, on_test.residual_variance])
    of_gaps = left.sum() - 2 * correlation * float(np.sqrt(left.prod()))
    trial = keys.mean(axis=1).var(ddof=1) - left[0] / n_seeds
    split = (test - keys).mean(axis=1).var(ddof=1) - of_gaps / n_seeds
    trial_sd = max(trial, 0.0) ** 0.5 / _of_best(n_trials, len(best))
    return (
        f"{search:14} n_trials {n_trials:3}  trial_sd {trial_sd:6.2f}  "
        f"split_sd {max(split, 0.0) ** 0.5:5.2f}  seed_sd {on_test.seed_variance**0.5:5.2f}  "
        f"residual_sd {on_test.residual_variance**0.5:5.2f}  correlation {correlation:.2f}  "
        f"({n_seeds} seeds)"
    )


def baseline_correlations(frames: StudyFrames) -> str:
    """How the single-task networks of two tasks err together, by their primary metrics."""
    values, primary = baseline_values(frames), {}
    for metric in frames.metrics:
        primary.setdefault(metric.task, (metric.task, metric.name))
    found = [
        f"{a} and {b} {np.corrcoef(values[primary[a]], values[primary[b]])[0, 1]:.2f}"
        for a, b in combinations(primary, 2)
    ]
    n_seeds = {len(values[key]) for key in primary.values()}
    return f"correlation of {', '.join(found)} ({', '.join(map(str, n_seeds))} seeds)"


def _of_best(n_trials: int, n_best: int) -> float:
    """Standard deviation among the best of standard normal draws, on average."""
    drawn = np.sort(np.random.default_rng(0).normal(size=(4000, n_trials)), axis=1)[:, :n_best]
    return float(np.sqrt(drawn.var(axis=1, ddof=1).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--measure", metavar="STUDY")
    parser.add_argument("--storage", default="sqlite:///weighbridge.db")
    arguments = parser.parse_args()
    if arguments.measure:
        frames = load(Reader(arguments.storage), arguments.measure)
        for search in frames.searches:
            print(measured(frames, search))
        print(f"single-task networks: {baseline_correlations(frames)}")
        return
    by_seeds = [coverages(arguments.studies, n_seeds) for n_seeds in SEEDS]
    print(f"{'':48}" + "".join(f"S = {n_seeds:<4}" for n_seeds in SEEDS))
    for name in by_seeds[0]:
        print(f"{name:48}" + "".join(f"{found[name]:<8.3f}" for found in by_seeds))


if __name__ == "__main__":
    main()
