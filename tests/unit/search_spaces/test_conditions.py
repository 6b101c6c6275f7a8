"""Parameters that are there for some values of others, and cost nothing where they are not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choices, Range, SimplexGrid, Space, canonical, space_from_plain
from search_spaces.errors import BadAxis, SpaceError, WrongType
from search_spaces.whole import IntRange

NESTED: dict[str, Any] = {
    "momentum": {"line": [0.8, 0.9], "when": {"optimizer": ["sgd", "rmsprop"]}},
    "optimizer": ["adam", "sgd", "rmsprop"],
    "nesterov": {"line": [True, False], "when": {"optimizer": "sgd", "momentum": 0.9}},
    "layers": {"int_range": [1, 2]},
}


def test_a_grid_has_each_point_once_and_its_size_is_known_before() -> None:
    space = space_from_plain(NESTED, n_tasks=1)
    points = list(space.grid())
    assert space.size == len(points) == 2 * (1 + (1 + 2) + 2)
    assert len({canonical(point) for point in points}) == len(points)
    assert all("nesterov" not in p or p["momentum"] == 0.9 for p in points)


def test_a_condition_may_stand_before_what_it_depends_on() -> None:
    assert space_from_plain(NESTED, n_tasks=1).order[:2] == ("optimizer", "momentum")


def test_a_space_can_be_written_down_and_read_back() -> None:
    space = space_from_plain(NESTED, n_tasks=1)
    assert space_from_plain(space.to_plain(), n_tasks=1) == space


@pytest.mark.parametrize("draw", ["random", "quasi_random"])
def test_drawn_points_lack_what_does_not_apply(draw: str) -> None:
    points = getattr(space_from_plain(NESTED, n_tasks=1), draw)(60, key="k")
    assert {("momentum" in p, p["optimizer"]) for p in points} == {
        (False, "adam"),
        (True, "sgd"),
        (True, "rmsprop"),
    }


@given(
    sizes=st.lists(st.integers(1, 3), min_size=2, max_size=4),
    data=st.data(),
)
def test_the_size_is_the_number_of_points(sizes: list[int], data: st.DataObject) -> None:
    axes = {f"p{k}": Choices(list(range(n))) for k, n in enumerate(sizes)}
    when = {
        f"p{k}": {f"p{parent}": data.draw(st.integers(0, sizes[parent] - 1))}
        for k in range(1, len(sizes))
        if (parent := data.draw(st.integers(-1, k - 1))) >= 0
    }
    space = Space(axes, when)
    points = list(space.grid())
    assert space.size == len(points) == len({canonical(point) for point in points})
    assert all(space.kept(point) == point for point in points)


A = Choices(["a", "b"])


@pytest.mark.parametrize(
    ("axes", "when", "error", "message"),
    [
        ({"x": A}, {"x": {"y": "a"}}, BadAxis, "`x`: .*tuned beside this one. Got `y`"),
        ({"x": A}, {"y": {"x": "a"}}, BadAxis, "`y`: .*Got none of that name"),
        ({"x": A, "y": A}, {"y": {"x": "c"}}, BadAxis, "`y`: .*values of `x`. 'c' is not among"),
        ({"x": A, "y": A}, {"y": {"x": []}}, BadAxis, "must name a value of `x`. Got none"),
        ({"x": A, "y": A}, {"y": {}}, WrongType, "is a table from another parameter"),
        ({"x": A, "y": A}, {"y": "x"}, WrongType, "is a table from another parameter"),
        ({"x": A, "y": A}, "y", WrongType, "Conditions are a mapping by parameter"),
        ({"x": A}, {"x": {"x": "a"}}, BadAxis, "circle. Got x -> x"),
        ({"x": A, "y": A}, {"x": {"y": "a"}, "y": {"x": "a"}}, BadAxis, "circle. Got x -> y -> x"),
        ({"x": Range(0, 1), "y": A}, {"y": {"x": 0.5}}, BadAxis, "`x` has neither"),
        ({"x": SimplexGrid(2, 0.5), "y": A}, {"y": {"x": 0.5}}, BadAxis, "not on the grid"),
        ({"x": IntRange(1, 10**6), "y": A}, {"y": {"x": 5}}, BadAxis, "100,000 cases apart"),
        ({"x": IntRange(1, 9), "y": A}, {"y": {"x": True}}, BadAxis, "values of `x`"),
    ],
)
def test_what_can_never_hold_is_refused(
    axes: dict[str, Any], when: Any, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Space(axes, when)


RATES: dict[str, Any] = {
    "optimizer": ["adam", "adamw", "sgd"],
    "lr@adams": {"line": [0.001, 0.01], "when": {"optimizer": ["adam", "adamw"]}},
    "lr@sgd": {"log_range": [0.1, 1.0], "points": 3, "when": {"optimizer": "sgd"}},
}


def test_variants_are_one_parameter_of_which_each_point_has_one() -> None:
    space = space_from_plain(RATES, n_tasks=1)
    points = [space.named(point) for point in space.grid()]
    assert space.size == len(points) == 2 * 2 + 3
    assert all([*point] == ["optimizer", "lr"] for point in points)
    assert {p["lr"] for p in points if p["optimizer"] == "adamw"} == {0.001, 0.01}
    assert space_from_plain(space.to_plain(), n_tasks=1) == space


@given(st.text(max_size=5), st.integers(0, 30))
def test_a_named_point_finds_back_to_its_variants(key: str, n: int) -> None:
    space = space_from_plain(RATES, n_tasks=1)
    for point in space.random(n, key=key):
        assert space.labelled(space.named(point)) == point
        assert space.labelled(point) == point


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lr": [0.1]}, "`lr@adams`.* beside .*`lr`. Tell them apart"),
        (
            {"lr@sgd": {"line": [0.1], "when": {"optimizer": ["sgd", "adam"]}}},
            "go by different values of one other, .* `lr@sgd`",
        ),
        (
            {"b": [1], "lr@sgd": {"line": [0.1], "when": {"optimizer": "sgd", "b": 1}}},
            "go by different values of one other, .* `lr@sgd`",
        ),
        ({"lr@sgd": {"line": [-0.1], "when": {"optimizer": "sgd"}}}, "lr@sgd.*must be above 0"),
    ],
)
def test_variants_that_are_not_told_apart_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        space_from_plain(RATES | change, n_tasks=1)
