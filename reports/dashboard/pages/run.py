"""One run: its curves, loss weights, attempts, what they cost, printed and failed for."""

from __future__ import annotations

from functools import partial

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports.dashboard.concluding.printed import printed_by
from reports.dashboard.following.mirror import Mirror
from reports.dashboard.following.ranked import objective_of
from reports.dashboard.pages.trial import named_costs, origin_of, run_row, value_titles
from reports.dashboard.showing.conflict_lines import (
    conflict_charts,
    conflicts_drawn,
    is_of_gradients,
)
from reports.dashboard.showing.exhibits import fingerprints, shown_exhibits
from reports.dashboard.showing.run_curves import charts, drawn, series_of, table
from reports.dashboard.site import PATIENT_S, NotThere, Site


def run_page(site: Site, request: Request) -> Response:
    """A run.

    Raises:
        NotThere: There is no such study or run.
        NothingNew: Nothing has changed.
    """
    study = site.study(request, within_s=PATIENT_S)
    record, run = study.record, request.path_params["run"]
    with study.lock:
        mirror = study.mirror
        row = mirror.row_of(run)
        if row is None:
            raise NotThere(f"The study {record.name} has no run {run}.")
        at = int(mirror.column("trial")[row])
        facts, trial, cursor = run_row(mirror, row), mirror.trials[at], mirror.cursor
        paid_s, origin = _paid_s(mirror, run), origin_of(trial)
        parent = origin and _run_of(mirror, trial.search, origin.trial, facts["seed"])
    attempts = site.reader.attempts_of(record.id, run)
    shown = site.reader.exhibits(record.name, runs=[run])
    context = {
        "study": record,
        "tab": "/trials",
        "run": facts,
        "trial": trial,
        "origin": origin,
        "parent": parent,
        "method": study.titles().get(trial.search, trial.search),
        "objective": objective_of(record, trial.search),
        "titles": value_titles(record, trial.search),
        "costs": named_costs(site.reader.costs_of([run]).values()),
        "charts": [*charts(record, trial.search), *conflict_charts(record)],
        "table": table(series_of(site.reader, record, [run])),
        "rounds": site.reader.rounds_of([run]),
        "exhibits_title": "What it shows",
        "exhibits": partial(shown_exhibits, record, run, shown),
        # the latest first: it is what one has come for
        "attempts": list(zip(attempts, [*paid_s, *[None] * len(attempts)], strict=False))[::-1],
        "printed": printed_by(site.outputs, attempts),
    }
    made_of = {"exhibits": fingerprints(shown)}
    return site.pages.answer(request, "run", context, cursor=cursor, made_of=made_of)


def run_json(site: Site, request: Request) -> Response:
    """The curves of one metric of a run, by task and split.

    Raises:
        NotThere: There is no such study.
    """
    record, of = site.record(request), request.query_params.get("of", "")
    if is_of_gradients(of):
        runs = [request.path_params["run"]]
        return JSONResponse(conflicts_drawn(site.reader, record, runs, of))
    series = series_of(site.reader, record, [request.path_params["run"]])
    return JSONResponse(drawn(record, series, request))


def _run_of(mirror: Mirror, search: str, trial: int, seed: int) -> int | None:
    """The run of a trial on a seed; None if it is not known."""
    place = mirror.trials.place_of(search, trial)
    if place is None:
        return None
    found = (mirror.column("trial") == place) & (mirror.column("seed") == seed)
    return next(iter(mirror.column("run")[found].tolist()), None)


def _paid_s(mirror: Mirror, run: int) -> list[float]:
    """Device-seconds of a run's attempts, in their order."""
    attempts = mirror.attempts
    at = np.flatnonzero(attempts["run"] == run)
    at = at[np.argsort(attempts["started_s"][at], kind="stable")]
    found: list[float] = attempts["device_s"][at].tolist()
    return found
