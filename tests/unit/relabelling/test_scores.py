"""Scores of doubt: their range, and what each of them is blind to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from trainers.relabelling.card import SCORES as NAMES
from trainers.relabelling.scores import SCORES, Classes, Floats

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, *, n_passes: int = 4) -> tuple[Floats, Classes]:
    """Probabilities ``[M, 6, 3]``, some of them 0 and 1, and labels ``[6]``."""
    source = np.random.default_rng(seed)
    found = source.dirichlet([0.3] * 3, size=(n_passes, 6))
    found[:, 0] = np.eye(3)[source.integers(3, size=n_passes)]
    return found, source.integers(3, size=6)


def test_the_card_offers_all_of_them() -> None:
    assert set(NAMES) == set(SCORES)


@pytest.mark.parametrize("name", [*SCORES])
@given(seed=SEEDS)
def test_they_lie_between_0_and_1(name: str, seed: int) -> None:
    found = SCORES[name](*drawn(seed))
    assert found.shape == (6,)
    assert (found >= 0).all()
    assert (found <= 1 + 1e-12).all()


@pytest.mark.parametrize("name", [*SCORES])
@given(seed=SEEDS)
def test_the_order_of_passes_does_not_matter(name: str, seed: int) -> None:
    probabilities, labels = drawn(seed)
    assert_allclose(
        SCORES[name](probabilities[::-1], labels), SCORES[name](probabilities, labels), atol=1e-12
    )


@pytest.mark.parametrize("name", ["mutual-information", "spread"])
@given(seed=SEEDS)
def test_passes_that_agree_leave_nothing_of_it(name: str, seed: int) -> None:
    probabilities, labels = drawn(seed, n_passes=1)
    assert_allclose(SCORES[name](probabilities.repeat(3, axis=0), labels), 0.0, atol=1e-7)


@pytest.mark.parametrize("name", ["entropy", "mutual-information", "spread"])
@given(seed=SEEDS)
def test_some_do_not_look_at_labels(name: str, seed: int) -> None:
    probabilities, labels = drawn(seed)
    assert np.array_equal(
        SCORES[name](probabilities, labels), SCORES[name](probabilities, (labels + 1) % 3)
    )


def test_values_by_hand() -> None:
    both = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])  # two passes that contradict each other
    even = np.array([[[0.5, 0.5]], [[0.5, 0.5]]])  # two that know nothing
    label = np.array([0])
    found = {name: (score(both, label)[0], score(even, label)[0]) for name, score in SCORES.items()}
    assert found == {
        "given-label": (0.5, 0.5),
        "entropy": (1.0, 1.0),
        "mutual-information": (1.0, 0.0),
        "spread": (pytest.approx(0.5**0.5), 0.0),
    }
