"""Small specs as plain values, to be changed in one place a test."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from storage import Storage
from storage.objectives.task_metric import task_metric
from storage.records import StudyRecord
from study.planning.plan import Plan, make_plan
from study.planning.search_plan import Search
from study.spec.study_spec import StudySpec, parse

_BASE: dict[str, Any] = {
    "name": "tried",
    "problem": "digits",
    "seeds": [0, 1],
    "training": {"epochs": 3, "batch_size": 8},
    "search": [{"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]}],
}


def plain(change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
    """A valid spec as plain values, changed in place by `change`."""
    spec = deepcopy(_BASE)
    if change is not None:
        change(spec)
    return spec


def spec_of(**keys: Any) -> StudySpec:
    """A valid spec with some keys replaced."""
    return parse(plain() | keys, source="of the test")


def a_plan(*searches: dict[str, Any], **keys: Any) -> Plan:
    """The plan of these searches."""
    return make_plan(spec_of(**({"search": list(searches)} if searches else {}), **keys))


METRIC = task_metric(("sum", "mae", "min"), ())
"""An objective that needs no baseline."""


def stored(plan: Plan, storage: Storage) -> StudyRecord:
    """The study of a plan in a database."""
    return storage.save_study(
        name=plan.spec.name,
        spec=plan.spec.to_plain(),
        card=plan.stored_card,
        fingerprint=plan.frozen,
        searches=[(search.name, search.role, search.weighting) for search in plan.searches],
    )


def a_search(weighting: str, *stages: dict[str, Any], **keys: Any) -> Search:
    """One planned search; further keys go into its table, `training` into the spec."""
    of_spec = {key: keys.pop(key) for key in ("training", "baseline") if key in keys}
    table = {"weighting": weighting, "stages": list(stages), **keys}
    return a_plan(table, **of_spec).searches[-1]
