"""A study of a training function: random search, of which the worse half was pruned."""

import json

import numpy as np

from tests.unit.reports.synthetic._papers import spec
from tests.unit.reports.synthetic._reader import COLUMNS, FakeReader
from tests.unit.reports.synthetic._world import STUDY

_EPOCHS = 6
_METRIC = {"name": "loss", "title": "loss", "direction": "min", "unit": ""}


def function_reader(n_trials: int = 40, seeds: tuple[int, ...] = (0, 1)) -> FakeReader:
    """Trials with `lr`, `depth` and `act`; the loss has its optimum at 0.02, 2 and tanh.

    Every second trial was pruned after two steps, trial 3 diverged.
    """
    rng = np.random.default_rng(0)
    runs, epochs = [], []
    for trial in range(n_trials):
        lr, depth = float(10 ** rng.uniform(-3, -1)), int(rng.integers(1, 4))
        act = str(rng.choice(["relu", "tanh"]))
        loss = (np.log10(lr) + 1.7) ** 2 + 0.3 * (depth - 2) ** 2 + 0.1 * (act == "relu")
        state = "diverged" if trial == 3 else "pruned" if trial % 2 else "done"
        last = _EPOCHS if state == "done" else 2
        for seed in seeds:
            run = len(runs) + 1
            curve = [float(loss + 2 / epoch + 0.02 * rng.normal()) for epoch in range(1, last + 1)]
            epochs += [
                {"run": run, "epoch": at, "split": "validation", "task": "train"}
                | {"metric": "loss", "value": value}
                for at, value in enumerate(curve, start=1)
            ]
            runs.append(
                {"study": STUDY, "search": "function", "weighting": "function", "run": run}
                | {"role": "function", "trial": trial, "seed": seed, "state": state, "planned": 1}
                | {"params": json.dumps({"act": act, "depth": depth, "lr": lr})}
                | {"epochs": last, "epoch_selected": last, "device_s": 0.5, "grad_evals": 0}
                | {"method_cost_s": 0.4, "solo_cost_s": 0.4}
                # what reports nothing on test is judged by what it has validated
                | dict.fromkeys(
                    ("value_val", "value_test"), min(curve) if state == "done" else None
                )
            )
    made = FakeReader(spec=spec(seeds, _EPOCHS), rows={view: [] for view in COLUMNS})
    made.rows |= {"run_results": runs, "epoch_metrics": epochs}
    made.card |= {
        "kind": "function",
        "tasks": [{"name": "train", "title": "train", "loss": "own", "metrics": [_METRIC]}],
    }
    return made
