"""Who knows the true labels, and says how well wrong ones were found; nobody decides by it.

Shapes: N samples with a label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainers.relabelling.deciding import Detection
from trainers.relabelling.scores import Classes, Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Holds the truth.

    Attributes:
        true: ``[N]``; -1 where nobody knows.
    """

    true: Classes

    def of_labels(self, labels: Classes, kept: Flags) -> float:
        """Share of wrong labels ``[N]`` among the samples ``[N]`` that are trained on."""
        counted = kept & (self.true >= 0)
        return float((labels != self.true)[counted].mean()) if counted.any() else math.nan

    def of_given(self, labels: Classes) -> float:
        """Share of wrong labels ``[N]``, none left out; NaN if the truth of none is known."""
        return self.of_labels(labels, np.ones(len(labels), dtype=bool))

    def of_detection(self, detection: Detection) -> dict[str, float]:
        """How well the wrong ones of the labels that it is of were found.

        What does not exist is left out: without wrong labels nothing ranks them.
        """
        known = self.true >= 0
        wrong, scores = (detection.given != self.true)[known], detection.scores[known]
        suspected = detection.suspected[known]
        n_found, n_wrong = int((suspected & wrong).sum()), int(wrong.sum())
        found: dict[str, float] = {}
        if 0 < n_wrong < len(wrong):
            found["detection_auroc"] = auroc(scores, wrong)
        if n_wrong:
            found["detection_average_precision"] = average_precision(scores, wrong)
            found["detection_recall"] = n_found / n_wrong
        if suspected.any():
            found["detection_precision"] = n_found / int(suspected.sum())
        return found

    def apart(self, labels: Classes) -> dict[str, Flags]:
        """Which of the labels ``[N]`` are right and which are wrong, by what people call them."""
        known = self.true >= 0
        return {
            "right labels": known & (labels == self.true),
            "wrong labels": known & (labels != self.true),
        }


def auroc(scores: Floats, positive: Flags) -> float:
    """Area under the ROC curve: the chance that a positive one is scored above a negative one.

    Equal scores count half (Mann & Whitney 1947).

    Args:
        scores: ``[N]``.
        positive: ``[N]``, some and not all.
    """
    values, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place, minlength=len(values))
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    above = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


def average_precision(scores: Floats, positive: Flags) -> float:
    """Precision at each threshold, weighted by the recall that it adds; equal scores are one.

    Args:
        scores: ``[N]``.
        positive: ``[N]``, at least one.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    n_found = np.cumsum(positive[order])[ends]
    precision, gained = n_found / (ends + 1), np.diff(n_found, prepend=0)
    return float((precision * gained).sum() / n_found[-1])
