"""How far a comparison holds, worked out again: readings, defaults, overtuning, shares of metrics.

Orders of a grid are gone through one by one.
"""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.integration.recomputing import Study
from tests.integration.recomputing_fresh import fresh_runs
from tests.integration.textbook import Part, interval, mixing_parts, p_value, rest


class Readings:
    """The same study as `Study`, read in other ways; tasks have one metric each.

    Args:
        path: Its database.
        study: Its numbers.
        searches: All of its searches.
    """

    def __init__(self, path: Path, study: Study, searches: Sequence[str]) -> None:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                "SELECT search, stage, kind, trial FROM stage_trials ORDER BY stage, position"
            ).fetchall()
        self.study, self.searches = study, searches
        self.stages: dict[str, dict[int, tuple[str, list[int]]]] = {}
        for search, stage, kind, trial in rows:
            _, trials = self.stages.setdefault(search, {}).setdefault(stage, (kind, []))
            if trial not in itertools.chain(*(t for _, t in self.stages[search].values())):
                trials.append(trial)

    # -- metrics ----------------------------------------------------------------------------

    def changes(self, search: str) -> list[float]:
        """Relative changes of all metrics in percent."""
        runs = self.study.runs_behind(search)[1]
        found = []
        for key in self.study.metrics:
            base = self.study.base["test", key]
            mean = statistics.fmean(self.study.at(run, "test", key) for run in runs)
            found.append(100 * (mean - base) / abs(base))
        return found

    def points(self, search: str) -> dict[str, float]:
        changes = self.changes(search)
        keys = self.study.metrics
        return {f"{t} {m}": c / len(keys) for (t, m), c in zip(keys, changes, strict=True)}

    def shares(self, search: str) -> dict[str, float]:
        points = self.points(search)
        total = math.fsum(map(abs, points.values()))
        return {name: abs(value) / total for name, value in points.items()}

    # -- readings ---------------------------------------------------------------------------

    def readings(self) -> dict[str, tuple[list[str], float | None]]:
        """Reading to who is ahead, and the value."""
        changes = {search: self.changes(search) for search in self.searches}
        values = {search: self.study.value(search)[0] for search in self.searches}
        found = {"mean over metrics": self._ahead(values), "worst task": self._by(changes, max)}
        for at, (task, _) in enumerate(self.study.metrics):
            rest_of = {s: [c for k, c in enumerate(row) if k != at] for s, row in changes.items()}
            found[f"without {task}"] = self._by(rest_of, statistics.fmean)
        found["ranks"] = self._ahead(self._ranks(self.searches))
        best = min(values, key=values.__getitem__)
        alone: list[str] = []
        for gone in self.searches:
            if gone != best:
                rest_in = [search for search in self.searches if search != gone]
                alone += [s for s in self._ahead(self._ranks(rest_in))[0] if s not in alone]
        found["ranks without one"] = (sorted(alone), None)
        seeds = sorted(run["seed"] for run in self.study.runs_behind(best)[1])
        for seed in seeds if len(seeds) > 2 else ():
            found[f"without seed {seed}"] = self._ahead(
                {search: self._without(search, seed) for search in self.searches}
            )
        return found

    def _by(
        self, table: Mapping[str, list[float]], one_of: Callable[[list[float]], float]
    ) -> tuple[list[str], float | None]:
        return self._ahead({search: one_of(row) for search, row in table.items()})

    def _ahead(self, values: Mapping[str, float]) -> tuple[list[str], float | None]:
        best = min(values.values())
        return sorted(s for s, value in values.items() if math.isclose(value, best)), best

    def _ranks(self, searches: Sequence[str]) -> dict[str, float]:
        table = {search: self.changes(search) for search in searches}
        found = {}
        for search in searches:
            ranks = []
            for at in range(len(self.study.metrics)):
                mine = table[search][at]
                below = sum(table[other][at] < mine for other in searches)
                equal = sum(table[other][at] == mine for other in searches)
                ranks.append(below + (equal + 1) / 2)
            found[search] = statistics.fmean(ranks)
        return found

    def _without(self, search: str, seed: int) -> float:
        fresh = fresh_runs(self.study, search, without=seed)
        if fresh:
            return statistics.fmean(self.study.scored(run, "test") for run in fresh)
        left = [other for other in self.study.seeds if other != seed]
        scores = []
        for judge in left:
            best = self.study.best(search, [other for other in left if other != judge])[0]
            scores.append(self._test(search, best, judge))
        return statistics.fmean(scores)

    # -- defaults ---------------------------------------------------------------------------

    def _test(self, search: str, trial: int, seed: int) -> float:
        return self.study.scored(self.study.trials(search)[trial][seed], "test")

    def default(self, search: str) -> int:
        """The trial of the first stage whose learning rate is nearest to the middle one."""
        trials = self.study.trials(search)
        first = self.stages[search][0][1]
        rates = {
            trial: json.loads(next(iter(trials[trial].values()))["params"])["lr"] for trial in first
        }
        middle = math.log(min(rates.values()) * max(rates.values())) / 2

        def far(trial: int) -> tuple[float, float]:
            return round(abs(math.log(rates[trial]) - middle), 9), rates[trial]

        return min(first, key=far)

    def untuned(self, search: str) -> dict[str, Any]:
        trial = self.default(search)
        runs = [self.study.trials(search)[trial][seed] for seed in self.study.seeds]
        values = [self.study.scored(run, "test") for run in runs]
        part = (statistics.variance(values), 1 / len(values), len(values) - 1.0)
        value = statistics.fmean(values)
        low, high, _ = interval(value, [part, *self.study.of_baseline(self.study.means(runs))])
        kind, _ = self.study.runs_behind(search)
        if self._gain(search) is None and kind == "cross-fit":  # compared are these very runs
            low, high = (self.study.row(search)[end] for end in ("low", "high"))
        cost = math.fsum(run["solo_cost_s"] for run in runs)
        return {"trial": trial, "value": value, "low": low, "high": high, "cost_solo_s": cost}

    def gains(self) -> dict[str, dict[str, Any] | None]:
        """Search to what tuning has gained; None where it has kept the defaults."""
        known = {search: self._gain(search) for search in self.searches}
        open_ = {search: gain for search, gain in known.items() if gain is not None}
        p_values = {search: p_value(*gain) for search, gain in open_.items()}
        found: dict[str, dict[str, Any] | None] = dict.fromkeys(self.searches)
        rejected, still = 0, True
        for search in sorted(open_, key=p_values.__getitem__):
            error = 0.05 / (len(open_) - rejected)
            low, high, _ = interval(*open_[search], 1 - error)
            found[search] = {"difference": open_[search][0], "low": low, "high": high}
            still = still and p_values[search] <= error
            rejected += still
        return found

    def _gain(self, search: str) -> tuple[float, list[Part]] | None:
        study, default, n = self.study, self.default(search), len(self.study.seeds)
        chosen = [
            study.best(search, [other for other in study.seeds if other != seed])[0]
            for seed in study.seeds
        ]
        if set(chosen) == {default}:
            return None
        gaps = [
            self._test(search, trial, seed) - self._test(search, default, seed)
            for trial, seed in zip(chosen, study.seeds, strict=True)
        ]
        m = statistics.fmean(sum(x != y for y in chosen) for x in chosen)
        ranked = study.best(search, study.seeds)
        rows = {*ranked[: max(4, math.ceil(len(ranked) / 3))], default}
        table = [[self._test(search, trial, seed) for seed in study.seeds] for trial in rows]
        if n >= 5:
            parts = [(statistics.variance(gaps), 1 / n, n - 1.0)]
            return statistics.fmean(gaps), parts + mixing_parts((table, 1 + 0.3 * m))
        moved = statistics.fmean(trial != default for trial in chosen)
        df = (len(table) - 1) * (n - 1)
        return statistics.fmean(gaps), [(rest(table), (2 * moved + 0.3 * m) / n, df)]

    # -- overtuning -------------------------------------------------------------------------

    def overtuning(self, search: str) -> dict[str, Any]:
        found = [self._overtuned(search, seed) for seed in self.study.seeds]
        lost, gained = zip(*found, strict=True)
        gain = statistics.fmean(gained)
        return {
            "overtuning": statistics.fmean(lost),
            "by_seed": list(lost),
            "gained": gain,
            "ratio": statistics.fmean(lost) / gain if gain else None,
        }

    def _overtuned(self, search: str, seed: int) -> tuple[float, float]:
        """Loss and gain on a seed, over all orders of what is a grid."""
        ranked = self.study.best(search, [other for other in self.study.seeds if other != seed])
        place = {trial: at for at, trial in enumerate(ranked)}
        scores = {trial: self._test(search, trial, seed) for trial in ranked}
        parts = [
            [*itertools.permutations(trials)] if kind == "grid" else [tuple(trials)]
            for kind, trials in self.stages[search].values()
        ]
        lost, gained = [], []
        for order in itertools.product(*parts):
            held: list[int] = []
            for trial in itertools.chain(*order):
                if trial in place and (not held or place[trial] < place[held[-1]]):
                    held.append(trial)
            best = min(scores[trial] for trial in held)
            lost.append(scores[held[-1]] - best)
            gained.append(scores[held[0]] - best)
        return statistics.fmean(lost), statistics.fmean(gained)
