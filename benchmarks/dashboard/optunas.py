"""The same trials as a study of Optuna's, in its own SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import optuna

_STARTED = "2026-01-01 00:00:00"
_LR = json.dumps(
    {
        "name": "FloatDistribution",
        "attributes": {"step": None, "low": 1e-4, "high": 1.0, "log": True},
    }
)


def make(path: Path, *, n_trials: int, n_epochs: int) -> None:
    """Finished trials with one parameter, a value, and one reported value an epoch."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(storage=f"sqlite:///{path}", study_name="made up")
    trials = range(1, n_trials + 1)
    level = {trial: 0.3 + 0.4 * (trial * 7919 % 1000) / 1000 for trial in trials}
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, columns, rows in (
            (
                "trials",
                "trial_id, number, study_id, state, datetime_start, datetime_complete",
                ((one, one - 1, 1, "COMPLETE", _STARTED, _STARTED) for one in trials),
            ),
            (
                "trial_params",
                "trial_id, param_name, param_value, distribution_json",
                ((one, "lr", 10 ** (-4 * level[one]), _LR) for one in trials),
            ),
            (
                "trial_values",
                "trial_id, objective, value, value_type",
                ((one, 0, level[one], "FINITE") for one in trials),
            ),
            (
                "trial_intermediate_values",
                "trial_id, step, intermediate_value, intermediate_value_type",
                (
                    (one, step, level[one] + 1 / step, "FINITE")
                    for one in trials
                    for step in range(1, n_epochs + 1)
                ),
            ),
        ):
            marks = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def add_trial(path: Path) -> None:
    """One more finished trial."""
    study = optuna.load_study(storage=f"sqlite:///{path}", study_name="made up")
    lr = optuna.distributions.FloatDistribution(1e-4, 1.0, log=True)
    study.add_trial(
        optuna.create_trial(
            params={"lr": 0.1},
            distributions={"lr": lr},
            value=0.5,
            intermediate_values=dict.fromkeys(range(1, 21), 0.5),
        )
    )
