"""Trials and runs: trains nothing, but writes down what training would have left behind."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.unit.reports.synthetic._attempts import attempt
from tests.unit.reports.synthetic._reader import COLUMNS
from tests.unit.reports.synthetic._world import (
    BASE,
    METRICS,
    STUDY,
    quality,
    saved_in_packs,
    weights,
)


class Runs:
    """The rows of a study; runs add theirs."""

    def __init__(self, *, seeds: tuple[int, ...], epochs: int, fused: bool = False) -> None:
        self.seeds = seeds
        self.epochs = epochs
        self.fused = fused
        self.rows: dict[str, list[dict[str, Any]]] = {view: [] for view in COLUMNS}
        self.reference: dict[str, np.ndarray] = {}  # split to [M] baseline values
        self.numbers: dict[str, dict[str, int]] = {}  # search to (params to trial)
        self.scores: dict[str, dict[int, float]] = {}  # search to (trial to mean validation value)
        self._attempt(None, "startup", 0.0, startup_s=1.5)

    def trial(
        self,
        search: str,
        weighting: str,
        params: Mapping[str, Any],
        *,
        level: float | None = None,
        task: str | None = None,
        diverges: bool = False,
        seeds: tuple[int, ...] | None = None,
    ) -> dict[str, Any]:
        """One run a seed. With `seeds` the trial is known and confirmed on those seeds."""
        key = json.dumps(params, sort_keys=True, separators=(",", ":"))
        known = self.numbers.setdefault(search, {})
        trial = known.setdefault(key, len(known))
        role = "baseline" if task else "confirm" if seeds else "search"
        level = quality(weighting, params) if level is None else level
        made = []
        for seed in seeds or self.seeds:
            # The last of three seeds diverges: one bad seed is enough for a diverged trial.
            bad = diverges and seed == self.seeds[-1]
            row = {"search": search, "weighting": weighting, "role": role, "trial": trial}
            row |= {"params": key, "seed": seed}
            made.append(self._run(row, level=level, task=task, diverges=bad))
        if role != "confirm":
            values = [run["value"] for run in made]
            self.scores.setdefault(search, {})[trial] = float(np.mean(values))
        return {"trial": trial, "values": [run["metrics"] for run in made]}

    def _run(
        self, row: dict[str, Any], *, level: float, task: str | None, diverges: bool
    ) -> dict[str, Any]:
        run = len(self.rows["run_results"])
        address = [row["seed"], row["trial"], sum(map(ord, row["search"]))]
        rng = np.random.default_rng(address)
        last = max(1, self.epochs // 3) if diverges else self.epochs
        mine = [j for j, (t, _, _) in enumerate(METRICS) if task in (None, t)]
        paths = self._paths(rng, level, last)
        validation, test = (paths[split][:, mine] for split in ("validation", "test"))
        signs = np.array([METRICS[j][2] for j in mine])
        relative = signs * (validation / self.reference["validation"][mine] - 1)
        # STL is chosen by its task's primary metric, which comes first.
        by_epoch = 100 * (relative.mean(axis=1) if task is None else relative[:, 0])
        at = int(np.argmin(by_epoch))
        tested = 100 * float((signs * (test[at] / self.reference["test"][mine] - 1)).mean())
        self._record_epochs(run, rng, paths, mine, row, last)
        seconds = (0.9 if task else 1.6) * last / 30 * (1 + 0.05 * rng.random())
        cost = self._attempt(run, "run", seconds, epochs=last)
        method_s = cost["train_s"] + cost["validation_s"] + 0.01
        saved = saved_in_packs(row["search"]) if self.fused else 1.0
        scored = not diverges and task is None
        self.rows["run_results"].append(
            row
            | {"study": STUDY, "run": run, "state": "diverged" if diverges else "done"}
            | {"planned": 1, "epochs": last, "epoch_selected": None if diverges else at + 1}
            | {"delta_m_val": float(by_epoch[at]) if scored else None}
            | {
                "delta_m_test": tested if scored else None,
                "baseline_hash": "b1" if scored else None,
            }
            | {"diverged_epoch": last if diverges else None, "device_s": cost["device_s"]}
            | {"method_cost_s": method_s, "solo_cost_s": saved * method_s}
            | {"grad_evals": 8 * last}
            | ({} if task is None else {"value_val": float(validation[at, 0])})
        )
        value = math.inf if diverges else float(by_epoch[at])
        return {"value": value, "metrics": {split: paths[split][at] for split in paths}}

    def _paths(self, rng: np.random.Generator, level: float, last: int) -> dict[str, np.ndarray]:
        """Metrics by split, ``[epochs, M]``: falling towards the level, then rising a little."""
        epoch = np.arange(1, last + 1)
        turn = 0.7 * self.epochs
        shape = 40.0 * np.exp(-epoch / (self.epochs / 6)) + 3.0 * np.clip(epoch / turn - 1, 0, None)
        own = rng.normal(0, 0.6)  # what this seed is worth, on both splits
        paths = {}
        for split in ("validation", "test"):
            noise = rng.normal(0, 0.4, size=(last, len(METRICS)))
            percent = (level + own + shape)[:, None] + noise
            signs = np.array([sign for *_, sign in METRICS])
            base = np.array([BASE[name] for _, name, _ in METRICS])
            paths[split] = base * (1 + signs * percent / 100)
        return paths

    def _record_epochs(
        self,
        run: int,
        rng: np.random.Generator,
        paths: Mapping[str, np.ndarray],
        mine: Sequence[int],
        row: Mapping[str, Any],
        last: int,
    ) -> None:
        tasks = list(dict.fromkeys(METRICS[j][0] for j in mine))
        recorded = weights(row["weighting"], json.loads(row["params"]), len(tasks))
        add = self.rows["epoch_metrics"].append

        def note(epoch: int, split: str, task: str, metric: str, value: float) -> None:
            add(
                {"study": STUDY, "run": run, "epoch": epoch, "split": split, "task": task}
                | {"metric": metric, "value": value}
            )

        for epoch in range(1, last + 1):
            loss = 0.2 + 2.0 * math.exp(-epoch / 6)
            for k, task in enumerate(tasks):
                drift = 0.05 * math.sin(epoch / 5 + k) if row["weighting"] == "uw-so" else 0.0
                note(epoch, "train", task, "loss", loss * (1 + 0.1 * k))
                note(epoch, "train", task, "weight", recorded[k] + drift)
                for split in ("validation", "test"):
                    note(epoch, split, task, "loss", loss * 1.2 + 0.02 * rng.random())
            for j in mine:
                task, metric, _ = METRICS[j]
                for split in ("validation", "test"):
                    note(epoch, split, task, metric, float(paths[split][epoch - 1, j]))

    def _attempt(self, *args: Any, **more: Any) -> dict[str, Any]:
        rows = self.rows["attempt_costs"]
        rows.append(attempt(len(rows), *args, **more))
        return rows[-1]
