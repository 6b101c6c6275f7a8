"""A search's winner and the runs that say what it is worth (MEASURES M5, M9)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from reports._eligible import Eligible, eligible
from reports._once import once_per_search
from reports._ranking import objective_of
from reports.frames import StudyFrames

ScoreKind = Literal["confirmed", "cross-fit", "same-seed"]


class Scored(NamedTuple):
    """A run that a winner's value is made of, with its test value of the objective.

    The value is the worst infinity where the run diverged.
    """

    run: int
    seed: int
    trial: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best eligible trial of a search, by its mean value on validation over all seeds.

    Attributes:
        trial: Its number.
        params: Its parameters.
        kind: What the value rests on, best first: fresh seeds; for each seed the trial that the
            other seeds choose; the seeds that chose.
        scores: The runs whose mean is the value. Cross-fitted ones may be of several trials.
        chosen_runs: The winning trial's own runs on the search's seeds.
    """

    trial: int
    params: Mapping[str, Any]
    kind: ScoreKind
    scores: tuple[Scored, ...]
    chosen_runs: tuple[int, ...]

    @property
    def runs(self) -> tuple[int, ...]:
        """Ids of the runs behind the value."""
        return tuple(score.run for score in self.scores)

    @property
    def values(self) -> tuple[float, ...]:
        """Their test values."""
        return tuple(score.value for score in self.scores)

    @property
    def by_seed(self) -> dict[int, float]:
        """Seed to test value."""
        return {score.seed: score.value for score in self.scores}

    @property
    def value(self) -> float:
        """Test value of the method."""
        return float(np.mean(self.values))

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
    kind, scores = _confirmed(rows, objective_of(frames).sign) or _judged(trials, frames.seeds)
    return Winner(
        trial=number,
        params=json.loads(rows["params"].iloc[0]),
        kind=kind,
        scores=scores,
        chosen_runs=tuple(trials.runs[best].tolist()),
    )


_Judged = tuple[ScoreKind, tuple[Scored, ...]]


def _confirmed(rows: pd.DataFrame, sign: float) -> _Judged | None:
    """The trial's runs on fresh seeds, once all of them are final."""
    fresh = rows[(rows["role"] == "confirm") & rows["planned"]]
    diverged = fresh["state"] == "diverged"
    values = fresh["value_test"].mask(diverged, sign * np.inf)
    if fresh.empty or values.isna().any() or not (diverged | (fresh["state"] == "done")).all():
        return None
    columns = (fresh["run"], fresh["seed"], fresh["trial"], values)
    return "confirmed", tuple(map(Scored, *(column.tolist() for column in columns)))


def _judged(trials: Eligible, seeds: Sequence[int]) -> _Judged:
    """For each seed, the run of the trial that the other seeds choose."""
    scores = tuple(
        Scored(
            run=int(trials.runs[trial, seed]),
            seed=seeds[seed],
            trial=int(trials.numbers[trial]),
            value=float(trials.test[trial, seed]),
        )
        for seed, trial in enumerate(trials.fold_winners())
        if trial is not None
    )
    return "cross-fit" if len(scores) > 1 else "same-seed", scores
