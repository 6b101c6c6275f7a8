"""C4: weight decay matters less than the learning rate.

Shapes: L learning rates, D weight decays, S seeds.
"""

import math
from typing import Final

import numpy as np

from reports._importance import Importance
from reports._ranking import objective_of
from reports._titles import title_of
from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import listed, seeds_that_decide, told
from reports.claims.full_grids import FullGrid, full_grids
from reports.comparing.defaults import distances
from reports.comparing.wording import gaps_of
from reports.frames import StudyFrames
from reports.importances import Estimators, importances
from reports.inference import Estimate, mean_of
from reports.measures import FloatArray
from storage.objectives import Objective
from storage.wording import counted

NAME: Final = "C4"
_STATES: Final = "Weight decay matters less than the learning rate"


def decay_matters_less(frames: StudyFrames, estimators: Estimators | None = None) -> Claim:
    """What it costs to leave each at its default, on full grids of both.

    Args:
        estimators: Of importances, where the trials of a search are no full grid.
    """
    grids, explained = full_grids(frames), _explained(frames, estimators)
    if not grids:
        return not_asked(
            NAME,
            _STATES,
            "a grid over learning rate and weight decay in one stage, all of it done",
            importances=explained,
        )
    by_seed = np.mean([left_at_default(frames, grid) for grid in grids], axis=0)
    rate, decay = mean_of(by_seed[0]), mean_of(by_seed[1])
    found = mean_of(by_seed[0] - by_seed[1])
    finding, gaps = larger(found), gaps_of(objective_of(frames))
    lost = (_lost_said("the learning rate", rate, gaps), _lost_said("weight decay", decay, gaps))
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=f"{' '.join(lost)} The difference is {told(gaps, found.value, found.interval())}, on "
        f"{_grids_said(frames, grids)}.",
        effects=tuple(
            Effect(
                name=name,
                value=one.value,
                interval=one.interval(),
                unit=gaps.unit,
                shown=gaps.shown,
            )
            for name, one in (
                ("loss at the default learning rate minus that at the default weight decay", found),
                ("loss at the default learning rate", rate),
                ("loss at the default weight decay", decay),
            )
        ),
        would_decide=seeds_that_decide(found, abs(found.value)) if finding == "undecided" else "",
        remarks=(_defaults_said(frames, grids),),
        importances=explained,
        runs=listed(frames, [run for grid in grids for run in grid.runs.ravel().tolist()]),
    )


def _lost_said(what: str, lost: Estimate, gaps: Objective) -> str:
    if lost.value == lost.standard_error == 0:
        return f"Leaving {what} at its default loses nothing: the seeds choose it for each other."
    return f"Leaving {what} at its default loses {told(gaps, lost.value, lost.interval())}."


def _explained(frames: StudyFrames, estimators: Estimators | None) -> tuple[Importance, ...]:
    """Of the searches that vary both."""
    return tuple(
        one
        for search in frames.searches
        for one in importances(frames, search, estimators)
        if {"lr", "weight_decay"} <= {share.param for share in one.shares}
    )


def larger(found: Estimate) -> Finding:
    """The sign of all of the interval, or undecided."""
    known = found.interval()
    if known is None or not known.excludes(0.0):
        return "undecided"
    return "supported" if known.low > 0 else "not supported"


def left_at_default(frames: StudyFrames, grid: FullGrid) -> FloatArray:
    """What is lost by it, averaged over the other one's values: ``[2, S]``, rate and decay.

    For each seed the others choose the best value, and this one judges. Values of the other one at
    which every trial diverged say nothing and are left out.
    """
    at = _defaults(frames, grid)
    lost = [
        _lost(keys, test, here)
        for here, keys, test in (
            (at[0], grid.keys, grid.test),
            (at[1], grid.keys.swapaxes(0, 1), grid.test.swapaxes(0, 1)),
        )
    ]
    return np.array(lost)


def _lost(keys: FloatArray, test: FloatArray, default: int) -> FloatArray:
    """``[S]``, from ``[values, others, S]``."""
    n_seeds = keys.shape[2]
    some = np.isfinite(keys).all(axis=2).any(axis=0)
    keys, test = keys[:, some], test[:, some]
    lost = np.empty(n_seeds)
    for seed in range(n_seeds):
        chosen_by = np.delete(keys, seed, axis=2) if n_seeds > 1 else keys
        best = chosen_by.mean(axis=2).argmin(axis=0)
        judged = test[:, :, seed]
        lost[seed] = np.mean(judged[default] - judged[best, np.arange(judged.shape[1])])
    return lost


def _defaults(frames: StudyFrames, grid: FullGrid) -> tuple[int, int]:
    """Where the defaults lie on the grid, or what is nearest to them; of two, the smaller one."""
    lines = {"lr": grid.rates.tolist(), "weight_decay": grid.decays.tolist()}
    far = [distances(name, line, frames, grid.search) for name, line in lines.items()]
    rate, decay = (_first_nearest(gaps or [0.0]) for gaps in far)  # numbers all have distances
    return rate, decay


def _first_nearest(gaps: list[float]) -> int:
    """Rounding does not decide between two that are as near."""
    return next(at for at, gap in enumerate(gaps) if math.isclose(gap, min(gaps)))


def _grids_said(frames: StudyFrames, grids: tuple[FullGrid, ...]) -> str:
    parts = [
        f"that of {title_of(frames, grid.search)} ({counted(len(grid.rates), 'rate')} × "
        f"{counted(len(grid.decays), 'decay')})"
        for grid in grids
    ]
    return f"{counted(len(grids), 'full grid')}: {', '.join(parts)}"


def _defaults_said(frames: StudyFrames, grids: tuple[FullGrid, ...]) -> str:
    """The values that losses are counted from."""
    said = []
    for grid in grids:
        rate, decay = _defaults(frames, grid)
        said.append(
            f"{title_of(frames, grid.search)} at a rate of {grid.rates[rate]:g} and a decay of "
            f"{grid.decays[decay]:g}"
        )
    others = "the other seeds" if len(frames.seeds) > 1 else "the seed that judges it"
    chosen = f"the best value is chosen by {others} on validation"
    return f"Defaults, or what is nearest on the grid: {', '.join(said)}; {chosen}."
