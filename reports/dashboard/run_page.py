"""One run: its curves, loss weights, attempts and what went wrong."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports._palette import task_colour
from reports.dashboard.pages import unchanged
from reports.dashboard.site import NotThere, Site
from reports.dashboard.trials_page import run_row
from storage.records import StudyRecord

_SPLITS: Final = ("train", "validation", "test")
_WEIGHT: Final = "loss_weight"
_PATIENT_S: Final = 60.0  # until all runs are known
_MOST_ROWS: Final = 200
_DASHES: Final = {"train": [4, 4], "validation": [], "test": [1, 3]}

Series = dict[tuple[str, str, str], dict[int, float]]
"""Epoch to value, by (metric, task, split)."""


def run_page(site: Site, request: Request) -> Response:
    """A run.

    Raises:
        NotThere: There is no such study or run.
    """
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=_PATIENT_S)
    if (nothing_new := unchanged(request, study.mirror.cursor)) is not None:
        return nothing_new
    run = request.path_params["run"]
    with study.lock:
        mirror = study.mirror
        row = mirror.row_of(run)
        if row is None:
            raise NotThere(f"The study {record.name} has no run {run}.")
        at = int(mirror.column("trial")[row])
        facts, trial, cursor = run_row(mirror, row), mirror.trials[at], mirror.cursor
    series = _series(site, record, run)
    context = {
        "study": record,
        "tab": "/trials",
        "run": facts,
        "trial": trial,
        "trial_at": at,
        "shows_test": not record.sealed,
        "charts": [{"of": name, "title": _title(name)} for name in _metrics(series)],
        "table": _table(series),
        "attempts": site.reader.attempts_of(record.id, run),
    }
    return site.pages.answer(request, "run", context, cursor=cursor)


def run_json(site: Site, request: Request) -> Response:
    """The curves of one metric of a run, by task and split.

    Raises:
        NotThere: There is no such study.
    """
    record = site.record(request)
    series = _series(site, record, request.path_params["run"])
    of = request.query_params.get("of", "")
    tasks = [task["name"] for task in record.card.get("tasks", ())]
    found = []
    for (metric, task, split), values in series.items():
        if metric != of:
            continue
        colour = task_colour(tasks.index(task) if task in tasks else len(tasks))
        epochs = sorted(values)
        found.append(
            {
                "name": " ".join(filter(None, (task, split))),
                "colour": colour,
                "dash": _DASHES[split],
                "x": epochs,
                "y": [values[epoch] for epoch in epochs],
            }
        )
    return JSONResponse(
        {"kind": "lines", "x": "Epoch", "y": _title(of), "log": False, "series": found}
    )


def _series(site: Site, record: StudyRecord, run: int) -> Series:
    found: Series = defaultdict(dict)
    for split in _SPLITS:
        names, values = site.reader.epochs(record.name, split=split, runs=[run])
        for _, epoch, series, value in values:
            task, metric = names[series]
            found[metric, task, split][epoch] = value
    return dict(found)


def _metrics(series: Series) -> list[str]:
    """Metrics in the order in which they are shown: loss weights last."""
    names = dict.fromkeys(metric for metric, _, _ in series)
    return sorted(names, key=lambda name: name == _WEIGHT)


def _title(metric: str) -> str:
    plain = metric.replace("_", " ")
    return plain[:1].upper() + plain[1:]


def _table(series: Series) -> dict[str, Any]:
    epochs = sorted({epoch for values in series.values() for epoch in values})
    nothing = float("nan")
    return {
        "names": [" ".join(filter(None, (task, metric, split))) for metric, task, split in series],
        "total": len(epochs),
        "rows": [
            [epoch, *(values.get(epoch, nothing) for values in series.values())]
            for epoch in epochs[-_MOST_ROWS:]
        ],
    }
