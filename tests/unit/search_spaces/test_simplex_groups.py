"""Task weights by groups of tasks."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Axis, axis_from_plain
from search_spaces.errors import SpaceError, UnknownValue
from search_spaces.lines import midpoint

GROUPS = [[1, 4], [2], [3, 5, 6]]
FORMS: list[dict[str, Any]] = [{"simplex_step": 0.25}, {"dirichlet": 20, "floor": 0.05}]


def grouped(form: dict[str, Any], groups: object = GROUPS, n_tasks: int = 6) -> Axis:
    return axis_from_plain("task_weights", {**form, "groups": groups}, n_tasks=n_tasks)


@pytest.mark.parametrize("form", FORMS)
def test_a_groups_weight_is_shared_equally(form: dict[str, Any]) -> None:
    axis = grouped(form)
    of_groups = axis_from_plain("task_weights", form, n_tasks=len(GROUPS))
    points = list(axis.points())
    assert (
        (axis.size, axis.dimensions) == (of_groups.size, of_groups.dimensions) == (len(points), 2)
    )
    for weights, shares in zip(points, of_groups.points(), strict=True):
        assert isinstance(weights, tuple) and isinstance(shares, tuple)
        assert math.fsum(weights) == pytest.approx(1.0)
        for group, share in zip(GROUPS, shares, strict=True):
            assert [weights[task - 1] for task in group] == [share / len(group)] * len(group)


@pytest.mark.parametrize("form", FORMS)
def test_it_comes_back_from_its_plain_form(form: dict[str, Any]) -> None:
    axis = grouped(form)
    assert axis.to_plain() == {**form, "groups": GROUPS}
    assert grouped(form) == axis


@pytest.mark.parametrize("form", FORMS)
def test_points_come_back_from_their_coordinates(form: dict[str, Any]) -> None:
    axis = grouped(form)
    for point in axis.points():
        assert axis.from_unit(axis.to_unit(point)) == pytest.approx(point)


@given(st.integers(1, 6), st.integers(1, 6))
def test_all_ways_of_two_groups_are_weights(cut: int, n_points: int) -> None:
    groups = [[*range(1, cut + 1)], [*range(cut + 1, 8)]]
    for point in grouped({"dirichlet": n_points}, groups, 7).points():
        assert isinstance(point, tuple)
        assert math.fsum(point) == pytest.approx(1.0)
        assert len({*point[:cut]}) == len({*point[cut:]}) == 1


def test_until_it_is_tuned_all_tasks_weigh_alike() -> None:
    assert midpoint(grouped(FORMS[0])) == (1 / 6,) * 6


def test_weights_that_differ_within_a_group_are_not_of_it() -> None:
    with pytest.raises(UnknownValue, match="one weight"):
        grouped(FORMS[0]).to_unit((0.1, 0.25, 0.1, 0.4, 0.1, 0.05))


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([[1, 2], [3, 4, 5]], r"Got \[6\] in no group"),
        ([[1, 2], [2, 3, 4, 5, 6]], r"Got \[2\] more than once"),
        ([[0, 1, 2, 3, 4, 5, 6]], r"Got \[0\] not there"),
        ([[1, 2, 3, 4, 5, 6, 7]], r"Got \[7\] not there"),
        ([1, 2, 3], "list of lists of task numbers"),
        ([], "list of lists of task numbers"),
        ([[], [1, 2, 3, 4, 5, 6]], "none empty"),
        ("pairs", "list of lists of task numbers"),
        ([["left"]], "whole numbers, tasks from 1"),
        ([[1.0, 2, 3, 4, 5, 6]], "whole numbers, tasks from 1"),
        ([[True, 2, 3, 4, 5, 6]], "whole numbers, tasks from 1"),
    ],
)
def test_groups_that_are_none_are_refused(groups: object, said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        grouped({"dirichlet": 4}, groups)
