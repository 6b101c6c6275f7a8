"""Objectives are found by being there: every module of this package that is not private."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from storage.objectives._objective import DirectedMetric, Objective

_PACKAGE = __name__.rpartition(".")[0]


def known(metrics: Sequence[DirectedMetric]) -> dict[str, Objective]:
    """All that trials can be ranked by, by name.

    Args:
        metrics: All metrics of all tasks, each task's primary one first.
    """
    modules = _modules(tuple(import_module(_PACKAGE).__path__))
    return {made.name: made for module in modules for made in module.objectives(metrics)}


@cache
def _modules(folders: tuple[str, ...]) -> list[ModuleType]:
    names = sorted(found.name for found in iter_modules(folders))
    return [import_module(f"{_PACKAGE}.{name}") for name in names if not name.startswith("_")]
