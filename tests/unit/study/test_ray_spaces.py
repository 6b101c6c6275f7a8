"""Spaces at Ray's door."""

from __future__ import annotations

import pytest

from search_spaces import space_from_plain
from search_spaces.errors import EmptySpace
from study.drivers.ray_tune import param_space


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


def test_an_empty_simplex_says_so() -> None:
    space = space_from_plain({"task_weights": {"simplex_step": 0.1}}, n_tasks=40)
    with pytest.raises(EmptySpace, match="dirichlet"):
        param_space(space)
