"""Which runs will be trained together, as far as it is known before anything runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.records import Calibration, SearchRecord
from study.planning.engine import EngineChoice, engine_for
from study.planning.keys import shape_keys
from study.planning.plan import Plan
from study.planning.search_plan import Search
from trainers.events import NetworkFacts
from trainers.jobs import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class PackGroup:
    """Runs of one network and one engine: those of one seed can be trained together.

    Attributes:
        runs: Of each seed, at most.
        pack_size: Most runs of a pack; None until a calibration finds it.
        calibrations: What was measured of this network, one for each hardware.
    """

    tasks: tuple[str, ...]
    engine: EngineChoice
    searches: tuple[str, ...]
    runs: int
    pack_size: int | None
    calibrations: Sequence[Calibration]


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


def shapes_of(plan: Plan, engine: Engine = "fused") -> dict[tuple[str, ...], str]:
    """Shape key of the network of all tasks, first, and of those of the single-task runs."""
    tasks = dict.fromkeys([plan.card.task_names, *(search.tasks for search in plan.searches)])
    return shape_keys(plan.spec, plan.card.to_plain(), tasks, engine=engine)


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
    shapes = {engine: shapes_of(plan, engine) for engine in {of.engine for of, _ in together}}
    groups = [
        _group(plan, engine, searches, shapes[engine.engine], facts, calibrations)
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
    shapes: Mapping[tuple[str, ...], str],
    facts: NetworkFacts | None,
    calibrations: Sequence[Calibration],
) -> PackGroup:
    tasks = searches[0].tasks
    # without a look, a calibration tells that solo runs share their data
    seen = any(found.shape in shapes.values() for found in calibrations)
    packed = engine.engine == "fused" or (seen if facts is None else facts.streamed)
    packed = packed and plan.training.data_parallel == 1 and not searches[0].alone
    return PackGroup(
        tasks=tasks,
        engine=engine,
        searches=tuple(search.name for search in searches),
        runs=sum(search.expected_trials for search in searches),
        pack_size=_pack_size(plan, shapes, calibrations) if packed else 1,
        calibrations=[found for found in calibrations if found.shape == shapes[tasks]],
    )


def _pack_size(
    plan: Plan, shapes: Mapping[tuple[str, ...], str], calibrations: Sequence[Calibration]
) -> int | None:
    """By hand, or by calibration of the network of all tasks, where hardware agrees on it."""
    whole = shapes[plan.card.task_names]
    sizes = {found.pack_size for found in calibrations if found.shape == whole}
    return plan.spec.training.pack_size or (sizes.pop() if len(sizes) == 1 else None)
