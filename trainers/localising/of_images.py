"""How sure it is what a network makes of whole images: by images that are drawn anew, as in `froc`.

Shapes: N images, R replicates, G distinct scores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainers.localising.froc import Floats, Interval, intervals
from trainers.localising.hits import NOT_FOUND, Matches


def auroc(scores: Floats, labels: Floats, counts: Floats) -> Interval:
    """Area under the ROC curve of images; equal scores count half. NaN without both kinds.

    Args:
        scores: ``[N]``, larger is more diseased.
        labels: ``[N]``, 0 or 1; NaN where there is none.
        counts: How often each image is drawn, ``[R, N]``, see `froc.drawn_anew`.
    """
    known = ~np.isnan(labels)
    order = np.argsort(scores[known], kind="stable")
    rising, yes = scores[known][order], labels[known][order] == 1
    begins = np.flatnonzero(np.append(True, rising[1:] != rising[:-1]))
    once = np.ones((1, len(scores)))
    value, anew = (_areas(of[:, known][:, order], yes, begins) for of in (once, counts))
    return intervals(value, anew[:, None])[0]


def diseased_found(matches: Matches, counts: Floats) -> Interval:
    """`Matches.image_sensitivity` with its interval; `counts` as in `auroc`."""
    diseased = np.unique(matches.lesion_images)
    found = np.isin(diseased, matches.lesion_images[matches.lesion_scores > NOT_FOUND])
    of_diseased = counts[:, diseased]
    with np.errstate(invalid="ignore"):
        anew = (of_diseased @ found) / of_diseased.sum(axis=1)
    return intervals(np.array([matches.image_sensitivity]), anew[:, None])[0]


def _areas(counts: Floats, yes: NDArray[np.bool_], begins: NDArray[np.int64]) -> Floats:
    """Areas ``[R]`` of images by rising score; NaN where images of one kind are missing.

    Args:
        counts: ``[R, N]``.
        yes: ``[N]``.
        begins: Where each of the distinct scores begins, ``[G]``.
    """
    if not counts.shape[1]:
        return np.full(len(counts), np.nan)
    positive = np.add.reduceat(counts * yes, begins, axis=1)
    negative = np.add.reduceat(counts * ~yes, begins, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        areas: Floats = (positive * below).sum(axis=1) / pairs
    return areas
