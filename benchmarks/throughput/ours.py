"""Weighbridge: one command on a spec, in an empty folder, with a new database."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

from benchmarks.throughput.workload import Finals, Point, Workload
from trainers.jobs import ProblemRef
from trainers.problems import build

_STUDY, _WORKERS = "benchmark", 2
_LAST_END = "SELECT max(ended_at) FROM attempts WHERE kind = 'run'"
_LAST_EPOCHS = """
    SELECT r.params, m.split, m.task, m.metric, m.value
    FROM run_results r
    JOIN epoch_metrics m ON m.study = r.study AND m.run = r.run AND m.epoch = r.epochs
    WHERE r.state = 'done' AND r.epochs = ? AND m.split <> 'train'
"""


def commands(folder: Path, workload: Workload, *options: str) -> list[list[str]]:
    (folder / "spec.toml").write_text(_spec(workload))
    command = [str(Path(sys.executable).with_name("weighbridge")), "run", "spec.toml"]
    storage = f"sqlite:///{_file(folder)}"
    return [[*command, "--workers", str(_WORKERS), "--storage", storage, *options]]


def finals(folder: Path, workload: Workload) -> Finals:
    numbers = {point: number for number, point in enumerate(workload.points)}
    found: dict[int, dict[str, float]] = {}
    with closing(sqlite3.connect(_file(folder))) as connection:
        for params, split, task, metric, value in connection.execute(
            _LAST_EPOCHS, [workload.epochs]
        ):
            number = numbers[_point(json.loads(params), len(workload.points[0].weights))]
            found.setdefault(number, {})[f"{split}/{task}/{metric}"] = value
    return found


def stored(folder: Path) -> float:
    """When the end of the last run was written."""
    with closing(sqlite3.connect(_file(folder))) as connection:
        (ended,) = connection.execute(_LAST_END).fetchone()
    return datetime.fromisoformat(ended).timestamp()


def _point(params: dict[str, object], n_tasks: int) -> Point:
    """EW has no weights to tune: it weighs each task with 1."""
    weights = params.pop("task_weights", [1.0] * n_tasks)
    return Point(weights=tuple(weights), **params)  # type: ignore[arg-type]


def _file(folder: Path) -> Path:
    return folder / "weighbridge.db"


def _spec(workload: Workload) -> str:
    """Numbers for the baseline are given, so that no single-task networks are trained."""
    problem = build(ProblemRef(target=workload.problem, options=workload.options))
    baseline = [
        f"{task.name} = {{ {', '.join(f'{metric.name} = 1.0' for metric in task.metrics)} }}"
        for task in problem.card.tasks
    ]
    return "\n".join(
        [
            f'name = "{_STUDY}"',
            f'problem = "{workload.problem}"',
            f"seeds = [{workload.seed}]",
            "[problem_options]",
            *(f"{name} = {json.dumps(value)}" for name, value in workload.options.items()),
            "[training]",
            f"epochs = {workload.epochs}",
            f"batch_size = {workload.batch_size}",
            'optimizer = "adam"',
            f"lr = {workload.points[0].lr}",
            "[baseline.metrics]",
            *baseline,
            "[[search]]",
            f'weighting = "{workload.weighting}"',
            f"stages = [{workload.stage}]",
        ]
    )
