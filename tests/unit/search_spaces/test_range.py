"""A linear range, continuous or as an even grid."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import LogRange, Range
from search_spaces.errors import BadAxis, BadValue, ContinuousAxis, SpaceError, WrongType
from search_spaces.lines import midpoint

ends = st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 1e6)).map(lambda e: (e[0], e[0] + e[1]))
share = st.floats(0.0, 1.0)


def test_a_grid_of_tenths_is_exact() -> None:
    assert list(Range(0, 0.5, points=6).points()) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


@given(ends, st.integers(2, 20))
def test_a_grid_has_both_ends_and_one_step(limits: tuple[float, float], n: int) -> None:
    axis = Range(*limits, points=n)
    grid = list(axis.points())
    step = (limits[1] - limits[0]) / (n - 1)
    coarse = 2e-5 * max(map(abs, limits))
    assert (axis.size, grid[0], grid[-1]) == (n, *limits)
    assert all(math.isclose(b - a, step, abs_tol=coarse) for a, b in pairwise(grid))


@given(ends, share, share)
def test_larger_shares_give_no_smaller_values(
    limits: tuple[float, float], a: float, b: float
) -> None:
    assume(a < b)
    axis = Range(*limits)
    assert limits[0] <= axis.from_unit([a]) <= axis.from_unit([b]) <= limits[1]


@given(ends, share)
def test_to_unit_leads_back_to_the_value(limits: tuple[float, float], u: float) -> None:
    axis = Range(*limits)
    value = axis.from_unit([u])
    assert axis.from_unit(axis.to_unit(value)) == pytest.approx(value, rel=1e-5, abs=1e-9)


@given(ends, st.integers(2, 20))
def test_a_grid_leads_back_from_its_buckets(limits: tuple[float, float], n: int) -> None:
    axis = Range(*limits, points=n)
    grid = list(axis.points())
    assert [axis.from_unit(axis.to_unit(value)) for value in grid] == grid


def test_the_extremes_of_floats_are_no_obstacle() -> None:
    axis = Range(-1.7e308, 1.7e308)
    assert axis.from_unit([0.5]) == 0.0
    assert axis.to_unit(0.0) == (0.5,)


def test_it_rests_halfway() -> None:
    assert midpoint(Range(-1, 3)) == 1.0


def test_a_continuous_range_has_no_grid() -> None:
    with pytest.raises(ContinuousAxis, match=r"range from 0\.0 to 1\.0 is continuous"):
        Range(0, 1).points()


def test_it_is_another_axis_than_a_logarithmic_one() -> None:
    assert Range(1, 2) != LogRange(1, 2)


def test_its_repr_can_be_evaluated() -> None:
    axis = Range(0, 1, points=4)
    assert eval(repr(axis)) == axis


@pytest.mark.parametrize(
    ("low", "high", "points", "error", "message"),
    [
        (1, 1, None, BadAxis, "`high` must be above `low`"),
        (2, 1, None, BadAxis, r"Got \[2.0, 1.0\]. Swap them"),
        (1, 1.00001, 100, BadAxis, "100 points between 1.0 and 1.00001 are alike"),
        (math.nan, 1, None, BadValue, "`low` must be finite"),
        (0, 2, 1, BadValue, "`points` must be at least 2. Got 1"),
        ("1", 2, None, WrongType, "`low` must be a number. Got '1'"),
    ],
)
def test_bad_ranges_are_refused(
    low: float, high: float, points: int | None, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Range(low, high, points)
