"""AUROC of images that are drawn anew, against the metric that is reported of the images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.localising.froc import drawn_anew
from trainers.localising.hits import NOT_FOUND, Matches
from trainers.localising.of_images import auroc, diseased_found
from trainers.problems.labels import Auroc

IMAGES = st.lists(
    st.tuples(st.sampled_from([0.1, 0.4, 0.6, 0.9]), st.sampled_from([0.0, 1.0, math.nan])),
    min_size=1,
    max_size=12,
)


def as_reported(scores: np.ndarray, labels: np.ndarray) -> float:
    metric = Auroc()
    return metric.value(metric.statistics(torch.from_numpy(scores), torch.from_numpy(labels)))


@given(images=IMAGES, seed=st.integers(0, 99))
def test_an_image_that_is_drawn_twice_is_as_if_there_were_two(
    images: list[tuple[float, float]], seed: int
) -> None:
    scores, labels = np.array(images).T
    counts = drawn_anew(len(scores), seed, 1)
    drawn = np.repeat(np.arange(len(scores)), counts[0].astype(int))
    found = auroc(scores, labels, counts)
    for of, value in ((np.arange(len(scores)), found.value), (drawn, found.low)):
        if {0.0, 1.0} <= {*labels[of]}:
            assert value == pytest.approx(as_reported(scores[of], labels[of]))
        else:
            assert math.isnan(value)


def test_diseased_images_count_by_whether_one_of_their_lesions_is_found() -> None:
    of = Matches(
        n_images=3,
        lesion_images=np.array([0, 0, 2]),
        lesion_kinds=("red dot",) * 3,
        lesion_scores=np.array([NOT_FOUND, 0.5, NOT_FOUND]),
        false_images=np.array([], dtype=np.int64),
        false_scores=np.array([]),
    )
    once_each = diseased_found(of, np.ones((4, 3)))
    assert (once_each.value, once_each.low, once_each.high) == (0.5, 0.5, 0.5)
    found_twice = diseased_found(of, np.array([[2.0, 0.0, 1.0]]))
    assert found_twice.low == pytest.approx(2 / 3)
