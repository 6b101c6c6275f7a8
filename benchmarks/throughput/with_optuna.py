"""Optuna's GridSampler in two processes that share a SQLite file, as its documentation shows.

The study is made beforehand, as with ``optuna create-study``; that is not timed.
Each process: ``python -m benchmarks.throughput.with_optuna FOLDER``
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean

import optuna

from benchmarks.throughput.measured import changed
from benchmarks.throughput.workload import Finals, Workload

stored = changed("optuna.db*")
_STUDY, _PROCESSES = "grid", 2


def main(folder: Path) -> None:
    from benchmarks.throughput.training import load, train

    workload = Workload.read(folder / "workload.json")
    loaded = load(workload)

    def objective(trial: optuna.Trial) -> float:
        number = trial.suggest_int("point", 0, len(workload.points) - 1)
        mean_loss = float("nan")
        for epoch, values in enumerate(train(workload, workload.points[number], loaded), start=1):
            mean_loss = fmean(values[f"validation/{task}/loss"] for task in loaded.tasks)
            trial.report(mean_loss, epoch)
            if epoch == workload.epochs:
                trial.set_user_attr("values", values)
        return mean_loss

    sampler = optuna.samplers.GridSampler({"point": list(range(len(workload.points)))})
    study = optuna.load_study(study_name=_STUDY, storage=_url(folder), sampler=sampler)
    study.optimize(objective)


def commands(folder: Path, workload: Workload) -> list[list[str]]:
    workload.write(folder / "workload.json")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(study_name=_STUDY, storage=_url(folder))
    return [[sys.executable, "-m", "benchmarks.throughput.with_optuna", str(folder)]] * _PROCESSES


def finals(folder: Path, _workload: Workload) -> Finals:
    study = optuna.load_study(study_name=_STUDY, storage=_url(folder))
    done = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    return {trial.params["point"]: trial.user_attrs["values"] for trial in done}


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'optuna.db'}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
