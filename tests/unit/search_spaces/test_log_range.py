"""A logarithmic range, continuous or as a grid."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import LogRange
from search_spaces.errors import (
    BadAxis,
    BadValue,
    ContinuousAxis,
    SpaceError,
    UnknownValue,
    WrongType,
)

ends = st.tuples(st.floats(1e-9, 1e3), st.floats(1.5, 1e6)).map(lambda e: (e[0], e[0] * e[1]))
share = st.floats(0.0, 1.0)


def test_a_grid_of_decades_is_exact() -> None:
    assert list(LogRange(1e-5, 1e-1, points=5).points()) == [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]


@given(ends, st.integers(2, 20))
def test_a_grid_has_both_ends_and_one_ratio(limits: tuple[float, float], n: int) -> None:
    axis = LogRange(*limits, points=n)
    grid = list(axis.points())
    ratio = (limits[1] / limits[0]) ** (1 / (n - 1))
    assert (axis.size, len(grid)) == (n, n)
    assert (grid[0], grid[-1]) == limits
    assert all(math.isclose(b / a, ratio, rel_tol=2e-5) for a, b in pairwise(grid))


@given(ends, share)
def test_a_value_lies_in_the_range(limits: tuple[float, float], u: float) -> None:
    value = LogRange(*limits).from_unit([u])
    assert limits[0] <= value <= limits[1]


@given(ends, share)
def test_to_unit_leads_back_to_the_value(limits: tuple[float, float], u: float) -> None:
    axis = LogRange(*limits)
    value = axis.from_unit([u])
    assert axis.from_unit(axis.to_unit(value)) == pytest.approx(value, rel=1e-12)


@given(ends, share)
def test_to_unit_leads_back_to_the_share(limits: tuple[float, float], u: float) -> None:
    axis = LogRange(*limits)
    (back,) = axis.to_unit(axis.from_unit([u]))
    # Six digits are kept, at most half a unit of the sixth is lost.
    assert back == pytest.approx(u, abs=6e-6 / math.log(limits[1] / limits[0]))


@given(ends, share, share)
def test_larger_shares_give_no_smaller_values(
    limits: tuple[float, float], a: float, b: float
) -> None:
    assume(a < b)
    axis = LogRange(*limits)
    assert axis.from_unit([a]) <= axis.from_unit([b])


@given(ends, st.integers(2, 20))
def test_a_grid_leads_back_from_its_buckets(limits: tuple[float, float], n: int) -> None:
    axis = LogRange(*limits, points=n)
    grid = list(axis.points())
    assert [axis.from_unit(axis.to_unit(value)) for value in grid] == grid


@given(ends, share, st.integers(2, 20))
def test_a_grid_gives_its_own_points_only(limits: tuple[float, float], u: float, n: int) -> None:
    axis = LogRange(*limits, points=n)
    assert axis.from_unit([u]) in list(axis.points())


def test_the_ends_of_the_unit_interval_are_the_ends_of_the_range() -> None:
    axis = LogRange(1.23456789e-4, 0.987654321)
    assert (axis.from_unit([0]), axis.from_unit([1])) == (1.23456789e-4, 0.987654321)


def test_the_extremes_of_floats_are_no_obstacle() -> None:
    assert LogRange(1e-300, 1e300).from_unit([0.5]) == pytest.approx(1.0, rel=1e-9)


def test_a_continuous_range_has_no_grid() -> None:
    axis = LogRange(1e-4, 1e-1)
    assert axis.size is None
    with pytest.raises(ContinuousAxis, match="Give `points = n` or use a random or TPE strategy"):
        axis.points()


def test_its_repr_can_be_evaluated() -> None:
    axis = LogRange(1e-4, 1e-1, points=4)
    assert eval(repr(axis)) == axis


@pytest.mark.parametrize(
    ("low", "high", "points", "error", "message"),
    [
        (0, 1, None, BadAxis, "`low` must be above 0 on a log axis. Got low=0.0"),
        (-1, 1, None, BadAxis, "Got low=-1.0"),
        (1, 1, None, BadAxis, "`high` must be above `low`"),
        (2, 1, None, BadAxis, r"Got \[2.0, 1.0\]. Swap them"),
        (1, 1.00001, 100, BadAxis, "100 points between 1.0 and 1.00001 are alike"),
        (math.nan, 1, None, BadValue, "`low` must be finite"),
        (1, math.inf, None, BadValue, "`high` must be finite"),
        (1, 2, 1, BadValue, "`points` must be at least 2. Got 1"),
        (1, 2, 2.5, WrongType, "`points` must be a whole number. Got 2.5"),
        (1, 2, True, WrongType, "`points` must be a whole number. Got True"),
        (True, 2, None, WrongType, "`low` must be a number. Got True"),
        ("1", 2, None, WrongType, "`low` must be a number. Got '1'"),
    ],
)
def test_bad_ranges_are_refused(
    low: float, high: float, points: int | None, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        LogRange(low, high, points)


@pytest.mark.parametrize(
    ("value", "points", "message"),
    [
        (0.001, None, "The range is 0.01 to 1.0"),
        (2, None, "Got 2. Widen it"),
        (0.3, 3, "0.3 is not among"),
        ("a", None, "must be a number"),
        (math.nan, None, "must be finite"),
    ],
)
def test_strangers_have_no_coordinates(value: float, points: int | None, message: str) -> None:
    with pytest.raises(UnknownValue, match=message):
        LogRange(0.01, 1, points).to_unit(value)
