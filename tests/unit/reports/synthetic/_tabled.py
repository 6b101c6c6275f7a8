"""A study of one search, given by a table of its values."""

import json
from collections.abc import Sequence

from tests.unit.reports.synthetic._papers import spec
from tests.unit.reports.synthetic._reader import COLUMNS, FakeReader
from tests.unit.reports.synthetic._world import STUDY


def tabled(
    validation: Sequence[Sequence[float | None]],
    test: Sequence[Sequence[float | None]],
    stages: Sequence[tuple[str, Sequence[int]]],
    *,
    cost_s: Sequence[float] | None = None,
    solo_s: Sequence[float] | None = None,
    grad_evals: Sequence[int] | None = None,
) -> FakeReader:
    """A study of one search, `ew`, given by its table.

    Args:
        validation: ``[N, S]``, validation delta_m; None where the run diverged.
        test: ``[N, S]``, test delta_m.
        stages: Kind and trial numbers, in order, of each stage.
        cost_s: ``[N]``, method cost of one run of each trial; 1 by default.
        solo_s: ``[N]``, the same as if each had been trained alone; `cost_s` by default.
        grad_evals: ``[N]``, of one run of each trial; equal by default.
    """
    n_seeds = len(validation[0])
    as_run = [1.0] * len(validation) if cost_s is None else cost_s
    alone = as_run if solo_s is None else solo_s
    runs = [
        {"study": STUDY, "search": "ew", "weighting": "ew", "role": "search", "trial": trial}
        | {"run": trial * n_seeds + seed, "params": json.dumps({"lr": 1e-3 * (trial + 1)})}
        | {"seed": seed, "state": "diverged" if value is None else "done", "planned": 1}
        | {"epochs": 10, "epoch_selected": None if value is None else 5, "delta_m_val": value}
        | {"delta_m_test": None if value is None else test[trial][seed], "device_s": 2.0}
        | {"method_cost_s": as_run[trial], "solo_cost_s": alone[trial]}
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
    made = FakeReader(spec=spec(tuple(range(n_seeds)), 10), rows={view: [] for view in COLUMNS})
    made.rows |= {"run_results": runs, "stage_trials": listed}
    return made
