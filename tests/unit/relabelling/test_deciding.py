"""What becomes of labels, and whose epoch decides."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.relabelling.card import CARD
from trainers.relabelling.deciding import Detection, better, detected, mended, mended_back
from trainers.relabelling.scores import Classes, Floats
from trainers.relabelling.settings import Settings

SEEDS = st.integers(0, 2**32 - 1)


def settings(**others: Any) -> Settings:
    return Settings.of(CARD.filled(others))


def found(seed: int, **others: Any) -> Detection:
    source = np.random.default_rng(seed)
    probabilities = source.dirichlet([0.2] * 4, size=(3, 40))
    labels = source.integers(4, size=40)
    return detected(probabilities, labels, settings(**others), epoch=1, error=0.5)


@pytest.mark.parametrize("score", ["given-label", "entropy", "mutual-information", "spread"])
@pytest.mark.parametrize("threshold", ["otsu", "mixture", "quantile"])
@given(seed=SEEDS)
def test_suspects_are_those_of_the_highest_scores(score: str, threshold: str, seed: int) -> None:
    one = found(seed, score=score, threshold=threshold)
    if one.suspected.any() and not one.suspected.all():
        assert one.scores[one.suspected].min() > one.scores[~one.suspected].max()


@given(seed=SEEDS)
def test_only_suspects_get_another_label(seed: int) -> None:
    one = found(seed)
    labels, kept = mended(one, "relabel")
    assert kept.all()
    assert np.array_equal(labels[~one.suspected], one.given[~one.suspected])
    assert np.array_equal(labels[one.suspected], one.proposed[one.suspected])


@given(seed=SEEDS)
def test_only_suspects_are_dropped(seed: int) -> None:
    one = found(seed)
    labels, kept = mended(one, "drop")
    assert np.array_equal(labels, one.given)
    assert np.array_equal(kept, ~one.suspected)


EPOCHS = [(1, 0.5, 0.7), (2, 0.3, 0.9), (3, 0.3, 0.9), (4, 0.4, 0.8)]
"""Number, noisy validation error and separation."""


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [("lowest-noisy-error", 2), ("clearest-separation", 2), ("fixed", 3)],
)
def test_the_rule_chooses_the_epoch(rule: str, chosen: int) -> None:
    best: Detection | None = None
    by = settings(epoch_rule=rule, fixed_epoch=3)
    for epoch, error, separation in EPOCHS:
        new = replace(found(0), epoch=epoch, error=error, separation=separation)
        best = new if better(new, best, by) else best
    assert best is not None
    assert best.epoch == chosen


def test_cleanlab_is_given_the_mean_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with cleanlab's signature, which doubts labels that are not the likeliest."""

    def find_label_issues(labels: Classes, pred_probs: Floats, *, n_jobs: int) -> Any:
        assert n_jobs == 1
        return pred_probs.argmax(1) != labels

    stand_in = ModuleType("cleanlab.filter")
    stand_in.find_label_issues = find_label_issues  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cleanlab", ModuleType("cleanlab"))
    monkeypatch.setitem(sys.modules, "cleanlab.filter", stand_in)
    one = found(0, method="cleanlab")
    assert np.array_equal(one.suspected, one.proposed != one.given)


def test_labels_that_are_mended_back_are_told() -> None:
    detection = Detection(
        epoch=1,
        error=0.5,
        given=np.array([1, 1, 0, 0]),
        scores=np.array([0.9, 0.9, 0.9, 0.1]),
        suspected=np.array([True, True, True, False]),
        proposed=np.array([0, 2, 1, 1]),
        separation=1.0,
    )
    assert mended_back(detection, np.array([0, 0, 0, 1])).tolist() == [True, False, False, False]
