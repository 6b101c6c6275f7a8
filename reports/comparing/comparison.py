"""The methods side by side: value, cost and metrics of each search's winner."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from reports._digits import finite
from reports._eligible import RANKED
from reports._once import once_per_study
from reports._ranking import objective_of
from reports._ranking import reference as stl_value
from reports.comparing.break_even import BreakEven, break_even
from reports.comparing.cost_ratio import CostRatio, cost_ratio
from reports.comparing.differences import (
    Difference,
    adjusted,
    against_stl,
    difference,
    margin_of,
)
from reports.comparing.effort import is_equal_weighting, shortfall
from reports.comparing.error_sources import error_sources
from reports.comparing.headline import Contender, headline
from reports.comparing.metric_shares import shares_of
from reports.comparing.notebook import notebook_html
from reports.comparing.optimizers import Optimizers, optimizers_of
from reports.comparing.robustness import Robustness, robustness
from reports.comparing.roles import is_tuned, reference_of, subject_of
from reports.comparing.rows import MethodRow, method_rows, runs_final, stl_rows
from reports.comparing.sealed import sealed_sentence
from reports.comparing.sparser_grids import SparserGrids, sparser_grids
from reports.comparing.tuning import Tuning, tuning_of, tuning_sentences
from reports.comparing.wording import paired_seeds
from reports.frames import StudyFrames
from reports.spending import CostToMatch, costs_to_match
from reports.spending.axes import axis_of_matches
from reports.spending.front import Front, front_of
from storage.notices import notices
from storage.objectives import Objective


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
        subject: Search that the sentence is about; None without searches.
        reference: Search with the largest grid over the tasks' weights; None if there is none.
        cost_ratio: What the subject's search has cost of the reference's, each run alone; None if
            one of both is missing, or its cost.
        differences: The subject against STL, the reference and each other method, as far as no
            outstanding run can change them; but for the first two they are one family.
        error_sources: What intervals hold, and what they do not.
        matches: What each search pays for the quality of the reference; without those whose value
            an outstanding run can change.
        sparser_grids: The subject against parts of the reference's grid; None without a reference.
        tuning: What tuning was worth to each method, without those whose value an outstanding run
            can change.
        robustness: Who is ahead if the same runs are read in other ways; None with fewer than two
            such methods.
        front: What is on the front of several objectives; None with one.
        optimizers: What methods come to under each optimiser; None with one.
    """

    objective: Objective
    rows: tuple[MethodRow, ...]
    sentence: str
    break_even: BreakEven | None
    finished_runs: int
    planned_runs: int
    notices: tuple[str, ...] = ()
    subject: str | None = None
    reference: str | None = None
    cost_ratio: CostRatio | None = None
    differences: tuple[Difference, ...] = ()
    error_sources: tuple[str, ...] = ()
    matches: tuple[CostToMatch, ...] = ()
    sparser_grids: SparserGrids | None = None
    tuning: tuple[Tuning, ...] = ()
    robustness: Robustness | None = None
    front: Front | None = None
    optimizers: Optimizers | None = None

    @property
    def caveats(self) -> tuple[str, ...]:
        """How much of this hangs on the way it is read, and what tuning was worth, in words."""
        ahead = [self.robustness.sentence] if self.robustness else []
        return (*ahead, *tuning_sentences(self.tuning, self.objective))

    @property
    def against_stl(self) -> bool:
        """Whether there is a delta_m, of a method or of the single-task networks."""
        return not all(math.isnan(row.delta_m_test) for row in self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One row a method; metrics as columns ``<task> <metric>``, parameters as JSON."""
        return pd.DataFrame([_flat(row) for row in self.rows])

    def _repr_html_(self) -> str:
        """What a notebook shows: the headline and a table, without script or style."""
        return notebook_html(self.sentence, self.rows, self.objective)

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: None where there is no number."""
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
            "rows": [_row_to_plain(row) for row in self.rows],
            "subject": self.subject,
            "reference": self.reference,
            "cost_ratio": self.cost_ratio and self.cost_ratio.to_plain(),
            "differences": [found.to_plain() for found in self.differences],
            "error_sources": list(self.error_sources),
            "cost_to_match": [found.to_plain() for found in self.matches],
            "sparser_grids": self.sparser_grids and self.sparser_grids.to_plain(),
            "tuning": [found.to_plain() for found in self.tuning],
            "robustness": self.robustness and self.robustness.to_plain(),
            "front": self.front and self.front.to_plain(),
            "optimizers": self.optimizers and self.optimizers.to_plain(),
        }


@once_per_study
def compare(frames: StudyFrames) -> Comparison:
    """Compare all methods of a study, finished or not."""
    objective = objective_of(frames)
    rows = method_rows(frames)
    planned = frames.runs[frames.runs["planned"] & (frames.runs["role"] != "confirm")]
    finished = int(planned["state"].isin(RANKED).sum())
    subject = subject_of(frames, [row.search for row in rows])
    reference = reference_of(frames, subject)
    contenders = [_contender(frames, row, subject) for row in rows]
    ratio = cost_ratio(frames, subject, reference)
    differences = _differences(frames, contenders, subject, reference)
    complete = [method.search for method in contenders if method.complete]
    matches = _matches(frames, complete, reference)
    return Comparison(
        objective=objective,
        rows=(*stl_rows(frames), *rows),
        sentence=sealed_sentence(frames)
        if frames.sealed
        else headline(
            contenders,
            differences,
            matches,
            objective=objective,
            subject=subject,
            reference=reference,
            cost_ratio=ratio,
            finished=finished,
            planned=len(planned),
        ),
        break_even=break_even(frames),
        finished_runs=finished,
        planned_runs=len(planned),
        notices=notices(frames.spec, sealed=frames.sealed),
        subject=subject,
        reference=reference,
        cost_ratio=ratio,
        differences=differences,
        error_sources=(*error_sources(frames), *_paired_seeds(differences, rows)),
        matches=matches,
        sparser_grids=_sparser_grids(frames, complete, subject, reference),
        tuning=tuning_of(frames, complete),
        robustness=robustness(frames, complete),
        front=front_of(frames),
        optimizers=optimizers_of(frames, tuple(complete)),
    )


def _paired_seeds(differences: Sequence[Difference], rows: Sequence[MethodRow]) -> Iterator[str]:
    """Of the first two methods that are compared over common seeds."""
    titles = {row.search: row.title for row in rows}
    shared = (one for one in differences if one.basis != "unpaired" and one.interval)
    for found in islice(shared, 1):
        yield paired_seeds(found, titles[found.a], titles[found.b])


def _differences(
    frames: StudyFrames,
    contenders: Sequence[Contender],
    subject: str | None,
    reference: str | None,
) -> tuple[Difference, ...]:
    """The subject against STL, the reference, and all others as one family.

    Only methods take part whose values no outstanding run can change.
    """
    complete = {method.search: method for method in contenders if method.complete}
    if subject is None or subject not in complete:
        return ()
    metrics = complete[subject].metrics
    alone = against_stl(frames, subject, stl=stl_value(frames, "test"), metrics=metrics)
    found = {
        search: difference(frames, subject, search) for search in complete if search != subject
    }
    others = [one for search, one in found.items() if one and search != reference]
    first = [alone, found.get(reference or "")]
    return (*filter(None, first), *adjusted(others))


def _matches(
    frames: StudyFrames, complete: Sequence[str], reference: str | None
) -> tuple[CostToMatch, ...]:
    """What each other search pays for the reference's quality."""
    if reference is None or reference not in complete:
        return ()
    others = [search for search in complete if search != reference]
    margin = margin_of(frames) or 0.0
    return costs_to_match(frames, others, reference, margin=margin, axis=axis_of_matches(frames))


def _sparser_grids(
    frames: StudyFrames, complete: Sequence[str], subject: str | None, reference: str | None
) -> SparserGrids | None:
    """The subject against parts of the reference's grid, once no run can change either."""
    if subject is None or reference is None or not {subject, reference} <= set(complete):
        return None
    return sparser_grids(frames, subject, reference)


def _contender(frames: StudyFrames, row: MethodRow, subject: str | None) -> Contender:
    finished, planned = runs_final(frames, row.search)
    weighs_alike = is_equal_weighting(frames, row.search)
    return Contender(
        search=row.search,
        title=row.title,
        tuned=is_tuned(frames, row.search),
        value=row.value_test,
        interval=row.interval,
        kind=row.delta_m_kind,
        n_seeds=row.n_seeds,
        metrics=row.metrics,
        finished=finished,
        planned=planned,
        shortfall=shortfall(frames, row.search, subject) if subject and weighs_alike else "",
    )


def _row_to_plain(row: MethodRow) -> dict[str, Any]:
    return {
        **{name: finite(value) for name, value in _numbers(row).items()},
        "kind": row.delta_m_kind,
        "diverged": math.isinf(row.value_test),
        "metrics": _by_metric(row.metrics),
        "params": dict(row.params),
        "notes": list(row.notes),
        "winner_metrics": _by_metric(row.winner_metrics),
        "metric_points": _by_metric(row.metric_points),
        "metric_shares": _by_metric(shares_of(row.metric_points)),
    }


def _flat(row: MethodRow) -> dict[str, Any]:
    metrics = {f"{task} {metric}": value for (task, metric), value in row.metrics.items()}
    return {
        **_numbers(row),
        "delta_m_kind": row.delta_m_kind,
        **metrics,
        "params": json.dumps(dict(row.params), sort_keys=True),
        "notes": "; ".join(row.notes),
    }


def _numbers(row: MethodRow) -> dict[str, Any]:
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
        "epoch_s": row.epoch_s,
        "epoch_error_s": row.epoch_error_s,
        "n_timings": row.n_timings,
        "confirm_solo_s": row.confirm_solo_s,
        "value_test": row.value_test,
        "delta_m_test": row.delta_m_test,
        "seed_sd": row.seed_sd,
        "low": math.nan if row.interval is None else row.interval.low,
        "high": math.nan if row.interval is None else row.interval.high,
        "n_seeds": row.n_seeds,
        "n_configurations": row.n_configurations,
        "winner_value": row.winner_value,
    }


def _by_metric(metrics: Mapping[tuple[str, str], float]) -> dict[str, float | None]:
    return {f"{task} {metric}": finite(value) for (task, metric), value in metrics.items()}
