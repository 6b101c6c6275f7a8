"""The baseline (M2): single-task searches, or imported numbers, and what delta_m makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search_spaces import Choices, Space, Value
from storage.objectives import Objective
from storage.objectives.task_metric import primary
from storage.records import BaselineValue, FailureGroup
from storage.scoring import Selection, at_epoch, mean, select
from study.commands import command_line
from study.errors import BadSpec, BaselineMissing
from study.planning.objective import metrics_of
from study.planning.search_plan import STL, Search, Stage
from study.spec.baseline import BaselineSpec
from study.spec.study_spec import StudySpec
from trainers.cards import ProblemCard, TaskCard

Table = Mapping[str, Mapping[tuple[str, str], Sequence[float]]]
"""Split -> (task, metric) -> values by epoch of one run."""

_SPLITS = ("validation", "test")
_SMALLEST = 1e-12  # a baseline nearer to 0 is 0, rounded


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
            name=f"{STL}{task.name}",
            role="baseline",
            weighting="stl",
            title="STL",
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
        if "lr" not in (*search.stages[0].tuned, *search.stages[0].at):
            rates.add(search.anchors["lr"])
        for stage in search.stages:
            rates |= {stage.at["lr"]} if "lr" in stage.at else set()
            for axis in stage.axes_of("lr"):
                rates |= set(axis.points()) if axis.size is not None else set()
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


def idle_baseline(spec: StudySpec, objective: Objective, n_runs: int) -> str:
    """That no decision waits for the baseline which the spec asks for; empty if one does."""
    if spec.baseline is None or objective.needs_baseline or not n_runs:
        return ""
    return (
        f"Trials are ranked by {objective.name}, which needs no baseline: the {n_runs} single-task "
        "runs are for Δm, which is shown beside. Without [baseline] they are not trained."
    )


def imported_values(metrics: Mapping[str, Mapping[str, float]]) -> list[BaselineValue]:
    """Numbers from elsewhere, by task and metric; they serve both splits."""
    return [
        BaselineValue(task=task, metric=metric, split=split, value=value)
        for task, values in metrics.items()
        for metric, value in values.items()
        for split in _SPLITS
    ]


def trained_values(
    task: TaskCard, winner: str, runs: Sequence[Table], selection: Selection
) -> list[BaselineValue]:
    """Seed means of a task's metrics, each run at the epoch that its primary metric selects.

    Args:
        winner: The winning point, as canonical JSON.
        runs: ``[S]``, the tables of its runs.
    """
    primary = task.metrics[0]
    lower = primary.direction == "min"
    curves = [run["validation"][task.name, primary.name] for run in runs]
    epochs = [select(curve, curve, selection=selection, lower=lower).epoch for curve in curves]
    return [
        BaselineValue(
            task=task.name,
            metric=metric.name,
            split=split,
            value=mean(
                [
                    at_epoch(run[split][task.name, metric.name], epoch, selection=selection)
                    for run, epoch in zip(runs, epochs, strict=True)
                ]
            ),
            params=winner,
        )
        for metric in task.metrics
        for split in _SPLITS
    ]


def meaningless(card: ProblemCard, found: BaselineValue) -> str:
    """Why a change relative to this baseline means nothing (M2); empty if it means something."""
    told = f"{found.metric} of task {found.task} is {found.value:.6g} on the {found.split} split"
    if not abs(found.value) >= _SMALLEST:
        return f"{told}, and Δm divides by it. Choose another metric."
    (task,) = (task for task in card.tasks if task.name == found.task)
    (metric,) = (metric for metric in task.metrics if metric.name == found.metric)
    if abs(found.value) < (step := metric.step(card.sizes[found.split])):
        return (
            f"{told}, less than one of its {card.sizes[found.split]:,} samples ({step:.6g}): a "
            "change relative to it means nothing. Choose another metric or a larger split; if it "
            "counts more than samples, say `share=False` on its card."
        )
    return ""


def baseline_missing(
    task: str,
    reason: str,
    failures: Sequence[FailureGroup],
    *,
    diverged: str,
    study: str,
    storage: str,
) -> BaselineMissing:
    """The single-task runs of a task have no winner.

    Args:
        reason: Why their search has stopped.
        failures: Of its runs, by cause.
        diverged: Where one of its runs diverged, as a sentence; empty if none has.
    """
    if failures:
        kinds = ", ".join(dict.fromkeys(group.failure or "an error" for group in failures))
        log = command_line("log", study, storage=storage)
        retry = command_line("retry", study, storage=storage)
        way_out = f"Runs failed with {kinds}: `{log}` shows where. Mend that, then `{retry}`"
    elif diverged:
        rates = "give the task smaller learning rates, in [baseline] `lr`"
        # what is infinite beside a finite loss does not come from a step too long
        is_loss = f" loss of task {task} " in diverged
        mend = rates if is_loss else f"mend that metric, or {rates}"
        way_out = f"{diverged} {mend[0].upper()}{mend[1:]}"
    else:
        way_out = "Raise what has ended it"
    return BaselineMissing(
        f"The baseline of task {task} is missing: {reason}. Nothing can be compared without it. "
        f"{way_out}; or give numbers in [baseline] `metrics`."
    )
