"""How fine a grid over task weights is, and what a coarser one would have reached.

A search looks good beside a rival whose grid is sparse. What random halves and quarters of the
recorded grid reach is known exactly, without training: the expectation of M8 after so many trials.
"""

import json
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from reports._spread import components_of
from reports._titles import title_of
from reports.frames import StudyFrames, stages_tuning
from reports.inference import Components, Interval, estimated, variance_parts
from reports.measures import FloatArray, simplex_step
from reports.spending.curves import Trajectory, trajectory
from reports.spending.stages import PARTS, StageTrials

_WEIGHTS: Final = "task_weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubGrid:
    """What a random part of a grid reaches, chosen on validation.

    Attributes:
        part: The grid is divided by this: 1, 2 or 4.
        n_points: Points of the part, rounded up.
        by_seed: ``[S]``, expected test value of the best of them, by seed.
        concentration: Sum of squares of the trials' probabilities to be that best one.
        interval: 95 % interval of the mean over seeds; None with one seed.
    """

    part: int
    n_points: int
    by_seed: FloatArray
    concentration: float
    interval: Interval | None

    @property
    def value(self) -> float:
        """Mean over seeds."""
        return float(self.by_seed.mean())

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "n_points": self.n_points,
            "value": self.value,
            "low": self.interval and self.interval.low,
            "high": self.interval and self.interval.high,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GridResolution:
    """A grid over task weights, whole and in parts.

    Attributes:
        search: Name of its search.
        title: How reports call it.
        n_points: Points of the grid that have a value, N.
        step: Distance between neighbouring values of a weight; NaN where they are not evenly apart.
        parts: The whole grid, a half and a quarter of it; without later stages.
    """

    search: str
    title: str
    n_points: int
    step: float
    parts: tuple[SubGrid, ...]

    @property
    def said(self) -> str:
        """``36 vectors of weights, step 0.1``."""
        step = "" if math.isnan(self.step) else f", step {self.step:.3g}"
        return f"{self.n_points} vectors of weights{step}"

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "search": self.search,
            "n_points": self.n_points,
            "step": None if math.isnan(self.step) else self.step,
            "parts": [part.to_plain() for part in self.parts],
        }


def grid_resolution(frames: StudyFrames, search: str) -> GridResolution | None:
    """The largest grid stage of a search over task weights; None if it has none with a winner."""
    found = trajectory(frames, search)
    if found is None:
        return None
    weighted = set(stages_tuning(frames, search, _WEIGHTS)["stage"])
    stages = [one for one in found.stages if one.stage in weighted and one.exchangeable]
    if not stages:
        return None
    stage = max(stages, key=lambda one: len(one.rows))
    parts = [part for part in PARTS if len(stage.rows) >= part]
    layout = components_of(frames, search)
    made = [_sub_grid(found, layout, stage, part) for part in parts]
    return GridResolution(
        search=search,
        title=title_of(frames, search),
        n_points=len(stage.rows),
        step=_step(frames, found, stage),
        parts=tuple(one for one in made if one is not None),
    )


def _sub_grid(
    found: Trajectory, layout: Components | None, stage: StageTrials, part: int
) -> SubGrid | None:
    """None while a part of the grid may hold no trial that can win."""
    n_points = math.ceil(len(stage.rows) / part)
    at = found.point_of(stage, n_points)
    if at is None:
        return None
    by_seed, concentration = found.by_seed[:, at], float(found.concentration[at])
    parts = [] if layout is None else variance_parts((layout, concentration))
    estimate = estimated(float(by_seed.mean()), parts, n_seeds=len(by_seed))
    return SubGrid(
        part=part,
        n_points=n_points,
        by_seed=by_seed,
        concentration=concentration,
        interval=estimate.interval(),
    )


def _step(frames: StudyFrames, found: Trajectory, stage: StageTrials) -> float:
    """Step of an even grid; NaN of any other points."""
    runs = found.trials.runs[stage.rows, 0]
    texts = frames.runs_by_id().loc[runs, "params"]
    points = [json.loads(text).get(_WEIGHTS) for text in texts]
    step = simplex_step(np.array(points, dtype=np.float64)) if None not in points else None
    return math.nan if step is None else step
