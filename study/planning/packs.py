"""Which runs will be trained together, as far as it is known before anything runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from search_spaces import Point
from storage.records import Calibration, SearchRecord
from study.planning.engine import EngineChoice, engine_for
from study.planning.keys import segment_key, shape_keys
from study.planning.optimisers import tried_by
from study.planning.plan import Plan
from study.planning.search_plan import Search
from trainers.events import NetworkFacts
from trainers.jobs import Engine


def pack_key_of(
    plan: Plan, search: Search, *, seed: int, first: int, last: int, point: Point
) -> str:
    """The pack key of a run of a planned search while it is trained from one epoch to another."""
    return segment_key(
        search,
        frozen=plan.frozen,
        epochs=search.epochs_of(plan.training),
        seed=seed,
        first=first,
        last=last,
        point=point,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackGroup:
    """Runs of one network and one engine: those of one seed can be trained together.

    Attributes:
        runs: Of each seed, at most.
        pack_size: Most runs of a pack; None until a calibration finds it.
        timed: What was measured of this network with each optimiser that its searches use, one for
            each hardware.
    """

    tasks: tuple[str, ...]
    engine: EngineChoice
    searches: tuple[str, ...]
    runs: int
    pack_size: int | None
    timed: Mapping[str, Sequence[Calibration]]

    @property
    def calibrations(self) -> Sequence[Calibration]:
        """What was measured, with any of its optimisers."""
        return [found for of in self.timed.values() for found in of]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPlan:
    """How a study's runs will be trained.

    Attributes:
        known_by: How the first group's engine is: ``stored`` with its searches, by a ``look`` at
            the network, by its ``card``, or by the ``spec`` alone.
        groups: What may be stacked before what may not.
        findings: What a look has found that would fail, or is likely to by the card.
    """

    known_by: str
    groups: Sequence[PackGroup]
    findings: Sequence[str] = ()

    @property
    def engines(self) -> dict[EngineChoice, list[str]]:
        """Each engine that is used, and the searches that it is used for."""
        found: defaultdict[EngineChoice, list[str]] = defaultdict(list)
        for group in self.groups:
            found[group.engine] += group.searches
        return dict(found)


def shapes_of(
    plan: Plan, engine: Engine = "fused", *, optimizer: str | None = None
) -> dict[tuple[str, ...], str]:
    """Shape key of the network of all tasks, first, and of those of the single-task runs.

    Args:
        optimizer: One that a search tunes, by which no single task is trained; None for that of
            [training].
    """
    tasks = dict.fromkeys([plan.card.task_names, *(search.tasks for search in plan.searches)])
    if optimizer not in (None, plan.training.optimizer):
        tasks = {plan.card.task_names: None}
    card = plan.card.to_plain()
    return shape_keys(plan.spec, card, tasks, engine=engine, optimizer=optimizer)


def all_shapes(plan: Plan) -> list[str]:
    """Shape keys of all networks, with each engine and optimiser that a run may have."""
    names = dict.fromkeys(name for search in plan.searches for name in tried_by(search.stages))
    return [
        shape
        for engine in get_args(Engine)
        for name in (None, *names)
        for shape in shapes_of(plan, engine, optimizer=name).values()
    ]


def pack_plan(
    plan: Plan,
    *,
    device: str,
    stored: Sequence[SearchRecord] = (),
    facts: NetworkFacts | None = None,
    findings: Sequence[str] = (),
    calibrations: Sequence[Calibration] = (),
) -> PackPlan:
    """Packs by what is stored of the study, else by what was found, else by the card.

    Raises:
        WorkersUnusable: The spec asks for stacks and the network cannot be stacked.
    """
    together: defaultdict[tuple[EngineChoice, tuple[str, ...]], list[Search]] = defaultdict(list)
    for search in sorted(plan.searches, key=lambda search: bool(search.solo_only)):
        engine = engine_for(plan, search, device=device, network=facts, stored=stored)
        together[engine, search.tasks].append(search)
    groups = [
        _group(plan, engine, searches, facts, calibrations)
        for (engine, _), searches in together.items()
    ]
    whole = plan.card.task_names
    return PackPlan(
        known_by=_known_by(plan, stored, facts),
        groups=sorted(groups, key=lambda group: group.tasks != whole),
        findings=findings,
    )


def _known_by(plan: Plan, stored: Sequence[SearchRecord], facts: NetworkFacts | None) -> str:
    if any(search.engine is not None for search in stored):
        return "stored"
    if plan.training.data_parallel > 1 or all(search.solo_only for search in plan.searches):
        return "spec"
    return "card" if facts is None else "look"


def _group(
    plan: Plan,
    engine: EngineChoice,
    searches: Sequence[Search],
    facts: NetworkFacts | None,
    calibrations: Sequence[Calibration],
) -> PackGroup:
    tasks, shapes = searches[0].tasks, shapes_of(plan, engine.engine)
    # without a look, a calibration tells that solo runs share their data
    seen = any(found.shape in shapes.values() for found in calibrations)
    packed = engine.engine == "fused" or (seen if facts is None else facts.streamed)
    packed = packed and plan.training.data_parallel == 1 and not searches[0].alone
    return PackGroup(
        tasks=tasks,
        engine=engine,
        searches=tuple(search.name for search in searches),
        runs=sum(search.expected_whole_trials for search in searches),
        pack_size=_pack_size(plan, engine.engine, searches, calibrations) if packed else 1,
        timed={
            name: [found for found in calibrations if found.shape == shape]
            for name in _optimizers(plan, searches)
            for shape in (shapes_of(plan, engine.engine, optimizer=name)[tasks],)
        },
    )


def _optimizers(plan: Plan, searches: Sequence[Search]) -> list[str]:
    """Those that runs of some searches are trained with."""
    tried = (tried_by(of.stages) or (plan.training.optimizer,) for of in searches)
    return [*dict.fromkeys(name for names in tried for name in names)]


def _pack_size(
    plan: Plan, engine: Engine, searches: Sequence[Search], calibrations: Sequence[Calibration]
) -> int | None:
    """By hand, or by calibration of the network of all tasks, where hardware agrees on it.

    Of searches that tune the optimiser it is the largest that each of them allows.
    """
    if plan.spec.training.pack_size:
        return plan.spec.training.pack_size
    found: list[int] = []
    for name in _optimizers(plan, searches):
        whole = shapes_of(plan, engine, optimizer=name)[plan.card.task_names]
        sizes = {one.pack_size for one in calibrations if one.shape == whole}
        if len(sizes) != 1:
            return None
        found += sizes
    return min(found)
