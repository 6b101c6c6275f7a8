"""What a search may try, read off its stages as they are written: no problem is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces import Axis, space_from_plain
from study.spec.stage import OPTIONS
from study.spec.study_spec import StudySpec


def listed_axes(spec: StudySpec, search: str, *, n_tasks: int) -> dict[str, list[Axis]]:
    """The axes of a search by parameter, one for each stage that tunes it; none if unknown."""
    found: dict[str, list[Axis]] = {}
    for part in spec.search:
        if search not in ([part.name] if part.name else part.weightings):
            continue
        for stage in part.stages:
            for name, axis in space_from_plain(_tuned(stage), n_tasks=n_tasks).axes.items():
                found.setdefault(name, []).append(axis)
    return found


def _tuned(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a stage with their plain axes, without what belongs to the strategy."""
    return {
        name: {k: v for k, v in plain.items() if k != "refine"}
        if isinstance(plain, Mapping)
        else plain
        for name, plain in stage.items()
        if name not in OPTIONS and plain != "neighbours"
    }
