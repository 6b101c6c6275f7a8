"""The stages of a search, and what its winner is worth after each trial (MEASURES M8).

Exact for stages that could have been run in any order, as run for others. Strategies that were not
run are played by `reports.replaying`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from reports._eligible import Eligible, Fold
from reports.frames import StudyFrames
from reports.measures import (
    Expected,
    FloatArray,
    IntArray,
    expected_best,
    running_best,
    winner_shares,
)

# Stages whose trials could as well have been run in any other order; none with a stopping rule, by
# which a trial ends as the others of its round say.
_EXCHANGEABLE: Final = frozenset({"grid", "random", "quasi-random", "baseline"})

# Every n up to here has its point; beyond, as many again, geometrically spaced up to N, and the
# parts of N that `reports.spending.sub_grids` asks for.
_DENSE_POINTS: Final = 200
PARTS: Final = (1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTrials:
    """One stage's own trials.

    Attributes:
        rows: ``[N]``, positions among the eligible trials, in the order of the stage.
        draws: ``[n]``, after how many of them the curve has a point.
    """

    stage: int
    exchangeable: bool
    rows: IntArray
    draws: IntArray


def stages_of(frames: StudyFrames, search: str, trials: Eligible) -> tuple[StageTrials, ...]:
    """The stages that brought new eligible trials, in order."""
    table = frames.stages_of(search)
    table = table[table["trial"].isin(trials.numbers)].sort_values(["stage", "position"])
    fresh = table.drop_duplicates("trial")  # a trial belongs to the first stage that has it
    return tuple(
        _stage(trials, int(str(stage)), rows) for stage, rows in fresh.groupby("stage", sort=True)
    )


def _stage(trials: Eligible, stage: int, rows: pd.DataFrame) -> StageTrials:
    exchangeable = rows["kind"].iloc[0] in _EXCHANGEABLE
    return StageTrials(
        stage=stage,
        exchangeable=exchangeable,
        rows=np.searchsorted(trials.numbers, rows["trial"].to_numpy(dtype=np.int64)),
        draws=_draws(len(rows)) if exchangeable else np.arange(1, len(rows) + 1),
    )


def _draws(n_trials: int) -> IntArray:
    dense = np.arange(1, min(n_trials, _DENSE_POINTS) + 1)
    if n_trials <= _DENSE_POINTS:
        return dense
    sparse = np.geomspace(_DENSE_POINTS, n_trials, _DENSE_POINTS).round().astype(np.int64)
    parts = [-(-n_trials // part) for part in PARTS]
    return np.unique(np.concatenate((dense, sparse, parts)))


def course(trials: Eligible, fold: Fold, stages: Sequence[StageTrials]) -> Expected:
    """The winner's score in one fold, stage after stage."""
    parts = []
    before = np.array([], dtype=np.int64)
    for stage in stages:
        of_stage = _in_any_order if stage.exchangeable else _as_run
        parts.append(of_stage(trials, fold, stage, before))
        before = np.concatenate((before, stage.rows))
    return Expected(
        value=np.concatenate([part.value for part in parts]),
        low=np.concatenate([part.low for part in parts]),
        high=np.concatenate([part.high for part in parts]),
        concentration=np.concatenate([part.concentration for part in parts]),
    )


def winners(
    trials: Eligible, keys: FloatArray, stages: Sequence[StageTrials], points: IntArray
) -> FloatArray:
    """P(a trial is the winner) at some of the curve's points, with all trials ranked by `keys`.

    Args:
        keys: ``[N]``, of all eligible trials.
        points: ``[m]``, rising positions on the curve.

    Returns:
        ``[m, N]``; rows sum to 1 where a winner is certain.
    """
    parts = []
    before, start = np.array([], dtype=np.int64), 0
    for stage in stages:
        mine = points[(points >= start) & (points < start + len(stage.draws))] - start
        shares = np.zeros((len(mine), len(keys)))
        held = _incumbent(trials, keys, before)
        if stage.exchangeable and len(mine):
            found = winner_shares(
                keys[stage.rows],
                ties=[tie[stage.rows] for tie in trials.ties],
                incumbent=_bar(trials, keys, held),
                draws=stage.draws[mine].tolist(),
            )
            shares[:, stage.rows] = found[:, :-1]
            if held is not None:
                shares[:, held] = found[:, -1]
        for row, at in enumerate(mine) if not stage.exchangeable else ():
            won = _incumbent(trials, keys, np.concatenate((before, stage.rows[: at + 1])))
            if won is not None:
                shares[row, won] = 1.0
        parts.append(shares)
        before, start = np.concatenate((before, stage.rows)), start + len(stage.draws)
    return np.concatenate(parts)


def _in_any_order(trials: Eligible, fold: Fold, stage: StageTrials, before: IntArray) -> Expected:
    """The expectation over random orders of the stage's trials."""
    held = _incumbent(trials, fold.keys, before)
    return expected_best(
        fold.keys[stage.rows],
        fold.scores[stage.rows],
        ties=[tie[stage.rows] for tie in trials.ties],
        incumbent=_bar(trials, fold.keys, held),
        incumbent_score=np.nan if held is None else float(fold.scores[held]),
        draws=stage.draws.tolist(),
    )


def _as_run(trials: Eligible, fold: Fold, stage: StageTrials, before: IntArray) -> Expected:
    """The best so far, in the order in which the stage proposed its trials."""
    held = _incumbent(trials, fold.keys, before)
    rows = stage.rows if held is None else np.concatenate(([held], stage.rows))
    best = running_best(fold.keys[rows], fold.scores[rows], ties=[tie[rows] for tie in trials.ties])
    best = best[len(rows) - len(stage.rows) :]
    certain = np.where(np.isnan(best), np.nan, 1.0)
    return Expected(value=best, low=best, high=best, concentration=certain)


def _incumbent(trials: Eligible, keys: FloatArray, before: IntArray) -> int | None:
    """Position of the winner of earlier stages, by keys ``[N]``."""
    known = np.full(len(keys), np.inf)
    known[before] = keys[before]
    return trials.best(known)


def _bar(trials: Eligible, keys: FloatArray, held: int | None) -> tuple[float, ...] | None:
    """Key and ties of the incumbent."""
    return None if held is None else (keys[held], *(tie[held] for tie in trials.ties))


def costs(cost: FloatArray, stages: Sequence[StageTrials]) -> FloatArray:
    """Cost at each point: that of earlier stages, and n mean trials or the first n as run."""
    spent, parts = 0.0, []
    for stage in stages:
        mine = cost[stage.rows]
        own = stage.draws * mine.mean() if stage.exchangeable else np.cumsum(mine)
        parts.append(spent + own)
        spent += float(mine.sum())
    return np.concatenate(parts)
