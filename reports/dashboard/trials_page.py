"""A study's trials, filtered and sorted, as a page and as CSV; and one trial with its runs."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reports._palette import method_colour
from reports._ranking import axis_title
from reports.dashboard.following import Followed
from reports.dashboard.mirror import STATES, Mirror
from reports.dashboard.pages import query, unchanged, whole_number
from reports.dashboard.site import PATIENCE_S, NotThere, Site
from reports.dashboard.trial_rows import SORTED_BY, TRIAL_STATES, TrialColumns, page_of
from storage.objectives import Objective, known
from storage.objectives.delta_m import NAME as DELTA_M
from storage.objectives.task_metric import primary
from storage.records import StudyRecord

_CONDITION: Final = re.compile(r"\s*([\w.\-]+)\s*(<=|>=|!=|=|<|>)\s*(\S+)\s*")
_COMPARED: Final[Mapping[str, Any]] = {
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "<": np.less,
    ">": np.greater,
}
_TITLES: Final = (
    ("value", "Validation"),
    ("test", "Test"),
    ("state", "State"),
    ("cost", "Device time"),
    ("search", "Trial"),
    ("", "Parameters"),
    ("", "Runs"),
    ("epochs", "Epochs"),
)
_PATIENT_S: Final = 60.0  # for what makes no sense before all trials are known
_ALONE: Final = "stl/"
_VALUES: Final = ("value", "test")
_WORDS: Final = ("state", "search", "Parameters")


class BadFilter(ValueError):
    """A filter that cannot be understood; the text says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which trials, in which order."""

    keep: NDArray[np.bool_]
    sort: str
    descending: bool
    trouble: str


def trials_page(site: Site, request: Request) -> Response:
    """A page of trials.

    Raises:
        NotThere: There is no such study.
    """
    record = site.record(request)
    study = site.followed(record)
    filled = study.catch_up(within_s=PATIENCE_S)
    if (nothing_new := unchanged(request, study.mirror.cursor)) is not None:
        return nothing_new
    params = request.query_params
    with study.lock:
        columns, mirror = study.columns(), study.mirror
        objective = _objective(record, params.get("search"))
        wanted = _wanted(study, objective, params)
        page = page_of(
            columns,
            keep=wanted.keep,
            sort=wanted.sort,
            descending=wanted.descending,
            after=whole_number(params.get("after", "")),
        )
        rows = [_row(study, columns, int(at)) for at in page.rows]
        total, searches = len(mirror.trials), sorted({one.search for one in mirror.trials})
        cursor = mirror.cursor
    context = {
        "study": record,
        "tab": "/trials",
        "rows": rows,
        "matching": page.matching,
        "total": total,
        "following": page.following,
        "filled": filled,
        "trouble": wanted.trouble,
        "searches": searches,
        "states": TRIAL_STATES,
        "columns": list(_columns(params, wanted, objective, shows_test=not record.sealed)),
        "shows_test": not record.sealed,
    }
    return site.pages.answer(request, "trials", context, cursor=cursor)


def trials_csv(site: Site, request: Request) -> Response:
    """All trials that a filter leaves, in its order.

    Raises:
        NotThere: There is no such study.
    """
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=_PATIENT_S)
    with study.lock:
        columns, mirror = study.columns(), study.mirror
        params = request.query_params
        wanted = _wanted(study, _objective(record, params.get("search")), params)
        every = page_of(
            columns,
            keep=wanted.keep,
            sort=wanted.sort,
            descending=wanted.descending,
            after=None,
            n=len(mirror.trials),
        )
        rows = [_row(study, columns, int(at)) for at in every.rows]
    if wanted.trouble:
        return Response(f"{wanted.trouble}\n", status_code=400, media_type="text/plain")
    headers = {"content-disposition": 'attachment; filename="trials.csv"'}
    lines = _lines(rows, shows_test=not record.sealed)
    return StreamingResponse(lines, media_type="text/csv", headers=headers)


def trial_page(site: Site, request: Request) -> Response:
    """One trial: its point and its runs.

    Raises:
        NotThere: There is no such study or trial.
    """
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=_PATIENT_S)
    if (nothing_new := unchanged(request, study.mirror.cursor)) is not None:
        return nothing_new
    at = request.path_params["trial"]
    with study.lock:
        mirror = study.mirror
        if at >= len(mirror.trials):
            raise NotThere(f"The study {record.name} has no trial at place {at}.")
        found = np.flatnonzero(mirror.column("trial") == at)
        runs = [run_row(mirror, int(row)) for row in found]
        trial, cursor = mirror.trials[at], mirror.cursor
    context = {
        "study": record,
        "tab": "/trials",
        "trial": trial,
        "runs": runs,
        "shows_test": not record.sealed,
    }
    return site.pages.answer(request, "trial", context, cursor=cursor)


def _objective(record: StudyRecord, search: str | None) -> Objective:
    """What trials are ranked by, as spec and card have it; single-task ones by their own metric."""
    tasks = record.card.get("tasks", ())
    metrics = [
        (task["name"], metric["name"], metric["direction"])
        for task in tasks
        for metric in task["metrics"]
    ]
    if record.card.get("kind") == "function":
        return primary(tasks[0]["name"], metrics)
    task = (search or "").removeprefix(_ALONE)
    if task != search and task in [one["name"] for one in tasks]:
        return primary(task, metrics)
    return known(metrics)[record.spec.get("objective") or DELTA_M]


def run_row(mirror: Mirror, row: int) -> dict[str, Any]:
    """A run's columns as plain values, its state by name."""
    names = ("run", "seed", "epochs", "value_val", "value_test", "device_s", "attempts", "confirms")
    plain = {name: mirror.column(name)[row].item() for name in names}
    return plain | {"state": STATES[mirror.column("state")[row]].value}


def _row(study: Followed, columns: TrialColumns, at: int) -> dict[str, Any]:
    trial = study.mirror.trials[at]
    return {
        "at": at,
        "search": trial.search,
        "number": trial.number,
        "params": trial.params,
        "colour": method_colour(study.weightings().get(trial.search, trial.search)),
        "state": TRIAL_STATES[columns.state[at]],
        "value": float(columns.value[at]),
        "value_test": float(columns.value_test[at]),
        "device_s": float(columns.device_s[at]),
        "runs": int(columns.runs[at]),
        "epochs": int(columns.epochs[at]),
    }


def _columns(
    params: QueryParams, wanted: _Wanted, objective: Objective, *, shows_test: bool
) -> Iterator[dict[str, Any]]:
    """The table's head: titles that sort, the other way round when they do already."""
    for sort, title in _TITLES:
        if sort == "test" and not shows_test:
            continue
        sorted_ = sort == wanted.sort and bool(sort)
        down = ("0" if wanted.descending else "1") if sorted_ else None
        yield {
            "title": axis_title(objective, title) if sort in _VALUES else title,
            "words": sort in _WORDS or title in _WORDS,
            "sorted": ("descending" if wanted.descending else "ascending") if sorted_ else "",
            "href": query(params, sort=sort, down=down, after=None) if sort else "",
        }


def _wanted(study: Followed, objective: Objective, params: QueryParams) -> _Wanted:
    """By default the methods' trials, the best first."""
    sort = params.get("sort", "value")
    sort = sort if sort in SORTED_BY else "value"
    trouble = ""
    try:
        keep = _kept(study, params)
    except BadFilter as error:
        keep, trouble = np.zeros(len(study.mirror.trials), dtype=bool), str(error)
    down = params.get("down", "1" if sort in _VALUES and objective.direction == "max" else "0")
    return _Wanted(keep=keep, sort=sort, descending=down == "1", trouble=trouble)


def _kept(study: Followed, params: QueryParams) -> NDArray[np.bool_]:
    mirror, columns = study.mirror, study.columns()
    keep = np.ones(len(mirror.trials), dtype=bool)
    if search := params.get("search"):
        keep &= np.array([one.search == search for one in mirror.trials], dtype=bool)
    else:
        keep &= np.array([one.role != "baseline" for one in mirror.trials], dtype=bool)
    if state := params.get("state"):
        keep &= columns.state == (TRIAL_STATES.index(state) if state in TRIAL_STATES else -1)
    for name, values in (("value", columns.value), ("cost", columns.device_s)):
        for end, compare in (("from", np.greater_equal), ("to", np.less_equal)):
            if text := params.get(f"{name}_{end}"):
                keep &= compare(values, _number(text))
    if where := params.get("where"):
        keep &= _where(study.points(), len(keep), where)
    return keep


def _where(points: Mapping[str, NDArray[Any]], n: int, text: str) -> NDArray[np.bool_]:
    """Trials whose parameters meet every condition of ``lr >= 0.01, temperature < 5``."""
    keep = np.ones(n, dtype=bool)
    for part in text.split(","):
        found = _CONDITION.fullmatch(part)
        if found is None:
            raise BadFilter(
                f"Conditions on parameters look like `lr >= 0.01, temperature < 5`. Got {part!r}."
            )
        name, sign, bound = found.groups()
        if name not in points:
            known = ", ".join(sorted(points))
            raise BadFilter(f"No trial has the parameter {name!r}. There are: {known}.")
        values = points[name]
        if sign in ("=", "!="):
            equal = np.array([_is(value, bound) for value in values], dtype=bool)
            keep &= equal if sign == "=" else ~equal
        else:
            numbers = [v if isinstance(v, int | float) else math.nan for v in values]
            keep &= _COMPARED[sign](np.array(numbers, dtype=np.float64), _number(bound))
    return keep


def _is(value: object, text: str) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return value == float(text)
        except ValueError:
            return False
    return str(value).casefold() == text.casefold()


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if math.isnan(found):
        raise BadFilter(f"Limits are numbers, such as 0.01 or 1e-3. Got {text!r}.")
    return found


def _lines(rows: list[dict[str, Any]], *, shows_test: bool) -> Iterator[str]:
    names = ["search", "number", "params", "state", "value", "device_s", "runs", "epochs"]
    if shows_test:
        names.insert(5, "value_test")
    yield _line(names)
    for row in rows:
        yield _line(["" if row[name] != row[name] else row[name] for name in names])


def _line(cells: list[Any]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerow(cells)
    return made.getvalue()
