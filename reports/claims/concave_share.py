"""C10: other methods reach trade-offs between tasks that no mix of the grid's trials does.

Shapes: N trials, S seeds, T tasks. Changes are relative to single-task networks, in percent; lower
is better.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from reports._eligible import eligible
from reports._selected import selected_metrics
from reports._titles import title_of
from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import (
    POINTS,
    SECOND_SEED,
    listed,
    seeds_that_decide,
    told,
    undecided_yet,
)
from reports.claims.methods import outstanding, search_of
from reports.comparing.roles import reference_of
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval, mean_of
from reports.inference.hulls import Beyond, BoolArray, beyond_mixes, front
from reports.measures import FloatArray, IntArray

NAME: Final = "C10"
_STATES: Final = "Other methods reach trade-offs between tasks that no mix of grid trials reaches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All trials whose runs are done.

    Attributes:
        values: ``[N, S, T]``.
        runs: ``[N, S]``, run ids.
        of_grid: ``[N]``, which are of the search with the grid.
    """

    values: FloatArray
    runs: IntArray
    of_grid: BoolArray


def concave_share(frames: StudyFrames) -> Claim:
    """The share of the other methods' part of the joint front, and how far it lies beyond."""
    grid = reference_of(frames, search_of(frames, "uw-so"))
    base = frames.standing_baseline("test")
    if grid is None or not base or len(frames.tasks) < 2:
        return not_asked(
            NAME,
            _STATES,
            "a grid over task weights, and single-task networks that are done",
        )
    if len(frames.searches) < 2:
        return not_asked(NAME, _STATES, "a search of another method beside the grid")
    if missing := outstanding(frames, frames.searches):
        return undecided_yet(NAME, _STATES, missing)
    changes = task_changes(frames, grid)
    return _told(frames, grid, changes)


def task_changes(frames: StudyFrames, grid: str) -> Changes:
    """Mean relative change of each task's metrics on test, of each run of all searches."""
    base = frames.standing_baseline("test")
    runs, of_grid = [], []
    for search in frames.searches:
        trials = eligible(frames, search)
        done = trials.runs[np.isfinite(trials.keys).all(axis=1)]
        runs.append(done)
        of_grid += [search == grid] * len(done)
    table = np.concatenate(runs)
    rows = selected_metrics(frames, table.ravel().tolist())
    wide = rows.pivot_table(index="run", columns=["task", "metric"], values="value")
    wide = wide.loc[table.ravel()]
    by_task = [
        np.mean(
            [
                100 * m.sign * (wide[key] - base[key]) / abs(base[key])
                for m in frames.metrics
                if m.task == task and (key := (m.task, m.name))
            ],
            axis=0,
        )
        for task in frames.tasks
    ]
    values = np.stack(by_task, axis=-1).reshape(*table.shape, len(frames.tasks))
    return Changes(values=values, runs=table, of_grid=np.array(of_grid))


def share_beyond(points: FloatArray, of_grid: BoolArray) -> tuple[float, IntArray, Beyond | None]:
    """The concave share of one table ``[N, T]``.

    Returns:
        Of the trials of other methods on the joint front the share that no convex combination of
        grid trials equals or dominates, 0 where there are none; rows of those on the front, and how
        they lie to the grid's trials.
    """
    mine = np.flatnonzero(front(points) & ~of_grid)
    if not len(mine):
        return 0.0, mine, None
    found = beyond_mixes(points[mine], points[of_grid])
    return float(found.found.mean()), mine, found


def held_out_depths(changes: Changes) -> FloatArray:
    """How far beyond such trials lie on the seed that did not find them, in points: ``[2, S]``.

    Means over the other seeds say which trials are beyond, in which direction, and which mix of
    grid trials comes nearest. On the seed that is left out, on average, in that direction: what the
    grid's best trial has more than they, which favours the grid, as it is chosen on that seed; and
    what that mix has more. NaN where the other seeds find none.
    """
    n_seeds = changes.values.shape[1]
    depths = np.full((2, n_seeds), np.nan)
    for seed in range(n_seeds) if n_seeds > 1 else ():
        others = np.delete(changes.values, seed, axis=1).mean(axis=1)
        _, rows, lying = share_beyond(others, changes.of_grid)
        if lying is None or not lying.found.any():
            continue
        weights, mixes = lying.weights[lying.found], lying.mixes[lying.found]
        grid, judged = changes.values[changes.of_grid, seed], changes.values[rows, seed]
        own = np.sum(judged[lying.found] * weights, axis=1)
        depths[0, seed] = np.mean((grid @ weights.T).min(axis=0) - own)
        depths[1, seed] = np.mean(np.sum(mixes @ grid * weights, axis=1) - own)
    return depths


def beyond(best: Estimate, mix: Estimate, shares: FloatArray) -> Finding:
    """By depths on seeds that did not find them: beyond even the best trial, or not even the mix.

    Where nothing lies beyond on any seed, there is nothing to judge.
    """
    if not shares.any():
        return "not supported" if len(shares) > 1 else "undecided"
    least, most = best.interval(), mix.interval()
    if least is not None and least.low > 0:
        return "supported"
    return "not supported" if most is not None and most.high < 0 else "undecided"


def _told(frames: StudyFrames, grid: str, changes: Changes) -> Claim:
    of_means, *_ = share_beyond(changes.values.mean(axis=1), changes.of_grid)
    by_seed = changes.values.swapaxes(0, 1)
    shares = np.array([share_beyond(one, changes.of_grid)[0] for one in by_seed])
    share = mean_of(shares)
    within = _within(share.interval())
    best, mix = (mean_of(depths) for depths in held_out_depths(changes))
    finding = beyond(best, mix, shares)
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=" ".join(_sentences(title_of(frames, grid), share, within, of_means, (best, mix))),
        effects=(
            Effect(
                name="concave share",
                value=100 * share.value,
                interval=within,
                unit="%",
                shown=".2f",
            ),
            *(
                Effect(name=name, value=one.value, interval=one.interval(), unit="points")
                for name, one in (("depth beyond the best trial", best), ("beyond the mix", mix))
            ),
        ),
        would_decide=_would_decide(best, mix) if finding == "undecided" else "",
        remarks=("Noise alone puts some trials beyond; the finding goes by what is held out.",),
        runs=listed(frames, changes.runs.ravel().tolist()),
    )


def _sentences(
    other: str,
    share: Estimate,
    within: Interval | None,
    of_means: float,
    depths: tuple[Estimate, Estimate],
) -> Iterator[str]:
    spread = "one seed: no interval"
    if within is not None:
        spread = f"95 % interval {within.low:.0f} to {within.high:.0f} %"
    yield (
        f"Of other methods' trials on the joint front of task changes, {100 * share.value:.0f} % "
        f"lie beyond all mixes of {other}'s, seed by seed ({spread}), and {100 * of_means:.0f} % "
        "by the means over seeds."
    )
    if all(math.isfinite(depth.value) for depth in depths):
        best, mix = (told(POINTS, depth.value, depth.interval()) for depth in depths)
        yield (
            f"On the seed that did not find them, they are {mix} beyond the mix that came nearest, "
            f"and {best} beyond whichever of its trials is best there."
        )


def _within(known: Interval | None) -> Interval | None:
    """The interval of a share in percent, no further than shares go."""
    if known is None:
        return None
    low, high = (100 * min(max(end, 0.0), 1.0) for end in (known.low, known.high))
    return replace(known, low=low, high=high)


def _would_decide(best: Estimate, mix: Estimate) -> str:
    if best.n_seeds < 2:
        return SECOND_SEED
    if best.interval() is None:
        return "more seeds: on some of them the others find no trial that lies beyond"
    if best.value <= 0 <= mix.value:
        return "nothing that seeds alone tell: the grid's best trial and the mix disagree"
    return seeds_that_decide(*((best, best.value) if best.value > 0 else (mix, -mix.value)))
