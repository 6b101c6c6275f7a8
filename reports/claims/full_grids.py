"""Learning rate x weight decay: stages in which every rate was tried with every decay.

Shapes: L learning rates, D weight decays, S seeds.
"""

import json
from dataclasses import dataclass

import numpy as np

from reports._eligible import eligible
from reports._ranking import objective_of
from reports.frames import StudyFrames, strategies
from reports.measures import FloatArray, IntArray

_TUNED = {"lr", "weight_decay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FullGrid:
    """One such grid; values are turned so that lower is better, +inf where a seed diverged.

    Attributes:
        search: Name of its search.
        rates: ``[L]``, rising.
        decays: ``[D]``, rising.
        keys: ``[L, D, S]``, validation values of the objective.
        test: ``[L, D, S]``, test values.
        runs: ``[L, D, S]``, run ids.
    """

    search: str
    rates: FloatArray
    decays: FloatArray
    keys: FloatArray
    test: FloatArray
    runs: IntArray


def full_grids(frames: StudyFrames) -> tuple[FullGrid, ...]:
    """The first of each search, in the order of the spec, whose runs have all ended."""
    found = (_full_grid(frames, search) for search in frames.searches)
    return tuple(grid for grid in found if grid is not None)


def _full_grid(frames: StudyFrames, search: str) -> FullGrid | None:
    stages = frames.stages_of(search)
    stages = stages[strategies(stages) == "grid"]
    for _, rows in stages.groupby("stage"):
        if set(str(rows["params_tuned"].iloc[0]).split(",")) == _TUNED:
            return _of_trials(frames, search, rows["trial"].tolist())
    return None


def _of_trials(frames: StudyFrames, search: str, numbers: list[int]) -> FullGrid | None:
    """None unless they are a whole product of at least two values each, and have ended."""
    trials = eligible(frames, search)
    written = frames.runs_of(search).drop_duplicates("trial").set_index("trial")["params"]
    rows = {int(number): row for row, number in enumerate(trials.numbers)}
    cells = {}
    for number in numbers:
        if number not in rows:
            return None
        params = json.loads(written[number])
        cells[float(params["lr"]), float(params["weight_decay"])] = rows[number]
    rates, decays = (sorted({cell[at] for cell in cells}) for at in (0, 1))
    if min(len(rates), len(decays)) < 2 or len(cells) < len(rates) * len(decays):
        return None
    at = np.array([[cells[rate, decay] for decay in decays] for rate in rates])
    test = objective_of(frames).sign * trials.test[at]
    return FullGrid(
        search=search,
        rates=np.array(rates),
        decays=np.array(decays),
        keys=trials.keys[at],
        test=np.where(np.isfinite(trials.keys[at]), test, np.inf),
        runs=trials.runs[at],
    )
