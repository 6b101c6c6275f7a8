"""The comparison worked out again from the SQL views alone, by the reference of measures.

Nothing of `reports` is imported, nor numpy or pandas: another way to the same numbers.
"""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.integration.recomputing_fresh import fresh_layout, fresh_runs, mixed, winners_own
from tests.integration.textbook import (
    Part,
    flips,
    interval,
    mixing_parts,
    p_value,
    pooled_parts,
    seeds_for,
)

Row = Mapping[str, Any]
Key = tuple[str, str]


class Study:
    """A finished study that is ranked by delta_m, all metrics of which are better when lower.

    Args:
        path: SQLite file with this study only.
        metrics: (task, metric), the first of a task being its primary one.
        seeds: Those of the searches.
        margin: `[compare] margin`.
    """

    def __init__(
        self, path: Path, *, metrics: Sequence[Key], seeds: Sequence[int], margin: float
    ) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            self.runs = [dict(row) for row in connection.execute("SELECT * FROM run_results")]
            values = connection.execute("SELECT * FROM epoch_metrics").fetchall()
        self.runs = [run for run in self.runs if run["planned"]]
        self.by_run = {run["run"]: run for run in self.runs}
        self.values = {
            (v["run"], v["split"], v["task"], v["metric"], v["epoch"]): v["value"] for v in values
        }
        self.metrics, self.seeds, self.margin = metrics, seeds, margin
        self._selected: dict[int, int] = {}  # epochs, by run
        self.alone = {task: self._best_alone(task, name) for task, name in self._primary()}
        self.base = {
            (split, key): statistics.fmean(self._alone(split, key))
            for split in ("validation", "test")
            for key in metrics
        }

    # -- single-task networks ---------------------------------------------------------------

    def _primary(self) -> list[Key]:
        return list({task: (task, name) for task, name in reversed(self.metrics)}.values())

    def _best_alone(self, task: str, metric: str) -> list[Row]:
        """Runs of the learning rate with the best seed mean of the primary metric."""
        trials: dict[int, list[Row]] = {}
        for run in self.runs:
            if run["search"] == f"stl/{task}" and run["state"] == "done":
                trials.setdefault(run["trial"], []).append(run)
        whole = {n: runs for n, runs in trials.items() if len(runs) == len(self.seeds)}

        def quality(number: int) -> tuple[float, float, int]:
            runs = whole[number]
            at = [self.at(run, "validation", (task, metric)) for run in runs]
            return statistics.fmean(at), sum(run["grad_evals"] for run in runs), number

        return whole[min(whole, key=quality)]

    def _alone(self, split: str, key: Key) -> list[float]:
        return [self.at(run, split, key) for run in self.alone[key[0]]]

    # -- runs -------------------------------------------------------------------------------

    def at(self, run: Row, split: str, key: Key) -> float:
        """A metric at the epoch with the best validation value, the earliest of equal ones."""
        if run["run"] not in self._selected:
            self._selected[run["run"]] = self._best_epoch(run)
        return float(self.values[run["run"], split, *key, self._selected[run["run"]]])

    def _best_epoch(self, run: Row) -> int:
        own = next((key for key in self._primary() if run["search"] == f"stl/{key[0]}"), None)
        epochs = range(1, run["epochs"] + 1)
        if own:
            return min(epochs, key=lambda e: self.values[run["run"], "validation", *own, e])
        return min(epochs, key=lambda e: self.delta_m(run, "validation", e))

    def delta_m(self, run: Row, split: str, epoch: int) -> float:
        changes = [
            (self.values[run["run"], split, *key, epoch] - self.base[split, key])
            / abs(self.base[split, key])
            for key in self.metrics
        ]
        return 100 / len(self.metrics) * math.fsum(changes)

    def scored(self, run: Row, split: str) -> float:
        """delta_m of a run; infinite if it diverged."""
        if run["state"] != "done":
            return math.inf
        changes = [
            (self.at(run, split, key) - self.base[split, key]) / abs(self.base[split, key])
            for key in self.metrics
        ]
        return 100 / len(self.metrics) * math.fsum(changes)

    # -- searches ---------------------------------------------------------------------------

    def trials(self, search: str) -> dict[int, dict[int, Row]]:
        """Trial to seed to run."""
        found: dict[int, dict[int, Row]] = {}
        for run in self.runs:
            if run["search"] == search and run["role"] == "search":
                found.setdefault(run["trial"], {})[run["seed"]] = run
        return found

    def best(self, search: str, seeds: Sequence[int]) -> list[int]:
        """Trials by mean validation over these seeds, best first; a diverged one ranks last."""
        trials = self.trials(search)

        def quality(number: int) -> tuple[float, float, int]:
            runs = trials[number]
            lost = any(run["state"] != "done" for run in runs.values())
            at = [self.scored(runs[seed], "validation") for seed in seeds]
            mean = math.inf if lost else statistics.fmean(at)
            return mean, sum(run["grad_evals"] for run in runs.values()), number

        return [n for n in sorted(trials, key=quality) if math.isfinite(quality(n)[0])]

    def runs_behind(self, search: str) -> tuple[str, list[Row]]:
        """What a value rests on, and the runs that it is the mean of."""
        fresh = fresh_runs(self, search)
        return ("confirmed", fresh) if fresh else ("cross-fit", self._cross_fit(search))

    def _cross_fit(self, search: str) -> list[Row]:
        """For each seed the run of the trial that the others choose."""
        trials = self.trials(search)
        return [
            trials[self.best(search, [other for other in self.seeds if other != seed])[0]][seed]
            for seed in self.seeds
        ]

    def layout(self, search: str) -> tuple[list[list[float]], float]:
        """Test values of the best third of the trials, at least four, by seed.

        With them, how often their rest counts: 1 + 0.3 m, where for a seed on average m other
        seeds have another trial chosen for them.
        """
        ranked, trials = self.best(search, self.seeds), self.trials(search)
        most = max(4, math.ceil(len(ranked) / 3))
        table = [
            [self.scored(trials[number][seed], "test") for seed in self.seeds]
            for number in ranked[:most]
        ]
        return table, mixed(self._cross_fit(search))

    def layout_behind(self, search: str) -> tuple[list[list[float]], float]:
        """The same of what a value rests on: of fresh seeds where it is confirmed."""
        return fresh_layout(self, search) or self.layout(search)

    def value(self, search: str) -> tuple[float, list[Part]]:
        """A method's value, and what its variance over seeds is made of."""
        runs = self.runs_behind(search)[1]
        mean = statistics.fmean(self.scored(run, "test") for run in runs)
        return mean, pooled_parts(self.layout_behind(search))

    def of_baseline(self, metrics: Mapping[Key, float]) -> list[Part]:
        """What the seeds of the single-task networks add to the variance of a delta_m."""
        by_task: dict[str, list[list[float]]] = {}  # changes of delta_m by metric and run
        for key in self.metrics:
            slope = 100 / len(self.metrics) * metrics[key] / self.base["test", key] ** 2
            changes = [slope * value for value in self._alone("test", key)]
            by_task.setdefault(key[0], []).append(changes)
        sums = [[math.fsum(run) for run in zip(*one, strict=True)] for one in by_task.values()]
        return [(statistics.variance(one), 1 / len(one), len(one) - 1) for one in sums]

    # -- what is printed --------------------------------------------------------------------

    def row(self, search: str) -> dict[str, Any]:
        """The numbers of a method's row."""
        mine = [run for run in self.runs if run["search"] == search]
        searched = [run for run in mine if run["role"] == "search"]
        kind, behind = self.runs_behind(search)
        trials, (winner, *_) = self.trials(search), self.best(search, self.seeds)
        own = winners_own(self, search) or list(trials[winner].values())
        metrics = self.means(behind)
        value, parts = self.value(search)
        low, high, _ = interval(value, [*parts, *self.of_baseline(metrics)])
        values = [self.scored(run, "test") for run in behind]
        return {
            "search": search,
            "n_trials": len(trials),
            "n_runs": len(searched),
            "n_diverged": sum(run["state"] == "diverged" for run in searched),
            "cost_solo_s": math.fsum(run["solo_cost_s"] for run in searched),
            "cost_as_run_s": math.fsum(run["method_cost_s"] for run in searched),
            "cost_epochs": sum(
                run["epochs"] + (run["diverged_epoch"] is not None) for run in searched
            ),
            "confirm_solo_s": math.fsum(
                run["solo_cost_s"] for run in mine if run["role"] == "confirm"
            ),
            "value_test": value,
            "delta_m_test": value,
            "kind": kind,
            "seed_sd": statistics.stdev(values),
            "low": low,
            "high": high,
            "n_seeds": len(behind),
            "n_configurations": len({run["trial"] for run in behind}),
            "winner_value": statistics.fmean(self.scored(run, "test") for run in own),
            "winner_metrics": {f"{t} {m}": v for (t, m), v in self.means(own).items()},
            "params": json.loads(own[0]["params"]),
            "metrics": {f"{task} {name}": mean for (task, name), mean in metrics.items()},
        }

    def means(self, runs: Sequence[Row]) -> dict[Key, float]:
        """Mean test metrics of runs."""
        return {
            key: statistics.fmean(self.at(run, "test", key) for run in runs) for key in self.metrics
        }

    def against_stl(self, search: str) -> dict[str, Any]:
        """The difference to the single-task networks, whose delta_m is 0."""
        value, parts = self.value(search)
        parts = [*parts, *self.of_baseline(self.means(self.runs_behind(search)[1]))]
        n_seeds = len(self.runs_behind(search)[1])
        return self.told(search, "stl", value, parts, "unpaired", n_seeds=n_seeds)

    def against(self, a: str, b: str) -> tuple[float, list[Part], str, Mapping[str, Any]]:
        """A difference: its value, what its variance is made of, the basis, and what is beside."""
        kind, first = self.runs_behind(a)
        _, second = self.runs_behind(b)
        ya = {run["seed"]: self.scored(run, "test") for run in first}
        yb = {run["seed"]: self.scored(run, "test") for run in second}
        seeds = sorted(set(ya) & set(yb))
        gaps = [ya[seed] - yb[seed] for seed in seeds]
        value, n = statistics.fmean(gaps), len(seeds)
        sides = [self.layout_behind(search) for search in (a, b)]
        if kind == "confirmed" or n >= 5:
            parts, basis = [(statistics.variance(gaps), 1 / n, float(n - 1))], "paired"
            parts += mixing_parts(*sides)
        else:
            parts, basis = pooled_parts(*sides), "pooled"
        beside: dict[str, Any] = {
            "n_seeds": n,
            "p_better": statistics.fmean(
                (one < other) + 0.5 * (one == other)
                for one, other in itertools.product(ya.values(), yb.values())
            ),
            "sign_flip_p": flips(gaps) if n >= 6 else None,
            "correlation": None,
            "correlation_low": None,
            "correlation_high": None,
            "seeds_saved": None,
        }
        if n >= 4:
            one, other = [ya[seed] for seed in seeds], [yb[seed] for seed in seeds]
            r = statistics.correlation(one, other)
            reach = statistics.NormalDist().inv_cdf(0.975) / math.sqrt(n - 3)
            apart = statistics.variance(one) + statistics.variance(other)
            beside |= {
                "correlation": r,
                "correlation_low": math.tanh(math.atanh(r) - reach),
                "correlation_high": math.tanh(math.atanh(r) + reach),
                "seeds_saved": n * (apart / statistics.variance(gaps) - 1),
            }
        return value, parts, basis, beside

    def differences(
        self, subject: str, reference: str, others: Sequence[str]
    ) -> list[dict[str, Any]]:
        """All of them: STL, the reference, and the others as one family after Holm."""
        found = [self.against_stl(subject)]
        value, parts, basis, beside = self.against(subject, reference)
        found.append(self.told(subject, reference, value, parts, basis) | dict(beside))
        family = {b: self.against(subject, b) for b in others}
        p_values = {b: p_value(value, parts) for b, (value, parts, *_) in family.items()}
        levels, rejected = {}, 0
        for b in sorted(others, key=p_values.__getitem__):
            error = 0.05 / (len(others) - rejected)
            levels[b] = 1 - error
            if p_values[b] <= error and rejected == list(levels).index(b):
                rejected += 1
        for b, (value, parts, basis, beside) in family.items():
            told = self.told(subject, b, value, parts, basis, level=levels[b])
            found.append(told | {"n_compared": len(others)} | dict(beside))
        return found

    def told(
        self,
        a: str,
        b: str,
        value: float,
        parts: Sequence[Part],
        basis: str,
        *,
        level: float = 0.95,
        n_seeds: int | None = None,
    ) -> dict[str, Any]:
        low, high, df = interval(value, parts, level)
        error = math.sqrt(sum(weight * square for square, weight, _ in parts))
        n = n_seeds or len(self.runs_behind(a)[1])
        verdict = "undecided"
        if low > 0 or high < 0:
            verdict = "better" if high < 0 else "worse"
        elif -self.margin <= low and high <= self.margin:
            verdict = "comparable"
        inside = -self.margin <= low and high <= self.margin
        beyond = low > self.margin or high < -self.margin
        wanted = max(abs(value), self.margin - abs(value))
        return {
            "a": a,
            "b": b,
            "difference": value,
            "low": low,
            "high": high,
            "level": level,
            "df": df,
            "standard_error": error,
            "basis": basis,
            "n_seeds": n,
            "n_compared": 1,
            "verdict": verdict,
            "margin": self.margin,
            "matters": False if inside else True if beyond else None,
            "resolution": (high - low) / 2,
            "seeds_to_decide": (
                seeds_for(error * math.sqrt(n), wanted, level) if verdict == "undecided" else None
            ),
            "p_better": None,
            "sign_flip_p": None,
            "correlation": None,
            "correlation_low": None,
            "correlation_high": None,
            "seeds_saved": None,
        }
