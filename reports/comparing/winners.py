"""A search's winner and the runs that say what it is worth (MEASURES M5, M9).

Shapes: N trials, S seeds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from reports._eligible import RANKED, Eligible, eligible
from reports._once import once_per_study
from reports._ranking import objective_of
from reports.frames import StudyFrames
from reports.measures import FloatArray

ScoreKind = Literal["confirmed", "cross-fit", "same-seed"]


class Scored(NamedTuple):
    """A run that a winner's value is made of, with its test value of the objective.

    The value is the worst infinity where the run diverged.
    """

    run: int
    seed: int
    trial: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best eligible trial of a search, by its mean value on validation over all seeds.

    Where several trials were confirmed, it is the one of them that is best on the fresh seeds.

    Attributes:
        trial: Its number.
        params: Its parameters.
        kind: What the value rests on, best first: fresh seeds; for each seed the trial that the
            other seeds choose; the seeds that chose.
        scores: The runs whose mean is the value. They may be of several trials where seeds choose
            for each other.
        chosen_runs: The winning trial's own runs on the seeds that chose it.
        fresh: The trials that fresh seeds chose among, best on the search's seeds first; None where
            they chose nothing.
    """

    trial: int
    params: Mapping[str, Any]
    kind: ScoreKind
    scores: tuple[Scored, ...]
    chosen_runs: tuple[int, ...]
    fresh: Eligible | None = None

    @property
    def runs(self) -> tuple[int, ...]:
        """Ids of the runs behind the value."""
        return tuple(score.run for score in self.scores)

    @property
    def values(self) -> tuple[float, ...]:
        """Their test values."""
        return tuple(score.value for score in self.scores)

    @property
    def by_seed(self) -> dict[int, float]:
        """Seed to test value."""
        return {score.seed: score.value for score in self.scores}

    @property
    def value(self) -> float:
        """Test value of the method."""
        return float(np.mean(self.values))

    @property
    def seed_sd(self) -> float:
        """Standard deviation over seeds; NaN with one seed or a diverged run."""
        if len(self.values) < 2 or not np.isfinite(self.values).all():
            return float("nan")
        return float(np.std(self.values, ddof=1))


@once_per_study
def winner_of(frames: StudyFrames, search: str) -> Winner | None:
    """The winner so far; None while no trial is eligible, or if none of them was done."""
    trials = eligible(frames, search)
    best = trials.best(trials.keys.mean(axis=1)) if len(trials.numbers) else None
    if best is None:
        return None
    found = _confirmed(frames, search, trials)
    if found is None:
        scores = _scored(trials, frames.seeds, trials.fold_winners())
        return Winner(
            trial=int(trials.numbers[best]),
            params=_params(frames, search, int(trials.numbers[best])),
            kind="cross-fit" if len(scores) > 1 else "same-seed",
            scores=scores,
            chosen_runs=tuple(trials.runs[best].tolist()),
        )
    confirmed, seeds = found
    choosing = confirmed if len(confirmed.numbers) > 1 and len(seeds) > 1 else None
    # One fresh seed cannot choose for another one: the search's own winner is scored.
    chosen = [0] * len(seeds) if choosing is None else _fresh_choices(choosing)
    at = 0 if choosing is None else choosing.best(choosing.keys.mean(axis=1)) or 0
    number = int(confirmed.numbers[at])
    return Winner(
        trial=number,
        params=_params(frames, search, number),
        kind="confirmed",
        scores=_scored(confirmed, seeds, chosen),
        chosen_runs=tuple((trials.runs[best] if choosing is None else choosing.runs[at]).tolist()),
        fresh=choosing,
    )


def _params(frames: StudyFrames, search: str, trial: int) -> Mapping[str, Any]:
    runs = frames.runs_of(search)
    found: Mapping[str, Any] = json.loads(runs.loc[runs["trial"] == trial, "params"].iloc[0])
    return found


def _confirmed(
    frames: StudyFrames, search: str, trials: Eligible
) -> tuple[Eligible, Sequence[int]] | None:
    """The best trials of a search on fresh seeds, and those seeds.

    None until all of their runs are final, and for good if one of them failed.
    """
    wanted = int((frames.spec.get("confirm") or {}).get("top", 1))
    keys = trials.keys.mean(axis=1)
    order = np.lexsort((*reversed(trials.ties), keys))
    best = trials.numbers[order[np.isfinite(keys[order])][:wanted]]
    runs = frames.runs_of(search)
    mine = runs[(runs["role"] == "confirm") & runs["planned"]]
    if mine.empty:
        return None
    mine = mine[mine["trial"].isin(best)].set_index(["trial", "seed"]).sort_index()
    seeds = sorted(set(mine.index.get_level_values("seed")))
    cells = pd.MultiIndex.from_product([best.tolist(), seeds])
    if not seeds or not cells.isin(mine.index).all():
        return None
    rows = mine.loc[cells]
    done = rows["state"] == "done"
    unscored = rows[["value_val", "value_test"]].isna().any(axis=1)
    if not rows["state"].isin(RANKED).all() or (done & unscored).any():
        return None
    sign, shape = objective_of(frames).sign, (len(best), len(seeds))

    def table(column: "pd.Series[float]") -> FloatArray:
        return np.reshape(column.to_numpy(dtype=np.float64), shape)

    effort: FloatArray = table(rows["grad_evals"]).sum(axis=1)
    fresh = Eligible(
        numbers=best,
        runs=rows["run"].to_numpy(dtype=np.int64).reshape(shape),
        keys=sign * table(rows["value_val"].where(done, sign * np.inf)),
        test=table(rows["value_test"].where(done, sign * np.inf)),
        ties=(effort, best.astype(np.float64)),
    )
    return fresh, seeds


def _fresh_choices(confirmed: Eligible) -> list[int]:
    """For each fresh seed the trial that the others choose; where all diverged, the first one."""
    return [0 if row is None else row for row in confirmed.fold_winners()]


def _scored(
    trials: Eligible, seeds: Sequence[int], chosen: Sequence[int | None]
) -> tuple[Scored, ...]:
    """The run of each seed's trial; without seeds for which none was chosen."""
    return tuple(
        Scored(
            run=int(trials.runs[trial, at]),
            seed=int(seeds[at]),
            trial=int(trials.numbers[trial]),
            value=float(trials.test[trial, at]),
        )
        for at, trial in enumerate(chosen)
        if trial is not None
    )
