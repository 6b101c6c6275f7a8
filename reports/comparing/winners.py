"""A search's winner and the runs that say what it is worth (MEASURES M5, M9)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from reports._eligible import Eligible, eligible
from reports._once import once_per_search
from reports._ranking import objective_of
from reports.frames import StudyFrames

ScoreKind = Literal["confirmed", "cross-fit", "same-seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best eligible trial of a search, by its mean value on validation over all seeds.

    Attributes:
        trial: Its number.
        params: Its parameters.
        kind: What the value rests on, best first: fresh seeds; for each seed the trial that the
            other seeds choose; the seeds that chose.
        runs: The runs whose mean is the value. Cross-fitted ones may be of several trials.
        seeds: ``[len(runs)]``, their seeds.
        values: ``[len(runs)]``, their test values of the objective; the worst infinity where one
            diverged.
        chosen_runs: The winning trial's own runs on the search's seeds.
    """

    trial: int
    params: Mapping[str, Any]
    kind: ScoreKind
    runs: tuple[int, ...]
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    chosen_runs: tuple[int, ...]

    @property
    def value(self) -> float:
        """Test value of the method."""
        return float(np.mean(self.values))

    @property
    def by_seed(self) -> dict[int, float]:
        """Seed to test value."""
        return dict(zip(self.seeds, self.values, strict=True))

    @property
    def seed_sd(self) -> float:
        """Standard deviation over seeds; NaN with one seed or a diverged run."""
        if len(self.values) < 2 or not np.isfinite(self.values).all():
            return float("nan")
        return float(np.std(self.values, ddof=1))


@once_per_search
def winner_of(frames: StudyFrames, search: str) -> Winner | None:
    """The winner so far; None while no trial is eligible, or if none of them was done."""
    trials = eligible(frames, search)
    if not len(trials.numbers):
        return None
    best = trials.best(trials.keys.mean(axis=1))
    if best is None:
        return None
    number = int(trials.numbers[best])
    rows = frames.runs[(frames.runs["search"] == search) & (frames.runs["trial"] == number)]
    judged = _confirmed(rows, objective_of(frames).sign) or _judged(trials, frames.seeds)
    kind, runs, seeds, values = judged
    return Winner(
        trial=number,
        params=json.loads(rows["params"].iloc[0]),
        kind=kind,
        runs=runs,
        seeds=seeds,
        values=values,
        chosen_runs=tuple(trials.runs[best].tolist()),
    )


_Judged = tuple[ScoreKind, tuple[int, ...], tuple[int, ...], tuple[float, ...]]


def _confirmed(rows: pd.DataFrame, sign: float) -> _Judged | None:
    """The trial's runs on fresh seeds, once all of them are final."""
    fresh = rows[(rows["role"] == "confirm") & rows["planned"]]
    diverged = fresh["state"] == "diverged"
    values = fresh["value_test"].mask(diverged, sign * np.inf)
    if fresh.empty or values.isna().any() or not (diverged | (fresh["state"] == "done")).all():
        return None
    runs, seeds = (tuple(fresh[name].tolist()) for name in ("run", "seed"))
    return "confirmed", runs, seeds, tuple(values.tolist())


def _judged(trials: Eligible, seeds: Sequence[int]) -> _Judged:
    """For each seed, the run of the trial that the other seeds choose."""
    at = [(trials.best(fold.keys), seed) for seed, fold in enumerate(trials.folds())]
    cells = [(trial, seed) for trial, seed in at if trial is not None]
    return (
        "cross-fit" if len(cells) > 1 else "same-seed",
        tuple(int(trials.runs[cell]) for cell in cells),
        tuple(seeds[seed] for _, seed in cells),
        tuple(float(trials.test[cell]) for cell in cells),
    )
