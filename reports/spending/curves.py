"""Best after spending c (MEASURES M8): what a method reaches with a part of its budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports._eligible import RANKED, Eligible, Fold, eligible
from reports._once import once_per_study
from reports._ranking import objective_of
from reports._spread import components_of
from reports._titles import title_of
from reports.errors import UnknownSearch
from reports.frames import StudyFrames
from reports.inference import Interval, mixed_share
from reports.inference.estimates import LEVEL
from reports.inference.student import t_quantile
from reports.measures import FloatArray, IntArray
from reports.spending.axes import CostAxis, require, trial_costs
from reports.spending.stages import StageTrials, costs, course, stages_of, winners
from storage.objectives import Objective

Scoring = Literal["cross-fit", "same seed, optimistic"]
Replay = Literal["expected over orders", "as run", "mixed"]
Unit = Literal["trial", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCurve:
    """Test value of the incumbent (chosen on validation) against what the search has cost.

    Attributes:
        search: Name of the search.
        title: How reports call it.
        axis: Unit of `cost`, see `reports.spending.axes`.
        unit: ``trial``: with all its seeds, which choose and pay together; ``run``: of one seed,
            as for who tunes on one; scored on the others.
        cost: ``[n]``, rising; a step function, so a value holds until the next cost.
        value: ``[n]``, mean over seeds, of `objective`.
        by_seed: ``[S, n]``, the same by seed.
        low: ``[n]``, lower end of the 95 % interval (M10); NaN with one seed, and by run.
        high: ``[n]``, upper end.
        df: ``[n]``, degrees of freedom behind it.
        order_low: ``[n]``, 10 % quantile over search orders; equals `value` where run as is.
        order_high: ``[n]``, 90 % quantile over search orders; equals `value` where run as is.
        scoring: Whether the seeds that chose are other ones than the seed that scores.
        replay: Whether all stages are expected over random orders, none, or some ("mixed").
        stage: ``[n]``, the stage (0-based) that a point belongs to.
        finished: Whether no run of the search is outstanding; else the curve may go on.
        objective: What values are of, with direction and unit.
    """

    search: str
    title: str
    axis: CostAxis
    unit: Unit
    cost: FloatArray
    value: FloatArray
    by_seed: FloatArray
    low: FloatArray
    high: FloatArray
    df: FloatArray
    order_low: FloatArray
    order_high: FloatArray
    scoring: Scoring
    replay: Replay
    stage: IntArray
    finished: bool
    objective: Objective

    def point_at(self, cost: float) -> int | None:
        """Position of the last point that so much has paid for; None if none has."""
        # Sums of costs in another order must not put a point behind its own cost.
        paid = int(np.searchsorted(self.cost, cost * (1 + 1e-9), side="right"))
        return paid - 1 if paid else None

    def interval_at(self, at: int) -> Interval | None:
        """The 95 % interval at a point; None where nothing tells it."""
        if np.isnan(self.low[at]):
            return None
        return Interval(low=float(self.low[at]), high=float(self.high[at]), df=float(self.df[at]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """What a search reaches, before anything is said of cost.

    Attributes:
        known: ``[n]``, positions among all points of the stages: those with a certain winner.
        by_seed: ``[S, n]``, the winner's score.
        concentration: ``[n]``, sum of squares of the trials' probabilities to be the winner.
        order_low: ``[n]``, like `order_high` as in `BudgetCurve`.
    """

    trials: Eligible
    stages: tuple[StageTrials, ...]
    known: IntArray
    by_seed: FloatArray
    concentration: FloatArray
    order_low: FloatArray
    order_high: FloatArray

    @property
    def value(self) -> FloatArray:
        """Mean over seeds, ``[n]``."""
        return np.asarray(self.by_seed.mean(axis=0))

    @property
    def mixed(self) -> float:
        """How often the rest counts as seeds waver between trials, after the whole search (M10)."""
        return mixed_share([t for t in self.trials.fold_winners() if t is not None])

    def costs(self, frames: StudyFrames, axis: CostAxis) -> FloatArray:
        """Cost of all seeds at each point, ``[n]``."""
        return costs(trial_costs(frames, self.trials.runs, axis), self.stages)[self.known]

    def point_of(self, stage: StageTrials, n_trials: int) -> int | None:
        """Position of the point after so many trials of a stage, one of its `draws`.

        None where no winner is certain yet.
        """
        start = sum(len(one.draws) for one in self.stages if one.stage < stage.stage)
        point = start + int(np.searchsorted(stage.draws, n_trials))
        at = int(np.searchsorted(self.known, point))
        return at if at < len(self.known) and self.known[at] == point else None

    def winners(self, points: IntArray) -> FloatArray:
        """P(a trial is the winner) at some points ``[m]``: ``[m, N]``, by all seeds' mean."""
        keys = self.trials.keys.mean(axis=1)
        return winners(self.trials, keys, self.stages, self.known[points])


def budget_curve(
    frames: StudyFrames, search: str, *, axis: CostAxis = "solo_s", unit: Unit = "trial"
) -> BudgetCurve | None:
    """Replay a search from its recorded trials.

    A stage's trials come on top of the earlier stages' cost and incumbent; a trial that an earlier
    stage has paid for is not drawn again. All is conditional on the recorded stage winners.

    Returns:
        The curve, from the first cost at which a winner is certain; None if there is none yet, or
        if there is one seed only and none that could score the choice of one.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
        UnknownSearch: The study has no such search of a weighting (STL has no curve: it is zero).
    """
    known_axis = require(frames, axis)
    if search not in frames.searches:
        raise UnknownSearch(
            f"The study `{frames.name}` must have the search. Got {search!r}. "
            f"Use one of: {', '.join(frames.searches)}."
        )
    found = trajectory(frames, search) if unit == "trial" else trajectory_of_runs(frames, search)
    if found is None:
        return None
    n_seeds = len(found.by_seed)
    unknown = np.full(len(found.known), np.nan)
    ends = _ends(frames, search) if unit == "trial" else None
    low, high, df = ends or (unknown, unknown, unknown)
    return BudgetCurve(
        search=search,
        title=title_of(frames, search),
        axis=known_axis,
        unit=unit,
        cost=found.costs(frames, known_axis) / (n_seeds if unit == "run" else 1),
        value=found.value,
        by_seed=found.by_seed,
        low=low,
        high=high,
        df=df,
        order_low=found.order_low,
        order_high=found.order_high,
        scoring="cross-fit" if n_seeds > 1 else "same seed, optimistic",
        replay=_replay_label(found.stages),
        stage=np.concatenate([np.full(len(s.draws), s.stage) for s in found.stages])[found.known],
        finished=is_finished(frames, search),
        objective=objective_of(frames),
    )


def budget_curves(frames: StudyFrames, axis: CostAxis = "solo_s") -> tuple[BudgetCurve, ...]:
    """Those of all searches that have one, in the order of the spec.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
    """
    found = (budget_curve(frames, search, axis=axis) for search in frames.searches)
    return tuple(curve for curve in found if curve is not None)


@once_per_study
def is_finished(frames: StudyFrames, search: str) -> bool:
    """Whether all planned runs of a search have ended, those that failed among them."""
    runs = frames.runs_of(search)
    planned = (runs["role"] == "search") & runs["planned"]
    return bool(runs.loc[planned, "state"].isin([*RANKED, "failed"]).all())


def why_no_curve(frames: StudyFrames) -> str:
    """What is missing where no search has a curve."""
    if frames.sealed:
        return "The study is sealed: no test value is shown before `weighbridge unseal`."
    if objective_of(frames).needs_baseline:
        return "No trial has all its seeds and a baseline to compare with yet."
    return "No trial has all its seeds yet."


@once_per_study
def trajectory(frames: StudyFrames, search: str) -> Trajectory | None:
    """Trials with all their seeds: the others choose, each scores. None without a winner."""
    trials = eligible(frames, search)
    return trajectory_by(frames, search, trials, trials.folds())


@once_per_study
def trajectory_of_runs(frames: StudyFrames, search: str) -> Trajectory | None:
    """Trials on one seed, which chooses while the others score. None without a winner."""
    trials = eligible(frames, search)
    return trajectory_by(frames, search, trials, trials.folds_of_runs())


def trajectory_by(
    frames: StudyFrames, search: str, trials: Eligible, folds: Iterator[Fold]
) -> Trajectory | None:
    """What a search reaches, chosen and scored as the folds say. None without a winner."""
    stages = stages_of(frames, search, trials)
    paths = [course(trials, fold, stages) for fold in folds] if stages else []
    if not paths:
        return None
    by_seed = np.stack([path.value for path in paths])
    known = np.flatnonzero(~np.isnan(by_seed).any(axis=0))
    if not len(known):
        return None

    def mean(parts: Sequence[FloatArray]) -> FloatArray:
        return np.asarray(np.mean(parts, axis=0))[known]

    by_seed = by_seed[:, known]
    return Trajectory(
        trials=trials,
        stages=stages,
        known=known,
        by_seed=by_seed,
        concentration=mean([path.concentration for path in paths]),
        order_low=mean([path.low for path in paths]),
        order_high=mean([path.high for path in paths]),
    )


@once_per_study
def _ends(frames: StudyFrames, search: str) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """The ends of the 95 % interval at each point and its degrees of freedom, ``[n]`` each.

    None with one seed, which tells no interval.
    """
    found, layout = trajectory(frames, search), components_of(frames, search)
    if found is None or layout is None or layout.n_seeds < 2:
        return None
    # Seeds that waver between trials in the end are taken to do so on the way.
    shares = found.concentration * found.mixed
    variance, df = np.broadcast_arrays(*layout.variance(shares), shares)[:2]
    half = t_quantile(0.5 + LEVEL / 2, df) * np.sqrt(variance)
    return found.value - half, found.value + half, df


def _replay_label(stages: Sequence[StageTrials]) -> Replay:
    kinds = {stage.exchangeable for stage in stages}
    if len(kinds) > 1:
        return "mixed"
    return "expected over orders" if kinds == {True} else "as run"
