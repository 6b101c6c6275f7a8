"""What runs have reported of each epoch: curves by task and split, and the table of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from starlette.requests import Request

from reports._palette import task_colour
from reports.dashboard.following.ranked import ALONE
from reports.dashboard.showing.binning import line
from storage import Reader
from storage.records import StudyRecord
from storage.scoring import mean
from storage.wording import counted

_SPLITS: Final = ("train", "validation", "test")
_LOSS, _WEIGHT = "loss", "weight"
_TITLES: Final = {_LOSS: "Loss", _WEIGHT: "Loss weight"}
_MOST_ROWS: Final = 200
_DASHES: Final = {"train": [4, 4], "validation": [], "test": [1, 3]}

Series = Mapping[tuple[str, str, str], Mapping[int, float]]
"""Epoch to value, by (metric, task, split)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The latest epochs.

    Attributes:
        total: Epochs that there are.
        rows: Each an epoch and its values, in the order of `names`; NaN where there is none.
    """

    names: Sequence[str]
    total: int
    rows: Sequence[Sequence[float]]


def series_of(reader: Reader, record: StudyRecord, runs: Sequence[int]) -> Series:
    """Means over those of some runs that have reached an epoch."""
    found: defaultdict[tuple[str, str, str], defaultdict[int, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for split in _SPLITS if runs else ():
        names, values = reader.epochs(record.name, split=split, runs=runs)
        for _, epoch, series, value in values:
            task, metric = names[series]
            found[metric, task, split][epoch].append(value)
    return {
        key: {epoch: mean(of_runs) for epoch, of_runs in by_epoch.items()}
        for key, by_epoch in found.items()
    }


def seeds_said(reached: Sequence[int]) -> str:
    """What the means of `series_of` are over: lines that end are not told from those that go on.

    Args:
        reached: Epochs of each of the seeds.
    """
    n, least = len(reached), min(reached, default=0)
    further = sorted({*reached} - {0, least})
    if not further:
        return f"Means over {counted(n, 'seed')}."
    so_many = [sum(one >= epoch for one in reached) for epoch in further]
    begun = "" if least else f" of {n}"
    said = [
        f"{m}{begun if at == 0 else ''} up to epoch {further[at]}" for at, m in enumerate(so_many)
    ]
    if least:
        over = (
            f"Means over all {n} seeds up to epoch {least}, then over those that have come further"
        )
    else:
        over = "Means over the seeds that have begun"
    return f"{over}: {', '.join(said)}."


def charts(record: StudyRecord, search: str) -> list[dict[str, str]]:
    """What a search's runs have a curve of: losses, metrics, and loss weights last.

    A network of a single task has its own metrics, and nothing to be weighted; training functions
    and trainers report what they call by names of their own.
    """
    alone = search.removeprefix(ALONE)
    tasks = [task for task in _tasks(record) if alone in (search, task["name"])]
    own = dict.fromkeys(metric["name"] for task in tasks for metric in task["metrics"])
    reports_itself = record.card.get("kind") == "function" or record.spec.get("trainer")
    names = [*own] if reports_itself else [_LOSS, *own]
    names += [_WEIGHT] if alone == search and _LOSS in names else []
    return [{"of": name, "title": _title(record, name)} for name in dict.fromkeys(names)]


def drawn(record: StudyRecord, series: Series, request: Request) -> dict[str, Any]:
    """The curves of the metric that a query string names, ready to be drawn."""
    of = request.query_params.get("of", "")
    tasks = [task["name"] for task in _tasks(record)]
    found = []
    for (metric, task, split), values in series.items():
        if metric != of or not values:
            continue
        epochs = _shown(values)
        found.append(
            {
                "name": " ".join(filter(None, (task, split, _unit(record, task, metric)))),
                "colour": task_colour(tasks.index(task) if task in tasks else len(tasks)),
                "dash": _DASHES[split],
                "x": epochs,
                "y": [values[epoch] for epoch in epochs],
            }
        )
    return {"kind": "lines", "x": "Epoch", "whole": True, "y": _title(record, of), "series": found}


def table(series: Series) -> Table:
    """The values of the latest epochs."""
    epochs = sorted({epoch for values in series.values() for epoch in values})
    nothing = float("nan")
    return Table(
        names=[" ".join(filter(None, (task, metric, split))) for metric, task, split in series],
        total=len(epochs),
        rows=[
            [epoch, *(values.get(epoch, nothing) for values in series.values())]
            for epoch in epochs[-_MOST_ROWS:]
        ],
    )


def _tasks(record: StudyRecord) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = record.card.get("tasks", ())
    return found


def _metrics(record: StudyRecord, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Metrics of that name, with their tasks."""
    for task in _tasks(record):
        yield from ((task["name"], one) for one in task["metrics"] if one["name"] == name)


def _title(record: StudyRecord, name: str) -> str:
    """The metric's title, if all tasks that have it call it the same."""
    titles = {str(one.get("title") or "") for _, one in _metrics(record, name)} - {""}
    plain = name.replace("_", " ")
    known = _TITLES.get(name) or (titles.pop() if len(titles) == 1 else "")
    return known or plain[:1].upper() + plain[1:]


def _unit(record: StudyRecord, task: str, name: str) -> str:
    """`` (m)``; nothing for shares and where there is none."""
    units = {str(one.get("unit", "")) for of, one in _metrics(record, name) if of == task}
    unit = units.pop() if units else ""
    return f"({unit})" if unit not in ("", "1") else ""


def _shown(values: Mapping[int, float]) -> list[int]:
    """The epochs that a picture has pixels for."""
    epochs = sorted(values)
    at = line(np.array(epochs, dtype=np.float64), np.array([values[one] for one in epochs]))
    return [epochs[one] for one in at]
