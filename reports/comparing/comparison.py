"""The methods side by side: value, cost and metrics of each search's winner."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from reports._eligible import RANKED
from reports._ranking import objective_of, reference
from reports._selected import selected_metrics
from reports._titles import title_of, weighting_of
from reports.comparing.break_even import BreakEven, break_even
from reports.comparing.headline import Contender, headline
from reports.comparing.winners import Winner, winner_of
from reports.frames import StudyFrames, trained_epochs
from storage.notices import notices
from storage.objectives import Objective

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
        value_test: Value of the winner by the study's objective; NaN if there is none yet, the
            worst infinity if the winner diverges on a fresh seed.
        delta_m_test: Mean delta_m of the runs behind it in percent, negative is better; NaN without
            a baseline.
        delta_m_kind: What both rest on (MEASURES M9).
        seed_sd: Standard deviation over seeds of `value_test`; NaN with one seed.
        metrics: (task, metric) to the mean test value over the same runs.
        params: Parameters of the winner; empty if there is none yet (and for STL).
        notes: Short remarks on this row.
        confirm_solo_s: Method cost of the runs on fresh seeds, as if each had been trained alone.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All methods of a study at a glance.

    Attributes:
        objective: What methods are ranked by.
        rows: One a method, best first; STL, if the study has it, before all others.
        sentence: The headline, computed from the rows.
        break_even: The largest grid search in packs against a line search trained run by run; None
            if runs share no packs or one of both is missing.
        finished_runs: Planned runs of baseline and searches that are final.
        planned_runs: Planned runs of baseline and searches.
        notices: What must be told with any of these numbers.
    """

    objective: Objective
    rows: tuple[MethodRow, ...]
    sentence: str
    break_even: BreakEven | None
    finished_runs: int
    planned_runs: int
    notices: tuple[str, ...] = ()

    @property
    def against_stl(self) -> bool:
        """Whether there is a delta_m, of a method or of the single-task networks."""
        return not all(math.isnan(row.delta_m_test) for row in self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One row a method; metrics as columns ``<task> <metric>``, parameters as JSON."""
        return pd.DataFrame([_flat(row) for row in self.rows])

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: numbers that are not finite become None."""
        rows = [
            {name: _plain(value) for name, value in _flat(row).items()}
            | {"params": dict(row.params), "notes": list(row.notes)}
            for row in self.rows
        ]
        return {
            "sentence": self.sentence,
            "objective": {
                "name": self.objective.name,
                "direction": self.objective.direction,
                "unit": self.objective.unit,
            },
            "break_even": self.break_even and self.break_even.to_plain(),
            "finished_runs": self.finished_runs,
            "planned_runs": self.planned_runs,
            "notices": list(self.notices),
            "rows": rows,
        }


def compare(frames: StudyFrames) -> Comparison:
    """Compare all methods of a study, finished or not."""
    objective = objective_of(frames)
    rows = sorted(
        (_method_row(frames, search) for search in frames.searches),
        key=lambda row: (
            math.isnan(row.value_test),
            objective.sign * row.value_test,
            row.search,
        ),
    )
    planned = frames.runs[frames.runs["planned"] & (frames.runs["role"] != "confirm")]
    contenders = [_contender(frames, row) for row in rows]
    finished = int(planned["state"].isin(RANKED).sum())
    margin = float(frames.spec.get("compare", {}).get("margin", 1.0))
    return Comparison(
        objective=objective,
        rows=(*_stl_rows(frames), *rows),
        sentence=headline(
            contenders,
            objective=objective,
            stl=reference(frames, "test"),
            finished=finished,
            planned=len(planned),
            margin=margin,
        ),
        break_even=break_even(frames),
        finished_runs=finished,
        planned_runs=len(planned),
        notices=notices(frames.spec),
    )


def _method_row(frames: StudyFrames, search: str) -> MethodRow:
    mine = frames.runs[(frames.runs["search"] == search) & frames.runs["planned"]]
    runs, fresh = mine[mine["role"] == "search"], mine[mine["role"] == "confirm"]
    winner = winner_of(frames, search)
    return MethodRow(
        search=search,
        title=title_of(frames, search),
        weighting=weighting_of(frames, search),
        n_trials=runs["trial"].nunique(),
        n_runs=len(runs),
        n_diverged=int((runs["state"] == "diverged").sum()),
        cost_solo_s=float(runs["solo_cost_s"].sum()),
        cost_as_run_s=float(runs["method_cost_s"].sum()),
        cost_epochs=int(trained_epochs(runs).sum()),
        value_test=winner.value if winner else math.nan,
        delta_m_test=_delta_m(frames, winner) if winner else math.nan,
        delta_m_kind=winner.kind if winner else _without(runs),
        seed_sd=winner.seed_sd if winner else math.nan,
        metrics=_metrics(frames, winner) if winner else {},
        params=winner.params if winner else {},
        notes=_remarks(runs, winner),
        confirm_solo_s=float(fresh["solo_cost_s"].sum()),
    )


def _stl_rows(frames: StudyFrames) -> tuple[MethodRow, ...]:
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
    runs = frames.runs.set_index("run").loc[list(winner.runs)]
    return float(np.mean(runs["delta_m_test"].mask(runs["state"] == "diverged", np.inf).to_numpy()))


def _metrics(frames: StudyFrames, winner: Winner) -> dict[tuple[str, str], float]:
    """Mean test metrics at the selected epoch, over the very runs that make the value."""
    means = selected_metrics(frames, winner.runs).groupby(["task", "metric"])["value"].mean()
    wanted = [(metric.task, metric.name) for metric in frames.metrics]
    return {key: float(means[key]) for key in wanted if key in means.index}


def _remarks(runs: pd.DataFrame, winner: Winner | None) -> tuple[str, ...]:
    failed = int((runs["state"] == "failed").sum())
    open_ = len(runs) - int(runs["state"].isin(RANKED).sum()) - failed
    remarks = [f"{open_} of {len(runs)} runs not finished"] if open_ else []
    if failed:
        remarks.append(f"{failed} of {len(runs)} runs failed: their trials do not take part")
    if pruned := int((runs["state"] == "pruned").sum()):
        remarks.append(f"{pruned} of {len(runs)} runs pruned: their trials rank last")
    if winner and math.isinf(winner.value):
        remarks.append("the winner diverges on a fresh seed")
    if winner is None and (diverged := int((runs["state"] == "diverged").sum())):
        remarks.append(f"{diverged} of {len(runs)} runs diverged")
    return tuple(remarks)


def _without(runs: pd.DataFrame) -> RowKind:
    """Whether the value of a search is still to come."""
    ended = runs["state"].isin([*RANKED, "failed"])
    lost = (runs["state"] != "done").groupby(runs["trial"]).any()
    return "none" if len(runs) and ended.all() and lost.all() else "none yet"


def _contender(frames: StudyFrames, row: MethodRow) -> Contender:
    runs = frames.runs[(frames.runs["search"] == row.search) & (frames.runs["role"] == "search")]
    runs = runs[runs["planned"]]
    return Contender(
        title=row.title,
        weighting=row.weighting,
        value=row.value_test,
        sd=row.seed_sd,
        kind=row.delta_m_kind,
        cost_solo_s=row.cost_solo_s,
        cost_as_run_s=row.cost_as_run_s,
        finished=int(runs["state"].isin(RANKED).sum()),
        planned=row.n_runs,
    )


def _flat(row: MethodRow) -> dict[str, Any]:
    return {
        "search": row.search,
        "method": row.title,
        "weighting": row.weighting,
        "n_trials": row.n_trials,
        "n_runs": row.n_runs,
        "n_diverged": row.n_diverged,
        "cost_solo_s": row.cost_solo_s,
        "cost_as_run_s": row.cost_as_run_s,
        "cost_epochs": row.cost_epochs,
        "confirm_solo_s": row.confirm_solo_s,
        "value_test": row.value_test,
        "delta_m_test": row.delta_m_test,
        "delta_m_kind": row.delta_m_kind,
        "seed_sd": row.seed_sd,
        **{f"{task} {metric}": value for (task, metric), value in row.metrics.items()},
        "params": json.dumps(dict(row.params), sort_keys=True),
        "notes": "; ".join(row.notes),
    }


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
