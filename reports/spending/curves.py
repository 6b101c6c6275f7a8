"""Best after spending c (MEASURES M8): what a method reaches with a part of its budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from reports._eligible import eligible
from reports._ranking import objective_of
from reports._titles import title_of
from reports.errors import UnknownAxis, UnknownSearch
from reports.frames import StudyFrames
from reports.measures import FloatArray, IntArray
from reports.spending.replay import StageTrials, costs, replayed, stages_of
from storage.objectives import Objective

CostAxis = Literal["solo_s", "as_run_s", "epochs", "runs"]
Scoring = Literal["cross-fit", "same seed, optimistic"]
Replay = Literal["expected over orders", "as run", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCurve:
    """Test value of the incumbent (chosen on validation) against what the search has cost.

    Attributes:
        search: Name of the search.
        title: How reports call it.
        axis: Unit of `cost`: ``solo_s`` (method cost in device-seconds as if each run had been
            trained alone), ``as_run_s`` (the same as it was run, in packs or not), ``epochs`` or
            ``runs``.
        cost: ``[n]``, rising; a step function, so a value holds until the next cost.
        value: ``[n]``, mean over seeds, of `objective`.
        seed_low: ``[n]``, mean - one standard deviation over the seeds; NaN with one seed.
        seed_high: ``[n]``, mean + one standard deviation over the seeds; NaN with one seed.
        order_low: ``[n]``, 10 % quantile over search orders; equals `value` where run as is.
        order_high: ``[n]``, 90 % quantile over search orders; equals `value` where run as is.
        scoring: Whether the seeds that chose are other ones than the seed that scores.
        replay: Whether all stages are expected over random orders, none, or some ("mixed").
        stage: ``[n]``, the stage (0-based) that a point belongs to.
        objective: What values are of, with direction and unit.
    """

    search: str
    title: str
    axis: CostAxis
    cost: FloatArray
    value: FloatArray
    seed_low: FloatArray
    seed_high: FloatArray
    order_low: FloatArray
    order_high: FloatArray
    scoring: Scoring
    replay: Replay
    stage: IntArray
    objective: Objective


def budget_curve(
    frames: StudyFrames, search: str, *, axis: CostAxis = "solo_s"
) -> BudgetCurve | None:
    """Replay a search from its recorded trials.

    A stage's trials come on top of the earlier stages' cost and incumbent; a trial that an earlier
    stage has paid for is not drawn again. All is conditional on the recorded stage winners.

    Returns:
        The curve, from the first cost at which a winner is certain; None if there is none yet.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
        UnknownSearch: The study has no such search of a weighting (STL has no curve: it is zero).
    """
    if axis not in get_args(CostAxis):
        raise UnknownAxis(f"`axis` must be one of {', '.join(get_args(CostAxis))}. Got {axis!r}.")
    if search not in frames.searches:
        raise UnknownSearch(
            f"The study `{frames.name}` must have the search. Got {search!r}. "
            f"Use one of: {', '.join(frames.searches)}."
        )
    return budget_curves(frames, search, axes=[axis]).get(axis)


def budget_curves(
    frames: StudyFrames, search: str, *, axes: Sequence[CostAxis]
) -> dict[CostAxis, BudgetCurve]:
    """The same for several units of cost, which differ in nothing else; empty if there is none."""
    trials = eligible(frames, search)
    folds = tuple(trials.folds())
    stages = stages_of(frames, search, trials)
    if not stages:
        return {}
    paths = [replayed(trials, fold, stages) for fold in folds]
    values = np.stack([path.value for path in paths])
    known = ~np.isnan(values).any(axis=0)
    if not known.any():
        return {}
    mean = values.mean(axis=0)
    spread = values.std(axis=0, ddof=1) if len(folds) > 1 else np.full(len(mean), np.nan)
    first, *others = axes
    curve = BudgetCurve(
        search=search,
        title=title_of(frames, search),
        axis=first,
        cost=costs(trials.cost[first], stages)[known],
        value=mean[known],
        seed_low=(mean - spread)[known],
        seed_high=(mean + spread)[known],
        order_low=np.mean([path.low for path in paths], axis=0)[known],
        order_high=np.mean([path.high for path in paths], axis=0)[known],
        scoring="cross-fit" if len(folds) > 1 else "same seed, optimistic",
        replay=_replay_label(stages),
        stage=np.concatenate([np.full(len(s.draws), s.stage) for s in stages])[known],
        objective=objective_of(frames),
    )
    return {first: curve} | {
        axis: replace(curve, axis=axis, cost=costs(trials.cost[axis], stages)[known])
        for axis in others
    }


def _replay_label(stages: Sequence[StageTrials]) -> Replay:
    kinds = {stage.exchangeable for stage in stages}
    if len(kinds) > 1:
        return "mixed"
    return "expected over orders" if kinds == {True} else "as run"
