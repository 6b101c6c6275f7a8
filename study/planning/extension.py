"""Whether a spec extends a stored study: more points, seeds, searches, budget; nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.records import StudyRecord
from storage.wording import counted
from study.commands import command_line
from study.errors import NotAnExtension
from study.planning.keys import frozen_part
from study.spec.followup import FollowupSpec
from study.spec.search import SearchSpec
from study.spec.stopping import PopulationRule, StopRule
from study.spec.study_spec import StudySpec, parse

_FIXED_OF_FOLLOWUPS = ("kinds", "severities", "epochs")


def check_extension(stored: StudyRecord, spec: StudySpec, card: Mapping[str, Any]) -> None:
    """Refuse a changed study.

    Raises:
        NotAnExtension: With every key that differs, its old and its new value.
    """
    before = parse(stored.spec, source=f"of the stored study {stored.name}")
    old, new = frozen_part(before, stored.card), frozen_part(spec, card)
    changes = [
        f"  {key}: stored {old.get(key)!r}, now {new.get(key)!r}"
        for key in [*old, *(key for key in new if key not in old)]
        if old.get(key) != new.get(key)
    ]
    changes += _seed_changes(before, spec)
    if before.baseline is not None and spec.baseline is not None:
        changes += _stop_change("[baseline]", before.baseline.stop, spec.baseline.stop)
    elif before.baseline is not None:
        changes.append("  [baseline] was removed")
    changes += _population_changes(before, spec)
    kept = _searches(spec)
    for name, (method, part) in _searches(before).items():
        if name not in kept:
            changes.append(f"  search {name} was removed")
        else:
            changes += _search_changes(name, (method, part), kept[name])
            changes += _stop_changes(name, part, kept[name][1])
    changes += _followup_changes(before.followup, spec.followup)
    if changes:
        raise NotAnExtension(
            f"The stored study {stored.name!r} can be extended (points, seeds, searches, budget), "
            "not changed. These differ:\n" + "\n".join(changes) + "\n"
            "Give the study another `name`, use another --storage, or give the stored one another "
            f"name: `{command_line('rename', stored.name, 'NEW_NAME')}`."
        )


def _followup_changes(before: Sequence[FollowupSpec], now: Sequence[FollowupSpec]) -> list[str]:
    """What makes a follow-up another one; its learning rates may change as points do."""
    kept = {part.name: part for part in now}
    gone = [part.name for part in before if part.name not in kept]
    changes = [f"  followup {name} was removed" for name in gone]
    for was in before:
        is_now = kept.get(was.name, was)
        pairs = [(key, getattr(was, key), getattr(is_now, key)) for key in _FIXED_OF_FOLLOWUPS]
        changes += [
            f"  followup {was.name}: {key} stored {old!r}, now {new!r}"
            for key, old, new in pairs
            if old != new
        ]
    return changes


def _seed_changes(before: StudySpec, now: StudySpec) -> list[str]:
    changes = [f"  seed {seed} was removed" for seed in before.seeds if seed not in now.seeds]
    if not changes and now.seeds[0] != before.seeds[0]:
        # It addresses the draws of random searches; another one would draw other points.
        changes.append(f"  first seed: stored {before.seeds[0]}, now {now.seeds[0]}")
    return changes


def _population_changes(before: StudySpec, now: StudySpec) -> list[str]:
    """A population stands as it began: its children hang on all of it, seed means included."""
    added = [str(seed) for seed in now.seeds if seed not in before.seeds]
    kept, changes = _searches(now), []
    for name, (_, part) in _searches(before).items():
        if name not in kept or not any(isinstance(s.stop, PopulationRule) for s in part.stages):
            continue
        if added:
            changes.append(
                f"  search {name}: a population has the seeds that it began with; now with "
                f"{', '.join(added)} more"
            )
        parts = (part, kept[name][1])
        was, is_now = ([s.model_dump(mode="json") for s in of.stages] for of in parts)
        if was != is_now:
            changes.append(f"  search {name}: its population was {was!r}, now {is_now!r}")
    return changes


def _search_changes(
    name: str, old: tuple[str, SearchSpec], new: tuple[str, SearchSpec]
) -> list[str]:
    """What makes a search another one; its stages may grow in number and in points."""
    (old_method, before), (new_method, now) = old, new
    pairs = [
        ("weighting", old_method, new_method),
        ("hyper", *(part.model_dump(mode="json")["hyper"] for part in (before, now))),
        ("joint", before.joint, now.joint),
        ("init_from", before.init_from, now.init_from),
    ]
    changes = [
        f"  search {name}: {key} stored {was!r}, now {is_now!r}"
        for key, was, is_now in pairs
        if was != is_now
    ]
    if len(now.stages) < len(before.stages):
        changes.append(
            f"  search {name}: {counted(len(before.stages), 'stage')} stored, now {len(now.stages)}"
        )
    return changes


def _stop_changes(name: str, old: SearchSpec, new: SearchSpec) -> list[str]:
    """Stopping rules of stored stages stand: some of their trials may be pruned already."""
    return [
        change
        for number, (was, is_now) in enumerate(zip(old.stages, new.stages, strict=False), start=1)
        for change in _stop_change(f"search {name}: stage {number}", was.stop, is_now.stop)
    ]


def _stop_change(place: str, was: StopRule | None, is_now: StopRule | None) -> list[str]:
    stored, now = (None if rule is None else rule.model_dump(mode="json") for rule in (was, is_now))
    return [] if was == is_now else [f"  {place} stop: stored {stored!r}, now {now!r}"]


def _searches(spec: StudySpec) -> dict[str, tuple[str, SearchSpec]]:
    """Each search's weighting and its part of the spec, by name."""
    return {part.name or name: (name, part) for part in spec.search for name in part.weightings}
