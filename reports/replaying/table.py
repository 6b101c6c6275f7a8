"""A recorded stage as a table: what each trial was worth, and had cost, after each epoch.

Shapes: N trials, S seeds, E epochs, L levels.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from reports._curves import objective_curves
from reports._eligible import eligible
from reports._ranking import objective_of
from reports._selected import selection_of
from reports.errors import NothingToReplay, UnknownSearch
from reports.frames import StudyFrames, trained_epochs
from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Ladder
from reports.spending.axes import CostAxis, charges, require
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M

_ALWAYS: Final[tuple[CostAxis, ...]] = ("solo_s", "epochs")
_ADAPTIVE, _BY_OPTUNA = ("tpe", "neighbours"), "optuna:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTable:
    """One stage of a search as if it stood alone: earlier stages have cost and found nothing.

    Attributes:
        search: Name of the search.
        stage: The stage, counted from 0.
        kind: The strategy that has recorded it.
        adaptive: Whether that one chose points by what others came to.
        objective: What values are of.
        margin: The difference that matters; None where the study has none for this objective.
        points: ``[N]``, what the stage tunes, by parameter; one that a trial lacks is not there.
        keys: ``[N, S]``, validation values, turned so that lower is better; +inf where the run
            diverged.
        scores: ``[N, S]``, what winners are judged by, as it is; NaN where the run diverged.
        judged_on: The split of `scores`: ``test``, or the one that chooses where there are no test
            values, as a training function may report none, or while a study is sealed.
        cost: Axis to ``[N, S]``, of the whole runs; ``solo_s`` and ``epochs`` always.
        trained: ``[N, S]``, epochs that runs have paid for.
        ties: What decides between equal keys, ``[N]`` each.
        n_epochs: E.
        keys_by_epoch: ``[N, S, E]``, `keys` as if training had ended after each epoch; empty if
            they were not read, NaN where they are not recorded.
        scores_by_epoch: ``[N, S, E]``, the scores of the same epochs.
        left_out: Trials of the stage that are not in the table: not all of their runs ended well.
    """

    search: str
    stage: int
    kind: str
    adaptive: bool
    objective: Objective
    margin: float | None
    points: tuple[Mapping[str, Any], ...]
    keys: FloatArray
    scores: FloatArray
    judged_on: str
    cost: Mapping[CostAxis, FloatArray]
    trained: FloatArray
    ties: tuple[FloatArray, ...]
    n_epochs: int
    keys_by_epoch: FloatArray
    scores_by_epoch: FloatArray
    left_out: int = 0

    @property
    def n_trials(self) -> int:
        """N."""
        return int(self.keys.shape[0])

    @property
    def tuned(self) -> tuple[str, ...]:
        """The parameters that the stage tunes."""
        return tuple(dict.fromkeys(name for point in self.points for name in point))

    @property
    def n_seeds(self) -> int:
        """S."""
        return int(self.keys.shape[1])

    @property
    def has_curves(self) -> bool:
        """Whether every epoch that was trained has its value."""
        return self.keys_by_epoch.size > 0 and not np.isnan(self.keys_by_epoch).any()

    def choosing(self, scoring: int) -> IntArray:
        """The seeds that choose where one scores: all others; with one seed, that one."""
        seeds = np.arange(self.n_seeds)
        return seeds if self.n_seeds == 1 else np.delete(seeds, scoring)

    def by_epochs(self, scoring: int, rungs: Sequence[int] = ()) -> Ladder:
        """Levels of training: after so many epochs each, and trained out.

        Args:
            scoring: The seed that scores.
            rungs: Rising, below E.
        """
        at = np.array(rungs, dtype=np.int64) - 1
        choosing = self.choosing(scoring)
        on_the_way = self.keys_by_epoch[:, :, at] if len(at) else np.empty((*self.keys.shape, 0))
        keys = _out_together(np.concatenate((on_the_way, self.keys[:, :, None]), axis=2))
        done = np.minimum(np.array([*rungs, self.n_epochs]), self.trained[:, :, None])
        share = done / self.trained[:, :, None]
        last = self.scores[:, scoring, None]
        early = self.scores_by_epoch[:, scoring, at] if len(at) else np.empty((self.n_trials, 0))
        return Ladder(
            keys=keys[:, choosing].mean(axis=1),
            scores=np.concatenate((early, last), axis=1),
            cost={axis: (cost[:, :, None] * share).sum(axis=1) for axis, cost in self.cost.items()},
            ties=self.ties,
        )

    def by_seeds(self, scoring: int, order: Sequence[int]) -> Ladder:
        """Levels of evidence: one seed more each, and the one that scores last of all.

        Args:
            scoring: The seed that scores.
            order: The others, in the order in which a trial gets them.
        """
        seeds = [*order, scoring]
        keys = np.stack(
            [self.keys[:, seeds[: k + 1]].mean(axis=1) for k in range(len(order))], axis=1
        )
        whole = np.where(np.isinf(self.keys).any(axis=1), np.inf, keys[:, -1])
        return Ladder(
            keys=np.column_stack((keys, whole)),
            scores=np.repeat(self.scores[:, scoring, None], len(seeds), axis=1),
            cost={axis: cost[:, seeds].cumsum(axis=1) for axis, cost in self.cost.items()},
            ties=self.ties,
        )


def recorded_table(
    frames: StudyFrames,
    search: str | None = None,
    *,
    stage: int | None = None,
    axis: CostAxis = "solo_s",
    curves: bool = True,
) -> RecordedTable:
    """Read a stage of a search as a table.

    Args:
        frames: The study.
        search: Name of the search; by default the one with the largest stage.
        stage: The stage, counted from 0; by default the one with the most trials.
        axis: A unit of cost that is wanted beside device-seconds alone and epochs.
        curves: With the values after each epoch, which take long to read in a large study.

    Raises:
        UnknownSearch: The study has no such search of a weighting or a function.
        UnknownAxis: There is no such unit, or it was not recorded; says why.
        NothingToReplay: There is no such stage, or it has no trial that can win.
    """
    axes = dict.fromkeys((*_ALWAYS, require(frames, axis)))
    known = frames.searches_alone if frames.of_function else frames.searches
    stages = frames.stages[frames.stages["search"].isin(known)]
    if search is not None and search not in known:
        raise UnknownSearch(
            f"The study `{frames.name}` must have the search. Got {search!r}. "
            f"Use one of: {', '.join(known)}."
        )
    mine = stages if search is None else stages[stages["search"] == search]
    wanted = mine if stage is None else mine[mine["stage"] == stage]
    if wanted.empty:
        raise _nothing(mine, stage)
    by_stage = wanted.groupby(["search", "stage"], sort=False)
    largest = by_stage["trial"].transform("nunique").idxmax()  # the first of equal ones
    name, number = str(wanted.at[largest, "search"]), int(str(wanted.at[largest, "stage"]))
    rows = wanted[(wanted["search"] == name) & (wanted["stage"] == number)]
    return _table(frames, name, number, rows, axes=tuple(axes), curves=curves)


def _nothing(stages: pd.DataFrame, stage: int | None) -> NothingToReplay:
    known = ", ".join(str(int(number) + 1) for number in sorted(stages["stage"].unique()))
    if stage is None or not known:
        return NothingToReplay(
            "A replay needs trials of a weighting or a training function. There are none yet. "
            "Run the study first."
        )
    return NothingToReplay(f"The stage must be there. Got {stage + 1}. Use one of: {known}.")


def _table(
    frames: StudyFrames,
    search: str,
    stage: int,
    rows: pd.DataFrame,
    *,
    axes: Sequence[CostAxis],
    curves: bool,
) -> RecordedTable:
    trials = eligible(frames, search)
    wanted = rows.sort_values("position")["trial"].drop_duplicates().to_numpy(dtype=np.int64)
    known = wanted[np.isin(wanted, trials.numbers)]
    at = np.searchsorted(trials.numbers, known)
    objective, ids = objective_of(frames), trials.runs[at]
    runs = frames.runs.set_index("run", drop=False).loc[ids.ravel()]
    done = runs.where(runs["state"] == "done")
    keys = np.asarray(objective.sign * done["value_val"].fillna(objective.sign * np.inf))
    _refuse_hopeless(search, stage, keys.reshape(ids.shape), runs["state"])
    judged_on = _judged_on(frames, objective, int(ids[0, 0]))
    trained = np.asarray(trained_epochs(runs), dtype=np.float64)
    nothing = np.empty((0, 0))
    by_epoch = (
        _by_epoch(frames, runs, objective, judged_on, int(trained.max()))
        if curves
        else (nothing, nothing)
    )
    return RecordedTable(
        search=search,
        stage=stage,
        kind=str(rows["kind"].iloc[0]),
        adaptive=bool(
            rows["kind"].isin(_ADAPTIVE).any()
            or rows["kind"].str.startswith(_BY_OPTUNA).any()
            or (rows["round"] > 0).any()
        ),
        objective=objective,
        margin=_margin(frames, objective),
        points=_points(runs["params"].iloc[:: ids.shape[1]].tolist(), rows),
        keys=keys.reshape(ids.shape),
        scores=np.asarray(done["value_val" if frames.sealed else "value_test"]).reshape(ids.shape),
        judged_on=judged_on,
        cost={axis: _charged(frames, axis, ids) for axis in axes},
        trained=trained.reshape(ids.shape),
        ties=tuple(tie[at] for tie in trials.ties),
        n_epochs=int(trained.max()),
        keys_by_epoch=by_epoch[0].reshape(*ids.shape, -1),
        scores_by_epoch=by_epoch[1].reshape(*ids.shape, -1),
        left_out=len(wanted) - len(known),
    )


def _judged_on(frames: StudyFrames, objective: Objective, run: int) -> str:
    """The test split, unless it is sealed or a training function has reported nothing on it."""
    if frames.sealed:
        return objective.split
    metric = objective.metrics[0][1]
    tested = not frames.of_function or len(
        frames.epochs.rows(split="test", metric=metric, runs=[run])
    )
    return "test" if tested else objective.split


def _charged(frames: StudyFrames, axis: CostAxis, runs: IntArray) -> FloatArray:
    """What runs ``[N, S]`` have cost."""
    by_run = charges(frames, axis).reindex(runs.ravel())
    return np.asarray(by_run, dtype=np.float64).reshape(runs.shape)


def _refuse_hopeless(search: str, stage: int, keys: FloatArray, states: "pd.Series[str]") -> None:
    """A table with holes is none, nor one without a winner."""
    where = f"Stage {stage + 1} of {search}"
    n_pruned = int((states == "pruned").sum())
    if n_pruned:
        raise NothingToReplay(
            f"A replay needs what every trial came to. {where} has {n_pruned} runs that a stopping "
            "rule pruned: what they would have come to is not known. Record a stage without `stop`."
        )
    if not np.isfinite(keys).all(axis=1).any():
        raise NothingToReplay(
            f"A replay needs a trial whose runs have all ended and are scored. {where} has none. "
            "Let the study run on, or look at `weighbridge status`."
        )


def _margin(frames: StudyFrames, objective: Objective) -> float | None:
    return float(frames.spec["compare"]["margin"]) if objective.name == DELTA_M else None


def _points(params: Sequence[str], rows: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    tuned = str(rows["params_tuned"].iloc[0]).split(",")
    points = [json.loads(text) for text in params]
    return tuple({name: point[name] for name in tuned if name in point} for point in points)


def _by_epoch(
    frames: StudyFrames, runs: pd.DataFrame, objective: Objective, judged_on: str, n_epochs: int
) -> tuple[FloatArray, FloatArray]:
    """Keys and scores ``[N * S, E]`` as if training had ended after each epoch."""
    shape = (len(runs), n_epochs)
    keys, scores = np.full(shape, np.nan), np.full(shape, np.nan)
    for values, split in ((keys, objective.split), (scores, judged_on)):
        curve = objective_curves(frames, runs, objective, split=split)
        at = pd.Index(runs["run"]).get_indexer(curve.index.get_level_values(0))
        values[at, curve.index.get_level_values(1).to_numpy(dtype=np.int64) - 1] = curve
    if frames.of_function:  # what it has not tested is judged by what it has validated
        scores = np.where(np.isnan(scores), keys, scores)
    keys, scores = _selected(frames, objective.sign * keys, scores)
    ended = runs["diverged_epoch"].to_numpy(dtype=np.float64, na_value=np.inf)
    diverged = np.arange(1, n_epochs + 1) >= ended[:, None]
    return np.where(diverged, np.inf, keys), np.where(diverged, np.nan, scores)


def _selected(
    frames: StudyFrames, keys: FloatArray, scores: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Values at the epoch that would be selected if training had ended after each (M4)."""
    selection = selection_of(frames)
    if selection.rule == "best":
        before = np.column_stack(
            (np.full(len(keys), np.inf), np.minimum.accumulate(keys, axis=1)[:, :-1])
        )
        fresh = np.where(keys < before, np.arange(keys.shape[1]), 0)
        at = np.maximum.accumulate(fresh, axis=1)
        return np.minimum.accumulate(keys, axis=1), np.take_along_axis(scores, at, axis=1)
    return _rolling_mean(keys, selection.k), _rolling_mean(scores, selection.k)


def _rolling_mean(values: FloatArray, k: int) -> FloatArray:
    """The mean of the last k of the columns so far."""
    n_columns = values.shape[1]
    columns = [values[:, max(e + 1 - k, 0) : e + 1].mean(axis=1) for e in range(n_columns)]
    return np.stack(columns, axis=1)


def _out_together(keys: FloatArray) -> FloatArray:
    """A trial is out from the level on at which one of its seeds has diverged."""
    return np.where(np.isinf(keys).any(axis=1, keepdims=True), np.inf, keys)
