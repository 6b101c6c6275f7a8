"""The trials of a search that may win (MEASURES M5): all of their S runs are final.

A diverged or pruned run is a result: its trial ranks last, and its cost counts. A failed run is
none: its trial is incomplete and does not take part.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from reports._once import once_per_study
from reports._ranking import objective_of
from reports.frames import StudyFrames
from reports.measures import FloatArray

_SCORED: Final = "done"
_WITHOUT_SCORE: Final = ("diverged", "pruned")
RANKED: Final = (_SCORED, *_WITHOUT_SCORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One way to choose and to judge: `keys` choose, `scores` judge; both ``[N]``.

    By keys, lower is better; scores are values of the objective.
    """

    keys: FloatArray
    scores: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """The N eligible trials of one search, by number.

    Attributes:
        numbers: ``[N]``, rising trial numbers.
        runs: ``[N, S]``, run ids; one column a seed.
        keys: ``[N, S]``, validation values of the objective, turned so that lower is better; +inf
            in all of a trial that diverged once or was pruned.
        test: ``[N, S]``, its test values as they are; NaN where a run has none.
        ties: What decides between equal values, ``[N]`` each: gradient evaluations, number.
    """

    numbers: npt.NDArray[np.int64]
    runs: npt.NDArray[np.int64]
    keys: FloatArray
    test: FloatArray
    ties: tuple[FloatArray, ...]

    def folds(self) -> Iterator[Fold]:
        """One a seed: choose by the mean of the other seeds, judge by this one.

        With one seed there is one fold, which judges by the seed that chose: optimistic.
        """
        n_seeds = self.runs.shape[1]
        for seed in range(n_seeds):
            others = np.delete(self.keys, seed, axis=1) if n_seeds > 1 else self.keys
            yield Fold(keys=others.mean(axis=1), scores=self.test[:, seed])

    def folds_of_runs(self) -> Iterator[Fold]:
        """The same for who tunes on a single seed: choose by this one, judge by the mean of the
        others; none with one seed.
        """
        n_seeds = self.runs.shape[1]
        for seed in range(n_seeds) if n_seeds > 1 else ():
            yield Fold(
                keys=self.keys[:, seed], scores=np.delete(self.test, seed, axis=1).mean(axis=1)
            )

    def without_seed(self, at: int) -> "Eligible":
        """The same without a column."""
        return replace(
            self,
            runs=np.delete(self.runs, at, axis=1),
            keys=np.delete(self.keys, at, axis=1),
            test=np.delete(self.test, at, axis=1),
        )

    def part(self, rows: npt.NDArray[np.int64]) -> "Eligible":
        """Some of the trials, by their positions."""
        return Eligible(
            numbers=self.numbers[rows],
            runs=self.runs[rows],
            keys=self.keys[rows],
            test=self.test[rows],
            ties=tuple(tie[rows] for tie in self.ties),
        )

    def fold_winners(self) -> list[int | None]:
        """For each seed the position of the trial that the other seeds choose; None without one."""
        return [self.best(fold.keys) for fold in self.folds()]

    def best(self, keys: FloatArray) -> int | None:
        """Position of the winner by these keys; None if no trial has a finite one."""
        if not np.isfinite(keys).any():
            return None
        return int(np.lexsort((*reversed(self.ties), keys))[0])


@once_per_study
def eligible(frames: StudyFrames, search: str) -> Eligible:
    """Collect the eligible trials of a search; runs that are no longer planned are left out."""
    runs = frames.runs_of(search)
    mine = runs[
        runs["role"].isin(("search", "function"))
        & runs["planned"]
        & runs["seed"].isin(frames.seeds)
        & runs["state"].isin(RANKED)
    ]
    # A finished run without a value waits for the baseline; sealed ones have none on test.
    values = ["value_val"] if frames.sealed else ["value_val", "value_test"]
    scored = np.all(mine[values].notna().to_numpy(), axis=1)
    mine = mine[(mine["state"] != _SCORED) | scored].sort_values(["trial", "seed"])
    _, trial, n_runs = np.unique(mine["trial"], return_inverse=True, return_counts=True)
    whole = n_runs[trial] == len(frames.seeds)
    return _by_trial(mine[whole], len(frames.seeds), objective_of(frames).sign)


def _by_trial(rows: pd.DataFrame, n_seeds: int, sign: float) -> Eligible:
    """Fold rows, sorted by trial and seed, into one row a trial."""

    def folded(column: str) -> FloatArray:
        return rows[column].to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, n_seeds)

    numbers = rows["trial"].to_numpy(dtype=np.int64).reshape(-1, n_seeds)[:, 0]
    unscored = (rows["state"] != _SCORED).to_numpy().reshape(-1, n_seeds)
    keys = np.where(unscored.any(axis=1, keepdims=True), np.inf, sign * folded("value_val"))
    return Eligible(
        numbers=numbers,
        runs=rows["run"].to_numpy(dtype=np.int64).reshape(-1, n_seeds),
        keys=keys,
        test=np.where(unscored, np.nan, folded("value_test")),
        ties=(folded("grad_evals").sum(axis=1), numbers.astype(np.float64)),
    )
