"""The three hit rules, and what counts once."""

import math

import numpy as np
import pytest

from tests.unit.localising.drawing import lesion, proposal
from trainers.localising.hits import Matches, match, matches_by_rule, touches
from trainers.localising.proposals import ProposedRegion
from trainers.problems.regions import Region

LESION = lesion("....", ".##.", ".##.", "....")
EMPTY = "...."


def hit(region: ProposedRegion, distance: float = 1.0) -> dict[str, bool]:
    found = matches_by_rule([[region]], [[LESION]], distance)
    return {name: matches.sensitivity == 1.0 for name, matches in found.items()}


@pytest.mark.parametrize(
    ["region", "touching", "half", "centre"],
    [
        (proposal(EMPTY, ".##.", ".##.", EMPTY), True, True, True),
        (proposal(EMPTY, ".#..", ".#..", EMPTY), True, True, True),
        (proposal(EMPTY, ".#..", EMPTY, EMPTY), True, False, True),
        (proposal("####", "####", "####", "####"), True, True, True),
        (proposal("##..", "##..", EMPTY, EMPTY), True, False, False),
        (proposal("####", "#..#", "#..#", "####"), False, False, True),
        (proposal(EMPTY, EMPTY, EMPTY, "###."), False, False, False),
    ],
)
def test_each_rule(region: ProposedRegion, touching: bool, half: bool, centre: bool) -> None:
    assert hit(region) == {"touching": touching, "half": half, "centre": centre}


def test_the_distance_of_centres_is_part_of_its_rule() -> None:
    region = proposal(EMPTY, ".##.", EMPTY, EMPTY)
    assert hit(region, distance=0.5)["centre"]
    assert not hit(region, distance=0.49)["centre"]


def found(proposals: list[list[ProposedRegion]], lesions: list[list[Region]]) -> Matches:
    return match(proposals, lesions, touches)


TWO = [lesion("#.....", "......"), lesion("....#.", "......", kind="exudate")]


def test_a_lesion_counts_once_by_its_best_region() -> None:
    regions = [proposal("##....", "......", score=0.3), proposal("#.....", "#.....", score=0.7)]
    of = found([regions], [TWO])
    assert of.lesion_scores.tolist() == [0.7, -math.inf]
    assert (of.sensitivity, of.false_positives_per_image) == (0.5, 0.0)


def test_a_region_that_hits_several_finds_all_and_is_not_false() -> None:
    of = found([[proposal("######", "......")]], [TWO])
    assert (of.sensitivity, of.false_positives_per_image) == (1.0, 0.0)


def test_a_region_that_hits_none_is_one_false_positive() -> None:
    of = found([[proposal("......", "######")], [proposal("#.....", "#.....")]], [TWO, []])
    assert (of.sensitivity, of.false_positives_per_image) == (0.0, 1.0)
    assert of.false_images.tolist() == [0, 1]


def test_an_image_is_found_by_any_of_its_lesions() -> None:
    hit_first = [proposal("#.....", "......")]
    assert found([hit_first, [], []], [TWO, TWO[1:], []]).image_sensitivity == 0.5


def test_of_one_kind_a_region_that_hits_another_kind_is_not_false() -> None:
    of = found([[proposal("#.....", "......"), proposal("......", "....#.")]], [TWO])
    exudates = of.of_kind("exudate")
    assert (exudates.sensitivity, exudates.false_positives_per_image) == (0.0, 1.0)
    assert of.of_kind("red dot").sensitivity == 1.0


def test_without_lesions_there_is_no_sensitivity() -> None:
    of = found([[proposal("#..")]], [[]])
    assert math.isnan(of.sensitivity)
    assert math.isnan(of.image_sensitivity)
    assert of.false_positives_per_image == 1.0


def test_a_split_without_any_region() -> None:
    of = found([[], []], [TWO, []])
    assert (of.sensitivity, of.false_positives_per_image) == (0.0, 0.0)
    assert of.false_scores.dtype == np.float64
