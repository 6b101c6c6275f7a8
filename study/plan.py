"""From a spec to a plan: every search with its stages, checked against the problem's card.

Touches cards and weightings only; no data is loaded, torch is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces import (
    Point,
    Space,
    SpaceError,
    axis_from_plain,
    space_from_plain,
)
from search_spaces.lines import midpoint
from study.baseline_plan import baseline_searches
from study.errors import BadSpec
from study.keys import fingerprint
from study.outline import Search, Stage
from study.spec import SearchSpec, StudySpec, TrainingSpec
from study.stage_checks import check_stage, resting
from study.stage_spec import ClosingStage, StageTable
from trainers.cards import ProblemCard
from trainers.jobs import ProblemRef, Schedule, Training
from trainers.problems import ProblemError, build
from trainers.weightings import Weighting, WeightingError, weighting

_SHARED = ("lr", "weight_decay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that will be run, as far as it is known before anything is.

    Attributes:
        frozen: Fingerprint of what an extension must not change.
        confirm_seeds: Fresh seeds of the winners; empty for none.
    """

    spec: StudySpec
    problem: ProblemRef
    card: ProblemCard
    training: Training
    searches: Sequence[Search]
    frozen: str
    confirm_seeds: tuple[int, ...]

    @property
    def expected_runs(self) -> int:
        """Runs expected, baseline and confirmation included."""
        n_seeds = len(self.spec.seeds)
        trials = sum(search.expected_trials for search in self.searches)
        top = self.spec.confirm.top if self.spec.confirm else 0
        confirmed = sum(top for search in self.searches if search.role == "search")
        return trials * n_seeds + confirmed * len(self.confirm_seeds)

    @property
    def metrics(self) -> list[tuple[str, str, str]]:
        """(task, metric, direction) of all M metrics, in the card's order."""
        return [(t.name, m.name, m.direction) for t in self.card.tasks for m in t.metrics]


def make_plan(spec: StudySpec, *, folder: str | None = None) -> Plan:
    """Plan a study.

    Args:
        folder: Where the spec lies; a user's own problem may lie there too.

    Raises:
        BadSpec: A stage, weighting, problem or baseline does not make sense; with the way out.
    """
    ref = ProblemRef(target=spec.problem, options=dict(spec.problem_options), folder=folder)
    try:
        card = build(ref).card
    except ProblemError as error:
        raise BadSpec(str(error)) from error
    searches = [search for part in spec.search for search in _searches(part, spec, card)]
    _refuse_twins(searches)
    return Plan(
        spec=spec,
        problem=ref,
        card=card,
        training=_training(spec.training),
        searches=[*baseline_searches(spec, card, searches), *searches],
        frozen=fingerprint(spec, card.to_plain()),
        confirm_seeds=_confirm_seeds(spec),
    )


def _searches(part: SearchSpec, spec: StudySpec, card: ProblemCard) -> list[Search]:
    found = []
    for name in part.weightings:
        place = f"[[search]] {part.name or name}"
        try:
            method = weighting(name)
            found.append(_search(part, spec, card, method, place))
        except (WeightingError, SpaceError) as error:
            raise BadSpec(f"{place}: {error}") from error
    return found


def _search(
    part: SearchSpec, spec: StudySpec, card: ProblemCard, method: Weighting, place: str
) -> Search:
    n_tasks = len(card.tasks)
    tunable = {*_SHARED, *(hyper.name for hyper in method.hypers)}
    epochs = spec.training.epochs
    tables = [
        StageTable.parse(table, tunable=tunable, epochs=epochs, place=place)
        for table in part.stages
    ]
    stages = [_stage(table, n_tasks) for table in tables]
    _check_stages(stages, method, n_tasks, place)
    if part.joint:
        stages = [_joined(stages, place)]
    elif _wants_closing(stages):
        stages.append(_CLOSING)
    anchors = _anchors(part, spec.training, method, stages, n_tasks, place)
    return Search(
        name=part.name or method.name,
        role="search",
        weighting=method.name,
        tasks=card.task_names,
        stages=stages,
        anchors=anchors,
        budget=part.budget,
    )


def _stage(table: StageTable | ClosingStage, n_tasks: int) -> Stage:
    if isinstance(table, ClosingStage):
        return _CLOSING
    axes = {
        name: axis_from_plain(name, plain, n_tasks=n_tasks) for name, plain in table.axes.items()
    }
    space = Space(axes)
    return Stage(
        kind=table.kind(space),
        space=space,
        refine=table.refine,
        trials=table.trials,
        round_size=table.round_size,
        at=_values(table.at, n_tasks),
        stop=table.stop,
    )


def _check_stages(stages: Sequence[Stage], method: Weighting, n_tasks: int, place: str) -> None:
    if stages[0].kind == "neighbours":
        raise BadSpec(
            f'{place}: `lr = "neighbours"` looks beside learning rates that were tried. Got it as '
            "the first stage. Put `{ lr = [1e-3, 1e-2] }` before it."
        )
    for stage in stages:
        if stage.kind != "neighbours":
            check_stage(stage, method, n_tasks)


_CLOSING = Stage(kind="neighbours", space=Space({}))


def _wants_closing(stages: Sequence[Stage]) -> bool:
    """Whether the learning rate was tuned and something else after it (M6)."""
    rates = [k for k, stage in enumerate(stages) if "lr" in stage.tuned]
    return bool(rates) and rates[-1] < len(stages) - 1


def _joined(stages: Sequence[Stage], place: str) -> Stage:
    axes: dict[str, Any] = {}
    for stage in stages:
        if stage.kind == "neighbours":
            continue
        if stage.kind not in ("grid", "line") or stage.refine or set(stage.space.axes) & set(axes):
            raise BadSpec(
                f"{place}: `joint = true` needs grids of different parameters, without `refine`. "
                f"Got a stage of kind {stage.kind} over {', '.join(stage.tuned)}. "
                "Drop `joint`, or write the product as one stage with a strategy."
            )
        if stage.stop is not None:
            raise BadSpec(
                f"{place}: `joint = true` makes one stage of all, and `stop` belongs to one of "
                f"them. Got it in the stage of {', '.join(stage.tuned)}. "
                "Drop it, or write the product as one stage with `stop`."
            )
        axes |= stage.space.axes
    return Stage(kind="grid", space=Space(axes))


def _anchors(
    part: SearchSpec,
    training: TrainingSpec,
    method: Weighting,
    stages: Sequence[Stage],
    n_tasks: int,
    place: str,
) -> Point:
    """What each parameter is before it is tuned (M6)."""
    axes = {name: axis for stage in reversed(stages) for name, axis in stage.space.axes.items()}
    point: dict[str, Any] = {"weight_decay": training.weight_decay}
    if training.lr is not None:
        point["lr"] = training.lr
    elif "lr" in axes:
        point["lr"] = midpoint(axes["lr"])
    else:
        raise BadSpec(
            f"{place}: the learning rate is neither tuned nor given. "
            "Add a stage `{ lr = [1e-3, 1e-2] }`, or `lr` in [training]."
        )
    given: dict[str, Any] = dict(part.hyper)
    for hyper in method.hypers:
        if hyper.name in axes and hyper.name not in given:
            rest = resting(hyper, axes[hyper.name])
            given |= {} if rest is None else {hyper.name: rest}
    return point | method.checked(given, n_tasks)


def _values(table: Mapping[str, Any], n_tasks: int) -> dict[str, Any]:
    """Single values, checked as an axis of one point."""
    space = space_from_plain({name: [value] for name, value in table.items()}, n_tasks=n_tasks)
    return {name: next(iter(axis.points())) for name, axis in space.axes.items()}


def _refuse_twins(searches: Sequence[Search]) -> None:
    names = [search.name for search in searches]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise BadSpec(
            f"Searches must have different names. Got {', '.join(twins)} more than once. "
            "Give each [[search]] its own `name`."
        )


def _confirm_seeds(spec: StudySpec) -> tuple[int, ...]:
    """Seeds that no search of the study uses, the same in every extension of it."""
    if spec.confirm is None:
        return ()
    first = 1_000_000_000
    seeds = tuple(range(first, first + spec.confirm.seeds))
    if set(seeds) & set(spec.seeds):
        raise BadSpec(f"Seeds from {first} on are kept for [confirm]. Choose smaller `seeds`.")
    return seeds


def _training(part: TrainingSpec) -> Training:
    schedule = (
        Schedule(kind=part.schedule)
        if isinstance(part.schedule, str)
        else Schedule(kind="step", step_epochs=part.schedule.step, gamma=part.schedule.gamma)
    )
    return Training(
        epochs=part.epochs,
        batch_size=part.batch_size,
        optimizer=part.optimizer,
        momentum=part.momentum,
        schedule=schedule,
        clip_norm=part.clip_norm,
        eval_batch_size=part.eval_batch_size,
        threads=part.threads,
        precision=part.precision,
        compile=part.compile,
    )
