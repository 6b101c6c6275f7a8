"""What claims rest on, worked out again from the SQL views alone, in plain Python.

Shapes: N trials, S seeds, T tasks, three of them; lower is better.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

from tests.integration.recomputing import Row, Study
from tests.integration.textbook import quantile

Point = Sequence[float]
Ends = tuple[float, float, float]
"""A mean and its interval."""


def over_seeds(values: Sequence[float]) -> Ends:
    """The mean, and t(S - 1) standard errors to both sides."""
    mean, n = statistics.fmean(values), len(values)
    half = quantile(0.975, n - 1) * statistics.stdev(values) / math.sqrt(n)
    return mean, mean - half, mean + half


# -- C4 and importances -------------------------------------------------------------------------


class FullGrid:
    """All trials of a search, which are a whole product of learning rates and weight decays."""

    def __init__(self, study: Study, search: str) -> None:
        self.runs: dict[tuple[float, float], dict[int, Row]] = {}
        for runs in study.trials(search).values():
            params = json.loads(next(iter(runs.values()))["params"])
            self.runs[params["lr"], params["weight_decay"]] = runs
        self.rates, self.decays = (sorted({cell[at] for cell in self.runs}) for at in (0, 1))
        assert len(self.runs) == len(self.rates) * len(self.decays)
        self._study, self._seeds = study, study.seeds

    def lost(self) -> tuple[list[float], list[float]]:
        """R_lr and R_wd by seed.

        Defaults are what is nearest to the geometric middle, of two the smaller one, and 0.
        """
        middle = math.sqrt(self.rates[0] * self.rates[-1])
        rate = min(self.rates, key=lambda one: (round(abs(math.log(one / middle)), 9), one))
        decay = min(self.decays)
        of_rate = [[(one, other) for one in self.rates] for other in self.decays]
        of_decay = [[(other, one) for one in self.decays] for other in self.rates]
        return (
            self._lost(of_rate, [(rate, other) for other in self.decays]),
            self._lost(of_decay, [(other, decay) for other in self.rates]),
        )

    def _lost(
        self, lines: list[list[tuple[float, float]]], defaults: list[tuple[float, float]]
    ) -> list[float]:
        """By seed, the mean over lines of what their default loses against their best one."""
        found = []
        for seed in self._seeds:
            others = [other for other in self._seeds if other != seed]
            gaps = []
            for line, default in zip(lines, defaults, strict=True):
                best = min(
                    line,
                    key=lambda cell: statistics.fmean(
                        self._scored(cell, other, "validation") for other in others
                    ),
                )
                gaps.append(self._scored(default, seed, "test") - self._scored(best, seed, "test"))
            found.append(statistics.fmean(gaps))
        return found

    def _scored(self, cell: tuple[float, float], seed: int, split: str) -> float:
        return self._study.scored(self.runs[cell][seed], split)

    def sums_of_squares(self) -> dict[str, Ends]:
        """Shares of the variance over the grid, on validation; ends within 0 and 1."""
        by_seed: dict[str, list[float]] = {"lr": [], "weight_decay": [], "only together": []}
        for seed in self._seeds:
            cells = {cell: self._scored(cell, seed, "validation") for cell in self.runs}
            total = statistics.pvariance(cells.values())
            shares = []
            for at, values in ((0, self.rates), (1, self.decays)):
                means = [
                    statistics.fmean(value for cell, value in cells.items() if cell[at] == one)
                    for one in values
                ]
                shares.append(statistics.pvariance(means) / total)
            for name, share in zip(by_seed, (*shares, 1 - sum(shares)), strict=True):
                by_seed[name].append(share)
        ends = {name: over_seeds(values) for name, values in by_seed.items()}
        return {
            name: (mean, max(low, 0.0), min(high, 1.0)) for name, (mean, low, high) in ends.items()
        }


# -- C10 ----------------------------------------------------------------------------------------


class Fronts:
    """Relative changes of the tasks on test, of all trials that are done on every seed."""

    def __init__(self, study: Study, searches: Sequence[str], grid: str) -> None:
        self._seeds = study.seeds
        self.runs: list[Row] = []
        self._of_grid: list[Mapping[int, Point]] = []
        self._others: list[Mapping[int, Point]] = []
        for search in searches:
            for runs in study.trials(search).values():
                if all(run["state"] == "done" for run in runs.values()):
                    self.runs += runs.values()
                    changes = {seed: _changes(study, run) for seed, run in runs.items()}
                    (self._of_grid if search == grid else self._others).append(changes)

    def shares(self) -> tuple[list[float], float]:
        """The concave share in percent, by seed and of the means over seeds."""
        by_seed = [100 * self._share([seed]) for seed in self._seeds]
        return by_seed, 100 * self._share(self._seeds)

    def _share(self, seeds: Sequence[int]) -> float:
        on_front = list(self._on_front(seeds))
        beyond = [at for at, point in on_front if _nearest(point, self._mixed(seeds))]
        return len(beyond) / len(on_front) if on_front else 0.0

    def depths(self) -> tuple[list[float], list[float]]:
        """On each seed by what the others found: beyond the grid's best trial, and the mix."""
        best, mixed = [], []
        for seed in self._seeds:
            others = [other for other in self._seeds if other != seed]
            here, gaps = self._mixed([seed]), []
            for at, point in self._on_front(others):
                found = _nearest(point, self._mixed(others))
                if found is None:
                    continue
                weights, mix = found
                own = _dot(weights, self._others[at][seed])
                trials = [_dot(weights, trial) for trial in here]
                nearest = math.fsum(share * trials[i] for i, share in mix.items())
                gaps.append((min(trials) - own, nearest - own))
            best.append(statistics.fmean(gap for gap, _ in gaps))
            mixed.append(statistics.fmean(gap for _, gap in gaps))
        return best, mixed

    def _mixed(self, seeds: Sequence[int]) -> list[Point]:
        return [_mean([trial[seed] for seed in seeds]) for trial in self._of_grid]

    def _on_front(self, seeds: Sequence[int]) -> Iterator[tuple[int, Point]]:
        """Trials of other methods that no trial of any dominates."""
        mine = [_mean([trial[seed] for seed in seeds]) for trial in self._others]
        every = [*mine, *self._mixed(seeds)]
        for at, point in enumerate(mine):
            if not any(_dominates(other, point) for other in every):
                yield at, point


def _changes(study: Study, run: Row) -> Point:
    """In percent; a metric a task."""
    return [
        100 * (study.at(run, "test", key) - study.base["test", key]) / study.base["test", key]
        for key in study.metrics
    ]


def _mean(points: Sequence[Point]) -> Point:
    return [statistics.fmean(column) for column in zip(*points, strict=True)]


def _dot(one: Point, other: Point) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def _dominates(one: Point, other: Point) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _nearest(point: Point, mixed: Sequence[Point]) -> tuple[Point, dict[int, float]] | None:
    """Where a point lies beyond all mixes: the direction to the nearest one, and its shares.

    A mix is as far away as it is worse, in the tasks in which it is. The nearest one is found by
    trying who has a share in it, of at most as many trials as there are tasks in which it is
    worse, and which tasks these are: the mix that is nearest by these alone must then be worse in
    them and in no other, without negative shares, and no trial may lie nearer in its direction.
    """
    away = [[g - x for g, x in zip(trial, point, strict=True)] for trial in mixed]
    tasks = range(len(point))
    for size in range(1, len(point) + 1):
        for worse in itertools.combinations(tasks, size):
            for n in range(1, size + 1):
                for used in itertools.combinations(range(len(mixed)), n):
                    part = [[away[i][t] for t in worse] for i in used]
                    shares = _shares(part)
                    if shares is None or min(shares) < 0:
                        continue
                    gap = [_dot(shares, [away[i][t] for i in used]) for t in tasks]
                    if any((gap[t] > 1e-9) != (t in worse) for t in tasks):
                        continue
                    normal = [max(part, 0.0) if t in worse else 0.0 for t, part in enumerate(gap)]
                    least = _dot(normal, normal) * (1 - 1e-9)
                    if all(_dot(normal, trial) >= least for trial in away):
                        whole = math.fsum(normal)
                        mix = dict(zip(used, shares, strict=True))
                        return [w / whole for w in normal], mix
    return None


def _shares(points: Sequence[Point]) -> list[float] | None:
    """Of the point nearest to the origin in the plane through points; None if they are no plane."""
    n = len(points)
    rows = [[*(_dot(p, q) for q in points), 1.0, 0.0] for p in points]
    rows.append([*[1.0] * n, 0.0, 1.0])
    for at in range(n + 1):  # by elimination
        pivot = max(range(at, n + 1), key=lambda row: abs(rows[row][at]))
        if abs(rows[pivot][at]) < 1e-12:
            return None
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [value / rows[at][at] for value in rows[at]]
        for row in range(n + 1):
            if row != at:
                factor = rows[row][at]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[at], strict=True)]
    return [row[-1] for row in rows[:n]]
