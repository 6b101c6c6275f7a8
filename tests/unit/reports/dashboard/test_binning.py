"""Binning: few points that stand for many, and those that matter are always there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reports.dashboard.showing.binning import MOST_DOTS, best_so_far, dots, line, newest, pareto

N = 100_000
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=N), RNG.normal(size=N)
METHOD = RNG.integers(0, 10, N)


def test_few_points_are_all_drawn() -> None:
    found = dots(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, np.inf]))
    assert (found.at.tolist(), found.n.tolist(), found.said) == ([0], [1], "")


def test_a_cloud_is_at_most_so_many_dots_which_stand_for_all() -> None:
    keep = pareto(X, Y) | best_so_far(Y) | newest(N)
    found = dots(X, Y, groups=METHOD, keep=keep)
    assert MOST_DOTS / 4 < len(found.at) <= MOST_DOTS
    assert found.n.sum() == N
    assert np.isin(np.flatnonzero(keep), found.at).all()
    assert found.said == f"1 dot = up to {found.n.max():,} runs"
    of_method = [found.n[METHOD[found.at] == method].sum() for method in range(10)]
    assert of_method == np.bincount(METHOD).tolist()


@pytest.mark.parametrize("x", [np.zeros(N), np.full(N, 1e308) * RNG.choice([-1, 1], N), X])
def test_clouds_of_odd_shapes_are_no_trouble(x: np.ndarray) -> None:
    found = dots(x, -x, groups=METHOD, keep=np.ones(N, dtype=bool))
    assert len(found.at) <= MOST_DOTS
    assert np.isin([x.argmin(), x.argmax()], found.at).all() or not x.any()


points = arrays.arrays(np.float64, st.integers(1, 30), elements=st.integers(-4, 4).map(float))


@given(points, st.data())
def test_a_front_is_what_nothing_is_better_than(x: np.ndarray, data: st.DataObject) -> None:
    y = data.draw(arrays.arrays(np.float64, len(x), elements=st.sampled_from([0.0, 1, 2, np.nan])))
    front = {(a, b) for a, b in zip(x[pareto(x, y)], y[pareto(x, y)], strict=True)}
    known = [(a, b) for a, b in zip(x, y, strict=True) if np.isfinite(b)]
    assert len(front) == pareto(x, y).sum()
    assert front == {
        (a, b)
        for a, b in known
        if not any((c, d) != (a, b) and c <= a and d <= b for c, d in known)
    }


def test_the_best_so_far_are_the_steps() -> None:
    values = np.array([np.nan, 3.0, 3.0, 2.0, np.nan, 2.5, 1.0])
    assert np.flatnonzero(best_so_far(values)).tolist() == [1, 3, 6]


def test_a_line_keeps_the_lowest_and_the_highest_of_each_pixel() -> None:
    x, y = np.arange(N, dtype=float), Y.copy()
    y[::7] = np.nan
    at = line(x, y, columns=100)
    assert len(at) <= 400
    assert (at[0], at[-1]) == (0, N - 1)
    for low, high in pairwise(range(0, N + 1, N // 100)):
        drawn = y[at[(at >= low) & (at < high)]]
        assert np.nanmin(drawn) == np.nanmin(y[low:high])
        assert np.nanmax(drawn) == np.nanmax(y[low:high])
    assert line(x[:50], y[:50], columns=100).tolist() == list(range(50))
