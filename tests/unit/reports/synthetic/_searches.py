"""Searches: stages, their points and their winners."""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from tests.unit.reports.synthetic._runs import Runs
from tests.unit.reports.synthetic._world import (
    BASE,
    DECAYS,
    LRS,
    METRICS,
    STUDY,
    TASKS,
    TEMPERATURES,
    simplex,
)


class Searches:
    """Decides what is tried next by what the runs so far have come to."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def baseline(self) -> None:
        base = np.array([BASE[name] for _, name, _ in METRICS])
        self.runs.reference = {"validation": base, "test": base}  # relative values until B is known
        kept: dict[str, list[dict[str, np.ndarray]]] = {}
        for task in TASKS:
            search = f"stl/{task}"
            for position, lr in enumerate(LRS):
                params = {"lr": lr, "weight_decay": 0.0}
                level = 5.0 * math.log10(lr / 1e-3) ** 2
                trained = self.runs.trial(search, "stl", params, level=level, task=task)
                self._stage(search, 0, "baseline", "lr", position, trained["trial"])
                if lr == 1e-3:
                    kept[task] = trained["values"]
            self._decide(search, 0)
        for j, (task, metric, _) in enumerate(METRICS):
            for split in ("validation", "test"):
                value = float(np.mean([values[split][j] for values in kept[task]]))
                self.runs.reference[split] = self.runs.reference[split].copy()
                self.runs.reference[split][j] = value
                self.runs.rows["baseline_metrics"].append(
                    {"study": STUDY, "baseline_hash": "b1", "task": task, "metric": metric}
                    | {"split": split, "value": value, "source": "trained", "trial": 1}
                    | {"standing": 1}
                )

    def single(self, search: str, weighting: str, *, diverged_lr: float | None = None) -> None:
        for position, lr in enumerate(LRS):
            params = {"lr": lr, "weight_decay": 0.0}
            self._try(search, weighting, 0, "grid", "lr", position, params, lr == diverged_lr)
        self._decide(search, 0)

    def rate(
        self, search: str, optimizer: str, lr: float, level: float | None, position: int
    ) -> None:
        """One learning rate of an optimiser, which diverges without a level."""
        params = {"lr": lr, "optimizer": optimizer, "weight_decay": 0.0}
        trained = self.runs.trial(
            search, search, params, level=level or 0.0, diverges=level is None
        )
        self._stage(search, 0, "grid", "lr,optimizer", position, trained["trial"])

    def grid(self, search: str, weighting: str) -> None:
        """All learning rates with all weight decays."""
        for position, (lr, decay) in enumerate(product(LRS, DECAYS)):
            params = {"lr": lr, "weight_decay": decay}
            self._try(search, weighting, 0, "grid", "lr,weight_decay", position, params)
        self._decide(search, 0)

    def uw_so(self) -> None:
        self._staged("uw-so", "temperature", 2.0, TEMPERATURES, "line")

    def scalarization(self) -> None:
        uniform = (1 / 3, 1 / 3, 1 / 3)
        self._staged("scalarization", "task_weights", uniform, simplex(), "grid")

    def confirm(self, search: str, seeds: tuple[int, ...]) -> None:
        winner = self._winner(search)
        mine = (r for r in self.runs.rows["run_results"] if r["search"] == search)
        row = next(r for r in mine if r["trial"] == winner)
        self.runs.trial(search, row["weighting"], json.loads(row["params"]), seeds=seeds)

    def _staged(
        self, search: str, name: str, anchor: Any, values: Sequence[Any], kind: str
    ) -> None:
        """Learning rate at the anchor, then the values, then the neighbouring learning rates."""
        for position, lr in enumerate(LRS):
            params = {"lr": lr, name: anchor, "weight_decay": 0.0}
            self._try(search, search, 0, "grid", "lr", position, params)
        lr = self._decide(search, 0)["lr"]
        for position, value in enumerate(values):
            params = {"lr": lr, name: value, "weight_decay": 0.0}
            self._try(search, search, 1, kind, name, position, params)
        best = self._decide(search, 1)
        at = LRS.index(best["lr"])
        for position, near in enumerate(LRS[i] for i in (at - 1, at + 1) if 0 <= i < len(LRS)):
            self._try(search, search, 2, "neighbours", "lr", position, best | {"lr": near})
        self._decide(search, 2)

    def _try(
        self,
        search: str,
        weighting: str,
        stage: int,
        kind: str,
        tuned: str,
        position: int,
        params: Mapping[str, Any],
        diverges: bool = False,
    ) -> None:
        key = json.dumps(params, sort_keys=True, separators=(",", ":"))
        trial = self.runs.numbers.get(search, {}).get(key)
        if trial is None:
            trial = self.runs.trial(search, weighting, params, diverges=diverges)["trial"]
        self._stage(search, stage, kind, tuned, position, trial)

    def _winner(self, search: str) -> int:
        return min(
            self.runs.scores[search], key=lambda trial: (self.runs.scores[search][trial], trial)
        )

    def _stage(
        self, search: str, stage: int, kind: str, tuned: str, position: int, trial: int
    ) -> None:
        self.runs.rows["stage_trials"].append(
            {"study": STUDY, "search": search, "stage": stage, "kind": kind, "round": 0}
            | {"params_tuned": tuned, "position": position, "trial": trial}
        )

    def _decide(self, search: str, stage: int) -> dict[str, Any]:
        trial = self._winner(search)
        self.runs.rows["stage_decisions"].append(
            {"study": STUDY, "search": search, "stage": stage, "trial": trial, "standing": 1}
            | {"value": self.runs.scores[search][trial], "baseline_hash": "b1"}
        )
        params = next(key for key, number in self.runs.numbers[search].items() if number == trial)
        return dict(json.loads(params))
