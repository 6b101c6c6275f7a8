"""Makes a study database as if its runs had been trained, by inserting rows."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from search_spaces import canonical
from storage import Storage
from storage.records import Baseline, BaselineValue, Holder
from study.planning.plan import Plan, make_plan
from study.spec.study_spec import parse
from trainers.jobs import ProblemRef
from trainers.problems import build

MTL, FUNCTION = "mtl", "tuned"
_STARTED = datetime(2026, 1, 1, tzinfo=UTC)
_SEARCHES = ("ew", "gls", "uw", "rlw")
_Rows = Iterator[tuple[Any, ...]]


def make(
    place: Path | str,
    study: str,
    *,
    n_runs: int,
    n_epochs: int,
    n_seeds: int = 2,
    with_values: bool = True,
) -> None:
    """Make a database of one study, `MTL` or `FUNCTION`.

    Args:
        place: A new SQLite file, or the URL of an empty PostgreSQL database.
        n_seeds: Runs of a trial.
        with_values: Whether epochs have metrics; without, no report can be made.
    """
    url = place if isinstance(place, str) else f"sqlite:///{place}"
    plan = _plan(study, n_runs // n_seeds, n_epochs, n_seeds)
    storage = Storage(url)
    record = storage.save_study(
        name=study,
        spec=plan.spec.to_plain(),
        card=plan.stored_card,
        fingerprint=plan.frozen,
        searches=[(search.name, search.role, search.weighting) for search in plan.searches],
    )
    holder = storage.register_holder(Holder(host="bench", boot_id="1", pid=1, process_start="1"))
    environment = {"code": "1.0", "device": "cpu", "cpu": "a cpu", "host": "bench"}
    worker = storage.register_worker(
        study_id=record.id, holder_id=holder, pid=2, environment=environment, startup_s=1.0
    )
    ids = {search.name: search.id for search in storage.searches(record.id)}
    filler = _Filler(plan, record.id, ids, worker, n_trials=n_runs // n_seeds, n_epochs=n_epochs)
    if study == MTL:
        storage.set_baseline(record.id, _baseline(plan))
    storage.close()
    if isinstance(place, str):
        _copy(place, filler)
    else:
        _insert(place, filler, with_values=with_values)


def _insert(path: Path, filler: _Filler, *, with_values: bool) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        for table, columns, rows in filler.tables():
            marks = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows
            )
        if with_values:
            filler.multiply_values(connection)
        connection.execute(_ENGINE)


def _copy(url: str, filler: _Filler) -> None:
    """Values of epochs are left out: there are too many to send."""
    plain = url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(plain, autocommit=True) as connection:
        for table, columns, rows in filler.tables():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in rows:
                    copy.write_row(row)
            if "id" in columns:  # what is added later comes behind
                connection.execute(_NEXT_ID.format(table=sql.Identifier(table), name=table))
        connection.execute(_ENGINE)
        connection.execute("ANALYZE")


def _plan(study: str, n_trials: int, n_epochs: int, n_seeds: int) -> Plan:
    plain: dict[str, Any] = {
        "name": study,
        "seeds": list(range(n_seeds)),
        "training": {"epochs": n_epochs, "batch_size": 32},
    }
    if study == FUNCTION:
        stage = {"lr": {"log_range": [1e-4, 1.0]}, "depth": [1, 2, 3], "strategy": "random"}
        plain |= {
            "function": {"target": "own:train", "metric": "loss"},
            "search": [{"stages": [stage | {"trials": n_trials}]}],
        }
        return make_plan(parse(plain, source="the benchmark"))
    stage = {"lr": {"log_range": [1e-4, 1.0]}, "strategy": "random"}
    share = {"trials": n_trials // len(_SEARCHES)}
    card = build(ProblemRef(target="digits")).card
    metrics = {task.name: {metric.name: 0.5 for metric in task.metrics} for task in card.tasks}
    plain |= {
        "problem": "digits",
        "baseline": {"metrics": metrics},
        "search": [{"weighting": list(_SEARCHES), "stages": [stage | share]}],
    }
    return make_plan(parse(plain, source="the benchmark"))


def _baseline(plan: Plan) -> Baseline:
    values = [
        BaselineValue(task=task, metric=metric, split=split, value=0.5, params=None)
        for task, metric, _ in plan.metrics
        for split in ("validation", "test")
    ]
    return Baseline(hash="b" * 64, source="imported", values=values)


class _Filler:
    """The rows of all tables that hold what runs came to."""

    def __init__(
        self,
        plan: Plan,
        study_id: int,
        searches: dict[str, int],
        worker: int,
        *,
        n_trials: int,
        n_epochs: int,
    ) -> None:
        self._plan, self._study, self._worker = plan, study_id, worker
        self._searches = [searches[search.name] for search in plan.searches]
        self._n_trials, self._n_epochs = n_trials, n_epochs
        self._n_seeds = len(plan.spec.seeds)
        self._series = list(enumerate(_series(plan), start=1))
        self._rng = random.Random(0)

    def tables(self) -> Iterator[tuple[str, Sequence[str], _Rows]]:
        """Name, columns and rows of each table but that of epochs' values."""
        for table, rows in (
            ("stages", self._stages()),
            ("trials", self._trials()),
            ("proposals", self._proposals()),
            ("runs", self._runs()),
            ("attempts", self._attempts()),
            ("series", ((k, self._study, *names) for k, names in self._series)),
            ("epochs", self._epochs()),
            ("scores", self._scores()),
        ):
            yield table, _COLUMNS[table], rows

    def _search_of(self, trial: int) -> tuple[int, int]:
        """A trial's search, and its number there."""
        number, place = divmod(trial - 1, len(self._searches))
        return self._searches[place], number

    def _stages(self) -> _Rows:
        tuned = "depth,lr" if self._plan.spec.function is not None else "lr"
        return ((search, 0, "random", tuned) for search in self._searches)

    def _trials(self) -> _Rows:
        for trial in range(1, self._n_trials + 1):
            lr = round(10 ** self._rng.uniform(-4, 0), 5)
            own = {"depth": trial % 3 + 1} if self._plan.spec.function else {"weight_decay": 0.0}
            # the trial's number keeps points apart, in digits that no rate has
            yield trial, *self._search_of(trial), canonical({"lr": lr + trial * 1e-11, **own})

    def _proposals(self) -> _Rows:
        for trial in range(1, self._n_trials + 1):
            search, number = self._search_of(trial)
            yield trial, search, 0, number, 0, trial, 1

    def _runs(self) -> _Rows:
        role = "function" if self._plan.spec.function is not None else "search"
        for run, trial, seed in self._each():
            search, number = self._search_of(trial)
            yield (
                *(run, self._study, search, trial, role, seed, f"run{run}", f"pack{seed}"),
                *("done", 0, 1, number, self._n_epochs, self._n_epochs, 1, ""),
            )

    def _attempts(self) -> _Rows:
        for run, _, _ in self._each():
            begin = _STARTED + timedelta(seconds=run)
            yield (
                # the first attempt is the worker's start
                *(run + 1, self._study, run, self._worker, 1, "run", "finished", ""),
                *(begin.isoformat(), (begin + timedelta(seconds=5)).isoformat()),
                *(0.1, 4.0, 0.5, self._n_epochs, 0, 640),
            )

    def _epochs(self) -> _Rows:
        for run, _, _ in self._each():
            for epoch in range(1, self._n_epochs + 1):
                yield run, epoch, run + 1, 0.2 + run * 1e-6, 0.025, 32

    def multiply_values(self, connection: sqlite3.Connection) -> None:
        """Most rows by far: multiplied by the database itself, in the order of their keys."""
        connection.execute("CREATE TEMP TABLE shapes (epoch INTEGER, series INTEGER, value REAL)")
        connection.executemany(
            "INSERT INTO shapes VALUES (?, ?, ?)",
            (
                (epoch, series, 0.5 * math.exp(-epoch / 5) + 0.001 * series)
                for epoch in range(1, self._n_epochs + 1)
                for series, _ in self._series
            ),
        )
        connection.execute(_VALUES)

    def _scores(self) -> _Rows:
        objective = self._plan.searches[-1].objective
        for run, trial, _ in self._each():
            value = ((trial * 7919) % 1000) / 10 - 50
            values = (value, value + 0.5)
            delta_m = values if objective.needs_baseline else (None, None)
            yield run, "b" * 64, self._n_epochs, *values, *delta_m, objective.name

    def _each(self) -> Iterator[tuple[int, int, int]]:
        """Run, trial, seed."""
        for trial in range(1, self._n_trials + 1):
            for seed in range(self._n_seeds):
                yield (trial - 1) * self._n_seeds + seed + 1, trial, seed


def _series(plan: Plan) -> list[tuple[str, str, str]]:
    """Split, task, metric of all values of an epoch."""
    if plan.spec.function is not None:
        ((task, metric, _),) = plan.metrics
        return [("validation", task, metric)]
    found = [("train", t.name, m) for t in plan.card.tasks for m in ("loss", "weight")]
    for split in ("validation", "test"):
        found += [(split, t.name, "loss") for t in plan.card.tasks]
        found += [(split, task, metric) for task, metric, _ in plan.metrics]
    return found


_COLUMNS: dict[str, Sequence[str]] = {
    "stages": ("search_id", "stage", "kind", "params_tuned"),
    "trials": ("id", "search_id", "number", "params"),
    "proposals": ("id", "search_id", "stage", "number", "round", "trial_id", "standing"),
    "runs": (
        *("id", "study_id", "search_id", "trial_id", "role", "seed", "run_key", "pack_key"),
        *("state", "queue_rank", "planned", "trial_number", "epochs_planned", "epochs_done"),
        *("token", "reason"),
    ),
    "attempts": (
        *("id", "study_id", "run_id", "worker_id", "token", "kind", "state", "detail"),
        *("started_at", "ended_at", "startup_s", "train_s", "validation_s", "epochs", "samples"),
        "grad_evals",
    ),
    "series": ("id", "study_id", "split", "task", "metric"),
    "epochs": ("run_id", "epoch", "attempt_id", "train_s", "validation_s", "grad_evals"),
    "scores": (
        *("run_id", "baseline_hash", "epoch_selected", "value_val", "value_test"),
        *("delta_m_val", "delta_m_test", "objective"),
    ),
}
_ENGINE = "UPDATE searches SET engine = 'fused'"
_NEXT_ID = sql.SQL("SELECT setval(pg_get_serial_sequence({name}, 'id'), max(id)) FROM {table}")
_VALUES = """
INSERT INTO epoch_values (run_id, epoch, series_id, value)
SELECT runs.id, shapes.epoch, shapes.series,
       0.3 + 0.4 * (runs.trial_id * 7919 % 1000) / 1000 + 0.01 * runs.seed + shapes.value
FROM runs CROSS JOIN shapes
"""
