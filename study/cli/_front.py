"""The front of several objectives in the terminal: what each method has of it, and its trials."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from study.cli._cells import params_said, written
from study.cli._output import say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.spending.front import Front

_MOST = 20
_VOLUME = "volume: share of the box from the best validation values to a tenth beyond the worst"


def show_front(frames: StudyFrames) -> None:
    """Two tables; nothing with one objective, or before trials have ended."""
    from reports.spending.front import front_of

    found = front_of(frames)
    if found is None:
        return
    names = " and ".join(one.name for one in found.objectives)
    say((f"The front of {names}, on validation", "bold"))
    methods = found.methods
    show(
        Column(head="method", cells=[one.title for one in methods], text=True),
        [
            Column(head="trials", cells=[str(one.n_trials) for one in methods]),
            Column(head="on its\nown front", cells=[str(len(one.trials)) for one in methods]),
            Column(head="on that\nof all", cells=[str(int(one.shared.sum())) for one in methods]),
            Column(head="volume\nvalidation", cells=[_share(one.volume) for one in methods]),
            Column(head="volume\ntest", cells=[_share(one.volume_test) for one in methods]),
        ],
    )
    _show_points(frames, found)
    say((_VOLUME, "dim"))


def _show_points(frames: StudyFrames, found: Front) -> None:
    points = [(m, at) for m in found.methods for at in range(len(m.trials)) if m.shared[at]]
    shown = sorted(points, key=lambda one: found.objectives[0].sign * one[0].validation[one[1], 0])
    few = shown[:_MOST]
    values = [
        Column(
            head=f"{one.name}\n{split} {'↓' if one.sign > 0 else '↑'}",
            cells=[written(float(getattr(m, split)[at, k]), one.shown, one.unit) for m, at in few],
        )
        for k, one in enumerate(found.objectives)
        for split in ("validation", "test")
    ]
    trials = Column(head="trial", cells=[str(m.trials[at]) for m, at in few])
    points_said = [params_said(frames, m.search, json.loads(m.params[at])) for m, at in few]
    show(
        Column(head="on the front", cells=[m.title for m, _ in few], text=True),
        [trials, *values, Column(head="parameters", cells=points_said, text=True)],
    )
    if len(shown) > _MOST:
        say((f"... and {len(shown) - _MOST} more: `weighbridge export --front` has all", "dim"))


def _share(volume: float) -> str:
    return "–" if math.isnan(volume) else f"{volume:.1%}"
