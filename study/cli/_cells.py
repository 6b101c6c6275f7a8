"""How numbers and parameters of a comparison are written in a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces.lineage import origin_said
from storage.objectives import Objective

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.inference import Interval


def ends(interval: Interval | None, objective: Objective) -> str:
    """Both ends of an interval; a dash where there is none."""
    from reports.comparing.wording import span

    # the minus of numbers that are copied
    return "–" if interval is None else span(objective, interval).replace("\N{MINUS SIGN}", "-")


def written(value: float, shown: str, unit: str = "") -> str:
    """A number with its unit; a dash where there is none, and a word for infinity."""
    if math.isnan(value):
        return "–"
    return "diverged" if math.isinf(value) else f"{value:{shown}} {unit}".rstrip()


def params_said(frames: StudyFrames, search: str, params: Mapping[str, Any]) -> str:
    """A point of a search, see `params_told`."""
    told = params_told(frames, search, params)
    return ", ".join(f"{name} {_value(value)}" for name, value in told.items())


def params_told(frames: StudyFrames, search: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Its parameters without a weight decay that is off and was never tuned."""
    from reports.frames import stages_tuning

    off = params.get("weight_decay") == 0
    hidden = off and stages_tuning(frames, search, "weight_decay").empty
    return {k: v for k, v in params.items() if not (hidden and k == "weight_decay")}


def _value(value: object) -> str:
    if isinstance(value, list | tuple) and all(isinstance(part, int | float) for part in value):
        return " / ".join(f"{part:g}" for part in value)  # folded between numbers, not within one
    return origin_said(value) or (f"{value:g}" if isinstance(value, float) else str(value))
