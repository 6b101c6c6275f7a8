"""The level of the single-task networks, where values are measured by it."""

from __future__ import annotations

import math

from reports.dashboard.following.ranked import objective_of
from storage.objectives.delta_m import NAME as DELTA_M
from storage.records import StudyRecord


def level_of(record: StudyRecord) -> float:
    """0 of what is told against them; NaN of other values."""
    return 0.0 if objective_of(record).name == DELTA_M else math.nan
