"""Halving of a recorded stage played again from the SQL views alone, by the reference of measures.

Nothing of `reports` is imported, nor numpy or pandas: another way to the same numbers.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from tests.integration.recomputing import Study


def halving(study: Study, search: str, trials: Sequence[int], *, eta: int) -> dict[str, Any]:
    """What `replay --strategy halving --axis epochs` says, where no run has diverged."""
    played = [_Play(study, search, trials, seed) for seed in study.seeds]
    n_epochs = played[0].n_epochs
    rungs = sorted({math.ceil(n_epochs / eta**k) for k in range(1, 9) if eta**k <= n_epochs})
    ends = [play.halved(rungs, eta) for play in played]
    whole = len(trials) * len(study.seeds) * n_epochs
    return {
        "value": statistics.fmean(play.score(play.best(trials)) for play in played),
        "at_end": statistics.fmean(
            play.score(winner) for play, (winner, _) in zip(played, ends, strict=True)
        ),
        "epochs": statistics.fmean(epochs for _, epochs in ends),
        "share": statistics.fmean(epochs for _, epochs in ends) / whole,
        "finds_winner": statistics.fmean(
            winner == play.best(trials) for play, (winner, _) in zip(played, ends, strict=True)
        ),
    }


class _Play:
    """One seed scores, the others choose."""

    def __init__(self, study: Study, search: str, trials: Sequence[int], scoring: int) -> None:
        self._study, self._trials, self._scoring = study, trials, scoring
        self._runs = study.trials(search)
        self._choosing = [seed for seed in study.seeds if seed != scoring]
        self.n_epochs = self._runs[trials[0]][scoring]["epochs"]

    def halved(self, rungs: Sequence[int], eta: int) -> tuple[int, int]:
        """The winner, and how many epochs all seeds of all trials were trained."""
        left, spent, before = list(self._trials), 0, 0
        for rung in rungs:
            spent += len(left) * (rung - before) * len(self._study.seeds)
            values = {trial: self._at(trial, rung) for trial in left}
            worst_kept = sorted(values.values())[math.ceil(len(left) / eta) - 1]
            left, before = [trial for trial in left if values[trial] <= worst_kept], rung
        spent += len(left) * (self.n_epochs - before) * len(self._study.seeds)
        return self.best(left), spent

    def best(self, trials: Sequence[int]) -> int:
        """The winner of those that are trained out."""

        def quality(trial: int) -> tuple[float, float, int]:
            evals = sum(run["grad_evals"] for run in self._runs[trial].values())
            return self._at(trial, self.n_epochs), evals, trial

        return min(trials, key=quality)

    def score(self, trial: int) -> float:
        return self._study.scored(self._runs[trial][self._scoring], "test")

    def _at(self, trial: int, epoch: int) -> float:
        """Mean over the seeds that choose of the best validation value up to an epoch."""
        return statistics.fmean(
            min(
                self._study.delta_m(self._runs[trial][seed], "validation", e)
                for e in range(1, epoch + 1)
            )
            for seed in self._choosing
        )
