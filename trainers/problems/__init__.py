"""Problems: cards, data and networks, and what one's own problem is made of.

Importing this package loads no torch; the parts that need it load when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainers.problems._registry import (
    build,
    card_of,
    names,
    problem_class,
    summaries,
)
from trainers.problems.errors import ProblemError

if TYPE_CHECKING:
    from trainers.problems._losses import bce, cross_entropy, l1, mse, valid_elements
    from trainers.problems._metrics import Accuracy, ErrorRate, MeanAbsoluteError
    from trainers.problems._source import TensorSource

__all__ = [
    "Accuracy",
    "ErrorRate",
    "MeanAbsoluteError",
    "ProblemError",
    "TensorSource",
    "bce",
    "build",
    "card_of",
    "cross_entropy",
    "l1",
    "mse",
    "names",
    "problem_class",
    "summaries",
    "valid_elements",
]

_TORCH_BOUND = {
    "Accuracy": "_metrics",
    "ErrorRate": "_metrics",
    "MeanAbsoluteError": "_metrics",
    "TensorSource": "_source",
    "bce": "_losses",
    "cross_entropy": "_losses",
    "l1": "_losses",
    "mse": "_losses",
    "valid_elements": "_losses",
}


def __getattr__(name: str) -> Any:
    if name not in _TORCH_BOUND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_TORCH_BOUND[name]}"), name)
