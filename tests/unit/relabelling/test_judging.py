"""How well wrong labels were found, as the judge counts it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainers.relabelling.deciding import Detection
from trainers.relabelling.judging import Judge, auroc, average_precision

CASES = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=14)


@given(cases=CASES)
def test_auroc_is_the_share_of_pairs_in_order(cases: list[tuple[int, bool]]) -> None:
    high = [score for score, positive in cases if positive]
    low = [score for score, positive in cases if not positive]
    assume(high and low)
    pairs = [1.0 if one > other else 0.5 * (one == other) for one in high for other in low]
    scores, positive = map(np.array, zip(*cases, strict=True))
    assert auroc(scores.astype(float), positive) == pytest.approx(sum(pairs) / len(pairs))


@given(cases=CASES)
def test_average_precision_adds_up_over_thresholds(cases: list[tuple[int, bool]]) -> None:
    scores, positive = map(np.array, zip(*cases, strict=True))
    assume(positive.any())
    total, before = 0.0, 0.0
    for cut in sorted(set(scores.tolist()), reverse=True):
        above = scores >= cut
        recall = positive[above].sum() / positive.sum()
        total += (recall - before) * positive[above].mean()
        before = recall
    assert average_precision(scores.astype(float), positive) == pytest.approx(total)


def detection(**others: object) -> Detection:
    values = {
        "epoch": 1,
        "error": 0.0,
        "given": np.array([0, 1, 2, 2]),
        "scores": np.array([0.1, 0.9, 0.8, 0.7]),
        "suspected": np.array([False, True, True, False]),
        "proposed": np.array([0, 0, 1, 2]),
        "separation": 0.5,
    }
    return Detection(**{**values, **others})  # type: ignore[arg-type]


def test_a_decision_is_judged_by_the_truth() -> None:
    found = Judge(np.array([0, 0, 2, 1])).of_detection(detection())
    assert found == {
        "detection_auroc": 0.75,
        "detection_average_precision": pytest.approx((1 + 2 / 3) / 2),
        "detection_recall": 0.5,
        "detection_precision": 0.5,
    }


def test_what_does_not_exist_is_left_out() -> None:
    all_right = Judge(np.array([0, 1, 2, 2])).of_detection(detection())
    assert all_right == {"detection_precision": 0.0}
    none_found = detection(suspected=np.zeros(4, dtype=bool))
    assert "detection_precision" not in Judge(np.zeros(4, dtype=int)).of_detection(none_found)


def test_samples_whose_truth_nobody_knows_do_not_count() -> None:
    judge = Judge(np.array([0, 0, -1, 2]))
    kept = np.array([True, True, True, False])
    assert judge.of_labels(np.array([0, 1, 2, 2]), kept) == 0.5
    assert judge.of_detection(detection())["detection_precision"] == 1.0
    apart = judge.apart(np.array([0, 1, 2, 2]))
    assert [group.sum() for group in apart.values()] == [2, 1]
