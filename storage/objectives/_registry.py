"""Objectives are found by being there: every module of this package that is not private."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from storage.objectives._objective import DirectedMetric, Objective

_PACKAGE = __name__.rpartition(".")[0]


def known(metrics: Sequence[DirectedMetric]) -> dict[str, Objective]:
    """All that trials can be ranked by, by name.

    Args:
        metrics: All metrics of all tasks, each task's primary one first.
    """
    names = sorted(found.name for found in iter_modules(import_module(_PACKAGE).__path__))
    modules = [import_module(f"{_PACKAGE}.{n}") for n in names if not n.startswith("_")]
    return {made.name: made for module in modules for made in module.objectives(metrics)}
