"""Curves, equal budgets and costs to match, worked out again from the SQL views alone.

By the reference of measures, in plain Python: nothing of `reports` is imported.
"""

from __future__ import annotations

import itertools
import math
import sqlite3
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.integration.recomputing import Row, Study
from tests.integration.textbook import Part, interval, mixing_parts, pooled_parts, rest

Cost = Callable[[Row], float]


@dataclass(frozen=True, kw_only=True)
class Point:
    """What a search has reached at a cost: by seed, and how concentrated its winner is."""

    stage: int
    n: int
    cost: float
    by_seed: list[float]
    concentration: float

    @property
    def value(self) -> float:
        return statistics.fmean(self.by_seed)


class Curves:
    """Best-after-spending curves of a study."""

    def __init__(self, path: Path, study: Study) -> None:
        self._study = study
        self._paths: dict[str, list[Point]] = {}
        self._ranked: dict[tuple[str, int], list[int]] = {}
        with closing(sqlite3.connect(path)) as connection:
            self._stages = connection.execute(
                "SELECT search, stage, kind, trial FROM stage_trials ORDER BY stage, position"
            ).fetchall()
            self._samples = dict(
                connection.execute(
                    "SELECT run, SUM(samples) * 1.0 / SUM(epochs) FROM attempt_costs"
                    " WHERE run IS NOT NULL GROUP BY run"
                ).fetchall()
            )

    def samples(self, run: Row) -> float:
        """Of the epochs that the run is charged with."""
        return float(self._samples[run["run"]] * trained(run))

    def points(self, search: str, cost: Cost) -> list[Point]:
        """All points from the first certain winner on."""
        if search not in self._paths:
            self._paths[search] = list(self._path(search))
        spent = {stage: self._spent(search, stage, cost) for stage in self._own(search)}
        before = dict.fromkeys(spent, 0.0)
        for earlier, stage in itertools.pairwise(spent):
            before[stage] = before[earlier] + spent[earlier][-1]
        return [
            replace(point, cost=before[point.stage] + spent[point.stage][point.n - 1])
            for point in self._paths[search]
        ]

    def _own(self, search: str) -> dict[int, tuple[str, list[int]]]:
        """Stage to its kind and the trials that no earlier one had."""
        stages: dict[int, tuple[str, list[int]]] = {}
        seen: list[int] = []
        for name, stage, kind, trial in self._stages:
            if name == search and trial not in seen:
                seen.append(trial)
                stages.setdefault(stage, (kind, []))[1].append(trial)
        return stages

    def _spent(self, search: str, stage: int, cost: Cost) -> list[float]:
        """On a stage, after each number of trials; the mean over orders on a grid."""
        kind, new = self._own(search)[stage]
        paid = [math.fsum(map(cost, self._study.trials(search)[t].values())) for t in new]
        if kind == "grid":
            return [math.fsum(paid) * n / len(new) for n in range(1, len(new) + 1)]
        return list(itertools.accumulate(paid))

    def _path(self, search: str) -> Iterator[Point]:
        """The points without their costs."""
        before: list[int] = []
        for stage, (kind, new) in self._own(search).items():
            for n in range(1, len(new) + 1):
                winners = [self._winners(search, s, kind, before, new, n) for s in self._seeds]
                if any(math.fsum(shares.values()) < 1 - 1e-12 for shares in winners):
                    continue
                yield Point(
                    stage=stage,
                    n=n,
                    cost=math.nan,
                    by_seed=[
                        math.fsum(p * self._test(search, i, s) for i, p in shares.items())
                        for s, shares in zip(self._seeds, winners, strict=True)
                    ],
                    concentration=statistics.fmean(
                        math.fsum(p * p for p in shares.values()) for shares in winners
                    ),
                )
            before = before + new

    @property
    def _seeds(self) -> Sequence[int]:
        return self._study.seeds

    def _test(self, search: str, trial: int, seed: int) -> float:
        return self._study.scored(self._study.trials(search)[trial][seed], "test")

    def _winners(
        self, search: str, seed: int, kind: str, before: list[int], new: list[int], n: int
    ) -> Mapping[int, float]:
        """Trial to its probability to be the one that the other seeds choose."""
        if (search, seed) not in self._ranked:
            others = [other for other in self._seeds if other != seed]
            self._ranked[search, seed] = self._study.best(search, others)
        ranked = self._ranked[search, seed]
        if kind != "grid":
            best = next((trial for trial in ranked if trial in (*before, *new[:n])), None)
            return {} if best is None else {best: 1.0}
        held = next((trial for trial in ranked if trial in before), None)
        behind = len(ranked) if held is None else ranked.index(held)
        useful = [trial for trial in ranked[:behind] if trial in new]
        ways = math.comb(len(new), n)
        shares = {
            trial: math.comb(len(new) - 1 - k, n - 1) / ways for k, trial in enumerate(useful)
        }
        if held is not None:
            shares[held] = math.comb(len(new) - len(useful), n) / ways
        return shares

    # -- what is printed --------------------------------------------------------------------

    def parts(self, search: str, point: Point) -> list[Part]:
        """What the variance of a point is made of."""
        table, _ = self._study.layout(search)
        (square, *_), q = pooled_parts((table, 1.0))[0], len(table)
        share = point.concentration * (1 + self._wavering(search))
        if share < 1 / q and square < rest(table) / q:
            n = len(self._seeds)
            return [(rest(table), share / n, (q - 1) * (n - 1))]
        return pooled_parts((table, share))

    def _wavering(self, search: str) -> float:
        """0.3 m, where for a seed on average m other seeds have another trial chosen for them."""
        chosen = [
            self._study.best(search, [other for other in self._seeds if other != seed])[0]
            for seed in self._seeds
        ]
        return 0.3 * statistics.fmean(sum(x != y for y in chosen) for x in chosen)

    def at_budget(
        self,
        searches: Sequence[str],
        cost: Cost,
        amount: float,
        unsure: Callable[[str], float] = lambda _: 0.0,
    ) -> list[dict[str, Any]]:
        """All methods at a budget, best first; without what rests on draws.

        Args:
            unsure: Half the interval of what a search's epochs cost, in parts of it.
        """
        curves = {search: self.points(search, cost) for search in searches}
        reached = {
            search: [point for point in points if point.cost <= amount * (1 + 1e-9)]
            for search, points in curves.items()
        }
        last = {search: points[-1] for search, points in reached.items() if points}
        found = []
        for rank, search in enumerate(sorted(last, key=lambda s: (last[s].value, s)), start=1):
            mine = last[search]
            low, high = self._ends(search, curves[search], amount, unsure(search))
            found.append(
                {
                    "search": search,
                    "rank": rank,
                    "value": mine.value,
                    "low": low,
                    "high": high,
                    "share_spent": mine.cost / curves[search][-1].cost,
                    "first_cost": curves[search][0].cost,
                    "p_better": {
                        other: statistics.fmean(
                            (a < b) + 0.5 * (a == b)
                            for a, b in itertools.product(mine.by_seed, theirs.by_seed)
                        )
                        for other, theirs in last.items()
                        if other != search
                    },
                }
            )
        return found

    def _ends(
        self, search: str, points: Sequence[Point], amount: float, unsure: float
    ) -> tuple[float, float]:
        """The lowest and the highest end at all that an amount may have bought."""
        if math.isclose(amount, points[-1].cost, rel_tol=1e-9):
            unsure = 0.0
        least, most = (amount * (1 + sign * unsure) * (1 + 1e-9) for sign in (-1, 1))
        first = max(sum(point.cost <= least for point in points), 1)
        bought = points[first - 1 : sum(point.cost <= most for point in points)]
        ends = [interval(point.value, self.parts(search, point)) for point in bought]
        return min(low for low, _, _ in ends), max(high for _, high, _ in ends)

    def to_match(self, search: str, reference: str, cost: Cost) -> dict[str, Any]:
        """What it costs to be within the margin of the reference; without what rests on draws."""
        mine, theirs = self.points(search, cost), self.points(reference, cost)
        target = theirs[-1].value + self._study.margin
        paid, arrival = _arrival(mine, target), _arrival(theirs, target)
        return {
            "search": search,
            "reference": reference,
            "margin": self._study.margin,
            "target": target,
            "cost": _finite(paid),
            "reference_full": theirs[-1].cost,
            "reference_arrival": arrival,
            "fair": _finite(paid / arrival),
            "full": _finite(paid / theirs[-1].cost),
        }

    def sparser(self, subject: str, reference: str, stage: int) -> list[dict[str, Any]]:
        """The subject's last value minus that of all, a half and a quarter of a grid."""
        last = self.points(subject, _one)[-1]
        points = [point for point in self.points(reference, _one) if point.stage == stage]
        found = []
        for part in (1, 2, 4):
            point = next(p for p in points if p.n == math.ceil(points[-1].n / part))
            gaps = [a - b for a, b in zip(last.by_seed, point.by_seed, strict=True)]
            n = len(gaps)
            ends = ((subject, last.concentration), (reference, point.concentration))
            tables = [self._study.layout(search)[0] for search, _ in ends]
            more = [share * self._wavering(search) for search, share in ends]
            if n >= 5:
                parts, basis = [(statistics.variance(gaps), 1 / n, float(n - 1))], "paired"
                parts += mixing_parts(*((t, 1 + m) for t, m in zip(tables, more, strict=True)))
            else:
                basis = "pooled"
                counted = [share + m for (_, share), m in zip(ends, more, strict=True)]
                parts = pooled_parts(*zip(tables, counted, strict=True))
            value = statistics.fmean(gaps)
            told = self._study.told(subject, reference, value, parts, basis, n_seeds=n)
            found.append({"n_points": point.n, "value": point.value, "difference": told})
        return found


def alone(run: Row) -> float:
    """Device-seconds, each run alone."""
    return float(run["solo_cost_s"])


def trained(run: Row) -> float:
    """Epochs that stand, and the one that diverged."""
    return float(run["epochs"] + (run["diverged_epoch"] is not None))


def _one(_: Row) -> float:
    return 1.0


def _arrival(points: Sequence[Point], target: float) -> float:
    """The smallest cost from which on all values are at the target or below."""
    above = [at for at, point in enumerate(points) if point.value > target]
    if not above:
        return points[0].cost
    return points[above[-1] + 1].cost if above[-1] + 1 < len(points) else math.inf


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value
