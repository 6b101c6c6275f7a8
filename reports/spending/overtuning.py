"""Overtuning: what a search lost on test by going on choosing on validation (MEASURES M15).

Shapes: N trials, S seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reports._eligible import Eligible, Fold, eligible
from reports._once import once_per_study
from reports._ranking import objective_of
from reports.frames import StudyFrames
from reports.measures import FloatArray
from reports.spending.stages import StageTrials, stages_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtuning:
    """How far the end of a search lies behind its best incumbent, on test.

    Attributes:
        by_seed: ``[S]``, value of the winner minus the best value of an incumbent of the search,
            in the objective's unit and turned so that lower is better: at least 0.
        gained_by_seed: ``[S]``, value of the first incumbent minus the best one, at least 0.
    """

    by_seed: tuple[float, ...]
    gained_by_seed: tuple[float, ...]

    @property
    def value(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.by_seed))

    @property
    def gained(self) -> float:
        """What the search gained on test before it lost some of it again, mean over seeds."""
        return float(np.mean(self.gained_by_seed))

    @property
    def ratio(self) -> float:
        """The part of the gain that was lost again; above 1 the first incumbent was better.

        NaN where nothing was gained.
        """
        return self.value / self.gained if self.gained > 0 else math.nan

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "overtuning": self.value,
            "by_seed": list(self.by_seed),
            "gained": self.gained,
            "ratio": None if math.isnan(self.ratio) else self.ratio,
        }


@once_per_study
def overtuning(frames: StudyFrames, search: str) -> Overtuning | None:
    """That of a whole search, expected over the orders of stages that could have had any other.

    For each seed the others choose the incumbents, and this one scores them.

    Returns:
        None while there is no winner with a test value, and with one seed, which cannot choose
        and score.
    """
    trials = eligible(frames, search)
    stages = stages_of(frames, search, trials)
    if len(frames.seeds) < 2 or not stages:
        return None
    found = [_of_fold(trials, fold, stages, objective_of(frames).sign) for fold in trials.folds()]
    by_seed, gained = zip(*found, strict=True)
    if not np.isfinite(by_seed).all():
        return None
    return Overtuning(by_seed=by_seed, gained_by_seed=gained)


def _of_fold(
    trials: Eligible, fold: Fold, stages: Sequence[StageTrials], sign: float
) -> tuple[float, float]:
    """Value of the last and of the first incumbent, each minus the best one; NaN without one."""
    last = trials.best(fold.keys)
    if last is None:
        return math.nan, math.nan
    ever, first = incumbents(trials, fold.keys, stages)
    scores = sign * fold.scores
    known = np.flatnonzero(ever)
    order = known[np.argsort(scores[known], kind="stable")]
    none_better = np.cumprod(np.append(1.0, 1.0 - ever[order]))[:-1]
    best = float(np.sum(scores[order] * ever[order] * none_better))
    began = np.flatnonzero(first)
    # Rounding must not make the best incumbent a worse one than the last.
    return (
        max(0.0, float(scores[last]) - best),
        max(0.0, float(scores[began] @ first[began]) - best),
    )


class Incumbents(NamedTuple):
    """Probabilities over the orders of a search's trials, ``[N]`` each.

    Attributes:
        ever: A trial is the best one so far when it is done.
        first: It is the first trial with a value.
    """

    ever: FloatArray
    first: FloatArray


def incumbents(trials: Eligible, keys: FloatArray, stages: Sequence[StageTrials]) -> Incumbents:
    """Which trials have been the best ones so far.

    In a random order the k-th best trial of a stage is the best one so far, when it comes, if it
    comes before the k - 1 better ones: with probability 1/k, whatever holds for the others.

    Args:
        keys: ``[N]``, what trials are chosen by; +inf for those that are never chosen.
    """
    rank = np.empty(len(keys), dtype=np.int64)
    rank[np.lexsort((*reversed(trials.ties), keys))] = np.arange(len(keys))
    ever, first = np.zeros(len(keys)), np.zeros(len(keys))
    held = len(keys)
    for stage in stages:
        rows = stage.rows[np.isfinite(keys[stage.rows])]
        if not len(rows):
            continue
        if stage.exchangeable:
            better = rows[rank[rows] < held]
            ever[better[np.argsort(rank[better])]] = 1.0 / np.arange(1, len(better) + 1)
            beginning = rows
        else:
            so_far = np.minimum.accumulate(np.append(held, rank[rows]))[:-1]
            ever[rows[rank[rows] < so_far]] = 1.0
            beginning = rows[:1]
        if held == len(keys):
            first[beginning] = 1.0 / len(beginning)
        held = min(held, int(rank[rows].min()))
    return Incumbents(ever=ever, first=first)
