"""Importances of Optuna, as reports take them: Optuna loads when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def estimators(
    points: Sequence[Mapping[str, Any]], values: Sequence[float]
) -> Mapping[str, Mapping[str, float]]:
    """Each estimator's shares by parameter."""
    from study.searches.importances import importances

    return importances(points, values)
