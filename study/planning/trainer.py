"""A trainer's part of a plan: what it is given, its card, its searches, and what it refuses.

Touches cards only; no data is loaded, torch is not imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import asdict, replace
from typing import Any

from search_spaces import Axis, Choices, Point, SpaceError, Value, space_from_plain
from storage.objectives import Objective, of_card
from study.errors import BadSpec
from study.planning.function import resting_value
from study.planning.members import problem_ref, refuse_several, with_labels
from study.planning.objective import chosen_objectives
from study.planning.search_plan import Search, Stage
from study.planning.stages import refuse_split_conditions, stages_of
from study.spec.search import SearchSpec
from study.spec.study_spec import StudySpec
from trainers.cards import ProblemCard, TaskCard
from trainers.errors import TrainingError
from trainers.functions import Trainer, trainer_of, why_refused
from trainers.functions._trainers import LONGEST_TARGET
from trainers.jobs import ProblemRef
from trainers.problems import ProblemError, card_of, problem_class
from trainers.trainer_card import TrainerCard

Trained = tuple[StudySpec, TrainerCard, ProblemRef, ProblemCard, list[Search]]


def trained_by(spec: StudySpec, folder: str | None) -> Trained:
    """The spec with objective and epoch, the trainer's card, what it trains, the study's, searches.

    Raises:
        BadSpec: There is no such trainer or objective; a parameter is unknown, or has no such
            value; or the trainer refuses the problem.
    """
    refuse_several(spec, folder)
    target = spec.trainer or ""
    try:
        with chdir("."):  # code of a user may leave it
            trainer = trainer_of(target, folder)
            ref = problem_ref(spec, folder)
            ref = with_labels(ref, spec, card_of(ref).task_names)
            problem = card_of(ref)
            homes = (type(trainer).__module__, problem_class(ref.target, folder).__module__)
    except (ProblemError, TrainingError) as error:
        raise BadSpec(str(error)) from error
    card = study_card(trainer.card, problem)
    found = of_card({**card.to_plain(), **told_of(trainer.card)})
    objectives = chosen_objectives(spec, found, whose=f"trainer {trainer.card.name}")
    names = [objective.name for objective in objectives]
    written = [of.partition(":")[0] for of in (target, ref.target) if ":" in of]
    ref = replace(
        ref,
        trainer=target,
        ranked_by=tuple(objective.metrics[0][1] for objective in objectives),
        modules=tuple(sorted({*homes, *written})),
    )
    compare = spec.compare
    if "select_epoch" not in compare.model_fields_set:
        compare = compare.model_copy(update={"select_epoch": trainer.card.select_epoch})
    objective = names[0] if len(names) == 1 else names
    spec = spec.model_copy(update={"objective": objective, "compare": compare})
    searches = [_search(part, spec, trainer, problem, objectives) for part in spec.search]
    return spec, trainer.card, ref, card, searches


def study_card(trainer: TrainerCard, problem: ProblemCard) -> ProblemCard:
    """The problem's card with what a trainer reports in the place of its tasks."""
    task = TaskCard(
        name=trainer.name, title=trainer.task_title, loss="own", metrics=trainer.metrics
    )
    return replace(problem, tasks=(task,), network=f"{problem.network}, trained by {trainer.title}")


def told_of(trainer: TrainerCard) -> dict[str, Any]:
    """What reports find stored of a trainer, beside its metrics: titles, objectives, parameters."""
    return {
        "trainer": {"name": trainer.name, "title": trainer.title, "source": trainer.source},
        "objectives": [asdict(objective) for objective in trainer.objectives],
        "parameters": {one.name: one.title for one in trainer.parameters},
    }


def _search(
    part: SearchSpec,
    spec: StudySpec,
    trainer: Trainer,
    problem: ProblemCard,
    objectives: tuple[Objective, ...],
) -> Search:
    card, target = trainer.card, spec.trainer or ""
    place = f"[[search]] {part.name or target}"
    known = {parameter.name: parameter for parameter in card.parameters}
    try:
        card.filled(part.hyper)
        stages = stages_of(part, tunable={*known}, hypers=(), n_tasks=1, place=place)
        refuse_split_conditions(stages, part.hyper, place)
        anchors = _anchors(part, stages, card)
        for point in _tried(anchors, stages):
            params = card.filled(point)
            with chdir("."):
                why = why_refused(trainer, problem, params, spec.training.epochs)
            if why:
                raise BadSpec(f"{place}: {why}")
    except (SpaceError, TrainingError) as error:
        raise BadSpec(f"{place}: {error}") from error
    first, *others = objectives
    method = part.name or target
    return Search(
        name=method,
        role="search",
        # a search is a method here, and is told apart by its name
        weighting=method if len(method) <= LONGEST_TARGET else target,
        title=part.name or card.title,
        tasks=(card.name,),
        stages=stages,
        anchors=anchors,
        objective=first,
        others=tuple(others),
        solo_only="a trainer trains one run at a time",
        budget=part.budget,
        trains_itself=True,
    )


def _anchors(part: SearchSpec, stages: list[Stage], card: TrainerCard) -> Point:
    """What each parameter that the search names is before it is tuned: its default, if tried."""
    fixed = space_from_plain({name: [value] for name, value in part.hyper.items()}, n_tasks=1)
    tuned = [item for stage in reversed(stages) for item in stage.space.axes.items()]
    anchors: Point = {
        name: _resting(axis, card.defaults.get(name))
        for name, axis in [*tuned, *fixed.axes.items()]
    }
    for stage in stages:
        anchors = stage.space.named(stage.space.kept(anchors))
    return anchors


def _resting(axis: Axis, default: Any) -> Value:
    try:
        axis.to_unit(default)
    except SpaceError:
        return resting_value(axis)
    found: Value = default
    return found


def _tried(anchors: Point, stages: list[Stage]) -> Iterator[Mapping[str, Value]]:
    """Points in which each value that a stage lists, and each end of a range, comes up."""
    for stage in stages:
        for name, axis in stage.space.axes.items():
            (parameter,) = stage.space.named({name: 0})
            yield from ({**anchors, **stage.at, parameter: value} for value in _ends(axis))
        yield from ({**anchors, **stage.space.named(point)} for point in stage.first)
        yield {**anchors, **stage.at}


def _ends(axis: Axis) -> list[Value]:
    """All listed values; of a range both ends."""
    if isinstance(axis, Choices):
        return [*axis.values]
    return [axis.from_unit((share,) * axis.dimensions) for share in (0.0, 1.0)]
