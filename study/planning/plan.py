"""From a spec to a plan: every search with its stages, checked against the problem's card.

Touches cards and weightings only; no data is loaded, torch is not imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass, replace
from typing import Any

from search_spaces import (
    Point,
    SpaceError,
)
from search_spaces.lines import midpoint
from storage.notices import before_training
from storage.objectives import DirectedMetric
from study.errors import BadSpec
from study.planning.baseline import baseline_searches, idle_baseline
from study.planning.followups import followup_searches, left_out, refuse_unfit
from study.planning.function import function_card, function_ref, function_searches
from study.planning.keys import fingerprint
from study.planning.last_batch import refuse_none
from study.planning.members import problem_ref, refuse_several, with_labels
from study.planning.objective import front_notice, metrics_of, study_objectives
from study.planning.optimisers import OF_OPTIMIZERS, homes, refuse_odd_optimizers
from study.planning.populations import refuse_odd_populations
from study.planning.search_plan import Search, Stage, in_order
from study.planning.shared_training import optimizer_home, shared_training
from study.planning.stages import (
    CLOSING,
    refuse_long_points,
    refuse_split_conditions,
    resting,
    stages_of,
    wants_closing,
)
from study.planning.trainer import told_of, trained_by
from study.spec.search import SearchSpec
from study.spec.study_spec import StudySpec
from study.spec.training import TrainingSpec
from trainers.cards import ProblemCard
from trainers.errors import TrainingError
from trainers.jobs import ProblemRef, Training
from trainers.problems import ProblemError, card_of, problem_class
from trainers.trainer_card import TrainerCard
from trainers.weightings import MissingHyper, Weighting, WeightingError, weighting
from trainers.worker.code import Code, code_of

_SHARED = ("lr", "weight_decay")
_MOST_RUNS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that will be run, as far as it is known before anything is.

    Attributes:
        frozen: Fingerprint of what an extension must not change.
        code: The user's own modules as they are now.
        confirm_seeds: Fresh seeds of the winners; empty for none.
        trainer: Card of what trains in the place of weightings; None: weightings are searched.
    """

    spec: StudySpec
    problem: ProblemRef
    card: ProblemCard
    training: Training
    searches: Sequence[Search]
    frozen: str
    code: Code
    confirm_seeds: tuple[int, ...]
    trainer: TrainerCard | None = None

    @property
    def expected_runs(self) -> int:
        """Runs expected, baseline and confirmation included."""
        trials = sum(search.expected_trials for search in self.searches)
        return trials * len(self.spec.seeds) + self._confirmed

    @property
    def expected_epochs(self) -> int:
        """Epochs expected of all of them."""
        of_a_seed = sum(search.expected_epochs(self.training) for search in self.searches)
        return of_a_seed * len(self.spec.seeds) + self._confirmed * self.training.epochs

    @property
    def _confirmed(self) -> int:
        top = self.spec.confirm.top if self.spec.confirm else 0
        winners = sum(top for search in self.searches if search.role == "search")
        return winners * len(self.confirm_seeds)

    @property
    def notices(self) -> list[str]:
        """What must be known of the study before it runs, and of what comes of it."""
        short = [sentence for search in self.searches for sentence in search.shortages]
        alone = [search for search in self.searches if search.role == "baseline"]
        n_alone = sum(search.expected_trials for search in alone) * len(self.spec.seeds)
        last = [search for search in self.searches if search.followup is None][-1]
        idle = idle_baseline(self.spec, last.objective, n_alone)
        begun = [
            f"Search {search.name} begins from the best network of {search.init_from}, waits for "
            "it, and does not pay for it."
            for search in self.searches
            if search.init_from and search.followup is None
        ]
        found = [
            *before_training(self.spec.to_plain()),
            *front_notice(last),
            *short,
            *filter(None, [idle, left_out(self.spec, self.card)]),
            *begun,
        ]
        return [*filter(None, [self.card.missing]), *found]

    @property
    def stored_card(self) -> dict[str, Any]:
        """The problem's card with the titles of all weightings, as reports find it stored."""
        titles = {search.weighting: search.title or search.weighting for search in self.searches}
        trainer = {} if self.trainer is None else told_of(self.trainer)
        return {**self.card.to_plain(), **trainer, "weightings": titles}

    @property
    def metrics(self) -> list[DirectedMetric]:
        """(task, metric, direction) of all M metrics, in the card's order."""
        return metrics_of(self.card)


def make_plan(spec: StudySpec, *, folder: str | None = None) -> Plan:
    """Plan a study.

    Args:
        folder: Where the spec lies; a user's own problem may lie there too.

    Raises:
        BadSpec: A stage, weighting, problem or baseline does not make sense; with the way out.
    """
    trainer = None
    if spec.trainer is None:
        ref, card, searches = _asked(spec, folder)
    else:
        spec, trainer, ref, card, searches = trained_by(spec, folder)
    _refuse_twins(searches)
    searches = in_order(searches, spec)
    for search in searches:
        refuse_long_points(search)
    training = shared_training(spec.training, folder)
    refuse_none(card, training)
    plan = Plan(
        spec=spec,
        problem=ref,
        card=card,
        training=training,
        searches=searches,
        frozen=fingerprint(spec, card.to_plain(), None if trainer is None else trainer.defaults),
        code=code_of(ref.modules, ref.folder),
        confirm_seeds=_confirm_seeds(spec),
        trainer=trainer,
    )
    if plan.expected_runs > _MOST_RUNS:
        raise BadSpec(
            f"A study may have {_MOST_RUNS:,} runs at most. Got {plan.expected_runs:,}. "
            "Take fewer seeds, trials or searches, or several studies."
        )
    return plan


def refuse_missing(plan: Plan) -> None:
    """Refuse to run a study whose data is not here, and to store what was planned without it.

    Raises:
        BadSpec: The problem's card says that something is missing.
    """
    if plan.card.missing:
        raise BadSpec(plan.card.missing)


def _asked(spec: StudySpec, folder: str | None) -> tuple[ProblemRef, ProblemCard, list[Search]]:
    """What is trained, and what is searched."""
    if spec.function is not None:
        card = function_card(spec.function)
        return function_ref(spec.function, folder), card, function_searches(spec, card)
    refuse_several(spec, folder)
    ref = problem_ref(spec, folder)
    try:
        with chdir("."):  # code of a user may leave it, and the database may be named from it
            ref = with_labels(ref, spec, card_of(ref).task_names)
            card = card_of(ref)
            home = problem_class(ref.target, ref.folder).__module__
            of_optimizer = optimizer_home(shared_training(spec.training, folder))
    except ProblemError as error:
        raise BadSpec(str(error)) from error
    searches = [search for part in spec.search for search in _searches(part, spec, card, folder)]
    methods = [type(weighting(search.weighting, folder)).__module__ for search in searches]
    methods += [home for search in searches for home in homes(search.stages, folder)]
    ref = replace(ref, modules=_modules(ref.target, home, *of_optimizer, *methods))
    refuse_unfit(spec, card)
    parents = [*baseline_searches(spec, card, searches), *searches]
    return ref, card, [*parents, *followup_searches(spec, card, parents)]


def _modules(target: str, *homes: str) -> tuple[str, ...]:
    """Where the code of all that the spec names begins: as it names the problem, and as it is."""
    named = [target.partition(":")[0]] if ":" in target else []
    return tuple(sorted({*named, *homes}))


def _searches(
    part: SearchSpec, spec: StudySpec, card: ProblemCard, folder: str | None
) -> list[Search]:
    found, training = [], shared_training(spec.training, folder)
    for name in part.weightings:
        place = f"[[search]] {part.name or name}"
        try:
            method = weighting(name, folder)
            method.refuse_unless_fit("solo", training)
            search = _search(part, spec, card, method, place)
            refuse_odd_optimizers(search.stages, method, training, folder, place)
            refuse_odd_populations(search.stages, len(part.stages), spec, place)
            found.append(replace(search, name=part.name or name, weighting=name))
        except (WeightingError, SpaceError, TrainingError) as error:
            raise BadSpec(f"{place}: {error}") from error
    return found


def _search(
    part: SearchSpec, spec: StudySpec, card: ProblemCard, method: Weighting, place: str
) -> Search:
    n_tasks = len(card.tasks)
    stages = stages_of(
        part,
        tunable={*_SHARED, *OF_OPTIMIZERS, *(hyper.name for hyper in method.hypers)},
        hypers=method.hypers,
        n_tasks=n_tasks,
        place=place,
    )
    refuse_split_conditions(stages, part.hyper, place)
    if wants_closing(stages):
        stages.append(CLOSING)
    anchors = _anchors(part, spec.training, method, stages, n_tasks, place)
    objective, *others = study_objectives(spec, card)
    return Search(
        name=part.name or method.name,
        role="search",
        weighting=method.name,
        title=method.title,
        tasks=card.task_names,
        stages=stages,
        anchors=anchors,
        objective=objective,
        others=tuple(others),
        alone=method.level != "loss",
        solo_only=f"{method.title} {method.solo_only}" if method.solo_only else "",
        init_from=part.init_from or "",
        budget=part.budget,
    )


def _anchors(
    part: SearchSpec,
    training: TrainingSpec,
    method: Weighting,
    stages: Sequence[Stage],
    n_tasks: int,
    place: str,
) -> Point:
    """What each parameter is before it is tuned (M6)."""
    tuned = {name for stage in stages for name in (*stage.tuned, *stage.at)}
    axes = {
        name: axis
        for stage in reversed(stages)
        for name in stage.tuned
        for axis in stage.axes_of(name)[:1]
    }
    point: dict[str, Any] = {"weight_decay": training.weight_decay}
    point |= {name: getattr(training, name) for name in OF_OPTIMIZERS if name in tuned}
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
    try:
        return point | method.checked(given, n_tasks)
    except MissingHyper as error:
        missing = next(
            hyper
            for hyper in method.hypers
            if hyper.filled(n_tasks) is None and hyper.name not in given
        )
        line = "{ simplex_step = 0.1 }" if missing.per_task else "{ line = [1, 2, 5, 10] }"
        one = [round(1 / n_tasks, 3)] * n_tasks if missing.per_task else 2.0
        raise BadSpec(
            f"{place}: {error} Tune it by a stage, such as `{{ {missing.name} = {line} }}`, or fix "
            f"it by `hyper = {{ {missing.name} = {one} }}`."
        ) from error


def _refuse_twins(searches: Sequence[Search]) -> None:
    counts = Counter(search.name for search in searches)
    twins = sorted(name for name, n in counts.items() if n > 1)
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
