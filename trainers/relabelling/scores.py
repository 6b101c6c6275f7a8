"""How doubtful a label is: scores of the predictions that a network makes several times over.

Predictive entropy and mutual information follow Gal, "Uncertainty in Deep Learning" (2016,
section 3.3.1): of what is uncertain of a sample in all, the second is the part that the passes do
not agree on.

Shapes: M passes (or networks), N samples, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Classes: TypeAlias = NDArray[np.int64]


def predictive_entropy(probabilities: Floats, given: Classes) -> Floats:  # noqa: ARG001
    """Entropy of the mean prediction as a share of the largest possible, ``[N]`` in 0 to 1.

    Args:
        probabilities: ``[M, N, C]``, each row of C sums to 1.
        given: Not looked at: an uncertain sample is doubtful whatever its label.
    """
    n_classes = probabilities.shape[2]
    return _entropy(probabilities.mean(0)) / math.log(n_classes)


def mutual_information(probabilities: Floats, given: Classes) -> Floats:  # noqa: ARG001
    """Entropy of the mean less the mean of the entropies, as such a share, ``[N]`` in 0 to 1.

    It is 0 where all passes say the same. Arguments are those of `predictive_entropy`.
    """
    n_classes = probabilities.shape[2]
    found = _entropy(probabilities.mean(0)) - _entropy(probabilities).mean(0)
    share: Floats = found.clip(min=0.0) / math.log(n_classes)
    return share


def spread(probabilities: Floats, given: Classes) -> Floats:  # noqa: ARG001
    """Standard deviation of the passes: the root of the variances summed over classes, ``[N]``.

    In 0 to 1; 0 where all passes say the same. Arguments are those of `predictive_entropy`.
    """
    found: Floats = np.sqrt(probabilities.var(0).sum(1))
    return found


def doubt_of_given(probabilities: Floats, given: Classes) -> Floats:
    """1 less the mean probability of the given label, ``[N]`` in 0 to 1.

    Args:
        probabilities: ``[M, N, C]``.
        given: ``[N]``.
    """
    mean = probabilities.mean(0)
    found: Floats = 1.0 - np.take_along_axis(mean, given[:, None], axis=1)[:, 0]
    return found


SCORES: Final[Mapping[str, Callable[[Floats, Classes], Floats]]] = {
    "given-label": doubt_of_given,
    "entropy": predictive_entropy,
    "mutual-information": mutual_information,
    "spread": spread,
}
"""Name to score; larger means more doubtful."""


def _entropy(probabilities: Floats) -> Floats:
    """``[...]`` in nats, of ``[..., C]``; 0 log 0 is 0."""
    found: Floats = -np.sum(
        probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0)), axis=-1
    )
    return found
