"""One row of the comparison a method: its winner, what that is worth, and what the search cost."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from reports._eligible import RANKED
from reports._once import once_per_study
from reports._ranking import number, objective_of, reference
from reports._selected import selected_metrics, untested
from reports._titles import title_of, weighting_of
from reports.comparing.ancestry import schedule_said
from reports.comparing.differences import with_baseline
from reports.comparing.metric_shares import metric_points
from reports.comparing.scores import metric_means, scores_of
from reports.comparing.winners import Winner, winner_of
from reports.frames import StudyFrames, trained_epochs
from reports.inference import Interval
from reports.timings import epoch_times
from storage.objectives.delta_m import NAME as DELTA_M

RowKind = Literal["confirmed", "cross-fit", "same-seed", "zero line", "none yet", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """One method in the comparison table.

    Attributes:
        search: Name of the search; ``"stl"`` for the single-task baseline.
        n_trials: Planned trials.
        n_runs: Planned runs.
        cost_solo_s: Method cost of its runs in device-seconds (start-up + train + validation), as
            if each had been trained alone, without those on fresh seeds that confirm the winner.
        cost_as_run_s: Method cost of the same runs as they were run, in packs or not.
        cost_epochs: Epochs of the same runs.
        epoch_s: What an epoch of one of them takes alone, by the mean of all timings; NaN without.
        epoch_error_s: Standard error of that mean; NaN with fewer than two timings.
        n_timings: How many there are.
        value_test: Value of the winner by the study's objective; NaN if there is none yet, the
            worst infinity if the winner diverges on a fresh seed.
        delta_m_test: Mean delta_m of the runs behind it in percent, negative is better; NaN without
            a baseline.
        delta_m_kind: What both rest on (MEASURES M9).
        seed_sd: Standard deviation over seeds of `value_test`; NaN with one seed.
        metrics: (task, metric) to the mean test value over the same runs; the worst infinity if one
            of them diverged.
        params: Parameters of the winner; empty if there is none yet (and for STL).
        notes: Short remarks on this row.
        confirm_solo_s: Method cost of the runs on fresh seeds, as if each had been trained alone.
        interval: 95 % interval of `value_test` over seeds; of a delta_m with the baseline's own
            seeds. None with one seed, and for STL.
        n_seeds: Seeds behind `value_test`.
        n_configurations: Trials behind `value_test`: more than one where the cross-fit of seeds
            chose several.
        winner_value: Test value of `params` alone, on the seeds that chose them: optimistic.
        winner_metrics: Test metrics of the same runs.
        metric_points: (task, metric) to what it adds to `delta_m_test`, in points; empty where
            there is none.
    """

    search: str
    title: str
    weighting: str
    n_trials: int
    n_runs: int
    n_diverged: int
    cost_solo_s: float
    cost_as_run_s: float
    cost_epochs: int
    value_test: float
    delta_m_test: float
    delta_m_kind: RowKind
    seed_sd: float
    metrics: Mapping[tuple[str, str], float]
    params: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    confirm_solo_s: float = 0.0
    interval: Interval | None = None
    n_seeds: int = 0
    n_configurations: int = 1
    winner_value: float = math.nan
    winner_metrics: Mapping[tuple[str, str], float] = field(default_factory=dict)
    metric_points: Mapping[tuple[str, str], float] = field(default_factory=dict)
    epoch_s: float = math.nan
    epoch_error_s: float = math.nan
    n_timings: int = 0


def method_rows(frames: StudyFrames) -> list[MethodRow]:
    """The rows of all searches, best first; those without a value last."""
    sign = objective_of(frames).sign
    return sorted(
        (method_row(frames, search) for search in frames.searches),
        key=lambda row: (math.isnan(row.value_test), sign * row.value_test, row.search),
    )


def runs_final(frames: StudyFrames, search: str) -> tuple[int, int]:
    """How many of a search's planned runs are final, of how many; those on fresh seeds with it."""
    runs = frames.runs_of(search)
    runs = runs[runs["planned"]]
    return int(runs["state"].isin(RANKED).sum()), len(runs)


@once_per_study
def method_row(frames: StudyFrames, search: str) -> MethodRow:
    """The row of a search, finished or not."""
    mine = frames.runs_of(search)
    mine = mine[mine["planned"]]
    runs, fresh = mine[mine["role"] == "search"], mine[mine["role"] == "confirm"]
    winner, time = winner_of(frames, search), epoch_times(frames).get(search)
    row = MethodRow(
        search=search,
        title=title_of(frames, search),
        weighting=weighting_of(frames, search),
        n_trials=runs["trial"].nunique(),
        n_runs=len(runs),
        n_diverged=int((runs["state"] == "diverged").sum()),
        cost_solo_s=float(runs["solo_cost_s"].sum()),
        cost_as_run_s=float(runs["method_cost_s"].sum()),
        cost_epochs=int(trained_epochs(runs).sum()),
        value_test=math.nan,
        delta_m_test=math.nan,
        delta_m_kind=_without(runs),
        seed_sd=math.nan,
        metrics={},
        params={},
        notes=(*_remarks(runs, winner), *_unconfirmed(fresh)),
        confirm_solo_s=float(fresh["solo_cost_s"].sum()),
        epoch_s=time.mean_s if time else math.nan,
        epoch_error_s=time.error_s if time else math.nan,
        n_timings=time.n if time else 0,
    )
    return row if winner is None else _with_winner(frames, row, winner)


def _with_winner(frames: StudyFrames, row: MethodRow, winner: Winner) -> MethodRow:
    objective = objective_of(frames)
    metrics = {
        **_known_means(frames, row.search),
        **_on_validation(frames, winner.runs),
    }
    runs = frames.runs_by_id()
    n_configurations = len({score.trial for score in winner.scores})
    own = float(runs.loc[list(winner.chosen_runs), "value_test"].mean())
    mixed = (
        f"its value mixes {n_configurations} configurations, as seeds choose for each other; the "
        f"winner's own, on the seeds that chose it, is {number(objective, own)}"
    )
    remarks = [mixed] if n_configurations > 1 and not math.isnan(own) else []
    if schedule := schedule_said(frames, row.search, winner.trial):
        remarks.append(schedule)
    if winner.fresh is not None and winner.trial != winner.fresh.numbers[0]:
        remarks.append("fresh seeds chose another trial than the search did")
    return replace(
        row,
        value_test=winner.value,
        delta_m_test=_delta_m(frames, winner),
        delta_m_kind=winner.kind,
        seed_sd=winner.seed_sd,
        metrics=metrics,
        params=winner.params,
        notes=(*row.notes, *remarks),
        interval=interval_of(frames, row.search, winner),
        n_seeds=len(winner.runs),
        n_configurations=n_configurations,
        winner_value=own,
        winner_metrics=(
            metrics
            if set(winner.chosen_runs) == set(winner.runs)
            else _metrics(frames, winner.chosen_runs)
        ),
        metric_points=metric_points(frames, row.search),
    )


def interval_of(frames: StudyFrames, search: str, winner: Winner) -> Interval | None:
    """The 95 % interval of a winner's value; of a delta_m with the baseline's own seeds."""
    objective = objective_of(frames)
    estimate = scores_of(frames, search, winner).estimate
    if objective.name == DELTA_M:
        estimate = with_baseline(frames, estimate, _known_means(frames, search), objective)
    return estimate.interval()


def _known_means(frames: StudyFrames, search: str) -> dict[tuple[str, str], float]:
    means = metric_means(frames, search)
    return {key: mean for key, mean in means.items() if not math.isnan(mean)}


@once_per_study
def stl_rows(frames: StudyFrames) -> tuple[MethodRow, ...]:
    """The zero line; none if the study has neither baseline runs nor imported numbers."""
    runs = frames.runs[(frames.runs["role"] == "baseline") & frames.runs["planned"]]
    table = frames.baseline[frames.baseline["standing"] & (frames.baseline["split"] == "test")]
    if runs.empty and table.empty:
        return ()
    keys = zip(table["task"], table["metric"], strict=True)
    imported = (table["source"] == "imported").any()
    row = MethodRow(
        search="stl",
        title="STL",
        weighting="stl",
        n_trials=len(runs[["search", "trial"]].drop_duplicates()),
        n_runs=len(runs),
        n_diverged=int((runs["state"] == "diverged").sum()),
        cost_solo_s=float(runs["solo_cost_s"].sum()),
        cost_as_run_s=float(runs["method_cost_s"].sum()),
        cost_epochs=int(trained_epochs(runs).sum()),
        value_test=reference(frames, "test"),
        delta_m_test=math.nan if table.empty else 0.0,
        delta_m_kind="none yet" if table.empty else "zero line",
        seed_sd=math.nan,
        metrics=dict(zip(keys, table["value"].tolist(), strict=True)),
        params={},
        notes=("numbers imported",) * bool(imported) + _remarks(runs, None),
    )
    return (row,)


def _delta_m(frames: StudyFrames, winner: Winner) -> float:
    """Mean test delta_m over the very runs that make the value; +inf if one diverged."""
    runs = frames.runs_by_id().loc[list(winner.runs)]
    return float(np.mean(runs["delta_m_test"].mask(runs["state"] == "diverged", np.inf).to_numpy()))


def _metrics(frames: StudyFrames, runs: Collection[int]) -> dict[tuple[str, str], float]:
    """Mean test metrics of runs at the epoch selected."""
    means = _means(frames, runs, "test")
    wanted = [(metric.task, metric.name) for metric in frames.metrics]
    return {key: means[key] for key in wanted if key in means}


def _on_validation(frames: StudyFrames, runs: Collection[int]) -> dict[tuple[str, str], float]:
    """Mean validation metrics of runs, of those that are of no run on test."""
    apart = untested(frames)
    means = _means(frames, runs, "validation") if apart else {}
    return {key: value for key, value in means.items() if key in apart}


def _means(frames: StudyFrames, runs: Collection[int], split: str) -> dict[tuple[str, str], float]:
    rows = selected_metrics(frames, runs, split=split)
    means = rows.groupby(["task", "metric"])["value"].mean().reset_index()
    keys = zip(means["task"], means["metric"], strict=True)
    return dict(zip(keys, means["value"].tolist(), strict=True))


def _remarks(runs: pd.DataFrame, winner: Winner | None) -> tuple[str, ...]:
    failed = int((runs["state"] == "failed").sum())
    open_ = len(runs) - int(runs["state"].isin(RANKED).sum()) - failed
    remarks = [f"{open_} of {len(runs)} runs not finished"] if open_ else []
    if failed:
        remarks.append(f"{failed} of {len(runs)} runs failed: their trials do not take part")
    if pruned := int((runs["state"] == "pruned").sum()):
        remarks.append(f"{pruned} of {len(runs)} runs pruned: their trials rank last")
    if diverged := int((runs["state"] == "diverged").sum()):
        last = ": their trials rank last" if winner else ""
        remarks.append(f"{diverged} of {len(runs)} runs diverged{last}")
    if winner and math.isinf(winner.value):
        remarks.append("the winner diverges on a fresh seed")
    return tuple(remarks)


def _unconfirmed(fresh: pd.DataFrame) -> Iterator[str]:
    """Why a search that is to be confirmed is not yet."""
    failed = int((fresh["state"] == "failed").sum())
    if open_ := len(fresh) - int(fresh["state"].isin(RANKED).sum()) - failed:
        yield f"{open_} of {len(fresh)} runs on fresh seeds not finished: not confirmed yet"
    if failed:
        yield f"{failed} of {len(fresh)} runs on fresh seeds failed: not confirmed"


def _without(runs: pd.DataFrame) -> RowKind:
    """Whether the value of a search is still to come."""
    ended = runs["state"].isin([*RANKED, "failed"])
    lost = (runs["state"] != "done").groupby(runs["trial"]).any()
    return "none" if len(runs) and ended.all() and lost.all() else "none yet"
