"""The baseline's part of a plan: single-task searches, or imported numbers (M2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search_spaces import Choices, Space, Value
from storage.objectives.task_metric import primary
from study.errors import BadSpec
from study.planning.baseline_values import imported_values, meaningless
from study.planning.objective import metrics_of
from study.planning.search_plan import Search, Stage
from study.spec.study_spec import BaselineSpec, StudySpec
from trainers.cards import ProblemCard


def baseline_searches(
    spec: StudySpec, card: ProblemCard, searches: Sequence[Search]
) -> list[Search]:
    """One search a task, that task alone; none if the baseline is imported, or not asked for.

    Raises:
        BadSpec: Learning rates are missing, or imported numbers do not fit.
    """
    if spec.baseline is None:
        return []
    if spec.baseline.metrics is not None:
        _check_imported(spec.baseline.metrics, card)
        return []
    wanted = _wanted_rates(spec.baseline, _all_rates(searches))
    axis = Choices(wanted)
    return [
        Search(
            name=f"stl/{task.name}",
            role="baseline",
            weighting="stl",
            tasks=(task.name,),
            stages=[Stage(kind="grid", space=Space({"lr": axis}), stop=spec.baseline.stop)],
            anchors={"lr": wanted[0], "weight_decay": spec.training.weight_decay},
            objective=primary(task.name, metrics_of(card)),
        )
        for task in card.tasks
    ]


def _wanted_rates(baseline: BaselineSpec, rates: Sequence[float]) -> list[float]:
    wanted = baseline.lr or list(rates)
    if not wanted:
        raise BadSpec(
            "The baseline needs learning rates: no search has a list of them. "
            "Add `lr = [...]` to [baseline]."
        )
    missing = [rate for rate in rates if rate not in wanted]
    if missing:
        raise BadSpec(
            f"[baseline] `lr` must contain every learning rate that a search tries, or the "
            f"comparison is unfair. Missing: {missing}. Add them, or drop `lr` from [baseline]."
        )
    return wanted


def _all_rates(searches: Sequence[Search]) -> list[float]:
    """Every learning rate that any search is known to try."""
    rates: set[Value] = set()
    for search in searches:
        if "lr" not in (*search.stages[0].space.axes, *search.stages[0].at):
            rates.add(search.anchors["lr"])
        for stage in search.stages:
            axis = stage.space.axes.get("lr")
            rates |= {stage.at["lr"]} if "lr" in stage.at else set()
            rates |= set(axis.points()) if axis is not None and axis.size is not None else set()
    return sorted(float(rate) for rate in rates)  # type: ignore[arg-type]


def _check_imported(metrics: Mapping[str, Mapping[str, float]], card: ProblemCard) -> None:
    expected = {(task.name, metric.name) for task in card.tasks for metric in task.metrics}
    found = {(task, metric) for task, values in metrics.items() for metric in values}
    if expected != found:
        raise BadSpec(
            "[baseline] `metrics` must give every metric of every task. "
            f"Missing: {_shown(expected - found)}. Unknown: {_shown(found - expected)}. "
            "Add the missing ones, drop the unknown."
        )
    for value in imported_values(metrics):
        if why := meaningless(card, value):
            raise BadSpec(f"[baseline] `metrics.{value.task}.{value.metric}`: its {why}")


def _shown(pairs: set[tuple[str, str]]) -> str:
    return ", ".join(f"{task}.{metric}" for task, metric in sorted(pairs)) or "none"
