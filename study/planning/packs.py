"""Which runs will be trained together, as far as it is known before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.records import Calibration, StudyRecord
from study.planning.engine import EngineChoice, engine_for
from study.planning.keys import shape_key
from study.planning.plan import Plan
from trainers.events import NetworkFacts
from trainers.jobs import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class PackGroup:
    """Runs of one network: those of one seed can be trained together.

    Attributes:
        runs: Of each seed, at most.
        pack_size: Most runs of a pack; None until a calibration finds it.
        calibrations: What was measured of this network, one for each hardware.
    """

    tasks: tuple[str, ...]
    searches: tuple[str, ...]
    runs: int
    pack_size: int | None
    calibrations: Sequence[Calibration]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPlan:
    """How a study's runs will be trained.

    Attributes:
        known_by: ``stored`` with the study, by a ``look`` at the network, by its ``card``, or by
            the ``spec`` alone.
        findings: What a look has found that would fail, or is likely to by the card.
    """

    engine: EngineChoice
    known_by: str
    groups: Sequence[PackGroup]
    findings: Sequence[str] = ()


def shapes_of(plan: Plan, engine: Engine = "fused") -> dict[tuple[str, ...], str]:
    """Shape key of the network of all tasks, first, and of those of the single-task runs."""
    tasks = dict.fromkeys([plan.card.task_names, *(search.tasks for search in plan.searches)])
    return {t: shape_key(plan.spec, plan.card.to_plain(), t, engine=engine) for t in tasks}


def pack_plan(
    plan: Plan,
    *,
    device: str,
    stored: StudyRecord | None = None,
    facts: NetworkFacts | None = None,
    findings: Sequence[str] = (),
    calibrations: Sequence[Calibration] = (),
) -> PackPlan:
    """Packs by what is stored of the study, else by what was found, else by the card.

    Raises:
        WorkersUnusable: The spec asks for stacks and the network cannot be stacked.
    """
    engine, known_by = _engine(plan, device, stored, facts)
    shapes = shapes_of(plan, engine.engine)
    # without a look, a calibration tells that solo runs share their data
    seen = any(found.shape in shapes.values() for found in calibrations)
    packed = engine.engine == "fused" or (seen if facts is None else facts.streamed)
    packed = packed and plan.training.data_parallel == 1
    size = _pack_size(plan, shapes, calibrations) if packed else 1
    groups = [
        _group(plan, tasks, size, [c for c in calibrations if c.shape == shape])
        for tasks, shape in shapes.items()
    ]
    return PackPlan(
        engine=engine,
        known_by=known_by,
        groups=[group for group in groups if group.searches],
        findings=findings,
    )


def _engine(
    plan: Plan, device: str, stored: StudyRecord | None, facts: NetworkFacts | None
) -> tuple[EngineChoice, str]:
    if stored is not None and stored.engine is not None:
        return EngineChoice(stored.engine, stored.engine_reason), "stored"
    choice = engine_for(plan, device=device, network=facts)
    if plan.spec.function is not None or plan.training.data_parallel > 1:
        return choice, "spec"
    return choice, "card" if facts is None else "look"


def _pack_size(
    plan: Plan, shapes: Mapping[tuple[str, ...], str], calibrations: Sequence[Calibration]
) -> int | None:
    """By hand, or by calibration of the network of all tasks, where hardware agrees on it."""
    whole = shapes[plan.card.task_names]
    sizes = {found.pack_size for found in calibrations if found.shape == whole}
    return plan.spec.training.pack_size or (sizes.pop() if len(sizes) == 1 else None)


def _group(
    plan: Plan, tasks: tuple[str, ...], size: int | None, measured: Sequence[Calibration]
) -> PackGroup:
    searches = [search for search in plan.searches if search.tasks == tasks]
    return PackGroup(
        tasks=tasks,
        searches=tuple(search.name for search in searches),
        runs=sum(search.expected_trials for search in searches),
        pack_size=size,
        calibrations=measured,
    )
