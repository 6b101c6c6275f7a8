"""What a method would have been without any tuning: its defaults, and the trial that has them.

A default is the value tried in the search's first stage that is nearest to the parameter's anchor,
which is what it rests at until it is tuned.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from reports._once import once_per_study
from reports.frames import StudyFrames, part_names, strategy

# Strategies whose first points do not depend on chance or on results.
_LISTED: Final = ("grid", "line")
_SETTINGS: Final = ("lr", "weight_decay")


@once_per_study
def defaults_of(frames: StudyFrames, search: str) -> int | None:
    """Number of the trial that has a method's defaults.

    None if its first stage draws its points, has none near all anchors, or tunes what is no number
    or not in all of them.
    """
    points = _first_points(frames, search)
    tuned = _tuned(points)
    if any(name not in point for point in points.values() for name in tuned):
        return None
    far = {
        name: distances(name, [point[name] for point in points.values()], frames, search)
        for name in tuned
    }
    if not points or any(gaps is None for gaps in far.values()):
        return None
    near = [
        number
        for place, number in enumerate(points)
        if all(math.isclose(gaps[place], min(gaps)) for gaps in far.values() if gaps)
    ]
    return min(near, key=lambda number: _smallest_first(points[number]), default=None)


def _first_points(frames: StudyFrames, search: str) -> Mapping[int, Mapping[str, Any]]:
    """Trial to point of what the first stage lists; rounds of refinement left out."""
    stages = frames.stages_of(search)
    first = stages[(stages["stage"] == stages["stage"].min()) & (stages["round"] == 0)]
    if first.empty or strategy(first["kind"].iloc[0]) not in _LISTED:
        return {}
    runs = frames.runs_of(search)
    texts = runs[runs["planned"]].drop_duplicates("trial").set_index("trial")["params"]
    return {
        int(number): json.loads(texts[number])
        for number in sorted(first["trial"])
        if number in texts.index
    }


def _tuned(points: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Names of what differs between the points."""
    table = pd.DataFrame([{k: json.dumps(v) for k, v in p.items()} for p in points.values()])
    return [str(name) for name in table if table[name].nunique() > 1]


def distances(name: str, values: list[Any], frames: StudyFrames, search: str) -> list[float] | None:
    """From a parameter's anchor, by value; None of values that are no numbers.

    Numbers above 0 are told apart by their ratios.
    """
    anchor = _anchor(name, values, frames, search)
    try:
        table = np.array([*values, anchor], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if table.ndim == 1 and (table > 0).all():
        table = np.log(table)
    gaps = np.abs(table[:-1] - table[-1])
    found: list[float] = (gaps if gaps.ndim == 1 else gaps.sum(axis=1)).tolist()
    return found


def _anchor(name: str, values: list[Any], frames: StudyFrames, search: str) -> Any:
    """What the spec says, else the middle: 1/T each of weights, geometric of numbers above 0."""
    given = {
        key: value
        for part in frames.spec.get("search", ())
        if search in part_names(part)
        for key, value in (part.get("hyper") or {}).items()
    }
    training = frames.spec.get("training", {})
    if name in given or (name in _SETTINGS and training.get(name) is not None):
        return given.get(name, training.get(name))
    if isinstance(values[0], list):
        return [1 / len(values[0])] * len(values[0])
    if not all(isinstance(value, int | float) for value in values):
        return None
    low, high = min(values), max(values)
    return math.sqrt(low * high) if low > 0 else (low + high) / 2


def _smallest_first(point: Mapping[str, Any]) -> list[Any]:
    """Of two that are as near, the smaller one."""
    return [point[name] for name in sorted(point)]
