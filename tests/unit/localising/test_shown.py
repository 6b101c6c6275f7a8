"""What of an epoch is shown: pictures with regions and lesions, a table, FROC."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.localising.drawing import lesion, proposal
from trainers.exhibits import pack
from trainers.localising.drawing import drawn as picture
from trainers.localising.froc import RATES
from trainers.localising.hits import matches_by_rule
from trainers.localising.shown import EpochExhibits

SHOWN = EpochExhibits(epoch=3, seed=0, size=(4, 4))
REGIONS = [[proposal("##..", "....", "....", "....", score=0.9)], [], []]
LESIONS = [
    [
        lesion("##..", "....", "....", "....", kind="red dot"),
        lesion("....", "....", "....", "...#", kind="exudate"),
    ],
    [lesion("....", "....", ".##.", ".##.", kind="exudate")],
    [],
]
BY_RULE = matches_by_rule(REGIONS, LESIONS, 1.0)


def pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_table_has_a_row_for_each_rule_and_kind() -> None:
    table = SHOWN.table(BY_RULE)
    assert [tuple(row[:4]) for row in table.rows[:3]] == [
        ("touching", "all", 3, 0.3333),
        ("touching", "red dot", 1, 1.0),
        ("touching", "exudate", 2, 0.0),
    ]
    assert [row[0] for row in table.rows[::3]] == ["touching", "half", "centre"]
    assert "epoch 3" in table.title


def test_of_one_kind_there_is_no_row_of_all() -> None:
    table = SHOWN.table(matches_by_rule(REGIONS[:1], [LESIONS[0][:1]], 1.0))
    assert [row[1] for row in table.rows] == ["red dot"] * 3


def test_the_curve_has_a_band_at_every_point_and_goes_over_all_rates() -> None:
    curve = SHOWN.froc(BY_RULE)
    rates = [rate for rate, _ in curve.points["half"]]
    assert (rates[0], rates[-1]) == pytest.approx((RATES[0], RATES[-1]))
    for rule, band in curve.intervals.items():
        values = [value for _, value in curve.points[rule]]
        assert all(low <= value <= high for (_, low, high), value in zip(band, values, strict=True))


def test_a_table_without_a_lesion_can_be_kept() -> None:
    table = SHOWN.table(matches_by_rule(REGIONS, [[], [], []], 1.0))
    assert [row[1:4] for row in table.rows] == [("all", 0, None)] * 3
    assert pack(table)


def test_images_are_chosen_by_label_and_number() -> None:
    labels = np.array([0.0, 1, np.nan] * 20)
    assert SHOWN.chosen(labels) == [1, 4, 7, 10, 13, 16, 19, 22, 0, 3, 6, 9]
    assert SHOWN.chosen(np.full(3, np.nan)) == [0]


def test_lesions_are_outlined_in_both_panels_and_regions_in_the_second() -> None:
    found = pixels(picture(np.zeros((1, 4, 4)), np.zeros((4, 4)), REGIONS[0], LESIONS[1]))
    assert found.shape == (192, 388, 3)
    assert found[143, 47].tolist() == [0, 255, 255]  # left of the lesion
    assert found[143, 196 + 47].tolist() == [0, 255, 255]
    assert found[24, 196 + 96].tolist() == [255, 255, 255]  # right of the region
    assert found[24, 96].tolist() == [0, 0, 0]


@pytest.mark.parametrize("side", [3, 96, 192, 700])
@pytest.mark.parametrize("channels", [1, 3])
def test_noise_of_any_size_fits_into_what_may_be_shown(side: int, channels: int) -> None:
    draws = np.random.default_rng(0)
    data = picture(draws.random((channels, side, side)), draws.random((side, side)), [], [])
    assert len(data) <= 64 * 1024
    assert 96 <= pixels(data).shape[1] <= 400


def test_oblong_images_keep_their_shape() -> None:
    draws = np.random.default_rng(0)
    found = pixels(picture(draws.random((3, 20, 40)), draws.random((20, 40)), [], []))
    assert found.shape == (80, 324, 3)
