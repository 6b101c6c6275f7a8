"""Children's values lie on their axes, and are another set of values wherever there is one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Point, Space, canonical, space_from_plain
from search_spaces.lineage import KEY, Origin, origin_said, without_origin
from search_spaces.perturbing import mutated, place_drawn

N_TASKS = 4
FACTORS = (0.8, 1.2)
AXES: dict[str, Any] = {
    "lr": {"log_range": [1e-4, 1e-1]},
    "weight_decay": {"range": [0.0, 0.5]},
    "temperature": [1, 2, 5, 10],
    "width": {"int_range": [8, 64], "step": 8},
    "depth": {"log_int_range": [1, 9]},
    "layers": {"log_int_range": [4, 64], "points": 5},
    "share": {"range": [0, 1], "points": 5},
}
WEIGHTS: dict[str, Any] = {
    "grid": {"simplex_step": 0.1},
    "boundary": {"simplex_step": 0.25, "boundary": True},
    "random": {"dirichlet": 5},
    "floor": {"dirichlet": 5, "floor": 0.02},
    "groups": {"dirichlet": 5, "floor": 0.05, "groups": [[1, 3], [2, 4]]},
    "list": [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]],
}
FLOORS = {"grid": 0.1, "boundary": 0.0, "random": 0.0, "floor": 0.02, "groups": 0.05, "list": 0.1}


def a_child(space: Space, point: Point, key: str, resample: float = 0.0) -> Point:
    return mutated(space, point, factors=FACTORS, resample_probability=resample, key=key)


def descendants(space: Space, key: str, resample: float) -> list[Point]:
    """Parent, child, grandchild and so on."""
    line = space.random(1, key=key)
    for generation in range(4):
        line.append(a_child(space, line[-1], f"{key}/{generation}", resample))
    return line


@given(key=st.text(max_size=8), resample=st.sampled_from([0.0, 0.25, 1.0]))
@pytest.mark.parametrize("name", list(AXES))
def test_numbers_stay_on_their_axis(name: str, key: str, resample: float) -> None:
    space = space_from_plain({name: AXES[name]}, n_tasks=N_TASKS)
    for point in descendants(space, key, resample):
        space.axes[name].to_unit(point[name])  # refuses what it does not hold


@given(key=st.text(max_size=8), resample=st.sampled_from([0.0, 0.25, 1.0]))
@pytest.mark.parametrize("form", list(WEIGHTS))
def test_weights_sum_to_one_above_their_floor(form: str, key: str, resample: float) -> None:
    space = space_from_plain({"task_weights": WEIGHTS[form]}, n_tasks=N_TASKS)
    for point in descendants(space, key, resample):
        weights = point["task_weights"]
        assert isinstance(weights, tuple)
        assert math.isclose(math.fsum(weights), 1.0)  # type: ignore[arg-type]
        of_groups = [[0, 2], [1, 3]] if form == "groups" else [[0], [1], [2], [3]]
        shares = [sum(weights[task] for task in group) for group in of_groups]  # type: ignore[misc]
        assert min(shares) >= FLOORS[form] - 1e-12


@given(key=st.text(max_size=8))
def test_a_child_differs_from_its_parent(key: str) -> None:
    wide = {"lr": AXES["lr"], "task_weights": WEIGHTS["floor"]}
    space = space_from_plain(wide, n_tasks=N_TASKS)
    (parent,) = space.random(1, key=key)
    child = a_child(space, parent, key)
    assert child["task_weights"] != parent["task_weights"]
    ratio = child["lr"] / parent["lr"]  # type: ignore[operator]
    on_an_end = child["lr"] in (1e-4, 1e-1)
    assert on_an_end or min(abs(ratio - factor) for factor in FACTORS) < 1e-4


def test_the_same_key_gives_the_same_child_and_others_stay() -> None:
    space = space_from_plain(AXES, n_tasks=N_TASKS)
    (parent,) = space.random(1, key="p")
    parent["fixed"] = "kept"
    assert a_child(space, parent, "k") == a_child(space, parent, "k")
    assert a_child(space, parent, "k") != a_child(space, parent, "other")
    assert a_child(space, parent, "k")["fixed"] == "kept"


def test_a_neighbour_in_a_list_is_one_place_away() -> None:
    space = space_from_plain({"temperature": [1, 2, 5, 10]}, n_tasks=N_TASKS)
    found = {a_child(space, {"temperature": 5}, str(k))["temperature"] for k in range(50)}
    assert found == {2, 10}
    at_the_end = {a_child(space, {"temperature": 10}, str(k))["temperature"] for k in range(50)}
    assert at_the_end == {5, 10}


def test_weights_by_hand() -> None:
    space = space_from_plain({"task_weights": {"dirichlet": 2, "floor": 0.1}}, n_tasks=2)
    parent: Point = {"task_weights": (0.5, 0.5)}  # 0.4 above the floor each
    found = {a_child(space, parent, str(k))["task_weights"] for k in range(50)}
    assert found == {(0.1 + 0.8 * 0.4, 0.1 + 0.8 * 0.6), (0.1 + 0.8 * 0.6, 0.1 + 0.8 * 0.4)}


def test_weights_with_nothing_to_share_stay() -> None:
    space = space_from_plain({"task_weights": {"simplex_step": 0.25}}, n_tasks=4)
    parent: Point = {"task_weights": (0.25,) * 4}
    assert a_child(space, parent, "k") == parent


def test_all_places_are_drawn() -> None:
    assert {place_drawn(3, key=str(k)) for k in range(50)} == {0, 1, 2}


def test_an_origin_stands_in_a_point_and_comes_back() -> None:
    origin = Origin(trial=3, epoch=20, replaces=7)
    point: Point = {"lr": 0.1, KEY: origin.to_value()}
    assert Origin.of(point) == origin
    assert without_origin(point) == {"lr": 0.1}
    assert Origin.of({"lr": 0.1}) is None
    assert origin_said(point[KEY]) == "trial 3 at epoch 20"
    assert origin_said([1, 2]) is None
    assert canonical(point) != canonical({"lr": 0.1})


@pytest.mark.parametrize(
    "value", [3, "trial 3", {"trial": 3}, {"trial": 3, "epoch": "a", "replaces": 1}]
)
def test_a_parameter_of_that_name_stays(value: Any) -> None:
    """A training function may have one."""
    assert Origin.of({KEY: value}) is None
    assert origin_said(value) is None
    assert without_origin({KEY: value}) == {KEY: value}
