"""A made-up study of three tasks, told through the database views: `frames()`, `reader()`.

Every number is consistent: the metrics make delta_m, the epochs make the selected epoch, the
attempts make the cost. Quality has one optimum in the learning rate (3e-3; 1e-3 where weights are
tuned), the temperature (2) and the task weights (0.2, 0.3, 0.5). Nothing here is a result.
"""

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reports.frames import StudyFrames, load

STUDY = "synthetic"
TASKS = ("left", "right", "sum")
METRICS = (("left", "error", 1), ("right", "error", 1), ("sum", "mae", 1), ("sum", "within_1", -1))
LRS = (3e-4, 1e-3, 3e-3, 1e-2)
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
BEST_WEIGHTS = (0.2, 0.3, 0.5)
_BASE = {"error": 8.0, "mae": 0.9, "within_1": 85.0}
_STARTED = "2026-01-05T08:00:00+00:00"
_ENDED = "2026-01-05T08:00:05+00:00"

CARD: dict[str, Any] = {
    "name": "synthetic-digits",
    "title": "Synthetic digits",
    "kind": "composed",
    "source": "made up for tests",
    "licence": "CC0-1.0",
    "caveats": ["The digits are made up."],
    "sizes": {"train": 1000, "validation": 2000, "test": 2000},
    "network": "MLP 196-128-128",
    "tasks": [
        {
            "name": side,
            "title": f"{side.title()} digit",
            "loss": "cross-entropy",
            "metrics": [{"name": "error", "title": "error rate", "direction": "min", "unit": "%"}],
        }
        for side in ("left", "right")
    ]
    + [
        {
            "name": "sum",
            "title": "Sum of digits",
            "loss": "L1",
            "metrics": [
                {"name": "mae", "title": "mean absolute error", "direction": "min", "unit": ""},
                {"name": "within_1", "title": "within one", "direction": "max", "unit": "%"},
            ],
        }
    ],
}


@dataclass(kw_only=True)
class FakeReader:
    """A study in memory: rows as dicts, one list a view. Tests may change them before `load`."""

    name: str = STUDY
    spec: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(CARD)))
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def study(self, name: str) -> "FakeReader":
        return self

    def view(self, view: str, study: str) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
        rows = self.rows[view]
        return COLUMNS[view], [tuple(row.get(c) for c in COLUMNS[view]) for row in rows]


COLUMNS: dict[str, tuple[str, ...]] = {
    view: tuple(columns.split())
    for view, columns in {
        "run_results": "study search weighting role trial run params seed state planned epochs "
        "epoch_selected delta_m_val delta_m_test baseline_hash diverged_epoch device_s "
        "method_cost_s grad_evals",
        "epoch_metrics": "study run epoch split task metric value",
        "attempt_costs": "study attempt run worker kind state failure device hardware "
        "code_version started ended device_s startup_s train_s validation_s test_s checkpoint_s "
        "diagnostics_s epochs samples grad_evals",
        "stage_trials": "study search stage kind params_tuned round position trial",
        "stage_decisions": "study search stage trial value baseline_hash standing",
        "baseline_metrics": "study baseline_hash task metric split value source trial standing",
    }.items()
}


def frames(**changes: Any) -> StudyFrames:
    """A study as DataFrames; see `reader` for what can be changed."""
    return _frames(**changes)


@functools.cache
def _frames(**changes: Any) -> StudyFrames:
    return load(reader(**changes), STUDY)


def reader(
    *,
    seeds: tuple[int, ...] = (1, 2, 3),
    epochs: int = 30,
    confirm: tuple[int, ...] = (),
    unfinished: bool = False,
    empty: bool = False,
) -> FakeReader:
    """A study as rows of the database views.

    Args:
        seeds: Seeds of all searches.
        epochs: Epochs of each run.
        confirm: Fresh seeds on which each winner is trained once more.
        unfinished: Leave a third of the Scalarization runs waiting, and one UW-SO run failed.
        empty: Leave every run waiting: the plan is there, nothing has been trained.
    """
    maker = _Maker(seeds=seeds, epochs=epochs)
    maker.baseline()
    maker.single("ew", "ew")
    maker.single("uw", "uw", diverged_lr=1e-2)
    maker.uw_so()
    maker.scalarization()
    for search in ("ew", "uw", "uw-so", "scalarization") if confirm else ():
        maker.confirm(search, confirm)
    made = FakeReader(spec=_spec(seeds, epochs), rows=maker.rows)
    if unfinished:
        _leave_unfinished(made)
    if empty:
        _wait(made, made.rows["run_results"])
        made.rows["baseline_metrics"] = []
    return made


def quality(weighting: str, params: Mapping[str, Any]) -> float:
    """The noise-free test delta_m of a point, in percent."""
    best_lr = 1e-3 if weighting == "scalarization" else 3e-3
    value = {"ew": 3.0, "uw": 1.0, "uw-so": -4.0, "scalarization": -4.5}[weighting]
    value += 6.0 * math.log10(params["lr"] / best_lr) ** 2
    if "temperature" in params:
        value += 3.0 * math.log10(params["temperature"] / 2.0) ** 2
    if "task_weights" in params:
        gaps = zip(params["task_weights"], BEST_WEIGHTS, strict=True)
        value += 40.0 * sum((have - best) ** 2 for have, best in gaps)
    return value


def _spec(seeds: tuple[int, ...], epochs: int) -> dict[str, Any]:
    lr = list(LRS)
    return {
        "name": STUDY,
        "problem": "synthetic-digits",
        "seeds": list(seeds),
        "training": {"epochs": epochs, "batch_size": 128, "optimizer": "adam"},
        "compare": {"margin": 1.0, "select_epoch": "best"},
        "search": [
            {"name": "ew", "weighting": "ew", "stage": [{"lr": lr}]},
            {"name": "uw", "weighting": "uw", "stage": [{"lr": lr}]},
            {
                "name": "uw-so",
                "weighting": "uw-so",
                "stage": [{"lr": lr}, {"temperature": {"line": list(TEMPERATURES)}}],
            },
            {
                "name": "scalarization",
                "weighting": "scalarization",
                "stage": [{"lr": lr}, {"task_weights": {"simplex_step": 0.1}}],
            },
        ],
    }


def simplex(step: float = 0.1) -> list[tuple[float, float, float]]:
    """The interior points of the three-task grid, in lexicographic order."""
    n = round(1 / step)
    return [(i / n, j / n, (n - i - j) / n) for i in range(1, n) for j in range(1, n - i)]


def _wait(made: FakeReader, runs: Sequence[dict[str, Any]]) -> None:
    """Make these runs look as if nobody had started them."""
    gone = {row["run"] for row in runs}
    for row in runs:
        row |= dict.fromkeys(("epoch_selected", "delta_m_val", "delta_m_test", "diverged_epoch"))
        row |= {"state": "waiting", "epochs": 0, "device_s": 0.0, "method_cost_s": 0.0}
        row |= {"grad_evals": 0}
    for view in ("epoch_metrics", "attempt_costs"):
        made.rows[view] = [row for row in made.rows[view] if row["run"] not in gone]


def _leave_unfinished(made: FakeReader) -> None:
    runs = made.rows["run_results"]
    grid = [row for row in runs if row["search"] == "scalarization" and row["role"] == "search"]
    _wait(made, grid[2 * len(grid) // 3 :])
    failed = [row for row in runs if row["search"] == "uw-so" and row["role"] == "search"][-1:]
    _wait(made, failed)
    failed[0]["state"] = "failed"


class _Maker:
    """Trains nothing, but writes down what training would have left behind."""

    def __init__(self, *, seeds: tuple[int, ...], epochs: int) -> None:
        self.seeds = seeds
        self.epochs = epochs
        self.rows: dict[str, list[dict[str, Any]]] = {view: [] for view in COLUMNS}
        self.reference: dict[str, np.ndarray] = {}  # split to [M] baseline values
        self.numbers: dict[str, dict[str, int]] = {}  # search to (params to trial)
        self.scores: dict[str, dict[int, float]] = {}  # search to (trial to mean validation value)
        self.rows["attempt_costs"].append(self._attempt(None, "startup", 0.0, startup_s=1.5))

    # -- searches ---------------------------------------------------------------------------

    def baseline(self) -> None:
        base = np.array([_BASE[name] for _, name, _ in METRICS])
        self.reference = {"validation": base, "test": base}  # relative values until B is known
        kept: dict[str, list[dict[str, np.ndarray]]] = {}
        for task in TASKS:
            search = f"stl/{task}"
            for position, lr in enumerate(LRS):
                params = {"lr": lr, "weight_decay": 0.0}
                level = 5.0 * math.log10(lr / 1e-3) ** 2
                trained = self._trial(search, "stl", params, level=level, task=task)
                self._stage(search, 0, "baseline", "lr", position, trained["trial"])
                if lr == 1e-3:
                    kept[task] = trained["values"]
            self._decide(search, 0)
        for j, (task, metric, _) in enumerate(METRICS):
            for split in ("validation", "test"):
                value = float(np.mean([values[split][j] for values in kept[task]]))
                self.reference[split] = self.reference[split].copy()
                self.reference[split][j] = value
                self.rows["baseline_metrics"].append(
                    {"study": STUDY, "baseline_hash": "b1", "task": task, "metric": metric}
                    | {"split": split, "value": value, "source": "trained", "trial": 1}
                    | {"standing": 1}
                )

    def single(self, search: str, weighting: str, *, diverged_lr: float | None = None) -> None:
        for position, lr in enumerate(LRS):
            params = {"lr": lr, "weight_decay": 0.0}
            self._try(search, weighting, 0, "grid", "lr", position, params, lr == diverged_lr)
        self._decide(search, 0)

    def uw_so(self) -> None:
        self._staged("uw-so", "temperature", 2.0, TEMPERATURES, "line")

    def scalarization(self) -> None:
        uniform = (1 / 3, 1 / 3, 1 / 3)
        self._staged("scalarization", "task_weights", uniform, simplex(), "grid")

    def confirm(self, search: str, seeds: tuple[int, ...]) -> None:
        winner = self._winner(search)
        mine = (r for r in self.rows["run_results"] if r["search"] == search)
        row = next(r for r in mine if r["trial"] == winner)
        self._trial(search, row["weighting"], json.loads(row["params"]), seeds=seeds)

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
        trial = self.numbers.get(search, {}).get(key)
        if trial is None:
            trial = self._trial(search, weighting, params, diverges=diverges)["trial"]
        self._stage(search, stage, kind, tuned, position, trial)

    def _winner(self, search: str) -> int:
        return min(self.scores[search], key=lambda trial: (self.scores[search][trial], trial))

    def _stage(
        self, search: str, stage: int, kind: str, tuned: str, position: int, trial: int
    ) -> None:
        self.rows["stage_trials"].append(
            {"study": STUDY, "search": search, "stage": stage, "kind": kind, "round": 0}
            | {"params_tuned": tuned, "position": position, "trial": trial}
        )

    def _decide(self, search: str, stage: int) -> dict[str, Any]:
        trial = self._winner(search)
        self.rows["stage_decisions"].append(
            {"study": STUDY, "search": search, "stage": stage, "trial": trial, "standing": 1}
            | {"value": self.scores[search][trial], "baseline_hash": "b1"}
        )
        params = next(key for key, number in self.numbers[search].items() if number == trial)
        return dict(json.loads(params))

    # -- runs -------------------------------------------------------------------------------

    def _trial(
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
        attempt = self._attempt(run, "run", seconds, epochs=last)
        self.rows["attempt_costs"].append(attempt)
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
            | {"diverged_epoch": last if diverges else None, "device_s": attempt["device_s"]}
            | {"method_cost_s": attempt["train_s"] + attempt["validation_s"] + 0.01}
            | {"grad_evals": 8 * last}
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
            base = np.array([_BASE[name] for _, name, _ in METRICS])
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
        weights = _weights(row["weighting"], json.loads(row["params"]), len(tasks))
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
                note(epoch, "train", task, "weight", weights[k] + drift)
                for split in ("validation", "test"):
                    note(epoch, split, task, "loss", loss * 1.2 + 0.02 * rng.random())
            for j in mine:
                task, metric, _ = METRICS[j]
                for split in ("validation", "test"):
                    note(epoch, split, task, metric, float(paths[split][epoch - 1, j]))

    def _attempt(self, run: int | None, kind: str, train_s: float, **more: Any) -> dict[str, Any]:
        phases = {"startup_s": 0.0, "train_s": train_s, "validation_s": 0.1 * train_s}
        phases |= {"test_s": 0.1 * train_s, "checkpoint_s": 0.02 * train_s, "diagnostics_s": 0.0}
        phases |= {name: value for name, value in more.items() if name in phases}
        epochs = int(more.get("epochs", 0))
        return (
            {"study": STUDY, "attempt": len(self.rows["attempt_costs"]), "run": run, "kind": kind}
            | {"worker": "local-0", "state": "finished", "failure": None, "device": "cpu"}
            | {"hardware": "2 cores", "code_version": "0.1.0", "started": _STARTED}
            | {"ended": _ENDED, "device_s": sum(phases.values()), "epochs": epochs}
            | {"samples": 1000 * epochs, "grad_evals": 8 * epochs}
            | phases
        )


def _weights(weighting: str, params: Mapping[str, Any], n_tasks: int) -> list[float]:
    if weighting == "uw-so":
        shares = np.exp(np.arange(n_tasks) / params["temperature"])
        return [float(w) for w in shares / shares.sum()]
    return [float(w) for w in params.get("task_weights", [1.0] * n_tasks)]


def tabled(
    validation: Sequence[Sequence[float | None]],
    test: Sequence[Sequence[float | None]],
    stages: Sequence[tuple[str, Sequence[int]]],
    *,
    cost_s: Sequence[float] | None = None,
    grad_evals: Sequence[int] | None = None,
) -> FakeReader:
    """A study of one search, `ew`, given by its table.

    Args:
        validation: ``[N, S]``, validation delta_m; None where the run diverged.
        test: ``[N, S]``, test delta_m.
        stages: Kind and trial numbers, in order, of each stage.
        cost_s: ``[N]``, method cost of one run of each trial; 1 by default.
        grad_evals: ``[N]``, of one run of each trial; equal by default.
    """
    n_seeds = len(validation[0])
    runs = [
        {"study": STUDY, "search": "ew", "weighting": "ew", "role": "search", "trial": trial}
        | {"run": trial * n_seeds + seed, "params": json.dumps({"lr": 1e-3 * (trial + 1)})}
        | {"seed": seed, "state": "diverged" if value is None else "done", "planned": 1}
        | {"epochs": 10, "epoch_selected": None if value is None else 5, "delta_m_val": value}
        | {"delta_m_test": None if value is None else test[trial][seed], "device_s": 2.0}
        | {"method_cost_s": 1.0 if cost_s is None else cost_s[trial]}
        | {"grad_evals": 80 if grad_evals is None else grad_evals[trial]}
        for trial, row in enumerate(validation)
        for seed, value in enumerate(row)
    ]
    listed = [
        {"study": STUDY, "search": "ew", "stage": stage, "kind": kind, "params_tuned": "lr"}
        | {"round": 0, "position": position, "trial": trial}
        for stage, (kind, trials) in enumerate(stages)
        for position, trial in enumerate(trials)
    ]
    made = FakeReader(spec=_spec(tuple(range(n_seeds)), 10), rows={view: [] for view in COLUMNS})
    made.rows |= {"run_results": runs, "stage_trials": listed}
    return made
