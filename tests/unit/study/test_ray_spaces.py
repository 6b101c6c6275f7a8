"""Spaces at Ray's door."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Choices, LogRange, Range, SimplexGrid, Space, from_ray, space_from_plain
from search_spaces.errors import EmptySpace
from study.drivers.ray_tune.spaces import param_space

_ENDS = st.tuples(st.floats(1e-6, 1e3), st.floats(1.5, 1e3)).map(lambda e: (e[0], e[0] * e[1]))
_CONTINUOUS = _ENDS.flatmap(lambda e: st.sampled_from([LogRange(*e), Range(*e)]))
_FINITE = st.one_of(
    st.builds(lambda e, n: LogRange(*e, points=n), _ENDS, st.integers(2, 6)),
    st.builds(lambda e, n: Range(*e, points=n), _ENDS, st.integers(2, 6)),
    st.lists(st.integers(-5, 5) | st.text(max_size=3), min_size=1, max_size=4, unique=True).map(
        Choices
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), _FINITE, max_size=3))
def test_finite_spaces_come_back_with_all_their_points(axes: dict[str, Choices]) -> None:
    space = Space({**axes, "task_weights": SimplexGrid(3, 0.25)})
    assert list(from_ray(param_space(space)).grid()) == list(space.grid())


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), _CONTINUOUS, max_size=3))
def test_continuous_spaces_come_back_as_they_were(axes: dict[str, Range]) -> None:
    assert from_ray(param_space(Space(axes))) == Space(axes)


def test_finite_axes_are_grids_of_their_points() -> None:
    space = space_from_plain({"lr": [1e-3, 1e-2], "task_weights": {"simplex_step": 0.5}}, n_tasks=2)
    assert param_space(space) == {
        "lr": {"grid_search": [1e-3, 1e-2]},
        "task_weights": {"grid_search": [(0.5, 0.5)]},
    }


def test_a_continuous_range_is_sampled_log_uniformly() -> None:
    space = space_from_plain({"lr": {"log_range": [1e-4, 1e-1]}}, n_tasks=2)
    domain = param_space(space)["lr"]
    assert (domain.lower, domain.upper) == (1e-4, 1e-1)
    assert type(domain.get_sampler()).__name__ == "_LogUniform"


def test_a_linear_range_is_sampled_uniformly() -> None:
    space = space_from_plain({"dropout": {"range": [0.0, 0.5]}}, n_tasks=2)
    domain = param_space(space)["dropout"]
    assert (domain.lower, domain.upper) == (0.0, 0.5)
    assert type(domain.get_sampler()).__name__ == "_Uniform"


def test_an_empty_simplex_says_so() -> None:
    space = space_from_plain({"task_weights": {"simplex_step": 0.1}}, n_tasks=40)
    with pytest.raises(EmptySpace, match="dirichlet"):
        param_space(space)
