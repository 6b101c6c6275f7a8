"""A training function's part of a plan: its card, its searches, its points as they are written."""

from __future__ import annotations

from types import MappingProxyType

from search_spaces import Axis, Choices, Point, SpaceError, Value, canonical, space_from_plain
from search_spaces.lines import midpoint
from search_spaces.whole import IntRange, LogIntRange
from storage.objectives.task_metric import task_metric
from study.errors import BadSpec
from study.planning.objective import metrics_of
from study.planning.search_plan import Search
from study.planning.stages import refuse_split_conditions, stages_of
from study.spec.function import WEIGHTING, FunctionSpec
from study.spec.search import SearchSpec
from study.spec.study_spec import StudySpec
from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.errors import BadCard
from trainers.jobs import ProblemRef

_CALLERS = MappingProxyType(
    {
        "plain": "trainers.functions:call",
        "ray": "study.drivers.ray_tune.trainable:call",
        "optuna": "study.searches.objective:call",
    }
)


def function_ref(function: FunctionSpec, folder: str | None) -> ProblemRef:
    """Where workers find the function, and what calls it."""
    return ProblemRef(
        target=function.target,
        options={"metric": function.metric},
        folder=folder,
        caller=_CALLERS[function.kind],
        modules=(function.target.partition(":")[0],),
    )


def function_card(function: FunctionSpec) -> ProblemCard:
    """A card of one task with the metrics that trials are ranked by; all else is its own affair.

    Raises:
        BadSpec: The metric's name is none.
    """
    try:
        metrics = tuple(
            MetricCard(name=name, title=name, direction=direction, unit="")
            for name, direction in zip(function.metrics, function.directions, strict=True)
        )
    except BadCard as error:
        raise BadSpec(f"[function] `metric` names a metric. {error}") from error
    return ProblemCard(
        name=function.target,
        title=f"Training function {function.target}",
        kind="function",
        source=function.target.partition(":")[0],
        data_version="1",
        tasks=(TaskCard(name=function.name, title=function.name, loss="own", metrics=metrics),),
        sizes={},
        network="of its own",
    )


def function_searches(spec: StudySpec, card: ProblemCard) -> list[Search]:
    """All searches; whatever a stage names is a parameter.

    Raises:
        BadSpec: A stage does not make sense.
    """
    found = []
    for part in spec.search:
        place = f"[[search]] {part.name or WEIGHTING}"
        try:
            found.append(_search(part, card, place))
        except SpaceError as error:
            raise BadSpec(f"{place}: {error}") from error
    return found


def as_listed(search: Search, point: Point) -> Point:
    """A point with its values as the spec lists them.

    Databases of schema version 1 wrote whole numbers as floats.
    """
    listed: dict[str, Value] = {}
    whole: set[str] = set()
    for name, value in search.anchors.items():
        listed[canonical({name: value})] = value
    for stage in search.stages:
        listed |= {canonical({name: value}): value for name, value in stage.at.items()}
        for name, axis in stage.space.axes.items():
            if isinstance(axis, Choices):
                listed |= {canonical({name: value}): value for value in axis.values}
            elif isinstance(axis, IntRange | LogIntRange):
                whole |= {*stage.space.named({name: 0})}
    return {
        name: int(value)  # type: ignore[arg-type]
        if name in whole
        else listed.get(canonical({name: value}), value)
        for name, value in point.items()
    }


def _search(part: SearchSpec, card: ProblemCard, place: str) -> Search:
    names = {name for stage in part.stages for name in (*stage.axes, *stage.at)}
    stages = stages_of(
        part,
        tunable={*names, *part.hyper},
        hypers=(),
        n_tasks=1,
        place=place,
    )
    refuse_split_conditions(stages, part.hyper, place)
    fixed = space_from_plain({name: [value] for name, value in part.hyper.items()}, n_tasks=1)
    tuned = [item for stage in reversed(stages) for item in stage.space.axes.items()]
    anchors = {name: resting_value(axis) for name, axis in [*tuned, *fixed.axes.items()]}
    for stage in stages:
        anchors = stage.space.named(stage.space.kept(anchors))
    objective, *others = [task_metric(metric, metrics_of(card)) for metric in metrics_of(card)]
    return Search(
        name=part.name or WEIGHTING,
        role="function",
        weighting=WEIGHTING,
        tasks=card.task_names,
        stages=stages,
        anchors=anchors,
        objective=objective,
        others=tuple(others),
        solo_only="a training function trains one run at a time",
        budget=part.budget,
        trains_itself=True,
    )


def resting_value(axis: Axis) -> Value:
    """What a parameter is until it is tuned: the middle one of listed values, else the midpoint."""
    if isinstance(axis, Choices):
        return axis.values[(axis.size - 1) // 2]
    return midpoint(axis)
