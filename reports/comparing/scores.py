"""What winners score seed by seed, and how far two of them are apart (MEASURES M10, M12)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from reports._once import once_per_study
from reports._ranking import objective_of
from reports._selected import selected_metrics
from reports._spread import components_of, metric_components, runs_of_best
from reports.comparing.winners import Winner, winner_of
from reports.frames import StudyFrames
from reports.inference import (
    Components,
    Estimate,
    estimated,
    mean_of,
    mixed_share,
    mixing_parts,
    paired,
    pooled,
    unpaired,
    variance_parts,
)
from reports.measures import IntArray

Basis = Literal["paired", "pooled", "unpaired"]

# From so many common seeds on, they tell by themselves how much differences vary.
PAIRED_FROM: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One number of a winner, such as the objective, on test.

    Attributes:
        by_seed: Seed to value; the worst infinity where the run diverged.
        layout: How such values vary over the trials that the winner was chosen from, and how often
            the rest counts as the winner's folds mix trials; None where nothing tells it, and of
            a trial on fresh seeds that did not choose it: its values stand for themselves.
    """

    by_seed: Mapping[int, float]
    layout: tuple[Components, float] | None

    @property
    def value(self) -> float:
        """Mean over seeds."""
        return float(np.mean([*self.by_seed.values()]))

    @property
    def estimate(self) -> Estimate:
        """The value with the error that its seeds give it."""
        if self.layout is None or not math.isfinite(self.value):
            return mean_of([*self.by_seed.values()])
        parts = variance_parts(self.layout)
        return estimated(self.value, parts, n_seeds=self.layout[0].n_seeds)


def scores_of(frames: StudyFrames, search: str, winner: Winner) -> Scores:
    """The objective of a search's winner."""
    if winner.kind != "confirmed":
        return _scores(winner, winner.by_seed, components_of(frames, search))
    fresh = winner.fresh
    known = fresh is not None and np.isfinite(fresh.test).all()
    return _scores(winner, winner.by_seed, Components.of(fresh.test) if fresh and known else None)


def delta_m_scores(frames: StudyFrames, search: str, winner: Winner) -> Scores:
    """delta_m of a search's winner, which another objective may have chosen; NaN without one."""
    known = frames.runs_by_id()["delta_m_test"]
    by_seed = {
        score.seed: math.inf if math.isinf(score.value) else float(known[score.run])
        for score in winner.scores
    }
    runs = _layout_runs(frames, search, winner)
    values = known.loc[runs.flatten().tolist()].to_numpy(dtype=np.float64, na_value=np.nan)
    layout = values.size and np.isfinite(values).all()
    return _scores(winner, by_seed, Components.of(values.reshape(runs.shape)) if layout else None)


@once_per_study
def metric_values(
    frames: StudyFrames, search: str
) -> Mapping[tuple[str, str], Mapping[int, float]]:
    """(task, metric) to test values of a search's winner by seed; empty while there is none.

    The worst infinity where the run diverged, NaN where it has no such value.
    """
    winner = winner_of(frames, search)
    if winner is None:
        return {}
    rows = selected_metrics(frames, winner.runs)
    keys = zip(rows["run"], rows["task"], rows["metric"], strict=True)
    known = dict(zip(keys, rows["value"].tolist(), strict=True))
    return {
        (metric.task, metric.name): {
            score.seed: metric.sign * math.inf
            if math.isinf(score.value)
            else known.get((score.run, metric.task, metric.name), math.nan)
            for score in winner.scores
        }
        for metric in frames.metrics
    }


def metric_means(frames: StudyFrames, search: str) -> Mapping[tuple[str, str], float]:
    """The same, as means over seeds."""
    values = metric_values(frames, search)
    return {key: float(np.mean([*by_seed.values()])) for key, by_seed in values.items()}


@once_per_study
def metric_scores(frames: StudyFrames, search: str) -> Mapping[tuple[str, str], Scores]:
    """(task, metric) to the scores of a search's winner by it; empty while there is none."""
    winner = winner_of(frames, search)
    if winner is None:
        return {}
    components = metric_components(frames, _layout_runs(frames, search, winner))
    return {
        key: _scores(winner, by_seed, components.get(key))
        for key, by_seed in metric_values(frames, search).items()
    }


def _layout_runs(frames: StudyFrames, search: str, winner: Winner) -> IntArray:
    """``[q, S]``, runs that tell how values of a winner vary; none where its own do."""
    if winner.kind != "confirmed":
        return runs_of_best(frames, search)
    return np.empty((0, 0), dtype=np.int64) if winner.fresh is None else winner.fresh.runs


def scores_by(frames: StudyFrames, search: str, column: tuple[str, str]) -> Scores | None:
    """The scores of a search's winner by any number; None while there is none.

    Args:
        column: Task and metric; without a task the objective, or delta_m beside it.
    """
    winner = winner_of(frames, search)
    if winner is None:
        return None
    if column[0]:
        return metric_scores(frames, search)[column]
    if column[1] == objective_of(frames).name:
        return scores_of(frames, search, winner)
    return delta_m_scores(frames, search, winner)


def _scores(winner: Winner, by_seed: Mapping[int, float], components: Components | None) -> Scores:
    mixed = mixed_share([score.trial for score in winner.scores])
    return Scores(by_seed=by_seed, layout=None if components is None else (components, mixed))


def gap(a: Scores, b: Scores) -> tuple[Estimate, Basis]:
    """A minus B, and what its standard error rests on."""
    seeds = [seed for seed in a.by_seed if seed in b.by_seed]
    if not seeds:
        return unpaired(a.estimate, b.estimate), "unpaired"
    common = [[side.by_seed[seed] for seed in seeds] for side in (a, b)]
    if a.layout is None or b.layout is None:
        return paired(*common), "paired"
    if len(seeds) >= PAIRED_FROM:
        return paired(*common, more=mixing_parts(a.layout, b.layout)), "paired"
    return pooled(a.value - b.value, a.layout, b.layout), "pooled"
