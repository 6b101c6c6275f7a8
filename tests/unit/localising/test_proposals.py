"""From maps and probabilities to regions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.localising.maps import MapRange
from trainers.localising.proposals import RegionRule

RULE = RegionRule(over=None, gate=True, threshold=0.5, minimal_area=1)
MAPS = np.array([[[9.0, 0, 0, 0], [9, 0, 0, 6]], [[0, 0, 0, 4], [0, 0, 0, 0]]])
SIZE = (2, 4)


def pixels(rule: RegionRule, probabilities: list[float]) -> list[list[list[int]]]:
    found = rule.proposals(MAPS, np.array(probabilities), SIZE)
    return [[proposal.pixels.tolist() for proposal in of_image] for of_image in found]


def test_regions_are_what_lies_above_the_threshold() -> None:
    assert pixels(RULE, [0.9, 0.9]) == [[[0, 4], [7]], [[3]]]
    assert pixels(replace(RULE, threshold=0.7), [0.9, 0.9]) == [[[0, 4]], [[3]]]


def test_the_gate_leaves_images_out_that_are_not_called_diseased() -> None:
    assert pixels(RULE, [0.4, 0.5]) == [[], [[3]]]
    assert pixels(replace(RULE, gate=False), [0.4, 0.5]) == [[[0, 4], [7]], [[3]]]


def test_regions_below_the_minimal_area_are_left_out() -> None:
    assert pixels(replace(RULE, minimal_area=2), [0.9, 0.9]) == [[[0, 4]], []]


def test_over_the_data_a_weak_image_has_weak_regions() -> None:
    assert pixels(replace(RULE, over=MapRange(0.0, 9.0)), [0.9, 0.9]) == [[[0, 4], [7]], []]


def test_a_region_has_its_centre_and_is_ranked_by_peak_and_probability() -> None:
    (first, second), _ = RULE.proposals(MAPS, np.array([0.9, 0.2]), SIZE)
    assert (first.y, first.x, first.score) == (0.5, 0.0, pytest.approx(0.9))
    assert (second.y, second.x, second.score) == (1.0, 3.0, pytest.approx(0.9 * 6 / 9))


@given(seed=st.integers(0, 999), low=st.floats(0.05, 0.9), more=st.floats(0.01, 0.5))
def test_a_higher_threshold_finds_a_part_of_the_pixels(seed: int, low: float, more: float) -> None:
    maps = np.random.default_rng(seed).normal(size=(3, 4, 4))
    probabilities = np.array([0.2, 0.6, 1.0])

    def covered(threshold: float) -> list[set[int]]:
        rule = replace(RULE, threshold=threshold, gate=False)
        found = rule.proposals(maps, probabilities, (9, 7))
        return [{int(n) for one in image for n in one.pixels} for image in found]

    assert all(a <= b for a, b in zip(covered(low + more), covered(low), strict=True))


@given(seed=st.integers(0, 999), cut=st.integers(0, 5))
def test_images_do_not_depend_on_their_batch(seed: int, cut: int) -> None:
    maps = np.random.default_rng(seed).normal(size=(5, 3, 3))
    probabilities = np.linspace(0.3, 1, 5)
    whole = RULE.proposals(maps, probabilities, (6, 6))
    parts = [
        *RULE.proposals(maps[:cut], probabilities[:cut], (6, 6)),
        *RULE.proposals(maps[cut:], probabilities[cut:], (6, 6)),
    ]
    assert [[(p.score, p.pixels.tolist()) for p in image] for image in whole] == [
        [(p.score, p.pixels.tolist()) for p in image] for image in parts
    ]
