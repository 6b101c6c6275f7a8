"""The tables. Users read the views (`views.py`); these may change between versions."""

from storage.schema.tables._columns import metadata
from storage.schema.tables._planned import (
    baseline_values,
    baselines,
    decisions,
    proposals,
    runs,
    searches,
    stages,
    studies,
    trials,
)
from storage.schema.tables._trained import (
    attempts,
    calibrations,
    checkpoints,
    environments,
    epoch_values,
    epochs,
    holders,
    looks,
    networks,
    scores,
    series,
    workers,
)

__all__ = [
    "attempts",
    "baseline_values",
    "baselines",
    "calibrations",
    "checkpoints",
    "decisions",
    "environments",
    "epoch_values",
    "epochs",
    "holders",
    "looks",
    "metadata",
    "networks",
    "proposals",
    "runs",
    "scores",
    "searches",
    "series",
    "stages",
    "studies",
    "trials",
    "workers",
]
