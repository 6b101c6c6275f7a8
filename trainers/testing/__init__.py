"""Contracts for weightings, problems and trainers from elsewhere, as classes for pytest.

They come with ``pip install weighbridge[test]`` and hold what every engine relies on; our own
ones are held against the same classes.
"""

import pytest

# What is imported from here is none of a user's test modules, whose `assert`s pytest explains.
pytest.register_assert_rewrite(
    "trainers.testing._problem", "trainers.testing._trainer", "trainers.testing._weighting"
)

from trainers.testing._problem import ProblemContract  # noqa: E402
from trainers.testing._trainer import TrainerContract  # noqa: E402
from trainers.testing._weighting import (  # noqa: E402
    Situation,
    WeightingContract,
    measured,
    promised,
    situations,
)

__all__ = [
    "ProblemContract",
    "Situation",
    "TrainerContract",
    "WeightingContract",
    "measured",
    "promised",
    "situations",
]
