"""Whether a spec extends a stored study: more points, seeds, searches, budget; nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.records import StudyRecord
from study.errors import NotAnExtension
from study.keys import frozen_part
from study.spec import StudySpec, parse


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
        if _plain(old.get(key)) != _plain(new.get(key))
    ]
    changes += [f"  seed {seed} was removed" for seed in before.seeds if seed not in spec.seeds]
    kept = _weightings(spec)
    for name, method in _weightings(before).items():
        if name not in kept:
            changes.append(f"  search {name} was removed")
        elif kept[name] != method:
            changes.append(f"  search {name}: weighting stored {method!r}, now {kept[name]!r}")
    if changes:
        raise NotAnExtension(
            f"The stored study {stored.name!r} can be extended (points, seeds, searches, budget), "
            "not changed. These differ:\n" + "\n".join(changes) + "\n"
            "Give the study another `name`, or use another --storage."
        )


def _weightings(spec: StudySpec) -> dict[str, str]:
    return {part.name or name: name for part in spec.search for name in part.weightings}


def _plain(value: Any) -> Any:
    """Lists for tuples, so that stored and new values compare."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
