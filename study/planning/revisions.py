"""What was changed of a stored study's spec, or refused, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from storage.records import Revision
from study.spec.study_spec import StudySpec, parse

_LONGEST = 200


def changes_of(
    revisions: Sequence[Revision], present: Mapping[str, Any]
) -> Iterator[tuple[Revision, list[str]]]:
    """Each revision with what it changed, oldest first; those that changed nothing are left out.

    Args:
        present: The spec that is stored now, as plain values.
    """
    after = present
    found = list[tuple[Revision, list[str]]]()
    for revision in reversed(revisions):
        old, new = (revision.spec, after) if revision.accepted else (after, revision.spec)
        if said := differences(old, new):
            found.append((revision, said))
        if revision.accepted:
            after = revision.spec
    yield from reversed(found)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two specs as plain values, a line each, as ``key: old -> new``."""
    was, is_now = (parse(spec, source="as stored") for spec in (old, new))
    return [*_of_keys(_keys(was), _keys(is_now)), *_of_searches(_searches(was), _searches(is_now))]


def _of_keys(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*was, *is_now]):
        if was.get(key) != is_now.get(key):
            yield f"{key}: {_said(was.get(key))} -> {_said(is_now.get(key))}"


def _of_searches(
    was: Mapping[str, Mapping[str, Any]], is_now: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name in dict.fromkeys([*was, *is_now]):
        if name not in was:
            yield f"search {name} was added"
        elif name not in is_now:
            yield f"search {name} was removed"
        else:
            yield from (f"search {name}: {line}" for line in _of_keys(was[name], is_now[name]))


def _keys(spec: StudySpec) -> dict[str, Any]:
    """All but searches, as a reader of the TOML knows them: ``[training] epochs``."""
    found: dict[str, Any] = {}
    for key, value in spec.to_plain().items():
        if key != "search":
            found |= _flat(f"[{key}]", value) if isinstance(value, dict) else {key: value}
    return found


def _searches(spec: StudySpec) -> dict[str, dict[str, Any]]:
    """Keys and stages of each search."""
    found: dict[str, dict[str, Any]] = {}
    for part in spec.search:
        plain = part.model_dump(mode="json")
        stages = plain.pop("stages")
        for key in ("name", "weighting"):
            del plain[key]
        for name in part.weightings:
            found[part.name or name] = {
                "weighting": name,
                **plain,
                **{f"stage {number}": stage for number, stage in enumerate(stages, start=1)},
            }
    return found


def _flat(place: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{place} {key}": value for key, value in values.items()}


def _said(value: Any) -> str:
    """As JSON, without what is not set; ``nothing`` if it is not set itself."""
    if value is None:
        return "nothing"
    text = json.dumps(_without_none(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value
