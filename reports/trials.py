"""The trials of a study as plain values: what each came to, on the way there and in the end.

A trial is judged by the objective of its search: those of a single-task baseline or of a training
function by the primary metric of the task, in its own unit and direction.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from reports._curves import objective_curves
from reports._ranking import objective_of, objectives_of
from reports._selected import selected_metrics
from reports.frames import StudyFrames
from storage.objectives import Objective
from storage.scoring import mean
from storage.wording import counted

TrialState = Literal["done", "running", "waiting", "pruned", "diverged", "failed"]

# What one of its runs is, a trial is: the first of these that is found among its seeds.
_STATES: Final[tuple[TrialState, ...]] = ("failed", "diverged", "pruned")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial on the study's seeds; what winners did on fresh ones is left out.

    Attributes:
        params: Its point as canonical JSON.
        state: ``done``, ``diverged``, ``pruned`` or ``failed`` if one of its runs is; ``waiting``
            if none was begun, else ``running``.
        value: Mean over the seeds at their selected epochs; None until all of them are scored.
        others: The same by the objectives beside the first, of several; empty with one, or where
            `value` is None.
        epochs: How many all of its runs have reached.
        curve: Epoch to the mean over the seeds, of epochs that all of them have reached; empty
            unless asked for.
        delta_m_test: Mean test delta_m over the seeds, in percent; None where there is none.
        device_s: All device time of all attempts.
        cost_s: What its method is charged with, every run trained alone.
        started: When its first attempt began; None unless asked for.
        ended: When its last attempt ended; None while it waits or runs, or unless asked for.
        rounds: How often training has begun in all of its runs: once, unless a trainer does anew.
    """

    number: int
    params: str
    state: TrialState
    value: float | None
    epochs: int
    curve: Mapping[int, float]
    seeds: tuple[int, ...]
    delta_m_test: float | None
    device_s: float
    cost_s: float
    started: datetime | None
    ended: datetime | None
    others: tuple[float, ...] = ()
    rounds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrials:
    """A search and its trials, by number.

    Attributes:
        metric: What trials are judged by, in words.
        direction: ``min`` if lower is better, else ``max``.
        others: Name and direction of each objective beside it, of several.
    """

    search: str
    weighting: str
    metric: str
    direction: str
    trials: tuple[TrialRow, ...]
    others: tuple[tuple[str, str], ...] = ()

    @property
    def objectives(self) -> tuple[tuple[str, str], ...]:
        """Name and direction of all objectives, the first one first."""
        return (self.metric, self.direction), *self.others

    @property
    def lower(self) -> bool:
        """Whether lower is better."""
        return self.direction == "min"


def trials(frames: StudyFrames, *, courses: bool = False) -> tuple[SearchTrials, ...]:
    """All searches with their trials: single-task baselines first, then in the spec's order.

    Args:
        courses: With each trial's curve, begin and end, which take long to read.
    """
    runs = frames.runs[frames.runs["role"] != "confirm"]
    moments = _moments(frames) if courses else {}
    rounds = _rounds(frames) if frames.of_trainer else {}
    found = []
    for search in (*frames.searches_alone, *frames.searches):
        mine = runs[runs["search"] == search]
        objective, *others = _ranked_by(frames, search)
        known = mine.set_index("run")["value_val"].dropna().to_dict()
        by_run = (
            _by_run(objective_curves(frames, mine, objective, split=objective.split))
            if courses
            else {}
        )
        found.append(
            SearchTrials(
                search=search,
                weighting=str(mine["weighting"].iloc[0]),
                metric=_said(objective),
                direction=objective.direction,
                trials=_with_others(
                    [
                        _row(number, of_trial, known, by_run, moments, rounds)
                        for number, of_trial in sorted(_by_trial(mine).items())
                    ],
                    _metrics_beside(frames, mine, others) if others else {},
                ),
                others=tuple((_said(one), one.direction) for one in others),
            )
        )
    return tuple(found)


def _ranked_by(frames: StudyFrames, search: str) -> list[Objective]:
    """All objectives of a search; a single-task one has its own."""
    if search in frames.searches_alone and not frames.of_function:
        return [objective_of(frames, search)]
    return objectives_of(frames)


def _metrics_beside(
    frames: StudyFrames, runs: pd.DataFrame, others: Sequence[Objective]
) -> Mapping[int, tuple[float, ...]]:
    """Trial to its seed means on validation by further objectives."""
    rows = selected_metrics(frames, runs["run"].tolist(), split="validation")
    rows = rows.merge(runs[["run", "trial"]], on="run")
    found: dict[tuple[int, str, str], list[float]] = {}
    keys = zip(rows["trial"], rows["task"], rows["metric"], rows["value"], strict=True)
    for trial, task, metric, value in keys:
        found.setdefault((trial, task, metric), []).append(value)
    names = [metric[:2] for one in others for metric in one.metrics]
    known = {trial for trial, *_ in found}
    return {t: tuple(mean(found.get((t, *name), [math.nan])) for name in names) for t in known}


def _with_others(
    rows: Sequence[TrialRow], others: Mapping[int, tuple[float, ...]]
) -> tuple[TrialRow, ...]:
    return tuple(
        row if row.value is None else replace(row, others=others.get(row.number, ()))
        for row in rows
    )


def ranked(search: SearchTrials) -> list[TrialRow]:
    """Its trials, best first; those without a value last, by number.

    Of several objectives the first leads; among equal trials the next one does.
    """
    signs = [1.0 if direction == "min" else -1.0 for _, direction in search.objectives]

    def key(row: TrialRow) -> tuple[bool, list[float], int]:
        values = [] if row.value is None else [row.value, *row.others]
        turned = [sign * value for sign, value in zip(signs, values, strict=False)]
        return row.value is None, turned, row.number

    return sorted(search.trials, key=key)


def best_sentence(found: Sequence[SearchTrials]) -> str:
    """The best trial of each search, in words."""
    said = []
    for search in found:
        best = next(iter(ranked(search)), None)
        if best is None or best.value is None:
            said.append(f"{search.search}: {_no_value(search.trials)}")
        else:
            said.append(
                f"{search.search}: best {search.metric} {best.value:.6g} on validation "
                f"(trial {best.number}, {counted(len(best.seeds), 'seed')})."
            )
    return " ".join(said)


def _no_value(found: Sequence[TrialRow]) -> str:
    """Whether a value is still to come, or why there will be none."""
    states = [row.state for row in found]
    if not states or any(state not in _STATES for state in states):
        return "no trial has a value yet."
    ways = [f"{states.count(state)} {state}" for state in _STATES if state in states]
    return f"no trial has a value: {', '.join(ways)}."


def _said(objective: Objective) -> str:
    split, unit = objective.split, objective.unit
    name = objective.name if objective.needs_baseline else objective.title
    return f"{name} ({split}, {unit})" if unit else name


class _Run(NamedTuple):
    """What a trial's row needs of one run; plain values, as there may be many thousands."""

    run: int
    trial: int
    params: str
    state: str
    seed: int
    epochs: int
    delta_m_test: float
    device_s: float
    solo_cost_s: float


def _by_trial(runs: pd.DataFrame) -> dict[int, list[_Run]]:
    found: dict[int, list[_Run]] = {}
    columns = (runs[name].tolist() for name in _Run._fields)
    for run in map(_Run, *columns):
        found.setdefault(run.trial, []).append(run)
    return found


_Moments = Mapping[int, tuple[datetime | None, datetime | None]]


def _moments(frames: StudyFrames) -> _Moments:
    """First begin and last end of each run's attempts."""
    by_run = frames.attempts.dropna(subset=["run"]).groupby("run")
    times = by_run.agg(started=("started", "min"), ended=("ended", "max"))
    columns = [map(_moment, times[name].tolist()) for name in ("started", "ended")]
    return dict(zip(map(int, times.index), zip(*columns, strict=True), strict=True))


def _rounds(frames: StudyFrames) -> Mapping[int, int]:
    """The last round that each run has begun."""
    last = frames.views.frame("training_rounds").groupby("run")["round"].max()
    return {int(run): int(of_run) for run, of_run in last.items()}  # type: ignore[call-overload]


def _row(
    number: int,
    of_trial: Sequence[_Run],
    values: Mapping[Any, float],
    curves: Mapping[int, Mapping[int, float]],
    moments: _Moments,
    rounds: Mapping[int, int],
) -> TrialRow:
    runs = [run.run for run in of_trial]
    state = _state([run.state for run in of_trial])
    known = [values[run] for run in runs if run in values]
    tested = [run.delta_m_test for run in of_trial if not math.isnan(run.delta_m_test)]
    attempted = [moments[run] for run in runs if run in moments]
    over = state not in ("waiting", "running")
    return TrialRow(
        number=number,
        params=of_trial[0].params,
        state=state,
        value=mean(known) if state == "done" and len(known) == len(runs) else None,
        epochs=min(run.epochs for run in of_trial),
        curve=_mean_curve([curves.get(run, {}) for run in runs]) if curves else {},
        seeds=tuple(sorted(run.seed for run in of_trial)),
        delta_m_test=mean(tested) if state == "done" and len(tested) == len(runs) else None,
        device_s=float(np.add.reduce([run.device_s for run in of_trial])),
        cost_s=float(np.add.reduce([run.solo_cost_s for run in of_trial])),
        started=min((begun for begun, _ in attempted if begun), default=None),
        ended=max((end for _, end in attempted if end), default=None) if over else None,
        rounds=min(rounds.get(run, 1) for run in runs),
    )


def _state(states: Sequence[str]) -> TrialState:
    for state in _STATES:
        if state in states:
            return state
    kinds = {*states}
    if kinds == {"done"}:
        return "done"
    return "waiting" if kinds == {"waiting"} else "running"


def _by_run(curves: "pd.Series[float]") -> dict[int, dict[int, float]]:
    found: dict[int, dict[int, float]] = {}
    runs, epochs = (curves.index.get_level_values(level).tolist() for level in (0, 1))
    for run, epoch, value in zip(runs, epochs, curves.tolist(), strict=True):
        found.setdefault(run, {})[epoch] = value
    return found


def _mean_curve(curves: Sequence[Mapping[int, float]]) -> dict[int, float]:
    shared = set.intersection(*(set(curve) for curve in curves))
    return {epoch: mean([curve[epoch] for curve in curves]) for epoch in sorted(shared)}


def _moment(time: Any) -> datetime | None:
    return None if pd.isna(time) else time.to_pydatetime()
