"""Samplers of Optuna by name: what they promise beyond every strategy's promises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest

from search_spaces import Point, canonical, space_from_plain
from study.errors import BadSpec
from study.searches import Tried, wish
from study.searches.samplers import refuse_unmade
from tests.contract.test_searches import played, stage_of, tried, view_of
from tests.unit.study.specs import a_plan

# sampler, its options for a short search
LEARNING = [
    ("GPSampler", {"n_startup_trials": 3, "deterministic_objective": True}),
    ("NSGAIISampler", {"population_size": 4}),
    ("NSGAIIISampler", {"population_size": 4}),
    ("TPESampler", {"n_startup_trials": 4, "multivariate": False}),
]
learning = pytest.mark.parametrize(("name", "options"), LEARNING)
SPACE = {
    "kind": ["a", "b", "c"],
    "x": {"range": [0, 1], "when": {"kind": ["a", "b"]}},
    "n": {"int_range": [1, 8]},
}


def a_stage(name: str, options: Mapping[str, Any], trials: int, round_size: int = 4) -> Any:
    stage = stage_of("NSGAIISampler", "mixed", trials, **options)
    space = space_from_plain(SPACE, n_tasks=1)
    return replace(stage, sampler=name, space=space, round_size=round_size)


def far_from(point: Mapping[str, Any]) -> float:
    """Least at kind b, x of 0.7 and n of 3."""
    return (point["kind"] != "b") + abs(float(point.get("x", 0)) - 0.7) + abs(point["n"] - 3) / 8


@pytest.mark.parametrize(("name", "options"), LEARNING[1:])
def test_it_learns(name: str, options: dict[str, Any]) -> None:
    found, contrary = (
        played(a_stage(name, options, 24), value=value)
        for value in (far_from, lambda point: -far_from(point))
    )

    def late(known: Sequence[Tried]) -> float:
        return fmean(far_from(one.point) for one in known[len(known) // 2 :])

    assert late(found) < late(contrary)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("GPSampler", {"n_startup_trials": 4, "deterministic_objective": True}),
        ("CmaEsSampler", {}),
    ],
)
def test_it_comes_near_to_the_best(name: str, options: dict[str, Any]) -> None:
    if name == "CmaEsSampler":
        pytest.importorskip("cmaes")
    space = space_from_plain({"x": {"range": [0, 1]}, "y": {"range": [0, 1]}}, n_tasks=1)
    stage = replace(a_stage(name, options, 9 if name == "GPSampler" else 60), space=space)

    def apart(point: Mapping[str, Any]) -> float:
        return math.hypot(point["x"] - 0.7, point["y"] - 0.2)

    found = [apart(one.point) for one in played(stage, value=apart)]
    assert min(found[-3:]) < 0.2


@learning
def test_the_order_in_which_results_arrived_does_not_matter(
    name: str, options: dict[str, Any]
) -> None:
    stage = a_stage(name, options, 12)
    known = [one for one in played(stage, value=far_from) if one.trial < 8]
    found = [wish(view_of(stage, order)).points[8:] for order in (known, known[::-1])]
    assert [point for _, point in found[0]] == [point for _, point in found[1]]


@learning
def test_a_condition_is_met_in_all_points(name: str, options: dict[str, Any]) -> None:
    for one in played(a_stage(name, options, 12), value=far_from):
        assert ("x" in one.point) == (one.point["kind"] in ("a", "b"))


@learning
def test_it_lives_with_diverged_and_failed_trials(name: str, options: dict[str, Any]) -> None:
    stage = a_stage(name, options, 12)
    found = played(stage, value=lambda point: math.inf if point["n"] > 4 else far_from(point))
    assert len(found) == 12
    failed = replace(found[0], value=None)
    assert len(wish(view_of(stage, [failed, *found[1:8]])).points) > 8


def test_qmc_spreads_evenly_over_rounds() -> None:
    space = space_from_plain({"x": {"range": [0, 1]}}, n_tasks=1)
    stage = replace(a_stage("QMCSampler", {"scramble": True}, 20), space=space)
    points = [float(one.point["x"]) for one in played(stage)]
    # the first round is drawn at random, as Optuna does until it has seen a trial
    assert {int(x * 8) for x in points[4:]} == {*range(8)}


def test_a_sampler_that_insists_on_a_point_gets_a_new_one() -> None:
    space = space_from_plain({"n": {"int_range": [1, 6]}}, n_tasks=1)
    options = {"n_startup_trials": 2, "deterministic_objective": True}
    stage = replace(a_stage("GPSampler", options, 6), space=space)
    found = played(stage, value=lambda point: abs(point["n"] - 3))
    assert sorted(one.point["n"] for one in found) == [*range(1, 7)]


@pytest.mark.parametrize("kind", ["random", "quasi-random", "tpe", "NSGAIISampler"])
def test_points_to_begin_with_are_tried_first(kind: str) -> None:
    stage = stage_of(kind, "log range", 6)
    (name,) = stage.space.axes
    first: list[Point] = [{name: value} for value in (0.02, 0.05, 0.01)]
    found = played(replace(stage, first=first))
    assert [one.point[name] for one in found[:3]] == [0.02, 0.05, 0.01]
    assert len({one.params for one in found}) == len(found) == 6


def test_points_to_begin_with_are_a_round_that_a_sampler_learns_from() -> None:
    stage = replace(stage_of("tpe", "log range", 6), round_size=2)
    (name,) = stage.space.axes
    first: list[Point] = [{name: value} for value in (0.02, 0.05, 0.01)]
    began = wish(view_of(replace(stage, first=first)))
    assert [round_number for round_number, _ in began.points] == [0, 0, 0]
    assert not began.complete
    standing = [tried(point, n, 0, 1.0) for n, (_, point) in enumerate(began.points)]
    later = wish(view_of(replace(stage, first=first), standing))
    assert [number for number, _ in later.points] == [0, 0, 0, 1, 1]
    assert canonical(later.points[0][1]) == standing[0].params


def refusal(strategy: dict[str, Any]) -> str:
    stage = {"lr": {"log_range": [1e-3, 1e-1]}, "strategy": strategy, "trials": 4}
    plan = a_plan({"weighting": "ew", "stages": [stage]}, baseline={"lr": [0.01]})
    with pytest.raises(BadSpec) as caught:
        refuse_unmade(plan.searches)
    return str(caught.value)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ({"optuna": "GPSample"}, "has no sampler GPSample. Did you mean `GPSampler`?"),
        ({"optuna": "GridSampler"}, 'all points of a space are `strategy = "grid"`'),
        ({"optuna": "PartialFixedSampler"}, "what a stage fixes stands in its `at`"),
        ({"optuna": "GPSampler", "n_startup": 3}, "Did you mean `n_startup_trials`?"),
        ({"optuna": "GPSampler", "seed": 3}, "`seed` is no option"),
        ({"optuna": "NSGAIISampler", "population_size": 1}, "does not take these options"),
        ({"optuna": "QMCSampler", "qmc_type": "cubic"}, "does not take these options"),
        ({"optuna": "RandomSampler", "sobol": True}, "It has none."),
        ({"optuna": "GPSampler", "n_startup_trials": "few"}, "must be a whole number. Got 'few'."),
        ({"optuna": "TPESampler", "n_startup_trials": True}, "must be a whole number. Got True."),
        ({"optuna": "TPESampler", "multivariate": 1}, "must be true or false. Got 1."),
        ({"optuna": "TPESampler", "gamma": 3}, "takes an object of Python's, which no spec can"),
        ({"optuna": "TPESampler", "n_ei_candidates": 0}, "TPESampler fails with these options"),
        ({"optuna": "TPESampler", "prior_weight": -1}, "TPESampler fails with these options"),
        ({"optuna": "NSGAIIISampler", "dividing_parameter": 0}, "fails with these options"),
    ],
)
def test_what_optuna_cannot_make_is_refused_when_it_is_planned(
    strategy: dict[str, Any], said: str
) -> None:
    found = refusal(strategy)
    assert found.startswith("[[search]] ew, stage 1, `strategy`: ")
    assert said in found


@pytest.mark.parametrize(("name", "options"), LEARNING)
def test_options_that_fit_are_taken(name: str, options: dict[str, Any]) -> None:
    stage = {"lr": {"log_range": [1e-3, 1e-1]}, "strategy": {"optuna": name, **options}}
    plan = a_plan({"weighting": "ew", "stages": [{**stage, "trials": 4}]}, baseline={"lr": [0.01]})
    refuse_unmade(plan.searches)


def test_a_package_that_a_sampler_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    def missing(**_: Any) -> None:
        raise ImportError("cmaes is not there.")

    monkeypatch.setattr(optuna.samplers, "CmaEsSampler", missing)
    assert "pip install 'weighbridge[samplers]'" in refusal({"optuna": "CmaEsSampler"})
