"""Fronts, and what no mix of points reaches, are those of their definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.hulls import beyond_mixes, front

seeds = st.integers(0, 2**32 - 1)


def made(seed: int) -> tuple[np.random.Generator, np.ndarray]:
    """Points to mix, some of them equal in a coordinate."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 10, size=(int(rng.integers(1, 20)), int(rng.integers(1, 6))))
    return rng, np.round(points) if seed % 2 else points


@given(seeds)
def test_the_front_is_what_nothing_dominates(seed: int) -> None:
    _, points = made(seed)
    for point, kept in zip(points, front(points), strict=True):
        better = [(o <= point).all() and (o < point).any() for o in points]
        assert kept == (not any(better))


@given(seeds)
def test_mixes_and_what_they_dominate_are_not_beyond(seed: int) -> None:
    rng, points = made(seed)
    mixes = rng.dirichlet(np.ones(len(points)), size=5) @ points
    worse = rng.exponential(size=mixes.shape) * rng.integers(0, 2, size=mixes.shape)
    assert not beyond_mixes(np.vstack([points, mixes + worse]), points).found.any()


@given(seeds)
def test_what_is_beyond_has_weights_by_which_it_is_less_than_all(seed: int) -> None:
    rng, points = made(seed)
    weights = rng.dirichlet(np.ones(points.shape[1]))
    lowest = (points @ weights).min()
    tried = rng.normal(0, 10, size=(4, points.shape[1]))
    tried -= (tried @ weights - lowest)[:, None] + 0.5  # below the plane under all points
    lying = beyond_mixes(tried, points)
    assert lying.found.all()
    assert np.allclose(lying.weights.sum(axis=1), 1)
    assert (lying.weights >= 0).all()
    own = np.sum(tried * lying.weights, axis=1)
    assert (own < (points @ lying.weights.T).min(axis=0)).all()
    assert np.allclose(lying.mixes.sum(axis=1), 1)
