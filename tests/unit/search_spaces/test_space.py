"""Several axes at once."""

import math
from collections.abc import Mapping
from itertools import product
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Axis, Choices, LogRange, Point, SimplexGrid, SimplexRandom, Space
from search_spaces.errors import (
    BadAxis,
    BadValue,
    ContinuousAxis,
    EmptySpace,
    SpaceError,
    TooManyPoints,
    WrongType,
)

finite_axes: list[Axis] = [
    Choices([0.1, 0.2, 0.3]),
    Choices(["a", "b"]),
    LogRange(1e-3, 1e-1, points=3),
    SimplexGrid(3, 0.25),
    SimplexRandom(3, points=4),
]
all_axes = [*finite_axes, LogRange(1, 100)]
names = st.sampled_from("abcdef")
finite_spaces = st.dictionaries(names, st.sampled_from(finite_axes), max_size=4).map(Space)
spaces = st.dictionaries(names, st.sampled_from(all_axes), max_size=4).map(Space)
ways = pytest.mark.parametrize("way", [Space.random, Space.quasi_random])


@given(finite_spaces)
def test_the_size_is_the_number_of_grid_points(space: Space) -> None:
    assert sum(1 for _ in space.grid()) == space.size


@given(finite_spaces)
def test_the_grid_is_the_product_with_the_last_axis_fastest(space: Space) -> None:
    columns = [list(axis.points()) for axis in space.axes.values()]
    rows = [dict(zip(space.axes, row, strict=True)) for row in product(*columns)]
    assert list(space.grid()) == rows


def test_a_small_grid() -> None:
    space = Space({"lr": Choices([0.1, 0.2]), "net": Choices(["s", "l"])})
    assert [tuple(point.values()) for point in space.grid()] == [
        (0.1, "s"),
        (0.1, "l"),
        (0.2, "s"),
        (0.2, "l"),
    ]


def test_a_space_without_axes_has_one_empty_point() -> None:
    assert (Space({}).size, list(Space({}).grid())) == (1, [{}])


def test_one_continuous_axis_makes_the_space_continuous() -> None:
    assert Space({"lr": Choices([0.1]), "t": LogRange(1, 2)}).size is None


@ways
@given(space=spaces, key=st.text(), n=st.integers(0, 4), more=st.integers(0, 4))
def test_asking_for_more_keeps_the_first_points(
    way: object, space: Space, key: str, n: int, more: int
) -> None:
    assert way(space, n + more, key=key)[:n] == way(space, n, key=key)  # type: ignore[operator]


@ways
@given(space=finite_spaces.filter(lambda s: not _has_random_weights(s)), key=st.text())
def test_drawn_points_lie_in_a_finite_space(way: object, space: Space, key: str) -> None:
    grid = list(space.grid())
    assert all(point in grid for point in way(space, 3, key=key))  # type: ignore[operator]


@ways
def test_another_key_gives_other_points(way: object) -> None:
    space = Space({"t": LogRange(1, 100)})
    assert way(space, 3, key="a") != way(space, 3, key="b")  # type: ignore[operator]


@ways
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_drawn_points_are_uniform(way: object, share: float) -> None:
    space = Space({name: LogRange(1, math.e) for name in "abc"})
    points: list[Point] = way(space, 2_000, key="uniform")  # type: ignore[operator]
    for name in "abc":
        below = fmean(math.log(point[name]) < share for point in points)  # type: ignore[arg-type]
        assert below == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("key", ["a", "b", "c"])
def test_quasi_random_points_leave_no_gap(key: str) -> None:
    # A Halton sequence in base 2 puts one of 16 consecutive points in each sixteenth, and the
    # second axis one of 27 in each twenty-seventh.
    space = Space({"x": Choices(range_of(16)), "y": Choices(range_of(27))})
    points = space.quasi_random(27, key=key)
    assert len({point["x"] for point in points[:16]}) == 16
    assert len({point["y"] for point in points}) == 27


def range_of(n: int) -> list[float]:
    return [float(i) for i in range(n)]


def test_quasi_random_points_serve_forty_tasks() -> None:
    space = Space({"task_weights": SimplexRandom(40, points=1)})
    rows = [point["task_weights"] for point in space.quasi_random(64, key="k")]
    assert len(set(rows)) == 64
    for column in zip(*rows, strict=True):
        assert fmean(column) == pytest.approx(1 / 40, abs=0.02)


def test_random_points_do_not_depend_on_the_other_axes() -> None:
    alone = Space({"t": LogRange(1, 100)}).random(3, key="k")
    both = Space({"lr": LogRange(1, 100), "t": LogRange(1, 100)}).random(3, key="k")
    assert [p["t"] for p in both] == [p["t"] for p in alone]
    assert [p["lr"] for p in both] != [p["t"] for p in both]


def test_changing_the_mapping_later_does_not_change_the_space() -> None:
    axes: dict[str, Axis] = {"lr": Choices([0.1])}
    space = Space(axes)
    axes["t"] = LogRange(1, 2)
    assert list(space.axes) == ["lr"]


@pytest.mark.parametrize(
    ("axis", "error", "message"),
    [
        (LogRange(1, 2), ContinuousAxis, "Parameter `w`: .*points = n"),
        (SimplexGrid(40, 0.1), EmptySpace, "Parameter `w`: .*0 points"),
        (SimplexGrid(40, 0.1, boundary=True), TooManyPoints, "Parameter `w`: .*8,217,822,536"),
    ],
)
def test_a_grid_that_cannot_be_walked_is_refused_at_once(
    axis: Axis, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Space({"lr": Choices([0.1]), "w": axis}).grid()


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        ({"": Choices([1])}, BadAxis, "A parameter needs a name. Got ''"),
        ({1: Choices([1])}, BadAxis, "A parameter needs a name. Got 1"),
        ({"lr": [0.1]}, WrongType, r"`lr` must be an axis. Got \[0.1\]. Wrap its values"),
        ([Choices([1])], WrongType, "The axes must be a mapping"),
    ],
)
def test_bad_axes_are_refused(
    axes: Mapping[str, Axis], error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Space(axes)


@ways
def test_a_negative_number_of_points_is_refused(way: object) -> None:
    with pytest.raises(BadValue, match=r"`n` must be at least 0\. Got -1"):
        way(Space({}), -1, key="k")  # type: ignore[operator]


def _has_random_weights(space: Space) -> bool:
    return any(isinstance(axis, SimplexRandom) for axis in space.axes.values())
