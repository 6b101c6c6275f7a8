"""Optimisers side by side: the best of each weighting, Pareto counts, and two rankings.

Shapes: W weightings, S seeds, M metrics.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports._digits import finite
from reports._once import once_per_study
from reports._ranking import objective_of
from reports.comparing.differences import Difference, adjusted, difference_of
from reports.comparing.scores import Scores
from reports.comparing.settings import (
    Best,
    Setting,
    best_of,
    metrics_by_seed,
    optimizers_tried,
    settings_of,
)
from reports.frames import StudyFrames
from reports.inference.domination import Side, Undominated, at_equal_numbers
from reports.inference.hulls import BoolArray
from reports.inference.rankings import Agreement, agreement
from reports.measures import FloatArray, IntArray
from storage.objectives import Objective

FEWEST_RANKED = 3
"""Weightings that make a ranking: of two there are no more than two."""

BestBy = Mapping[tuple[str, str], Best]
"""Weighting and optimiser to the best of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One weighting under one optimiser.

    Attributes:
        n_trials: Whose runs have all ended, diverged ones among them.
        best: None if none of them was done on every seed.
    """

    weighting: str
    title: str
    optimizer: str
    n_trials: int
    best: Best | None

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: None where there is no number."""
        best = self.best
        known = best and best.interval
        return {
            "weighting": self.weighting,
            "title": self.title,
            "optimizer": self.optimizer,
            "n_trials": self.n_trials,
            "search": best and best.search,
            "trial": best and best.trial,
            "params": dict(best.params) if best else None,
            "value_test": None if best is None else finite(best.scores.value),
            "low": known and known.low,
            "high": known and known.high,
            "runs": list(best.runs) if best else [],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptimizerPair:
    """Two optimisers over the weightings that were tried with both.

    Attributes:
        a: The one that was proposed first.
        titles: Weighting to its title, ``W`` of them.
        n_trials: Of both, before equal numbers are drawn.
        counts: By mean test metrics over seeds.
        by_seed: The same by the metrics of each seed alone, ``S`` of them.
        differences: Weighting to the best value with `a` minus that with `b`: one family after
            Holm, without weightings that have no value with one of both.
        ranking: How alike the two rank these weightings; None with fewer than three.
        runs: Ids of all runs that are counted, rising.
    """

    a: str
    b: str
    titles: Mapping[str, str]
    n_trials: tuple[int, int]
    counts: Undominated
    by_seed: tuple[Undominated, ...]
    differences: Mapping[str, Difference]
    ranking: Agreement | None
    runs: tuple[int, ...]

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        ranking = self.ranking
        return {
            "a": self.a,
            "b": self.b,
            "weightings": [*self.titles],
            "n_trials": list(self.n_trials),
            "n_drawn": self.counts.n_drawn,
            "on_front": list(self.counts.on_front),
            "undominated": list(self.counts.undominated),
            "differences": [
                {"weighting": weighting, **found.to_plain()}
                for weighting, found in self.differences.items()
            ],
            "ranking": ranking
            and {
                "tau": finite(ranking.tau),
                "low": ranking.low,
                "high": ranking.high,
                "n_pairs": ranking.n_pairs,
                "n_alike": ranking.n_alike,
                "n_reversed": ranking.n_reversed,
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimizers:
    """The optimisers of a study.

    Attributes:
        names: In the order in which they were proposed.
        rows: By weighting, then by optimiser.
        pairs: Each two that have a weighting in common.
    """

    objective: Objective
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    pairs: tuple[OptimizerPair, ...]

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "names": list(self.names),
            "rows": [row.to_plain() for row in self.rows],
            "pairs": [pair.to_plain() for pair in self.pairs],
        }


@once_per_study
def optimizers_of(frames: StudyFrames, searches: tuple[str, ...]) -> Optimizers | None:
    """Put the optimisers of a study side by side.

    Args:
        searches: Those that no outstanding run can change.

    Returns:
        None of a sealed study, and where these have fewer than two optimisers.
    """
    if frames.sealed or len(optimizers_tried(frames)) < 2:
        return None
    settings = settings_of(frames, searches)
    names = [name for name in optimizers_tried(frames) if name in {s.optimizer for s in settings}]
    if len(names) < 2:
        return None
    best = {(s.weighting, s.optimizer): found for s in settings if (found := best_of(frames, s))}
    return Optimizers(
        objective=objective_of(frames),
        names=tuple(names),
        rows=tuple(
            Row(
                weighting=one.weighting,
                title=one.title,
                optimizer=one.optimizer,
                n_trials=len(one.trials.numbers),
                best=best.get((one.weighting, one.optimizer)),
            )
            for one in settings
        ),
        pairs=tuple(_pairs(frames, settings, best, names)),
    )


def _pairs(
    frames: StudyFrames, settings: Sequence[Setting], best: BestBy, names: Sequence[str]
) -> Iterator[OptimizerPair]:
    for a, b in itertools.combinations(names, 2):
        first, second = (_by_weighting(settings, name) for name in (a, b))
        common = [weighting for weighting in first if weighting in second]
        if common:
            sides = ([first[w] for w in common], [second[w] for w in common])
            yield _pair(frames, sides, best)


def _by_weighting(settings: Sequence[Setting], optimizer: str) -> dict[str, Setting]:
    return {one.weighting: one for one in settings if one.optimizer == optimizer}


def _pair(
    frames: StudyFrames, sides: tuple[Sequence[Setting], Sequence[Setting]], best: BestBy
) -> OptimizerPair:
    """Two optimisers with the same weightings."""
    values, groups = zip(*(_points(frames, side) for side in sides), strict=True)
    n_seeds = len(frames.seeds)
    with np.errstate(invalid="ignore"):
        means = [table.mean(axis=1) for table in values]
    a, b = (side[0].optimizer for side in sides)
    titles = {one.weighting: one.title for one in sides[0]}
    valued = [w for w in titles if (w, a) in best and (w, b) in best]
    gaps = [difference_of(frames, (a, best[w, a].scores), (b, best[w, b].scores)) for w in valued]
    return OptimizerPair(
        a=a,
        b=b,
        titles=titles,
        n_trials=(len(means[0]), len(means[1])),
        counts=_counted(means, groups),
        by_seed=tuple(
            _counted([table[:, seed] for table in values], groups) for seed in range(n_seeds)
        ),
        differences=dict(zip(valued, adjusted(gaps), strict=True)),
        ranking=_ranking(frames, best, valued, (a, b)),
        runs=tuple(sorted(int(run) for side in sides for s in side for run in s.trials.runs.flat)),
    )


def _points(frames: StudyFrames, side: Sequence[Setting]) -> tuple[FloatArray, IntArray]:
    """Metrics of all trials of one optimiser ``[N, S, M]``, and the place of their weighting."""
    sizes = [len(setting.trials.numbers) for setting in side]
    return metrics_by_seed(frames, side), np.repeat(np.arange(len(side)), sizes)


def _counted(points: Sequence[FloatArray], groups: Sequence[IntArray]) -> Undominated:
    first, second = (
        Side(points=table, groups=of) for table, of in zip(points, groups, strict=True)
    )
    return at_equal_numbers(first, second)


def _ranking(
    frames: StudyFrames, best: BestBy, weightings: Sequence[str], names: tuple[str, str]
) -> Agreement | None:
    """How alike two optimisers rank weightings, by what seeds tell of each pair at 95 %."""
    if len(weightings) < FEWEST_RANKED:
        return None
    tables = [[best[weighting, name].scores for weighting in weightings] for name in names]
    values = [[one.value for one in row] for row in tables]
    told = [_told(frames, weightings, row) for row in tables]
    found = agreement(values[0], values[1], (told[0], told[1]))
    return None if math.isnan(found.tau) else found


def _told(frames: StudyFrames, weightings: Sequence[str], row: Sequence[Scores]) -> BoolArray:
    """Which pairs of weightings have a difference whose interval excludes 0: ``[W, W]``."""
    known = np.zeros((len(row), len(row)), dtype=bool)
    for i, j in itertools.combinations(range(len(row)), 2):
        found = difference_of(frames, (weightings[i], row[i]), (weightings[j], row[j]))
        known[i, j] = found.interval is not None and found.interval.excludes(0.0)
    return known
