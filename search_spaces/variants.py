"""Variants of a parameter: ``lr@sgd`` is ``lr`` where its condition holds.

A space has an axis for each, under a name of its own; points that leave it have the parameter's.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

V = TypeVar("V")

_MARK: Final = "@"


def parameter_of(name: str) -> str:
    """The parameter that an axis is of: ``lr`` of ``lr@sgd``."""
    return name.partition(_MARK)[0] or name


def named(point: Mapping[str, V], conditional: Iterable[str]) -> dict[str, V]:
    """A point with the parameters' names in place of those of their variants.

    Args:
        conditional: Axes that have conditions; only these are variants.
    """
    variants = {*conditional}
    return {parameter_of(k) if k in variants else k: value for k, value in point.items()}
