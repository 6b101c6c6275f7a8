"""Presets: each plan resolves, with its files or without, and asks what it says that it asks."""

from __future__ import annotations

from typing import Any

import pytest

from study.catalogue import presets
from study.errors import BadSpec
from study.planning.members import members
from study.planning.plan import Plan, make_plan, refuse_missing
from trainers.problems.files.where import VARIABLE

PRESETS = presets()
DENSE = {
    f"uw-so-{problem}-{network}": problem
    for problem in ("nyuv2", "cityscapes")
    for network in ("segnet", "resnet50", "resnet101", "mtan")
}
OPTIMIZERS = {
    f"adam-vs-sgd-{problem}-{network}": problem
    for problem in ("nyuv2", "cityscapes")
    for network in ("segnet", "resnet50")
}
FILES = DENSE | OPTIMIZERS | {"uw-so-celeba-resnet18": "celeba"}
NINE = {"ew", "rlw", "dwa", "gls", "imtl-l", "uw", "uw-o", "scalarization", "uw-so"}


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def searches(plan: Plan) -> set[str]:
    return {search.name for search in plan.searches if search.role == "search"}


@pytest.mark.parametrize("name", PRESETS)
def test_the_plan_of_each_preset_resolves(name: str) -> None:
    for spec in members(PRESETS[name]):
        plan = make_plan(spec)
        assert plan.expected_runs > 0
        assert (plan.card.missing != "") == (name in FILES)


@pytest.mark.parametrize(("name", "problem"), FILES.items())
def test_without_files_it_is_said_where_they_are_looked_for(name: str, problem: str) -> None:
    plan = make_plan(PRESETS[name])
    assert any(f"{VARIABLE} to a folder that has them as `{problem}`" in of for of in plan.notices)
    with pytest.raises(BadSpec, match=f"docs/benchmarks/{problem}.md"):
        refuse_missing(plan)


def test_a_path_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = PRESETS["uw-so-nyuv2-segnet"]
    gone = spec.model_copy(
        update={"problem_options": {**spec.problem_options, "root": "/no/such/nyuv2"}}
    )
    with pytest.raises(BadSpec, match="/no/such/nyuv2 does not exist"):
        make_plan(gone)


@pytest.mark.parametrize(("name", "problem"), [*DENSE.items(), *OPTIMIZERS.items()])
def test_those_of_a_set_differ_in_the_network_only(name: str, problem: str) -> None:
    plain, like = (
        PRESETS[name].to_plain(),
        PRESETS[f"{name.partition(f'-{problem}')[0]}-{problem}-segnet"].to_plain(),
    )
    for of in (plain, like):
        del of["name"], of["problem_options"]["network"]
        of["problem_options"].pop("layers", None)
        if name.endswith("nyuv2-mtan"):  # two images of that size and network, as LibMTL has it
            of["training"] |= {"batch_size": 0, "eval_batch_size": 0}
    assert plain == like


@pytest.mark.parametrize(
    ("problem", "points", "network"),
    [("nyuv2", 36, "DeepLabV3 with ResNet-101"), ("cityscapes", 9, "DeepLabV3 with ResNet-101")],
)
def test_the_grid_is_the_papers(problem: str, points: int, network: str) -> None:
    plan = make_plan(PRESETS[f"uw-so-{problem}-resnet101"])
    assert searches(plan) == NINE
    (grid,) = (search for search in plan.searches if search.name == "scalarization")
    assert [stage.expected_trials for stage in grid.stages] == [4, 3, points, 2]
    assert plan.card.network.startswith(network)


@pytest.mark.parametrize(
    ("name", "of_weights"),
    [
        ("diamonds-mini", 36),
        ("diamonds-five-mini", 126),
        ("motorcycle-mini", 6),
        ("celeba-mini", 36),
    ],
)
def test_the_small_ones_ask_the_same_of_data_in_packages(name: str, of_weights: int) -> None:
    plan = make_plan(PRESETS[name])
    assert searches(plan) - {"scalarization-groups", "scalarization-population"} == NINE
    (grid,) = (search for search in plan.searches if search.name == "scalarization")
    assert of_weights in [stage.expected_trials for stage in grid.stages]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimiser_has_the_papers_ten_rates(name: str) -> None:
    plan = make_plan(PRESETS[name])
    assert (PRESETS[name].training.weight_decay, len(PRESETS[name].seeds)) == (1e-5, 3)
    for search in plan.searches:
        (stage,) = search.stages
        n_optimizers = {"baseline": 1}.get(search.role, 1 if search.name == "adatask" else 3)
        assert stage.expected_trials == 10 * n_optimizers


@pytest.mark.parametrize("name", ["adam-vs-sgd-mini", "adam-vs-sgd-mini-diamonds"])
def test_the_small_ones_ask_seven_weightings_of_both_optimisers(name: str) -> None:
    plan = make_plan(PRESETS[name])
    assert searches(plan) == searches(make_plan(PRESETS["adam-vs-sgd-nyuv2-segnet"])) - {"adatask"}
    assert {s.stages[0].expected_trials for s in plan.searches if s.role == "search"} == {12}


def test_forty_tasks_have_points_that_are_the_same_in_every_study_and_groups() -> None:
    plan = make_plan(PRESETS["uw-so-celeba-resnet18"])
    assert len(plan.card.tasks) == 40
    by_name = {search.name: search for search in plan.searches}
    for name, n_weights in (("scalarization", 40), ("scalarization-groups", 7)):
        *_, weights, _closing = by_name[name].stages
        points: list[Any] = [*weights.space.axes["task_weights"].points()]
        assert len(points) == 36
        assert len({*points[0]}) == n_weights
        assert all(len(point) == 40 and sum(point) == pytest.approx(1.0) for point in points)


@pytest.mark.parametrize(
    ("name", "n_networks", "n_groups"), [("uw-so-celeba-resnet18", 16, 7), ("celeba-mini", 8, 4)]
)
def test_weights_of_groups_are_trained_as_a_population(
    name: str, n_networks: int, n_groups: int
) -> None:
    plan = make_plan(PRESETS[name])
    (search,) = (of for of in plan.searches if of.name == "scalarization-population")
    assert (search.expected_whole_trials, search.stages[0].is_population) == (n_networks, True)
    assert "lr" in search.stages[0].tuned
    assert len({*search.stages[0].space.random(1, key="")[0]["task_weights"]}) == n_groups  # type: ignore[misc]
