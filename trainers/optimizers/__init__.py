"""Optimisers, one file each: what they keep of a parameter, and how both engines take a step.

>>> from trainers.optimizers import names
>>> "adamw" in names()
True
"""

from trainers.optimizers._base import Kept, Number, Optimizer, decayed, light
from trainers.optimizers._registry import (
    BUILT_IN,
    WITHOUT_MOMENTUM,
    names,
    optimizer,
    refuse_unless_fit,
)

__all__ = [
    "BUILT_IN",
    "WITHOUT_MOMENTUM",
    "Kept",
    "Number",
    "Optimizer",
    "decayed",
    "light",
    "names",
    "optimizer",
    "refuse_unless_fit",
]
