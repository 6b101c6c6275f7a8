"""What does not go with population-based training is refused by name, before training."""

from __future__ import annotations

from typing import Any

import pytest

from storage import Storage
from study.errors import BadSpec, NotAnExtension
from study.planning.extension import check_extension
from study.spec.stopping import PopulationRule
from tests.unit.study.specs import a_plan, a_search, spec_of, stored

PBT = {"rule": "pbt", "rungs": [1, 2]}
METRICS = {"left": {"error_rate": 2.0}, "right": {"error_rate": 2.0}, "sum": {"mae": 2.0}}
LR = {"lr": [0.001, 0.01, 0.1], "stop": PBT}
TEMPERATURE = {"temperature": {"log_range": [1, 10]}, "stop": PBT}


def search(*stages: dict[str, Any], weighting: str = "uw-so", **keys: Any) -> dict[str, Any]:
    return {"weighting": weighting, "stages": list(stages), **keys}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (search({"lr": [0.1, 0.2]}, TEMPERATURE | {"strategy": "random", "trials": 4}), "2 stages"),
        (search(LR, {"temperature": [1, 2]}), "2 stages"),
        (search(TEMPERATURE | {"strategy": "tpe", "trials": 4}), "Got tpe"),
        (
            search(TEMPERATURE | {"strategy": {"optuna": "RandomSampler"}, "trials": 4}),
            "Got optuna:Random",
        ),
        (search({"temperature": {"line": [1, 2, 3], "refine": 1}, "stop": PBT}), "with `refine`"),
        (search(LR | {"optimizer": ["adam", "sgd"]}, weighting="ew"), "Got `optimizer`"),
        (
            search(LR | {"optimizer": ["sgd"], "momentum": [0.5, 0.9]}, weighting="ew"),
            "`momentum`",
        ),
        (search({"lr": [0.1], "stop": PBT}, weighting="ew"), "Got one trial"),
        (search(LR, joint=True), "`joint = true`"),
    ],
)
def test_a_stage_that_is_no_population(table: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec) as caught:
        a_plan(table, training={"epochs": 3, "batch_size": 8, "lr": 0.1})
    assert said in str(caught.value)


def test_confirmation_needs_networks_that_fresh_seeds_lack() -> None:
    with pytest.raises(BadSpec, match=r"\[confirm\] trains a search's best trials anew"):
        a_plan(search(LR, weighting="ew"), confirm={"seeds": 2})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"rungs": [1, 3]}, "must lie below the 3 `epochs`"),
        ({"rungs": []}, "rungs"),
        ({"rungs": [2, 1]}, "must rise"),
        ({"quantile_fraction": 0.6}, "quantile_fraction"),
        ({"quantile_fraction": 0}, "quantile_fraction"),
        ({"resample_probability": 1.5}, "resample_probability"),
        ({"perturbation_factors": []}, "perturbation_factors"),
        ({"perturbation_factors": [0.8, -1.2]}, "perturbation_factors"),
        ({"asynchronous": True}, "asynchronous"),
        ({"keep": 0.5}, "keep"),
    ],
)
def test_a_rule_that_makes_no_sense(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec, match=said):
        spec_of(search=[search(LR | {"stop": PBT | rule}, weighting="ew")])


def test_a_training_function_keeps_its_own_networks() -> None:
    function = {"target": "json:loads", "metric": "loss", "direction": "min"}
    table = {"stages": [{"x": [1, 2], "stop": PBT}]}
    with pytest.raises(BadSpec, match="a function keeps its own"):
        spec_of(search=[table], problem=None, function=function, training={"epochs": 3})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seeds": [0, 1, 2]}, "a population has the seeds that it began with"),
        ({"search": [search(LR | {"lr": [0.001, 0.01]}, weighting="ew")]}, "its population was"),
        ({"search": [search(LR | {"stop": PBT | {"rungs": [1]}}, weighting="ew")]}, "stop: stored"),
    ],
)
def test_a_stored_population_stays_as_it_began(change: dict[str, Any], said: str) -> None:
    plan = a_plan(search(LR, weighting="ew"), seeds=[0, 1])
    storage = Storage(None)
    record = stored(plan, storage)
    keys: dict[str, Any] = {"search": [search(LR, weighting="ew")], "seeds": [0, 1]} | change
    with pytest.raises(NotAnExtension, match=said):
        check_extension(record, spec_of(**keys), plan.card.to_plain())


@pytest.mark.parametrize(
    ("n", "lost", "replaced"),
    [(8, 0, 2), (5, 0, 2), (3, 0, 1), (2, 0, 1), (1, 0, 0), (8, 3, 3), (4, 4, 0), (4, 3, 3)],
)
def test_how_many_are_replaced(n: int, lost: int, replaced: int) -> None:
    assert PopulationRule(rule="pbt", rungs=[1]).n_replaced(n, lost) == replaced


def test_children_are_among_what_is_expected() -> None:
    plan = a_plan(search(LR, weighting="ew"), baseline={"metrics": METRICS}, seeds=[0, 1])
    (planned,) = plan.searches
    assert (planned.expected_trials, planned.expected_whole_trials) == (5, 3)
    assert plan.expected_runs == 10
    assert plan.expected_epochs == 3 * 2 * 3


def test_weights_are_tuned_beside_what_stands_after_them() -> None:
    stage = {"task_weights": {"dirichlet": 4}, "lr": [0.01, 0.1]}
    (planned,) = a_search("scalarization", stage).stages
    assert planned.expected_trials == 8
