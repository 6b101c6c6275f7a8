"""Where to look next on a line of tried values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import (
    Axis,
    Choices,
    LogRange,
    SimplexGrid,
    SimplexRandom,
)
from search_spaces.errors import BadValue, SpaceError, UnknownValue, WrongType
from search_spaces.lines import midpoint, neighbours, refinements


@st.composite
def lines(draw: st.DrawFn, min_size: int = 1) -> tuple[list[float], int]:
    """Positive values, each at least 1 % above the one before, with the index of the best."""
    value, line = draw(st.floats(1e-5, 10.0)), []
    for ratio in draw(st.lists(st.floats(1.01, 10.0), min_size=min_size, max_size=8)):
        line.append(value)
        value *= ratio
    return line, draw(st.integers(0, len(line) - 1))


@given(lines(min_size=3))
def test_inside_a_line_the_midpoints_lie_between_neighbours(case: tuple[list[float], int]) -> None:
    line, index = case
    index = min(max(index, 1), len(line) - 2)
    low, high = refinements(line, line[index], outward=0)
    assert line[index - 1] < low < line[index] < high < line[index + 1]
    assert low == pytest.approx(math.sqrt(line[index - 1] * line[index]), rel=1e-5)
    assert high == pytest.approx(math.sqrt(line[index] * line[index + 1]), rel=1e-5)


@given(lines(min_size=2), st.sampled_from([0, -1]))
def test_at_an_edge_one_step_leads_outward(case: tuple[list[float], int], edge: int) -> None:
    line, _ = case
    best, inner = line[edge], line[1] if edge == 0 else line[-2]
    found = refinements(line, best, outward=1)
    outer, middle = found if edge == 0 else reversed(found)
    assert outer / best == pytest.approx(best / inner, rel=1e-5)
    assert middle == pytest.approx(math.sqrt(best * inner), rel=1e-5)


@given(lines(min_size=2), st.sampled_from([0, -1]))
def test_no_step_leads_outward_when_none_is_left(case: tuple[list[float], int], edge: int) -> None:
    line, _ = case
    (middle,) = refinements(line, line[edge], outward=0)
    assert line[0] < middle < line[-1]


@given(lines(), st.integers(0, 2), st.randoms())
def test_only_new_values_in_six_digits_come_back(
    case: tuple[list[float], int], outward: int, random: object
) -> None:
    line, index = case
    shuffled = list(line)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = refinements(shuffled, line[index], outward=outward)
    assert not set(found) & set(line)
    assert list(found) == [float(f"{value:.6g}") for value in sorted(found)]


@given(lines())
def test_refining_again_still_finds_new_values(case: tuple[list[float], int]) -> None:
    line, index = case
    first = refinements(line, line[index], outward=1)
    second = refinements([*line, *first], line[index], outward=1)
    assert not set(second) & {*line, *first}


@pytest.mark.parametrize(
    ("values", "best", "outward", "found"),
    [
        ([1, 10, 100], 10, 2, (3.16228, 31.6228)),
        ([100, 1, 10], 10, 0, (3.16228, 31.6228)),
        ([1, 4], 1, 1, (0.25, 2.0)),
        ([1, 4], 4, 1, (2.0, 16.0)),
        ([1, 4], 4, 0, (2.0,)),
        ([3], 3, 0, (1.5, 6.0)),
        ([1, 2, 4], 2, 2, (1.41421, 2.82843)),
        ([0.0, 1e-5, 1e-4], 1e-5, 2, (3.16228e-5,)),  # nothing geometric between 0 and 1e-5
        ([0.0, 1e-5], 0.0, 2, ()),
        ([0.0, 1e-5], 1e-5, 2, ()),
        ([0.0], 0.0, 2, ()),
        ([1.0, 1.000001], 1.0, 0, ()),  # the midpoint rounds to a value already there
        ([0.0001, 0.000316227766, 0.001], 0.0001, 0, (0.000177828,)),
        ([0.0001, 0.00031622776, 0.001, 0.000562341], 0.00031622776, 0, (0.000177828, 0.000421696)),
    ],
)
def test_refinements_by_hand(
    values: list[float], best: float, outward: int, found: tuple[float, ...]
) -> None:
    assert refinements(values, best, outward=outward) == found


@pytest.mark.parametrize(
    ("values", "best", "outward", "error", "message"),
    [
        ([1, 2], 3, 0, UnknownValue, r"`best` must be one of \[1.0, 2.0\]. Got 3"),
        ([], 3, 0, UnknownValue, r"`best` must be one of \[\]"),
        ([1, 2], 1, -1, BadValue, "`outward` must be at least 0"),
        ([-1, 2], 2, 0, BadValue, "needs values of 0 or above. Got -1.0"),
        ([1, math.nan], 1, 0, BadValue, "must be finite"),
        ([1, "2"], 1, 0, WrongType, "must be a number. Got '2'"),
    ],
)
def test_bad_lines_are_refused(
    values: list[float], best: float, outward: int, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        refinements(values, best, outward=outward)


@given(lines())
def test_neighbours_are_the_values_directly_beside(case: tuple[list[float], int]) -> None:
    line, index = case
    expected = [line[i] for i in (index - 1, index + 1) if 0 <= i < len(line)]
    assert neighbours(list(reversed(line)), line[index]) == tuple(expected)


def test_neighbours_need_the_best_among_them() -> None:
    with pytest.raises(UnknownValue, match="`best` must be one of"):
        neighbours([1, 2], 1.5)


@pytest.mark.parametrize(
    ("axis", "middle"),
    [
        (Choices([20, 1, 5]), 4.47214),
        (Choices([3]), 3.0),
        (Choices([0.0, 1.0]), 0.0),
        (LogRange(1e-5, 1e-1), 1e-3),
        (LogRange(1, 100, points=4), 10.0),
        (SimplexGrid(4, 0.1), (0.25,) * 4),
        (SimplexGrid(40, 0.1), (1 / 40,) * 40),
        (SimplexRandom(2, points=3), (0.5, 0.5)),
        (Choices([(0.9, 0.1), (0.1, 0.9)]), (0.5, 0.5)),
    ],
)
def test_midpoints(axis: Axis, middle: object) -> None:
    assert midpoint(axis) == middle


@pytest.mark.parametrize(
    ("axis", "error", "message"),
    [
        (Choices(["a", "b"]), WrongType, "'a' has no middle. State the value to rest at"),
        (Choices([True, False]), WrongType, "True has no middle"),
        (Choices([-1, 1]), BadValue, "needs values of 0 or above. Got -1.0"),
    ],
)
def test_axes_without_a_midpoint(axis: Axis, error: type[SpaceError], message: str) -> None:
    with pytest.raises(error, match=message):
        midpoint(axis)
