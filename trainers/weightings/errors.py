"""What can go wrong with a loss weighting.

WeightingError
├── BadHyper(ValueError)            a hyperparameter's value breaks its rule
├── BadWeighting(TypeError)         a module or plugin does not define one usable weighting
├── MissingHyper(ValueError)        a hyperparameter without default was not given
├── MissingNoise(ValueError)        a random weighting was called without noise
├── MissingPackage(ImportError)     a weighting needs a package that is not installed
├── NeedsSolo(ValueError)           a weighting needs more of a step than its losses
├── UnknownHyper(LookupError)       the weighting has no hyperparameter of that name
├── UnknownWeighting(LookupError)   no weighting has that name
└── Unsolved(ArithmeticError)       a step's problem has not been solved
"""

from __future__ import annotations


class WeightingError(Exception):
    """Base of everything `trainers.weightings` raises."""


class BadHyper(WeightingError, ValueError):
    """A hyperparameter's value breaks its rule."""


class BadWeighting(WeightingError, TypeError):
    """A module or plugin does not define one usable weighting."""


class MissingHyper(WeightingError, ValueError):
    """A hyperparameter without default was not given."""


class MissingNoise(WeightingError, ValueError):
    """A random weighting was called without noise."""


class MissingPackage(WeightingError, ImportError):
    """A weighting needs a package that is not installed here."""


class NeedsSolo(WeightingError, ValueError):
    """A weighting needs more of a step than its losses, which only the solo engine has."""


class UnknownHyper(WeightingError, LookupError):
    """The weighting has no hyperparameter of that name."""


class UnknownWeighting(WeightingError, LookupError):
    """No weighting has that name."""


class Unsolved(WeightingError, ArithmeticError):
    """A weighting has not solved the problem that a step sets it."""
