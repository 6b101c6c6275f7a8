"""Task weights in multiples of a step."""

import math
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import SimplexGrid
from search_spaces.errors import (
    BadAxis,
    BadValue,
    EmptySpace,
    SpaceError,
    TooManyPoints,
    UnknownValue,
    WrongType,
)

steps = st.sampled_from([1.0, 0.5, 0.25, 0.2, 0.125, 0.1, 0.05])
grids = st.builds(SimplexGrid, st.integers(1, 5), steps, st.booleans()).filter(
    lambda grid: 0 < grid.size <= 200
)


@pytest.mark.parametrize(
    ("n_tasks", "step", "boundary", "size"),
    [
        (2, 0.1, False, 9),
        (3, 0.1, False, 36),
        (3, 0.1, True, 66),
        (3, 0.05, False, 171),
        (1, 0.1, False, 1),
        (10, 0.1, False, 1),
        (11, 0.1, False, 0),
        (40, 0.1, False, 0),
        (40, 0.1, True, 8_217_822_536),
    ],
)
def test_sizes_that_are_known(n_tasks: int, step: float, boundary: bool, size: int) -> None:
    assert SimplexGrid(n_tasks, step, boundary).size == size


@given(grids)
def test_the_size_is_the_number_of_points(grid: SimplexGrid) -> None:
    assert len(set(grid.points())) == grid.size


@given(grids)
def test_weights_are_exact_decimals_that_sum_to_one(grid: SimplexGrid) -> None:
    for point in grid.points():
        weights = [Decimal(repr(weight)) for weight in point]
        assert sum(weights) == 1
        assert all(weight % Decimal(repr(grid.step)) == 0 for weight in weights)


@given(grids)
def test_zeros_are_on_the_boundary_only(grid: SimplexGrid) -> None:
    least = min(weight for point in grid.points() for weight in point)
    assert least >= (0.0 if grid.boundary else grid.step)


@given(grids)
def test_points_come_in_lexicographic_order(grid: SimplexGrid) -> None:
    points = list(grid.points())
    assert points == sorted(points)


@given(grids)
def test_to_unit_leads_back(grid: SimplexGrid) -> None:
    points = list(grid.points())
    assert [grid.from_unit(grid.to_unit(point)) for point in points] == points


@given(grids, st.data())
def test_every_coordinate_leads_onto_the_grid(grid: SimplexGrid, data: st.DataObject) -> None:
    unit = st.lists(st.floats(0, 1), min_size=grid.dimensions, max_size=grid.dimensions)
    assert grid.from_unit(data.draw(unit)) in set(grid.points())


def test_uniform_coordinates_make_all_points_equally_likely() -> None:
    grid = SimplexGrid(3, 0.1)
    # The first weight has 8, 7, .. 1 continuations: 36 rows and 840 columns hit each one evenly.
    rows, columns = 36, math.lcm(*range(1, 9))
    drawn = Counter(
        grid.from_unit([(i + 0.5) / rows, (j + 0.5) / columns])
        for i in range(rows)
        for j in range(columns)
    )
    assert set(drawn.values()) == {columns}


def test_hand_written_points() -> None:
    assert list(SimplexGrid(3, 0.25).points()) == [
        (0.25, 0.25, 0.5),
        (0.25, 0.5, 0.25),
        (0.5, 0.25, 0.25),
    ]
    assert list(SimplexGrid(2, 0.5, boundary=True).points()) == [(0, 1), (0.5, 0.5), (1, 0)]


def test_three_tenths_are_not_the_sum_of_one_and_two() -> None:
    assert (0.3, 0.7) in set(SimplexGrid(2, 0.1).points())


def test_a_huge_grid_can_be_drawn_from_without_building_it() -> None:
    grid = SimplexGrid(40, 0.1, boundary=True)
    point = grid.from_unit([0.9] * 39)
    assert sum(Fraction(repr(weight)) for weight in point) == 1
    assert grid.from_unit(grid.to_unit(point)) == point


def test_a_walked_grid_has_at_most_100_000_points() -> None:
    # C(400 - 1, 2) = 79,401 and C(500 - 1, 2) = 124,251: no step of three tasks comes closer.
    assert next(SimplexGrid(3, 0.0025).points()) == (0.0025, 0.0025, 0.995)
    with pytest.raises(TooManyPoints, match="124,251 points, more than 100,000"):
        SimplexGrid(3, 0.002).points()


def test_too_many_points_are_refused_when_asked_for() -> None:
    grid = SimplexGrid(40, 0.1, boundary=True)
    with pytest.raises(TooManyPoints, match=r"8,217,822,536 points.* \{ dirichlet = 50 \}"):
        grid.points()


@pytest.mark.parametrize("ask", [SimplexGrid.points, lambda g: g.from_unit([0.5] * 39)])
def test_an_empty_grid_is_refused_when_asked_for(ask: object) -> None:
    grid = SimplexGrid(40, 0.1)
    with pytest.raises(EmptySpace, match=r"make 0 points.*dirichlet = 50.*boundary = true"):
        ask(grid)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("n_tasks", "step", "boundary", "error", "message"),
    [
        (3, 0.3, False, BadAxis, "must divide 1 exactly.*Got 0.3"),
        (3, 1 / 3, False, BadAxis, "must divide 1 exactly"),
        (3, 0.0, False, BadAxis, "Got 0.0"),
        (3, -0.1, False, BadAxis, "Got -0.1"),
        (3, 2, False, BadAxis, "Got 2.0"),
        (3, math.nan, False, BadValue, "`simplex_step` must be finite"),
        (3, True, False, WrongType, "`simplex_step` must be a number. Got True"),
        (3, "0.1", False, WrongType, "`simplex_step` must be a number. Got '0.1'"),
        (0, 0.1, False, BadValue, "`n_tasks` must be at least 1. Got 0"),
        (2.0, 0.1, False, WrongType, "`n_tasks` must be a whole number"),
        (3, 0.1, 1, WrongType, "`boundary` must be true or false. Got 1"),
    ],
)
def test_bad_grids_are_refused(
    n_tasks: int, step: float, boundary: bool, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        SimplexGrid(n_tasks, step, boundary)


@pytest.mark.parametrize(
    "stranger",
    [
        (0.5, 0.5),
        (1 / 3, 1 / 3, 1 / 3),
        (0.0, 0.5, 0.5),
        (0.2, 0.2, 0.2),
        (-0.1, 0.6, 0.5),
        (math.nan, 0.5, 0.5),
        0.1,
    ],
)
def test_strangers_have_no_coordinates(stranger: tuple[float, ...]) -> None:
    with pytest.raises(UnknownValue, match=r"is not on the grid of 3 weights in steps of 0\.1"):
        SimplexGrid(3, 0.1).to_unit(stranger)
