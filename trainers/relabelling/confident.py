"""Confident learning (Northcutt, Jiang & Chuang 2021), as the package cleanlab has it.

Its authors ask for predictions of samples that the network was not trained on. Here it is given
the same predictions as the scores it stands beside, those of the chosen epoch of a training on all
labels: what differs is which labels are doubtful, and no further network is trained.

Shapes: N samples, C classes.
"""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from trainers.relabelling.scores import Classes, Floats


def suspected_by_cleanlab(mean: Floats, given: Classes) -> NDArray[np.bool_]:
    """Which labels ``[N]`` cleanlab finds wrong, by its defaults, in this process alone.

    Args:
        mean: Predicted probabilities ``[N, C]``.
        given: ``[N]``.
    """
    found = import_module("cleanlab.filter").find_label_issues(given, mean, n_jobs=1)
    return np.asarray(found, dtype=bool)
