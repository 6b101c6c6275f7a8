"""Made-up trials for search views."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from reports.dashboard.concluding.conclusions import TaskMetrics
from reports.dashboard.following.ranked import objective_of
from reports.dashboard.views import Cloud, Seen
from storage.records import StudyRecord

WEIGHTINGS = ("uw-so", "scalarization")
TITLES = ("UW-SO", "Scalarization")


def record(n_tasks: int = 3, *, function: bool = False) -> StudyRecord:
    metric = {"name": "error", "direction": "min"}
    tasks = [{"name": f"t{k}", "title": f"Task {k}", "metrics": [metric]} for k in range(n_tasks)]
    return StudyRecord(
        id=7,
        name="s",
        spec={"objective": None},
        card={"tasks": tasks[:1] if function else tasks, "kind": "function" if function else "mtl"},
        fingerprint="f",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        birth="b",
        key_name="s",
        first_name="s",
        plan="p",
    )


def cloud(
    value: Sequence[float],
    *,
    n_tasks: int = 3,
    titles: Sequence[str] = TITLES,
    **parameters: Sequence[float],
) -> Cloud:
    """Trials of two methods in turn; values that are not finite are of trials that diverged."""
    n = len(value)
    values = np.array(value, dtype=np.float64)
    lost = ~np.isfinite(values)
    return Cloud(
        study=7,
        objective=objective_of(record(n_tasks)),
        at=np.arange(n),
        code=np.arange(n) % 2,
        number=np.arange(n) // 2,
        value=np.where(lost, np.inf, values),
        test=np.where(lost, np.nan, values + 0.5),
        lost=np.where(lost, "diverged", ""),
        parameters={k: np.array(v, dtype=np.float64) for k, v in parameters.items()},
        searches=WEIGHTINGS,
        titles=tuple(titles),
        weightings=WEIGHTINGS,
        tasks=tuple(f"t{k}" for k in range(n_tasks)),
    )


def seen(
    trials: Cloud,
    answers: Mapping[str, Any] | None = None,
    params: Mapping[str, str] | None = None,
) -> Seen:
    def point(at: int) -> str:
        row = trials.at.tolist().index(at)
        known = {name: float(column[row]) for name, column in trials.parameters.items()}
        return json.dumps({name: v for name, v in known.items() if np.isfinite(v)})

    ask: Callable[..., Any] = lambda about, *_: (answers or {}).get(about)  # noqa: E731
    return Seen(
        record=record(len(trials.tasks)), cloud=trials, params=params or {}, point=point, ask=ask
    )


def metrics(trials: Cloud, values: np.ndarray[Any, Any]) -> TaskMetrics:
    """Metrics of the trials, ``[N, M]``, one a task."""
    names = [f"{task} error" for task in trials.tasks[: values.shape[1]]]
    return TaskMetrics(
        searches=trials.searches,
        search=trials.code,
        number=trials.number,
        values=values,
        names=names,
        titles=names,
        primary=names,
        signs=[1] * len(names),
        alone=[0.5] * len(names),
    )
