"""A study about which nothing is to be noted, and what is noted once it is changed."""

import functools
import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from reports import Note, StudyFrames, load
from reports.notes import condition_notes as condition
from reports.notes import cost_notes as cost
from reports.notes import data_notes as data
from reports.notes import edge_notes as edge
from reports.notes import training_notes as training
from reports.notes import value_notes as value
from tests.unit.reports import synthetic
from tests.unit.reports.synthetic import FakeReader

RULES: Final[Mapping[str, Callable[[StudyFrames], Iterator[Note]]]] = {
    "asynchronous stopping": condition.told_everywhere,
    "baseline edge": edge.baseline_on_edge,
    "baseline imported": condition.baseline_imported,
    "baseline undertrained": training.baseline_undertrained,
    "baseline untuned": edge.baseline_untuned,
    "cost not calibrated": cost.not_calibrated,
    "data": data.data_caveats,
    "equal weighting": edge.equal_weighting,
    "equal weighting tuned less": condition.equal_weighting_tuned_less,
    "few distinct samples": data.few_distinct,
    "few seeds": condition.few_seeds,
    "fixed beforehand": condition.fixed_beforehand,
    "head start": condition.head_start,
    "learning rate edge": edge.optimum_on_edge,
    "losses not positive": data.losses_not_positive,
    "margin below resolution": value.margin_below_resolution,
    "mixed code versions": condition.mixed_conditions,
    "mixed devices": condition.mixed_conditions,
    "mixed hardware": condition.mixed_conditions,
    "mixed user code": condition.mixed_user_code,
    "no longer planned": cost.no_longer_planned,
    "one metric": value.one_metric,
    "signed metric": data.signed_metrics,
    "small validation": data.small_validation,
    "solo-equivalent cost": cost.solo_equivalent,
    "task weights edge": edge.weights_on_edge,
    "temperature edge": edge.optimum_on_edge,
    "undertrained": training.undertrained,
    "unequal effort": condition.unequal_effort,
    "unequal grids": condition.unequal_grids,
    "unequal seeds": condition.unequal_seeds,
    "unlike values": value.unlike_values,
    "weight decay edge": edge.optimum_on_edge,
}
"""The rule that finds each kind of note."""


def sound() -> FakeReader:
    """A study about which nothing is to be noted; the caller's own, to change as it likes."""
    made: FakeReader = pickle.loads(_pickled())
    return made


@functools.cache
def _pickled() -> bytes:
    made = synthetic.reader(epochs=12)
    made.rows["epoch_metrics"] = []  # no note needs them, and they are most of the study
    made.card["sizes"]["validation"] = 200_000
    made.card["caveats"] = []
    made.spec["compare"]["margin"] = 2.0  # which three seeds of this study can tell
    return pickle.dumps(made)


def notes_of(made: FakeReader, kind: str) -> list[Note]:
    """What the rule of this kind finds; that reports ask all rules is a test of its own."""
    return [note for note in RULES[kind](load(made, "x")) if note.kind == kind]


def runs_of(made: FakeReader, search: str) -> list[dict[str, Any]]:
    return [row for row in made.rows["run_results"] if row["search"] == search]


def set_best(made: FakeReader, search: str, **wanted: Any) -> None:
    """Make the trials with these parameters the best of their search by far."""
    for row in runs_of(made, search):
        params = json.loads(row["params"])
        if all(params[name] == value for name, value in wanted.items()):
            row["delta_m_val"] = row["delta_m_test"] = -50.0


def drop_trials(made: FakeReader, search: str, **unwanted: Any) -> None:
    """Leave out the trials with these parameters, as if they were not in the spec."""
    gone = {
        row["trial"]
        for row in runs_of(made, search)
        if all(json.loads(row["params"])[name] == value for name, value in unwanted.items())
    }
    for view in ("run_results", "stage_trials"):
        made.rows[view] = [
            row for row in made.rows[view] if row["search"] != search or row["trial"] not in gone
        ]


def params_of(made: FakeReader, points: Sequence[Mapping[str, Any]]) -> None:
    """Give the trials these parameters, in the order of their numbers."""
    for row in made.rows["run_results"]:
        row["params"] = json.dumps(points[row["trial"]], sort_keys=True)


def change_metrics(made: FakeReader, search: str, *values: float) -> None:
    """Let all runs of a search end with these metrics; the baseline has 10 of each."""
    for row in made.rows["baseline_metrics"]:
        row["value"] = 10.0
    made.rows["epoch_metrics"] += [
        {"study": synthetic.STUDY, "run": row["run"], "epoch": row["epoch_selected"]}
        | {"split": "test", "task": task, "metric": metric, "value": value}
        for row in runs_of(made, search)
        if row["epoch_selected"]
        for (task, metric, _), value in zip(synthetic.METRICS, values, strict=True)
    ]
