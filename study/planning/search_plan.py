"""A study's plan as plain values: searches in their order, their stages, and what each tries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from search_spaces import Axis, Point, Space
from storage.objectives import Objective
from storage.wording import counted
from study.errors import BadSpec
from study.spec.budget import BudgetSpec
from study.spec.stopping import PopulationRule, StopRule
from study.spec.study_spec import StudySpec
from trainers.jobs import Corruptions, Training
from trainers.suggestions import did_you_mean

STL = "stl/"
"""How names of single-task searches begin; the task follows."""
_ADAPTIVE = ("tpe", "optuna")
_SAMPLED = ("random", "quasi-random", *_ADAPTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a search.

    Attributes:
        kind: Strategy: grid, line, random, quasi-random, tpe, optuna or neighbours.
        space: Axes tuned here; empty for ``neighbours``, whose points depend on the winner.
        refine: Rounds of refinement of a line (one more each).
        trials: How many points random, quasi-random, tpe and optuna propose.
        round_size: How many points tpe and optuna propose at once.
        sampler: Which one of Optuna's; empty for other strategies.
        options: Arguments of that sampler.
        first: Points that are tried before all others.
        at: Values this stage fixes, instead of what is known so far.
        stop: Prunes trials of a round at rungs; None for never.
    """

    kind: str
    space: Space
    refine: int = 0
    trials: int = 0
    round_size: int = 1
    sampler: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    first: Sequence[Point] = ()
    at: Point = field(default_factory=dict)
    stop: StopRule | None = None

    @property
    def label(self) -> str:
        """The strategy, and a stopping rule behind a plus, as the database has it."""
        name = f"{self.kind}:{self.sampler}".removesuffix("Sampler") if self.sampler else self.kind
        return name if self.stop is None else f"{name}+{self.stop.rule}".removesuffix("Pruner")

    @property
    def adaptive(self) -> bool:
        """Whether what it proposes next depends on what came of the last round."""
        return self.kind in _ADAPTIVE

    @property
    def is_population(self) -> bool:
        """Whether its trials are one population, whose worst are replaced by children."""
        return isinstance(self.stop, PopulationRule)

    @property
    def tuned(self) -> tuple[str, ...]:
        """Names of what is tuned."""
        if self.kind == "neighbours":
            return ("lr",)
        return tuple(self.space.named(dict.fromkeys(self.space.axes, 0)))

    def axes_of(self, parameter: str) -> list[Axis]:
        """The axes of a parameter: one, one for each of its variants, or none."""
        axes = self.space.axes.items()
        return [axis for name, axis in axes if parameter in (name, *self.space.named({name: 0}))]

    def to_plain(self) -> dict[str, object]:
        """JSON-ready values that differ when the stage asks for something else."""
        # what came later is there where it is used: digests of earlier decisions stand
        sampled = {"sampler": self.sampler, "options": dict(self.options)} if self.sampler else {}
        return {
            **sampled,
            **({"first": [dict(point) for point in self.first]} if self.first else {}),
            "kind": self.kind,
            "space": self.space.to_plain(),
            "refine": self.refine,
            "trials": self.trials,
            "round_size": self.round_size,
            "at": dict(self.at),
            "stop": None if self.stop is None else self.stop.to_plain(),
        }

    @property
    def expected_trials(self) -> int:
        """Trials expected; refinement and neighbours count two a round, fewer at an edge.

        With the children of a population, of which none is taken to diverge.
        """
        first = self.first_trials
        if isinstance(self.stop, PopulationRule):
            return first + len(self.stop.rungs) * self.stop.n_replaced(first)
        return first

    @property
    def first_trials(self) -> int:
        """Trials expected without the children of others."""
        if self.kind in _SAMPLED:
            return min(self.trials, self.space.size or self.trials)
        if self.kind == "neighbours":
            return 2
        return (self.space.size or 0) + 2 * self.refine

    @property
    def shortage(self) -> str:
        """Why fewer trials are expected than were asked for; empty if they are not."""
        if self.kind not in _SAMPLED or self.first_trials == self.trials:
            return ""
        by = self.sampler or self.kind
        return (
            f"{counted(self.trials, 'trial')} by {by} were asked for, and the space of "
            f"{', '.join(self.tuned)} has {counted(self.first_trials, 'point')}: each is tried "
            "once"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Followup:
    """What runs of a follow-up do otherwise.

    Attributes:
        epochs: Of each run.
        corruptions: Of the images that heads are trained on and judged by.
    """

    epochs: int
    corruptions: Corruptions

    def to_plain(self) -> dict[str, object]:
        """JSON-ready values, part of each run's key."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search, ready to be run.

    Attributes:
        role: ``search``; ``baseline`` for a single task; ``function`` for a training function;
            ``followup`` for one that goes on from another one's best networks.
        title: What reports call its weighting.
        anchors: The point before anything is tuned.
        objective: What its trials are ranked by; the first of several.
        others: Objectives beside it, by which a search looks for a front; empty with one.
        init_from: Search from whose best network its runs begin; empty: they begin as always.
        solo_only: Why its runs are never stacked, whatever the network; empty if they may be.
        alone: Its runs are in no pack: a step costs more than those by which packs are timed.
        trains_itself: Its runs are those of a training function or a trainer.
        followup: What its runs do otherwise; each begins from the run of its seed of the best trial
            of `init_from`. None for all others.
    """

    name: str
    role: str
    weighting: str
    tasks: tuple[str, ...]
    stages: Sequence[Stage]
    anchors: Point
    objective: Objective
    title: str = ""
    solo_only: str = ""
    alone: bool = False
    init_from: str = ""
    others: tuple[Objective, ...] = ()
    budget: BudgetSpec = field(default_factory=BudgetSpec)
    followup: Followup | None = None
    trains_itself: bool = False

    @property
    def counts_as_tuning(self) -> bool:
        """Whether its trials count in budgets of trials."""
        return self.role not in ("baseline", "followup")

    @property
    def weighed_by(self) -> str:
        """The weighting of its runs; heads that share nothing that learns are weighed equally."""
        return "ew" if self.role in ("baseline", "followup") else self.weighting

    def epochs_of(self, training: Training) -> int:
        """Epochs of a run that no rule ends."""
        return training.epochs if self.followup is None else self.followup.epochs

    @property
    def is_population(self) -> bool:
        """Whether its trials are one population."""
        return any(stage.is_population for stage in self.stages)

    @property
    def asynchronous(self) -> bool:
        """Whether some of its trials are judged before their round is at the rung."""
        return any(stage.stop is not None and stage.stop.asynchronous for stage in self.stages)

    @property
    def beside(self) -> list[tuple[str, str]]:
        """Task and metric of each objective beside the first."""
        return [metric[:2] for objective in self.others for metric in objective.metrics]

    def needs_baseline(self, rule: StopRule) -> bool:
        """Whether a stopping rule judges its trials by what the baseline must be known for."""
        return self.objective.needs_baseline and not rule.by_task

    @property
    def expected_trials(self) -> int:
        """Trials expected over all stages; a later stage may repeat a point, then it is fewer."""
        return sum(stage.expected_trials for stage in self.stages)

    @property
    def expected_whole_trials(self) -> int:
        """Trials with all their epochs: of a population, a child goes on where another one ends."""
        return sum(stage.first_trials for stage in self.stages)

    def expected_epochs(self, training: Training) -> int:
        """Epochs expected of the runs of a seed."""
        return self.expected_whole_trials * self.epochs_of(training)

    @property
    def shortages(self) -> list[str]:
        """Of each stage that cannot have as many trials as were asked for, why."""
        return [
            f"Search {self.name}, stage {number}: {stage.shortage}."
            for number, stage in enumerate(self.stages, start=1)
            if stage.shortage
        ]


def in_order(searches: Sequence[Search], spec: StudySpec) -> list[Search]:
    """The searches as the spec has them, but each behind the one that it begins from.

    Raises:
        BadSpec: There is none of that name, it would wait for itself, or no network is kept.
    """
    names = [search.name for search in searches]
    found: list[Search] = []
    left = list(searches)
    for search in searches:
        if search.init_from and search.init_from not in names:
            raise BadSpec(f"[[search]] {search.name}: {_unknown(search.init_from, names, spec)}")
        if search.init_from and spec.keep.networks == "none":
            raise BadSpec(
                f"[[search]] {search.name}: `init_from` needs networks that are kept. Got [keep] "
                '`networks = "none"`. Drop it.'
            )
    while left:
        known = ["", *(search.name for search in found)]
        able = next((search for search in left if search.init_from in known), None)
        if able is None:
            origin = {search.name: search.init_from for search in left}
            name = left[0].name
            for _ in left:  # into the circle, for those that only hang on it
                name = origin[name]
            members = [name]
            while origin[members[-1]] != name:
                members.append(origin[members[-1]])
            circle = ", ".join(f"{one} from {origin[one]}" for one in sorted(members))
            raise BadSpec(
                f"`init_from` of searches must not go round in a circle. Got {circle}. Drop one."
            )
        left.remove(able)
        found.append(able)
    return found


def _unknown(origin: str, names: Sequence[str], spec: StudySpec) -> str:
    """That there is no search to begin from, with the way out."""
    rule = f"`init_from` names a search of this study. Got {origin!r}."
    if origin.startswith(STL):
        if spec.baseline is None:
            return f"{rule} Without [baseline] no single-task networks are trained. Add it."
        if spec.baseline.metrics is not None:
            return (
                f"{rule} With `metrics` in [baseline] no single-task networks are trained. "
                "Drop them."
            )
    return f"{rule}{did_you_mean(origin, names)} There are {', '.join(names)}."
