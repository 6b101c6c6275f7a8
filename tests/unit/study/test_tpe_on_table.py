"""TPE that is held to the points of a recorded table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.replaying.strategies.tpe import coordinates_of
from study.searches.tpe_on_table import nearest, sequence

GRID = [{"lr": 10.0**-k, "x": x} for k in range(6) for x in range(6)]
BOWL = np.array([(k - 3) ** 2 + (x - 2) ** 2 for k in range(6) for x in range(6)], dtype=np.float64)


def tried(keys: np.ndarray, seed: int, points: list[dict[str, object]] | None = None) -> list[int]:
    coordinates, n_categories = coordinates_of(GRID if points is None else points)
    order = np.random.default_rng(seed).permutation(len(keys))
    return sequence(coordinates, n_categories, keys, order, n=len(keys), seed=seed).tolist()


def test_every_point_is_tried_once_the_first_ten_at_random() -> None:
    found = tried(BOWL, 0)
    assert sorted(found) == list(range(36))
    assert found[:10] == np.random.default_rng(0).permutation(36)[:10].tolist()
    assert found[10:] != np.random.default_rng(0).permutation(36)[10:].tolist()


def test_the_same_seed_tries_the_same() -> None:
    assert tried(BOWL, 1) == tried(BOWL, 1) != tried(BOWL, 2)


def test_what_was_tried_is_learned_from() -> None:
    places = [tried(BOWL, seed).index(int(BOWL.argmin())) for seed in range(8)]
    after_random = [place - 10 for place in places if place >= 10]
    assert np.mean(after_random) < 13 - 4  # a random order of the other 26 would need 13


@pytest.mark.parametrize("worst", [math.inf, 1e9])
def test_trials_that_diverged_are_tried_like_others(worst: float) -> None:
    keys = BOWL.copy()
    keys[::5] = worst
    assert sorted(tried(keys, 3)) == list(range(36))


def test_categories_and_rows_of_numbers_have_coordinates() -> None:
    points = [
        {"optimizer": name, "task_weights": [w, 1 - w], "lr": 0.1} | more
        for name, more in (("adam", {}), ("sgd", {"momentum": 0.9}), ("sgd", {"momentum": 0.5}))
        for w in (0.2, 0.5, 0.8)
    ]
    coordinates, n_categories = coordinates_of(points)
    # lr never moves; momentum, which some lack, is a category
    assert n_categories.tolist() == [2, 0, 0, 3]
    assert coordinates[:, 1].tolist() == [0.0, 0.5, 1.0] * 3
    assert coordinates[:3, 2].tolist() == [1.0, 0.5, 0.0]
    assert sorted(tried(np.arange(9.0), 0, points)) == list(range(9))


@pytest.mark.parametrize(("left", "row"), [((1, 1, 1), 0), ((0, 1, 1), 2), ((0, 1, 0), 1)])
def test_categories_are_the_same_or_not(left: tuple[int, ...], row: int) -> None:
    coordinates = np.array([[0.0, 0.9], [1.0, 0.5], [3.0, 0.2]])
    is_category = np.array([True, False])
    asked = np.array([0.0, 0.1])
    assert nearest(coordinates, asked, is_category, np.array(left, dtype=np.bool_)) == row


def test_fewer_can_be_asked_for() -> None:
    coordinates, n_categories = coordinates_of(GRID)
    few = sequence(coordinates, n_categories, BOWL, np.arange(36), n=15, seed=0)
    whole = sequence(coordinates, n_categories, BOWL, np.arange(36), n=36, seed=0)
    assert few.tolist() == whole[:15].tolist()


def test_a_table_of_one_point_is_tried() -> None:
    assert tried(np.array([1.0]), 0, [{"lr": 0.1}]) == [0]
