"""Free-response ROC: which share of lesions is found at how many false positives an image.

A threshold on the regions' scores moves along the curve. A rate's sensitivity is the largest that
some threshold reaches with no more false positives an image; regions of equal score come and go
together. Nothing is interpolated. The mean is over six rates from 1/8 to 4, as that of Setio et
al., Validation, comparison, and combination of algorithms for automatic detection of pulmonary
nodules in CT images, Medical Image Analysis 42, 2017, arXiv 1612.08012, which goes on to 8.

Intervals: images are drawn anew with replacement, their lesions and regions with them. Percentiles
2.5 and 97.5 of the replicates; one without a lesion does not count.

Shapes: N images, L lesions, F false positives, K rates, R replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainers.localising.hits import NOT_FOUND, Matches

RATES = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0)
"""False positives an image."""
REPLICATES = 1000
LEVEL = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A share, and where it lies when images are drawn anew; NaN without lesions."""

    value: float
    low: float
    high: float


def sensitivities(matches: Matches, rates: Sequence[float], counts: Floats | None = None) -> Floats:
    """Sensitivity at rates ``[K]``; NaN without lesions.

    Args:
        rates: False positives an image.
        counts: How often each image counts, ``[R, N]``, the result being ``[R, K]``; None: once,
            the result being ``[K]``.
    """
    if counts is None:
        once: Floats = sensitivities(matches, rates, np.ones((1, matches.n_images)))[0]
        return once
    thresholds, false = _false_positives(matches, counts)
    n_images = counts.sum(axis=1, keepdims=True)
    # the number of falling scores before the first one that is too many
    n_allowed = np.stack([(false <= rate * n_images + 1e-9).sum(axis=1) for rate in rates], axis=1)
    above = np.append(thresholds, NOT_FOUND)
    order = np.argsort(-matches.lesion_scores, kind="stable")
    falling = matches.lesion_scores[order]
    n_found = np.searchsorted(-falling, -above)  # of each threshold: lesions with more than it
    of_lesions = np.cumsum(counts[:, matches.lesion_images[order]], axis=1)
    found = np.concatenate([np.zeros((len(counts), 1)), of_lesions], axis=1)
    with np.errstate(invalid="ignore"):
        shares: Floats = np.take_along_axis(found, n_found[n_allowed], axis=1) / found[:, -1:]
    return shares


def _false_positives(matches: Matches, counts: Floats) -> tuple[Floats, Floats]:
    """Falling scores ``[G]`` of false positives, and how many ``[R, G]`` have one or more."""
    order = np.argsort(-matches.false_scores, kind="stable")
    falling = matches.false_scores[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], [True] * bool(len(falling))))
    return falling[last], np.cumsum(counts[:, matches.false_images[order]], axis=1)[:, last]


def drawn_anew(n_images: int, seed: int, replicates: int = REPLICATES) -> Floats:
    """How often each image is drawn, ``[R, N]``: N draws with replacement in each replicate."""
    shares = np.full(n_images, 1 / n_images)
    return np.random.default_rng(seed).multinomial(n_images, shares, replicates).astype(float)


def froc(matches: Matches, rates: Sequence[float], counts: Floats) -> list[Interval]:
    """Sensitivity at each rate, then their mean, with intervals.

    Args:
        counts: ``[R, N]``, see `drawn_anew`.
    """
    at_rates = sensitivities(matches, rates)
    anew = sensitivities(matches, rates, counts)
    values = np.append(at_rates, at_rates.mean())
    return intervals(values, np.column_stack([anew, anew.mean(axis=1)]))


def found_shares(matches: Matches, counts: Floats) -> Interval:
    """`Matches.sensitivity` with its interval; `counts` as in `froc`."""
    found = matches.lesion_scores > NOT_FOUND
    of_lesions = counts[:, matches.lesion_images]
    with np.errstate(invalid="ignore"):
        anew = (of_lesions @ found) / of_lesions.sum(axis=1)
    return intervals(np.array([matches.sensitivity]), anew[:, None])[0]


def intervals(values: Floats, anew: Floats) -> list[Interval]:
    """Values ``[K]`` with the percentiles of their replicates ``[R, K]``."""
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    known = anew[~np.isnan(anew).any(axis=1)]
    low, high = (
        np.quantile(known, ends, axis=0) if len(known) else np.full((2, len(values)), np.nan)
    )
    return [Interval(*map(float, row)) for row in zip(values, low, high, strict=True)]
