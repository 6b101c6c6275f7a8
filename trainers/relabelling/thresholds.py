"""Where doubtful labels begin: thresholds on scores alone.

Shapes: N samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainers.relabelling.scores import Floats

_MOST_STEPS: Final = 200
_CONVERGED: Final = 1e-9
"""Change of the mean log-likelihood below which the mixture is found."""
_LEAST_SHARE_OF_RANGE: Final = 1e-3
"""Of the scores' range: no component is narrower, or one score would be all of it."""


def otsu(scores: Floats, share: float) -> float:  # noqa: ARG001
    """The cut that leaves least variance within its two sides (Otsu 1979), without bins.

    Args:
        scores: ``[N]``.
        share: Not used.

    Returns:
        The largest score of the lower side: doubtful is what lies above. Infinity if all are equal.
    """
    return _best_cut(scores)[0]


def mixture(scores: Floats, share: float) -> float:
    """The cut between two normal distributions that are fitted to the scores by EM.

    It begins from the sides of `otsu`. Doubtful is what the upper component explains better, above
    the lower one's mean. Arguments and result are those of `otsu`.
    """
    start = otsu(scores, share)
    if not math.isfinite(start):
        return start
    low, high = _fitted(scores, scores > start)
    ordered = np.sort(scores)
    doubtful = (high.log_density(ordered) > low.log_density(ordered)) & (ordered > low.mean)
    n_below = int(doubtful.argmax()) if doubtful.any() else len(ordered)
    return float(ordered[n_below - 1]) if n_below else -math.inf


def quantile(scores: Floats, share: float) -> float:
    """The cut above which at most a share of the scores lies.

    Args:
        scores: ``[N]``.
        share: Above 0 and below 1.

    Returns:
        A score: doubtful is what lies above. Of equal scores all lie on one side.
    """
    n_above = math.floor(share * len(scores))
    return float(np.sort(scores)[len(scores) - n_above - 1])


def separation(scores: Floats) -> float:
    """How clearly scores ``[N]`` fall into two groups, 0 to 1.

    The share of their variance that lies between the sides of `otsu` (there called eta); 0 if all
    are equal. One group cut in two has some, too: 0.64 if it is normal, 0.75 if it is even.
    """
    return _best_cut(scores)[1]


THRESHOLDS: Final[Mapping[str, Callable[[Floats, float], float]]] = {
    "otsu": otsu,
    "mixture": mixture,
    "quantile": quantile,
}
"""Name to threshold."""


def _best_cut(scores: Floats) -> tuple[float, float]:
    """The largest score below Otsu's cut, and the share of variance between the two sides."""
    ordered = np.sort(scores)
    n, total = len(ordered), ordered.var() * len(ordered)
    places = np.flatnonzero(ordered[1:] > ordered[:-1])  # a cut parts scores that differ
    if not len(places) or not total > 0:
        return math.inf, 0.0
    n_low = places + 1.0
    centred = np.cumsum(ordered - ordered.mean())[places]
    between = centred**2 * n / (n_low * (n - n_low))
    best = int(between.argmax())
    return float(ordered[places[best]]), min(float(between[best] / total), 1.0)


@dataclass(frozen=True, slots=True)
class _Component:
    """A part of the mixture: its share, mean and standard deviation."""

    share: float
    mean: float
    deviation: float

    def log_density(self, scores: Floats) -> Floats:
        """Logarithm of its share times its density, ``[N]``, less a constant."""
        away = (scores - self.mean) / self.deviation
        found: Floats = math.log(self.share) - math.log(self.deviation) - 0.5 * away**2
        return found


def _fitted(scores: Floats, upper: NDArray[np.bool_]) -> tuple[_Component, _Component]:
    """The two components by expectation maximisation, the one with the lower mean first.

    Args:
        upper: ``[N]``, where the upper one begins.
    """
    least = _LEAST_SHARE_OF_RANGE * float(np.ptp(scores))
    of_upper, before = upper.astype(np.float64), -math.inf
    for _ in range(_MOST_STEPS):
        low, high = (_component(scores, weight, least) for weight in (1.0 - of_upper, of_upper))
        both = np.stack([low.log_density(scores), high.log_density(scores)])
        whole = np.logaddexp(both[0], both[1])
        likelihood = float(whole.mean())
        if likelihood - before < _CONVERGED:
            break
        before, of_upper = likelihood, np.exp(both[1] - whole)
    return (low, high) if low.mean <= high.mean else (high, low)


def _component(scores: Floats, weight: Floats, least: float) -> _Component:
    """The component of weighted scores ``[N]``."""
    total = max(float(weight.sum()), 1e-300)
    mean = float((weight * scores).sum() / total)
    variance = float((weight * (scores - mean) ** 2).sum() / total)
    return _Component(total / len(scores), mean, max(math.sqrt(variance), least))
