"""Random task weights."""

import math
from itertools import islice
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import SimplexRandom
from search_spaces.errors import BadAxis, BadValue, SpaceError, UnknownValue, WrongType

tasks = st.integers(1, 40)
share_of_floor = st.floats(0.0, 0.99)
inner = st.floats(0.01, 0.99)


@given(tasks, st.integers(1, 10), share_of_floor)
def test_points_are_weights_above_the_floor(n_tasks: int, n: int, share: float) -> None:
    axis = SimplexRandom(n_tasks, n, floor=share / n_tasks)
    points = list(axis.points())
    assert axis.size == len(points) == n
    for point in points:
        assert len(point) == n_tasks
        assert abs(math.fsum(point) - 1.0) <= 1e-12
        assert min(point) >= axis.floor


@given(tasks, st.integers(1, 10), st.integers(0, 10))
def test_asking_for_more_keeps_the_first_points(n_tasks: int, n: int, more: int) -> None:
    longer = SimplexRandom(n_tasks, n + more).points()
    assert list(islice(longer, n)) == list(SimplexRandom(n_tasks, n).points())


def test_points_are_the_same_in_every_study() -> None:
    (first,) = SimplexRandom(3, 1).points()
    assert first == (0.5397858181540228, 0.36791927575172934, 0.09229490609424784)


def test_all_points_differ() -> None:
    assert len(set(SimplexRandom(2, 500).points())) == 500


def test_points_are_spread_like_dirichlet_one() -> None:
    # For T = 4: mean 1/4, variance (1/4)(3/4)/5 = 0.0375, P(w < 0.1) = 1 - 0.9^3 = 0.271.
    points = list(SimplexRandom(4, 4_000).points())
    for task in range(4):
        weights = [point[task] for point in points]
        assert fmean(weights) == pytest.approx(0.25, abs=0.012)
        assert fmean((w - 0.25) ** 2 for w in weights) == pytest.approx(0.0375, rel=0.1)
        assert fmean(w < 0.1 for w in weights) == pytest.approx(0.271, abs=0.03)


@pytest.mark.parametrize("task", range(4))
def test_stick_breaking_gives_dirichlet_one(task: int) -> None:
    # E[w] = 1/4 and E[w^2] = 2/(4 5) over the unit cube, by the midpoint rule.
    axis, n = SimplexRandom(4, 1), 16
    middles = [(i + 0.5) / n for i in range(n)]
    weights = [axis.from_unit([a, b, c])[task] for a in middles for b in middles for c in middles]
    assert fmean(weights) == pytest.approx(0.25, abs=4e-3)
    assert fmean(w * w for w in weights) == pytest.approx(0.1, abs=4e-3)


@given(st.data(), tasks, share_of_floor)
def test_from_unit_gives_weights_above_the_floor(
    data: st.DataObject, n_tasks: int, share: float
) -> None:
    axis = SimplexRandom(n_tasks, 1, floor=share / n_tasks)
    unit = st.lists(st.floats(0, 1), min_size=axis.dimensions, max_size=axis.dimensions)
    point = axis.from_unit(data.draw(unit))
    assert abs(math.fsum(point) - 1.0) <= 1e-12
    assert min(point) >= axis.floor


@given(st.lists(inner, max_size=9), st.floats(0.0, 0.9))
def test_to_unit_leads_back_to_the_coordinates(u: list[float], share: float) -> None:
    n_tasks = len(u) + 1
    axis = SimplexRandom(n_tasks, 1, floor=share / n_tasks)
    assert axis.to_unit(axis.from_unit(u)) == pytest.approx(u, abs=1e-6)


@given(tasks, st.integers(1, 5), st.floats(0.0, 0.9))
def test_to_unit_leads_back_to_the_weights(n_tasks: int, n: int, share: float) -> None:
    axis = SimplexRandom(n_tasks, n, floor=share / n_tasks)
    for point in axis.points():
        assert axis.from_unit(axis.to_unit(point)) == pytest.approx(point, abs=1e-12)


@pytest.mark.parametrize("corner", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_corners_lead_back(corner: tuple[float, ...]) -> None:
    axis = SimplexRandom(3, 1)
    assert axis.from_unit(axis.to_unit(corner)) == corner


def test_its_repr_can_be_evaluated() -> None:
    axis = SimplexRandom(3, 50, floor=0.02)
    assert eval(repr(axis)) == axis


@pytest.mark.parametrize(
    ("n_tasks", "points", "floor", "error", "message"),
    [
        (3, 50, -0.1, BadAxis, "`floor` must be at least 0 and below 1/T = 0.333333"),
        (4, 50, 0.25, BadAxis, "for 4 tasks. Got 0.25. Lower it"),
        (10, 50, 0.2, BadAxis, "below 1/T = 0.1"),
        (3, 50, math.nan, BadValue, "`floor` must be finite"),
        (3, 50, "0", WrongType, "`floor` must be a number. Got '0'"),
        (3, 0, 0.0, BadValue, "`dirichlet` must be at least 1. Got 0"),
        (3, 5.0, 0.0, WrongType, "`dirichlet` must be a whole number. Got 5.0"),
        (0, 5, 0.0, BadValue, "`n_tasks` must be at least 1"),
    ],
)
def test_bad_axes_are_refused(
    n_tasks: int, points: int, floor: float, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        SimplexRandom(n_tasks, points, floor)


@pytest.mark.parametrize(
    "stranger",
    [(0.5, 0.5), (0.3, 0.3, 0.3), (0.05, 0.45, 0.5), (math.inf, -math.inf, 1.0), 0.5],
)
def test_strangers_have_no_coordinates(stranger: tuple[float, ...]) -> None:
    with pytest.raises(UnknownValue, match=r"is not made of 3 weights of at least 0\.1"):
        SimplexRandom(3, 1, floor=0.1).to_unit(stranger)
