"""Collects what a database has timed of a plan's networks: its own packs, others', calibrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storage.records import PackCosts, StudyRecord
from study.deciding.pace import Timed, pooled
from study.deciding.progress import at_size
from study.errors import BadSpec, StudyError, UnknownStudyName
from study.planning.keys import shape_keys
from study.planning.optimisers import OPTIMIZER, tried_by
from study.planning.packs import PackGroup, PackPlan
from study.running.timed_optimizers import Tuned, costs_by_optimizer
from study.spec.study_spec import StudySpec, parse
from trainers.hardware.devices import is_gpu

if TYPE_CHECKING:
    from storage import Reader
    from study.planning.plan import Plan

_Key = tuple[str, str, str]
"""Role, and the weighting, of single-task and function searches the name; and the optimiser."""
_CPU = "cpu"


def timed_shapes(
    plan: Plan, packs: PackPlan, reader: Reader | None, *, device: str | None, like: str | None
) -> tuple[dict[Tuned, Timed], float]:
    """What was timed of each search and optimiser, and what was paid beside runs.

    The second is for each device-second of runs.

    Args:
        device: Only packs of this kind of device count; None: all.
        like: Study whose packs count beside the study's own; None: all studies of its shape.

    Raises:
        BadSpec: `like` is of another problem.
        UnknownStudy: There is none of that name.
        UnknownStudyName: There is no database.
    """
    records = [] if reader is None else reader.studies()
    own = [record for record in records if record.name == plan.spec.name]
    others = records
    if like is not None:
        others = [_named(like, reader)]
        refuse_unlike(plan, others[0])
    shape = _shape(plan.spec, plan.stored_card)  # whatever the optimiser: keys tell them apart
    alike = [
        record for record in others if record.name != plan.spec.name and _shape_of(record) == shape
    ]
    mine, of_others = (_by_key(reader, found, device) for found in (own, alike))
    beside = _beside(reader, own, mine) or _beside(reader, alike, of_others)
    calibrated = {key: s for group in packs.groups for key, s in _calibrated(group).items()}
    found = {}
    for search in plan.searches:
        for name in tried_by(search.stages) or (plan.training.optimizer,):
            key = (*_key(search.role, search.weighting, search.name), name)
            found[search.name, name] = Timed(
                tasks=search.tasks,
                optimizer=name,
                own=next((of for of in mine.get(key, []) if of.search == search.name), None),
                like=pooled(of_others[key]) if key in of_others else None,
                elsewhere=_of_role(of_others, search.role, name),
                calibrated_s=calibrated.get((search.name, name), ()),
            )
    return found, beside


def _named(like: str, reader: Reader | None) -> StudyRecord:
    if reader is None:
        raise UnknownStudyName(
            f"--like names a study of the database. Got {like!r}, and there is no database yet. "
            "Leave it out, or say with --storage where the study is."
        )
    return reader.study(like)


def refuse_unlike(plan: Plan, other: StudyRecord) -> None:
    """Refuse a study that says nothing of this one.

    Raises:
        BadSpec: It is of another problem, of other data, or of another network.
    """
    card = plan.stored_card
    asked = {
        "problem": plan.spec.problem or card["name"],
        "problem_options": plan.spec.to_plain()["problem_options"],
        "data": card["data_version"],
        "network": card["network"],
    }
    there = {
        "problem": other.spec.get("problem") or other.card["name"],
        "problem_options": other.spec.get("problem_options", {}),
        "data": other.card["data_version"],
        "network": other.card["network"],
    }
    if differ := [key for key in asked if asked[key] != there[key]]:
        raise BadSpec(
            f"--like names a study of the same problem, data and network. {other.name} has another "
            f"{' and '.join(differ)} than {plan.spec.name}. Name another one, or leave it out: "
            "studies of the same shape are found by themselves."
        )


def _by_key(
    reader: Reader | None, records: Sequence[StudyRecord], device: str | None
) -> dict[_Key, list[PackCosts]]:
    """What packs took on one kind of device, or on all, by what was trained in them."""
    found: dict[_Key, list[PackCosts]] = {}
    if reader is None:
        return found
    for record in records:
        searches = {search.name: search for search in reader.searches(record.id)}
        for optimizer, costs in _by_optimizer(reader, record):
            on_gpu = costs.device not in ("", _CPU)
            if device is None or on_gpu == is_gpu(device):
                search = searches[costs.search]
                key = (*_key(search.role, search.weighting, search.name), optimizer)
                found.setdefault(key, []).append(costs)
    return found


def own_optimizer(record: StudyRecord) -> str:
    """Of trials that have none of their own."""
    return str(record.spec.get("training", {}).get(OPTIMIZER, "adam"))


def _by_optimizer(reader: Reader, record: StudyRecord) -> Iterator[tuple[str, PackCosts]]:
    """What packs of each search took, with the optimiser of the runs in them."""
    own = own_optimizer(record)
    tuning = {
        name
        for part in record.spec.get("search", ())
        if any(OPTIMIZER in stage for stage in part.get("stages", ()))
        for name in _names(part)
    }
    for costs in reader.pack_costs(record.id):
        if costs.search not in tuning:
            yield own, costs
    if tuning:
        split = costs_by_optimizer(reader, record.name, tuning, own)
        yield from ((name, of) for (_, name), parts in split.items() for of in parts)


def _names(part: Mapping[str, Any]) -> list[str]:
    """The searches that one [[search]] of a stored spec stands for."""
    weightings = part.get("weighting", [])
    listed = [weightings] if isinstance(weightings, str) else list(weightings)
    return [part["name"]] if part.get("name") else listed


def _of_role(
    costs: Mapping[_Key, Sequence[PackCosts]], role: str, optimizer: str
) -> PackCosts | None:
    found = [
        of
        for (its_role, _, name), parts in costs.items()
        if (its_role, name) == (role, optimizer)
        for of in parts
    ]
    return pooled(found) if found else None


def _key(role: str, weighting: str, name: str) -> tuple[str, str]:
    return role, weighting if role == "search" else name


def _beside(
    reader: Reader | None,
    records: Sequence[StudyRecord],
    costs: Mapping[_Key, Sequence[PackCosts]],
) -> float:
    """Workers' own starts and timings, for each device-second of runs; 0 where nothing tells it."""
    runs_s = sum(of.device_s for parts in costs.values() for of in parts)
    if reader is None or not runs_s:
        return 0.0
    return sum(reader.beside_runs_s(record.id) for record in records) / runs_s


def _shape_of(record: StudyRecord) -> str | None:
    """The shape of a stored study's network of all tasks; None if its spec is not read any more."""
    try:
        return _shape(parse(record.spec, source=f"of the stored study {record.name}"), record.card)
    except (StudyError, LookupError):
        return None


def _shape(spec: StudySpec, card: Mapping[str, Any]) -> str:
    if spec.function is not None:
        return spec.function.target
    whole = tuple(task["name"] for task in card["tasks"])
    return shape_keys(spec, card, [whole], optimizer="any")[whole]


def _calibrated(group: PackGroup) -> dict[Tuned, list[float]]:
    """What an epoch of one run takes in a pack as large as can be, on each hardware."""
    found: dict[Tuned, list[float]] = {}
    for optimizer, calibrations in group.timed.items():
        seconds = [
            of.epoch_s
            * at_size(of.run_step_ms, min(group.runs, group.pack_size or of.pack_size))
            / at_size(of.run_step_ms, 1)
            for of in calibrations
            if of.run_step_ms
        ]
        if seconds:
            found |= {(search, optimizer): seconds for search in group.searches}
    return found
