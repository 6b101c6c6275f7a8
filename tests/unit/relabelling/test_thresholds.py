"""Thresholds: between two groups if there are two, whatever the order and the scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainers.relabelling.card import THRESHOLDS as NAMES
from trainers.relabelling.scores import Floats
from trainers.relabelling.thresholds import THRESHOLDS, otsu, quantile, separation

SEEDS = st.integers(0, 2**32 - 1)
SOME = st.lists(st.integers(0, 20), min_size=2, max_size=12).map(lambda x: np.array(x) / 20)


def groups(seed: int) -> Floats:
    """Fifty low scores and fifteen high ones, mixed."""
    source = np.random.default_rng(seed)
    parts = source.normal(0.2, 0.04, 50), source.normal(0.8, 0.06, 15)
    found: Floats = source.permutation(np.concatenate(parts)).clip(0, 1)
    return found


def test_the_card_offers_all_of_them() -> None:
    assert set(NAMES) == set(THRESHOLDS)


@pytest.mark.parametrize("name", ["otsu", "mixture"])
@given(seed=SEEDS)
def test_two_groups_are_parted(name: str, seed: int) -> None:
    scores = groups(seed)
    assert np.array_equal(scores > THRESHOLDS[name](scores, 0.1), scores > 0.5)


@pytest.mark.parametrize("name", [*THRESHOLDS])
@given(seed=SEEDS)
def test_order_and_scale_do_not_matter(name: str, seed: int) -> None:
    scores = groups(seed)
    doubtful = scores > THRESHOLDS[name](scores, 0.3)
    turned = 3 * scores[::-1] + 1
    assert np.array_equal((turned > THRESHOLDS[name](turned, 0.3))[::-1], doubtful)


@given(scores=SOME)
def test_otsu_leaves_least_variance_within_the_sides(scores: Floats) -> None:
    assume(len(np.unique(scores)) > 1)

    def within(cut: float) -> float:
        sides = scores[scores <= cut], scores[scores > cut]
        return float(sum(len(side) * side.var() for side in sides))

    least = min(within(cut) for cut in np.unique(scores)[:-1])
    assert within(otsu(scores, 0.0)) == pytest.approx(least, abs=1e-12)
    assert separation(scores) == pytest.approx(1 - least / (len(scores) * scores.var()), abs=1e-9)


@given(scores=SOME, share=st.floats(0.001, 0.999))
def test_a_quantile_doubts_as_many_as_it_may(scores: Floats, share: float) -> None:
    cut = quantile(scores, share)
    assert (scores > cut).mean() <= share
    assert (scores >= cut).sum() > math.floor(share * len(scores))


@pytest.mark.parametrize("name", ["otsu", "mixture", "quantile"])
def test_of_equal_scores_none_is_doubtful(name: str) -> None:
    scores = np.full(9, 0.25)
    assert not (scores > THRESHOLDS[name](scores, 0.5)).any()
    assert separation(scores) == 0.0


def test_the_mixture_parts_groups_of_unequal_width_where_they_are_as_likely() -> None:
    """The wide group reaches far below the middle, which Otsu's cut does not see."""
    source = np.random.default_rng(0)
    narrow, wide = source.normal(0.1, 0.01, 2000), source.normal(0.6, 0.15, 2000)
    scores = np.concatenate([narrow, wide])
    assert (narrow > THRESHOLDS["mixture"](scores, 0.0)).mean() < 0.01
    assert (wide > THRESHOLDS["mixture"](scores, 0.0)).mean() > 0.99
    assert (wide > otsu(scores, 0.0)).mean() < 0.97


def test_one_score_apart_is_no_component_of_its_own_width() -> None:
    scores = np.append(np.linspace(0.1, 0.2, 30), 0.9)
    assert (scores > THRESHOLDS["mixture"](scores, 0.0)).tolist() == [False] * 30 + [True]
