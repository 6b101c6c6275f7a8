"""Loss-weighting methods, one file each.

A weighting is a pure function from task losses ``[..., T]`` to an objective ``[...]``; the loss
weights are its derivatives by the losses. Methods that see more of a step than its losses are
derived from `trainers.weightings.levels`.

    >>> from trainers.weightings import names, weighting
    >>> "uw-so" in names()
    True
    >>> weighting("uw-so").checked({"temperature": 2}, n_tasks=3)
    {'temperature': 2.0}
"""

from trainers.weightings._base import EPS, Weighting
from trainers.weightings._hyper import Hyper, HyperValue, scalar
from trainers.weightings._registry import names, weighting
from trainers.weightings.errors import (
    BadHyper,
    BadWeighting,
    MissingHyper,
    MissingNoise,
    UnknownHyper,
    UnknownWeighting,
    Unsolved,
    WeightingError,
)

__all__ = [
    "EPS",
    "BadHyper",
    "BadWeighting",
    "Hyper",
    "HyperValue",
    "MissingHyper",
    "MissingNoise",
    "UnknownHyper",
    "UnknownWeighting",
    "Unsolved",
    "Weighting",
    "WeightingError",
    "names",
    "scalar",
    "weighting",
]
