"""FROC against the definition, read threshold by threshold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.localising.froc import (
    RATES,
    drawn_anew,
    found_shares,
    froc,
    sensitivities,
)
from trainers.localising.hits import NOT_FOUND, Matches


def matches(
    lesions: list[tuple[int, float]], false: list[tuple[int, float]], n_images: int
) -> Matches:
    return Matches(
        n_images=n_images,
        lesion_images=np.array([image for image, _ in lesions], dtype=np.int64),
        lesion_kinds=("red dot",) * len(lesions),
        lesion_scores=np.array([score for _, score in lesions], dtype=np.float64),
        false_images=np.array([image for image, _ in false], dtype=np.int64),
        false_scores=np.array([score for _, score in false], dtype=np.float64),
    )


SCORES = st.sampled_from([0.1, 0.2, 0.5, 0.8, 0.9])
IMAGES = st.integers(0, 4)
LESIONS = st.lists(st.tuples(IMAGES, st.one_of(SCORES, st.just(NOT_FOUND))), min_size=1, max_size=8)
FALSE = st.lists(st.tuples(IMAGES, SCORES), max_size=12)


def by_definition(of: Matches, rate: float) -> float:
    thresholds = [math.inf, *of.lesion_scores, *of.false_scores]
    return max(
        float((of.lesion_scores >= threshold).mean())
        for threshold in thresholds
        if threshold > NOT_FOUND and (of.false_scores >= threshold).sum() <= rate * of.n_images
    )


@given(lesions=LESIONS, false=FALSE)
def test_sensitivity_at_a_rate_is_the_best_of_all_thresholds(
    lesions: list[tuple[int, float]], false: list[tuple[int, float]]
) -> None:
    of = matches(lesions, false, 5)
    expected = [by_definition(of, rate) for rate in (0.0, *RATES)]
    assert sensitivities(of, (0.0, *RATES)).tolist() == pytest.approx(expected)


@given(lesions=LESIONS, false=FALSE, seed=st.integers(0, 99))
def test_images_that_count_twice_are_as_if_there_were_two(
    lesions: list[tuple[int, float]], false: list[tuple[int, float]], seed: int
) -> None:
    counts = drawn_anew(5, seed, 1)
    copies = [image for image in range(5) for _ in range(int(counts[0, image]))]
    drawn = matches(
        [
            (new, score)
            for new, old in enumerate(copies)
            for image, score in lesions
            if image == old
        ],
        [(new, score) for new, old in enumerate(copies) for image, score in false if image == old],
        5,
    )
    of = sensitivities(matches(lesions, false, 5), RATES, counts)[0]
    np.testing.assert_allclose(of, sensitivities(drawn, RATES), equal_nan=True)


@given(lesions=LESIONS, false=FALSE)
def test_the_curve_rises_to_what_all_regions_find(
    lesions: list[tuple[int, float]], false: list[tuple[int, float]]
) -> None:
    of = matches(lesions, false, 5)
    found = sensitivities(of, np.linspace(0, of.false_positives_per_image, 9))
    assert (np.diff(found) >= 0).all()
    assert found[-1] == pytest.approx(of.sensitivity)


def test_by_hand() -> None:
    # falling: found 0.9, false 0.8, found 0.7, false 0.6, found 0.5; two images
    of = matches([(0, 0.9), (0, 0.7), (1, 0.5)], [(1, 0.8), (0, 0.6)], 2)
    assert sensitivities(of, (0, 0.49, 0.5, 0.99, 1, 4)) == pytest.approx(
        [1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1]
    )


def test_a_lesion_found_by_a_region_as_good_as_a_false_one_comes_with_it() -> None:
    of = matches([(0, 0.8)], [(0, 0.8)], 1)
    assert sensitivities(of, (0.5, 1.0)).tolist() == [0.0, 1.0]


@given(lesions=LESIONS, false=FALSE)
def test_the_mean_is_of_the_rates_and_lies_in_its_interval_of_shares(
    lesions: list[tuple[int, float]], false: list[tuple[int, float]]
) -> None:
    *at_rates, mean = froc(matches(lesions, false, 5), RATES, drawn_anew(5, 0, 50))
    assert mean.value == pytest.approx(np.mean([rate.value for rate in at_rates]))
    assert 0 <= mean.low <= mean.high <= 1


def test_intervals_come_of_the_seed_alone_and_shrink_with_more_images() -> None:
    def wide(n_images: int) -> float:
        lesions = [(image, 0.9 if image % 2 else NOT_FOUND) for image in range(n_images)]
        found = found_shares(matches(lesions, [], n_images), drawn_anew(n_images, 7))
        assert found == found_shares(matches(lesions, [], n_images), drawn_anew(n_images, 7))
        assert found.low < found.value == 0.5 < found.high
        return found.high - found.low

    assert wide(400) < wide(100) / 1.5


def test_the_interval_of_a_share_is_that_of_images_not_of_lesions() -> None:
    # ten lesions in each of twenty images: all of an image are found, or none
    clustered = [(image, 0.9 if image % 2 else NOT_FOUND) for image in range(20) for _ in range(10)]
    spread = [(n % 200, 0.9 if n % 2 else NOT_FOUND) for n in range(200)]
    narrow = found_shares(matches(spread, [], 200), drawn_anew(200, 0))
    wide = found_shares(matches(clustered, [], 20), drawn_anew(20, 0))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_without_lesions_nothing_is_known() -> None:
    of = matches([], [(0, 0.5)], 2)
    assert np.isnan(sensitivities(of, RATES)).all()
    assert all(math.isnan(found.low) for found in froc(of, RATES, drawn_anew(2, 0, 20)))
    assert math.isnan(found_shares(of, drawn_anew(2, 0, 20)).value)
