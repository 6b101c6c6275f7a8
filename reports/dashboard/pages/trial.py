"""One trial: its point, what it came to, its runs, and the means of their curves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports._naming import point_of
from reports._palette import method_colour
from reports._ranking import axis_title
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.measured import COSTS
from reports.dashboard.following.mirror import STATES, Mirror
from reports.dashboard.following.ranked import objective_of
from reports.dashboard.following.trial_keys import TrialKey
from reports.dashboard.following.trial_rows import TRIAL_STATES
from reports.dashboard.rendering.words import cost
from reports.dashboard.showing.conflict_lines import (
    conflict_charts,
    conflicts_drawn,
    is_of_gradients,
)
from reports.dashboard.showing.exhibits import fingerprints, shown_exhibits
from reports.dashboard.showing.run_curves import charts, drawn, seeds_said, series_of, table
from reports.dashboard.showing.trial_table import cost_kind
from reports.dashboard.site import PATIENT_S, NotThere, Site
from search_spaces.lineage import Origin
from storage.records import RunCosts, StudyRecord


def trial_page(site: Site, request: Request) -> Response:
    """One trial.

    Raises:
        NotThere: There is no such study or trial.
        NothingNew: Nothing has changed.
    """
    study = site.study(request, within_s=PATIENT_S)
    record = study.record
    with study.lock:
        mirror, columns = study.mirror, study.columns()
        at = _place(study, request)
        runs = _runs(mirror, at)
        trial, cursor = mirror.trials[at], mirror.cursor
        facts = {
            "state": TRIAL_STATES[columns.state[at]],
            "value_val": float(columns.value[at]),
            "value_test": float(columns.value_test[at]),
            "epochs": int(columns.epochs[at]),
            "device_s": float(columns.device_s[at]),
        }
    own = [one["run"] for one in runs if not one["confirms"]]
    # in order, so that of each run the last one stays
    rounds = {of.run: of.round for of in site.reader.rounds_of([one["run"] for one in runs])}
    # of one seed: those of all would be hundreds of pictures
    first = min(runs, key=lambda one: (one["confirms"], one["seed"]))
    shown = site.reader.exhibits(record.name, runs=[first["run"]])
    context = {
        "study": record,
        "tab": "/trials",
        "trial": trial,
        "origin": origin_of(trial),
        "method": study.titles().get(trial.search, trial.search),
        "colour": method_colour(study.weightings().get(trial.search, trial.search)),
        "facts": facts,
        "objective": objective_of(record, trial.search),
        "titles": value_titles(record, trial.search),
        "costs": named_costs(site.reader.costs_of([one["run"] for one in runs]).values()),
        "runs": runs,
        "rounds": rounds if max(rounds.values(), default=1) > 1 else {},
        "seeds_said": seeds_said([one["epochs"] for one in runs if not one["confirms"]]),
        "charts": [*charts(record, trial.search), *conflict_charts(record)],
        "table": table(series_of(site.reader, record, own)),
        "exhibits_title": f"What its run on seed {first['seed']} shows",
        "exhibits": partial(shown_exhibits, record, first["run"], shown),
    }
    made_of = {"exhibits": fingerprints(shown)}
    return site.pages.answer(request, "trial", context, cursor=cursor, made_of=made_of)


def trial_json(site: Site, request: Request) -> Response:
    """Means over a trial's seeds of one metric, by task and split, or of its gradients.

    Raises:
        NotThere: There is no such study or trial.
    """
    study = site.study(request, within_s=PATIENT_S)
    with study.lock:
        runs = _runs(study.mirror, _place(study, request))
    own = [one["run"] for one in runs if not one["confirms"]]
    if is_of_gradients(of := request.query_params.get("of", "")):
        return JSONResponse(conflicts_drawn(site.reader, study.record, own, of))
    series = series_of(site.reader, study.record, own)
    return JSONResponse(drawn(study.record, series, request))


def origin_of(trial: TrialKey) -> Origin | None:
    """Where a child of a population comes from; None of a trial that begins by itself."""
    return Origin.of(point_of(trial.params))


def run_row(mirror: Mirror, row: int) -> dict[str, Any]:
    """A run's columns as plain values, its state by name."""
    names = ("run", "seed", "epochs", "value_val", "value_test", "device_s", "attempts", "confirms")
    plain = {name: mirror.column(name)[row].item() for name in names}
    return plain | {"state": STATES[mirror.column("state")[row]].value}


def value_titles(record: StudyRecord, search: str) -> dict[str, str]:
    """What values of a search's trials are, by where they stand; no test values if sealed."""
    objective = objective_of(record, search)
    splits = {"value_val": "Validation"} | ({} if record.sealed else {"value_test": "Test"})
    return {name: axis_title(objective, split) for name, split in splits.items()}


def named_costs(costs: Iterable[RunCosts]) -> list[tuple[str, str]]:
    """What some runs have used together, in words; what is not known is left out."""
    found: dict[str, float] = {}
    for one in costs:
        for name in COSTS:
            value = getattr(one, name)
            if value:
                most = name == "peak_memory_bytes"
                found[name] = max(found.get(name, 0), value) if most else found.get(name, 0) + value
    return [
        (title, cost(found[name], cost_kind(name)))
        for name, title in COSTS.items()
        if name in found
    ]


def _place(study: Followed, request: Request) -> int:
    """The trial that the address names by its search and its number there; with the lock held."""
    number, search = request.path_params["trial"], request.query_params.get("search")
    if search is None:
        raise NotThere(
            f"Trials are numbered in their searches, and the address of trial {number} must name "
            f"its own, as ?search=NAME does. The list of trials leads to all of them."
        )
    place = study.mirror.trials.place_of(search, number)
    if place is None:
        raise NotThere(
            f"The study {study.record.name} has no trial {number} of a search {search!r}."
        )
    return place


def _runs(mirror: Mirror, place: int) -> list[dict[str, Any]]:
    """A trial's runs; with the lock held."""
    rows = np.flatnonzero(mirror.column("trial") == place)
    return [run_row(mirror, int(row)) for row in rows]
